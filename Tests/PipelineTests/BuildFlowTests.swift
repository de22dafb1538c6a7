import Foundation
import Guests
import GuestsTestSupport
import Machines
import Scopes
import Synchronization
import Testing

@testable import Pipeline

@Suite("A build, from its medium to its image")
struct BuildFlowTests {
    private let two = """
          provisioner "shell" {
            inline = ["echo one"]
          }
          provisioner "shell" {
            inline = ["echo two"]
          }
        """

    /// The inline scripts that were uploaded.
    private func scripts(_ guest: FakeGuest) -> [String] {
        guest.calls(.upload).compactMap(\.content).compactMap { text in
            text.split(separator: "\n").last { $0.hasPrefix("echo ") }.map(String.init)
        }
    }

    @Test("boots, types, connects, provisions, shuts down, and moves the image into place")
    func everything() async throws {
        let bench = try BuildBench()
        let guest = FakeGuest()
        let plan = try bench.plan(source: BuildBench.ssh + "\n  boot_command = [\"go<enter>\"]", two)
        let artifacts = try await bench.build(plan, FakeConnector(guest))
        #expect(
            bench.sink.steps == [
                "Fetching the medium", "Preparing the output folder", "Serving files", "Creating disks",
                "Booting the machine", "Typing the boot command", "Waiting for SSH", "Provisioner 1 of 2: shell",
                "Provisioner 2 of 2: shell", "Shutting down", "Finishing the disk", "Moving the image into place",
            ])
        #expect(bench.host.machines.map(\.pressedKeys) == [[0x67, 0x6F, 0xFF0D]])
        #expect(scripts(guest) == ["echo one", "echo two"])
        #expect(guest.calls.last?.kind == .close)
        #expect(bench.host.notes.filter { $0 != "screen" } == ["boot", "forward", "power button", "close"])
        #expect(artifacts.first?.files == ["out/packer-vm"] && bench.hasImage)
        #expect(try bench.leftovers == [])
    }

    @Test("a shutdown command ends the build when the machine is off, and a machine that is off is not waited for")
    func shutdownCommand() async throws {
        let bench = try BuildBench()
        let guest = FakeGuest()
        guest.on(
            .run, "poweroff now",
            .doing {
                bench.host.machines.first?.stop(.shutDown)
                return .lostConnection
            })
        let plan = try bench.plan(source: BuildBench.ssh + "\n  shutdown_command = \"poweroff now\"", two)
        _ = try await bench.build(plan, FakeConnector(guest))
        #expect(!bench.host.notes.contains("power button") && bench.hasImage)
    }

    @Test("without a communicator the build ends when the machine powers itself off")
    func powerOff() async throws {
        let bench = try BuildBench()
        bench.host.onStart { $0.stop(.shutDown) }
        _ = try await bench.build(try bench.plan(source: "  communicator = \"none\"", ""))
        #expect(bench.hasImage && bench.sink.steps.contains("Shutting down"))
    }

    @Test("a machine that goes away ends the wait for the guest at once, with the reason")
    func crash() async throws {
        let bench = try BuildBench()
        let plan = try bench.plan(source: BuildBench.ssh, two)
        let build = Task { try await bench.build(plan, FakeConnector(.silence)) }
        await bench.sink.received("Waiting for SSH")
        bench.host.machines.first?.stop(.crashed)
        let result = await build.result
        #expect(throws: MachineStopped.self) { try result.get() }
        #expect(!bench.hasImage)
        #expect(try bench.leftovers == [])
    }

    @Test("a build that is cancelled stops its machine and removes what it made")
    func cancellation() async throws {
        let bench = try BuildBench()
        let plan = try bench.plan(source: BuildBench.ssh, two)
        let build = Task { try await bench.build(plan, FakeConnector(.silence), onError: .abort) }
        await bench.sink.received("Waiting for SSH")
        build.cancel()
        let result = await build.result
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(bench.host.notes.contains("destroy") && !bench.host.notes.contains("close, keeping machines"))
        #expect(try bench.leftovers == [])
    }

    // MARK: Failures

    private let failing = """
          provisioner "shell" {
            inline = ["echo one"]
          }
          error-cleanup-provisioner "shell" {
            inline = ["echo cleanup"]
          }
        """

    private func failingGuest(times: Int = .max) -> FakeGuest {
        let guest = FakeGuest()
        guest.on(.run, "chmod +x", .exit(3), times: times)
        return guest
    }

    @Test(
        "what a failed provisioner leaves depends on -on-error",
        arguments: [
            (OnError.cleanup, false, ["echo one", "echo cleanup"]), (.abort, true, ["echo one"]),
            (.runCleanupProvisioner, true, ["echo one", "echo cleanup"]),
        ])
    func onError(_ mode: OnError, _ keeps: Bool, _ ran: [String]) async throws {
        let bench = try BuildBench()
        let guest = failingGuest(times: 1)
        await #expect(throws: (any Error).self) {
            try await bench.build(
                try bench.plan(source: BuildBench.ssh, failing), FakeConnector(guest), onError: mode)
        }
        #expect(scripts(guest) == ran)
        #expect(bench.host.notes.contains("destroy") != keeps)
        #expect(bench.host.notes.last == (keeps ? "close, keeping machines" : "close"))
        #expect(try bench.leftovers.isEmpty != keeps && !bench.hasImage)
        for text in ["keeps running", "To log in: ssh -o", "Its screen is at", "Its files are in \(bench.path)/"] {
            #expect(bench.sink.text.contains(text) == keeps, "\(text)")
        }
    }

    @Test("a failed build closes the connection, looks at the screen once more, and then stops the machine")
    func teardownOrder() async throws {
        let bench = try BuildBench()
        let guest = failingGuest()
        await #expect(throws: (any Error).self) {
            try await bench.build(try bench.plan(source: BuildBench.ssh, failing), FakeConnector(guest))
        }
        #expect(guest.calls.last?.kind == .close)
        #expect(bench.host.notes == ["boot", "forward", "screen", "destroy", "close"])
    }

    @Test("-on-error=ask shows the error without secrets; “r” runs the step again, “a” keeps the machine")
    func ask() async throws {
        for (answer, succeeds) in [("r", true), ("a", false), ("c", false)] {
            let bench = try BuildBench()
            let questions = Mutex<[String]>([])
            let guest = FakeGuest()
            guest.on(.upload, "", .failure(GuestError.other("no swordfish here")), times: 1)
            let build = Task {
                try await bench.build(
                    try bench.plan(source: BuildBench.ssh, two), FakeConnector(guest), onError: .ask,
                    ask: { question in
                        questions.withLock { $0.append(question) }
                        return answer
                    })
            }
            let result = await build.result
            let hasSucceeded = if case .success = result { true } else { false }
            #expect(hasSucceeded == succeeds)
            let asked = questions.withLock { $0 }
            #expect(asked.count == 1)
            #expect(asked[0].contains("no <sensitive> here") && asked[0].contains("retry step"), "\(asked[0])")
            #expect(bench.host.notes.contains("destroy") == (answer == "c"))
        }
    }

    @Test("a secret that the guest prints is masked")
    func secrets() async throws {
        let bench = try BuildBench()
        let guest = FakeGuest()
        guest.on(.run, "chmod +x", .exit(0, "the word is swordfish"))
        _ = try await bench.build(try bench.plan(source: BuildBench.ssh, two), FakeConnector(guest))
        #expect(bench.sink.text.contains("the word is <sensitive>") && !bench.sink.text.contains("swordfish"))
    }
}
