import ComponentModel
import Foundation
import Guests
import Scopes
import Templates

/// Brings a guest up to date that was frozen: sets its clock, and has it draw new random numbers where other guests come
/// from the same memory.
struct RefreshGuest: Sendable {
    let scope: BuildScope
    let data: RunData

    private var context: RunContext { scope.context }
    private var reporter: Reporter { scope.reporter }

    /// Exit status of the script where the user is not root and cannot become it.
    private static let notPermitted = 77
    /// Where nothing in the guest could ask for new random numbers.
    private static let notReseeded = 78

    /// After the guest was restored from a checkpoint.
    ///
    /// - Parameter frozenFor: How long the guest's clock has stood still.
    func run(_ guest: any Guest, frozenFor: Duration) async throws {
        switch try await runAsRoot(restoreScript, guest) {
        case .code(0): return
        case .code(Self.notReseeded):
            reporter.warn(
                "the guest may draw the same random numbers as others from this checkpoint for some minutes; with Perl or "
                    + "Python in it that can be prevented")
        default:
            reporter.warn(
                "the guest's clock could not be set; it is \(frozenFor.text) behind. That takes root, or sudo without a "
                    + "password.")
        }
    }

    /// After the guest was frozen for a checkpoint and goes on: its clock has stood still for a second or two.
    func catchUp(_ guest: any Guest) async {
        do {
            let exit = try await runAsRoot(Self.becomingRoot + Self.settingClock, guest)
            if exit != .code(0) { reporter.debug("the guest's clock was not set after the freeze: \(exit)") }
        } catch {
            // What the guest cannot do any more shows in the next provisioner.
            reporter.debug("the guest's clock was not set after the freeze: \(error)")
        }
    }

    /// Runs a script in the guest that becomes root by itself if it can, else in the way of the template's own provisioners.
    private func runAsRoot(_ script: String, _ guest: any Guest) async throws -> ExitStatus {
        try await guest.ensureConnected(timeout: .seconds(60))
        func run(_ command: String) async throws -> ExitStatus {
            try await guest.run(command, timeout: .seconds(60)) { [reporter] in reporter.debug(printable($0.text)) }
        }
        let script = "#!/bin/sh\nset +e\nnow=\(Self.timeNow)\n" + script + "\nexit 0\n"
        // Most ways to become root take the path of a file, within quotes.
        let path = guest.dialect.temporaryPath("ingot-\(UUID().uuidString.lowercased()).sh")
        // Mostly this one round trip is enough.
        var exit = try await run(
            """
            umask 077; printf %s \(guest.dialect.quoted(script)) >\(path); chmod 700 \(path); sh \(path); done=$?
            [ $done = 0 ] || [ $done = \(Self.notReseeded) ] && rm -f \(path); exit $done
            """)
        if exit != .code(0), exit != .code(Self.notReseeded) {
            for way in elevations where exit != .code(0) && exit != .code(Self.notReseeded) {
                exit = try await run(try context.render(way, data: fields(path)))
            }
            _ = try await run(guest.dialect.removal(of: [path]))
        }
        return exit
    }

    /// The `execute_command`s of the template, each once.
    private var elevations: [String] {
        var found: [String] = []
        for planned in scope.plan.provisioners {
            // What is wrong with a provisioner shows when it runs.
            guard case .shell(let settings)? = try? planned.settings(data), let way = settings.executeCommand,
                !found.contains(way)
            else { continue }
            found.append(way)
        }
        return found
    }

    /// For an `execute_command`.
    private func fields(_ path: String) -> [String: String] {
        var fields = data.templateData
        fields["Vars"] = ""
        fields["EnvVarFile"] = "/dev/null"
        fields["Path"] = path
        return fields
    }

    private static var timeNow: String {
        let milliseconds = Int((Date().timeIntervalSince1970 * 1000).rounded())
        return "\(milliseconds / 1000).\(String(milliseconds % 1000 + 1000).dropFirst())"
    }

    private static let becomingRoot = """
        if [ "$(id -u)" = 0 ]; then as=; elif sudo -n true 2>/dev/null; then as="sudo -n"
        elif doas -n true 2>/dev/null; then as="doas -n"; else exit \(notPermitted); fi

        """

    /// Sets a clock that is behind. BusyBox knows no fractions of a second.
    private static let settingClock = """
        [ "$(date +%s)" -ge "${now%.*}" ] || $as date -u -s @$now >/dev/null 2>&1 ||
        $as date -u -s @${now%.*} >/dev/null 2>&1 || exit 1

        """

    /// The clock, then the pool of random numbers (RNDRESEEDCRNG, linux/random.h, has the number 0x5207), and after a long
    /// time a look whether the network's lease has survived. Without the second a kernel goes on for minutes with the numbers
    /// that it had, whatever is written to /dev/urandom.
    private var restoreScript: String {
        let noise = (0..<4).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
        return "echo \(noise) 2>/dev/null >/dev/urandom\n" + Self.becomingRoot + Self.settingClock + """
            reseed() {
            $as perl -e 'open(F,">/dev/urandom") && ioctl(F,0x5207,0) || exit 1' 2>/dev/null && return
            for python in python3 /usr/libexec/platform-python
            do $as $python -c 'import fcntl; fcntl.ioctl(open("/dev/urandom","wb"),0x5207,0)' 2>/dev/null && return; done
            [ "$(uname -m)" = x86_64 ] || return 1
            for place in /dev/shm /run /tmp /var/tmp; do
            folder=$(mktemp -d $place/XXXXXXXX 2>/dev/null) || continue
            printf '\(ReseedProgram.forPrintf)' >$folder/reseed; chmod 700 $folder/reseed
            $as $folder/reseed 2>/dev/null; done=$?; rm -rf $folder
            [ $done != 0 ] || return 0; done; return 1; }
            reseed; reseeded=$?
            n=0
            while [ $n -lt 10 ] && command -v ip >/dev/null && ! ip route 2>/dev/null | grep -q default
            do sleep 1; n=$((n+1)); done
            [ $reseeded = 0 ] || exit \(Self.notReseeded)
            """
    }
}
