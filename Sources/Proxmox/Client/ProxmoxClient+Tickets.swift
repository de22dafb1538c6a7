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
        guard case .password(let user, let password, let oneTimePassword) = server.credentials else {
            throw BuildError("sign in at Proxmox VE", because: "a token has no ticket")
        }
        let held = ticket.withLock { $0 }
        if let held, ContinuousClock.now - held.issued < server.pace.ticketAge { return held }
        // A ticket that still works counts as password, and needs no second factor.
        let proof = held?.cookie ?? password
        var answer = try await signIn([("username", user), ("password", proof.reveal())])
        if answer.NeedTFA?.isTrue == true {
            guard let oneTimePassword, let challenge = answer.ticket else {
                throw BuildError(
                    "sign in at Proxmox VE", because: "\(user) needs a second factor",
                    hint: "Use an API token (Datacenter > Permissions > API Tokens): it needs none.")
            }
            answer = try await signIn([
                ("username", user), ("tfa-challenge", challenge), ("password", "totp:" + oneTimePassword.reveal()),
            ])
        }
        guard let cookie = answer.ticket, let guardToken = answer.CSRFPreventionToken,
            !guardToken.contains(where: \.isNewline)
        else {
            throw BuildError(
                "sign in at Proxmox VE", because: "the answer holds no ticket",
                hint: "Check that the address is that of Proxmox VE.")
        }
        let fresh = Ticket(cookie: Sensitive(cookie), guardToken: Sensitive(guardToken), issued: .now)
        ticket.withLock { $0 = fresh }
        return fresh
    }

    private func signIn(_ fields: [(key: String, value: String)]) async throws -> TicketAnswer {
        try await call(APICall(.POST, ["access", "ticket"], fields, to: "sign in at Proxmox VE"))
    }
}
