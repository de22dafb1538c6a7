import Foundation
import Guests
import Scopes
import Templates

/// Tells a guest that was brought back from its memory what it cannot know: what time it is, and that it needs new
/// random numbers. Others come from the same memory.
struct RefreshGuest: Sendable {
    let build: PlannedBuild
    let data: RunData
    let context: RunContext
    let reporter: Reporter

    /// Exit status of the script where the user is not root and cannot become it.
    private static let notPermitted = 77
    /// Where nothing in the guest could ask for new random numbers.
    private static let notReseeded = 78

    /// - Parameter asleep: How long the guest's clock has stood still.
    func run(_ guest: any Guest, asleep: Duration) async throws {
        try await guest.ensureConnected(timeout: .seconds(60))
        func run(_ command: String) async throws -> ExitStatus {
            try await guest.run(command, timeout: .seconds(60)) { [reporter] in reporter.debug(printable($0.text)) }
        }
        // Ways to become root take a file, as a rule within quotes.
        let path = guest.dialect.temporaryPath("ingot-\(UUID().uuidString.lowercased()).sh")
        // As a rule that is all, and it is one round trip.
        var exit = try await run(
            """
            umask 077; printf %s \(guest.dialect.quoted(script)) >\(path); chmod 700 \(path); sh \(path); done=$?
            [ $done = 0 ] || [ $done = \(Self.notReseeded) ] && rm -f \(path); exit $done
            """)
        if exit != .code(0), exit != .code(Self.notReseeded) {
            // As the template itself becomes root.
            for way in elevations where exit != .code(0) && exit != .code(Self.notReseeded) {
                exit = try await run(try context.render(way, data: fields(path)))
            }
            _ = try await run(guest.dialect.removal(of: [path]))
        }
        if exit == .code(Self.notReseeded) {
            reporter.warn(
                "the guest may draw the same random numbers as others from this checkpoint for some minutes; with Perl or "
                    + "Python in it that can be prevented")
            return
        }
        guard exit == .code(0) else {
            reporter.warn(
                "the guest's clock could not be set; it is \(asleep.text) behind. That takes root, or sudo without a "
                    + "password.")
            return
        }
    }

    /// `execute_command`s of the template, each once.
    private var elevations: [String] {
        var found: [String] = []
        for planned in build.provisioners {
            // What is wrong with a provisioner is told when it runs.
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

    /// The clock, then the pool of random numbers (RNDRESEEDCRNG, linux/random.h, has the number 0x5207), and after a
    /// long sleep a look whether the network's lease has survived. Without the second a kernel goes on for minutes with the
    /// numbers that it had, whatever is written to /dev/urandom.
    private var script: String {
        let time = Int(Date().timeIntervalSince1970.rounded())
        let noise = (0..<4).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
        return """
            #!/bin/sh
            set +e
            echo \(noise) 2>/dev/null >/dev/urandom
            if [ "$(id -u)" = 0 ]; then as=; elif sudo -n true 2>/dev/null; then as="sudo -n"
            elif doas -n true 2>/dev/null; then as="doas -n"; else exit \(Self.notPermitted); fi
            $as date -u -s @\(time) >/dev/null 2>&1 || exit 1
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
            exit 0
            """
    }
}
