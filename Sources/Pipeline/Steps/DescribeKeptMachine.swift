import ComponentModel
import Guests
import Machines
import Scopes
import Templates

/// Says how to get into a machine that a failed build leaves running, and what belongs to it.
struct DescribeKeptMachine: Sendable {
    let scope: BuildScope
    let prepared: Preparation

    func run(_ started: StartedMachine) async throws {
        let machine = started.machine
        guard !machine.machine.isStopped else { return }
        if case .ssh(let settings) = scope.source.communicator {
            // Without its key the command still shows where the guest listens.
            let keys = started.isFromCheckpoint ? started.keys : try? await prepared.keys.value
            let arguments = try OpenShell(
                settings: settings, context: scope.context, workspace: prepared.workspace, reporter: scope.reporter
            ).arguments(machine, keys, in: prepared.workspace.path)
            let words = arguments.map { $0.allSatisfy(isPlain) ? $0 : GuestDialect.posix.quoted($0) }
            scope.reporter.news("To log in: ssh \(words.joined(separator: " "))")
        }
        if let vnc = machine.vnc { scope.reporter.news("Its screen is at \(vnc) (VNC)") }
        let state = try await scope.engine.host(for: scope.source.libvirtURI).stateFolder
        let files = [prepared.workspace.path] + (state.map { [$0] } ?? [])
        scope.reporter.news(
            "Its files are in \(files.joined(separator: " and "))"
                + (state == nil ? "; remove them when it is gone." : "; a later build removes them once it is gone."))
    }

    private func isPlain(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-_./=@:".contains(character))
    }
}
