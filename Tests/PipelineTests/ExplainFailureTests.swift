import Foundation
import Machines
import Processes
import Scopes
import Testing

@testable import Pipeline

@Suite("An error says what this host lacks")
struct ExplainFailureTests {
    private func explained(_ error: any Error) throws -> String {
        let bench = try BuildBench()
        let scope = BuildScope(
            plan: try bench.plan(source: BuildBench.ssh, ""), context: bench.context(force: false),
            options: BuildOptions(
                onError: .cleanup, connectURI: nil, checkpoints: CheckpointOptions(store: bench.path + "/store")),
            engine: Engine(connectURI: nil, environment: [:], host: bench.host),
            reporter: Reporter(build: "vm", sinks: [], secrets: []),
            attendant: Attendant(onError: .cleanup, pausesBetweenSteps: false, ask: nil), runFolder: "", secrets: [])
        let distribution = Distribution(osRelease: "ID=debian\n", isRoot: false)
        return "\(ExplainFailure(scope: scope, distribution: distribution).explain(error))"
    }

    @Test("a missing program is named with the command that installs it")
    func program() throws {
        let error = BuildError(operation: "run qemu-img", underlying: ProgramNotFound())
        #expect(try explained(error).contains("sudo apt install qemu-utils"))
        let other = BuildError(operation: "run frobnicate", underlying: ProgramNotFound())
        #expect(try explained(other) == "\(other)")
    }

    @Test("a full file system is named with the room that is left")
    func room() throws {
        let errors: [any Error] = [
            BuildError("create the disk", because: "No space left on device"), MachineStopped(reason: .outOfRoom),
        ]
        for error in errors {
            #expect(try explained(error).contains(/Room left: [0-9]+ MiB in \//), "\(error)")
        }
        #expect(try explained(BuildError("upload", because: "refused")) == "could not upload: refused")
    }
}
