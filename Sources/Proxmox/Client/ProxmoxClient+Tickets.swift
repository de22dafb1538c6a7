import Scopes
import Synchronization

extension ProxmoxClient {
    private struct TicketAnswer: Decodable, Sendable {
        var ticket: String?
        var CSRFPreventionToken: String?
        var NeedTFA: JSONScalar?
    }

    /// Signs in with the password, if that has not been done or was too long ago.
    func currentTicket() async throws -> Ticket {
        guard case .password(let user, let password) = server.credentials else {
            throw BuildError("sign in at Proxmox VE", because: "a token has no ticket")
        }
        if let held = ticket.withLock({ $0 }) {
            let age = ContinuousClock.now - held.issued
            if age < server.pace.ticketAge { return held }
            // A ticket that still works counts as the password.
            if age < server.pace.ticketLife, let renewed = try await renewed(held, user) { return renewed }
            ticket.withLock { $0 = nil }
        }
        return try await signIn(user, password)
    }

    /// Nil if the server takes the ticket no longer.
    private func renewed(_ held: Ticket, _ user: String) async throws -> Ticket? {
        do {
            return try await signIn(user, held.cookie)
        } catch let error as BuildError where (error.underlying as? APIRefusal)?.status == 401 {
            return nil
        }
    }

    private func signIn(_ user: String, _ proof: Sensitive<String>) async throws -> Ticket {
        let operation = "sign in at Proxmox VE"
        let answer: TicketAnswer = try await call(
            APICall(
                .POST, ["access", "ticket"], [("username", user), ("password", proof.reveal())], to: operation))
        if answer.NeedTFA?.isTrue == true {
            throw BuildError(
                operation, because: "\(user) needs a second factor",
                hint: "Use an API token (Datacenter > Permissions > API Tokens): it needs none.")
        }
        guard let cookie = answer.ticket, let guardToken = answer.CSRFPreventionToken,
            !guardToken.contains(where: \.isNewline)
        else {
            throw BuildError(
                operation, because: "the answer contains no ticket",
                hint: "Check that the address is that of Proxmox VE.")
        }
        let fresh = Ticket(cookie: Sensitive(cookie), guardToken: Sensitive(guardToken), issued: .now)
        ticket.withLock { $0 = fresh }
        return fresh
    }
}
