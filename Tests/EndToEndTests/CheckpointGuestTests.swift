import Foundation
import Testing

@Suite("a machine from a checkpoint works like one that was never frozen", .serialized)
struct CheckpointGuestTests {
    @Test("its clock is right, it reaches the build's HTTP server, and no two draw the same random numbers")
    func resumed() async throws {
        let bench = try CheckpointBench()
        let look = "echo time $(date +%s); wget -q -O - http://$PACKER_HTTP_ADDR/word; echo"
        let numbers = "echo random $(head -c 12 /dev/urandom | hexdump -v -e '1/1 \"%02x\"')"
        // It sleeps until the next build, with its clock an hour behind: nothing but the build can set it right.
        try bench.write(bench.stage(1, "one", then: "date -s @$(($(date +%s) - 3600)) >/dev/null"))
        try await bench.build()
        var drawn: Set<String> = []
        for turn in 1...3 {
            try bench.write(
                bench.stage(1, "one", then: "date -s @$(($(date +%s) - 3600)) >/dev/null"),
                bench.stage(2, "two", then: ": \(turn); \(numbers); \(look)"))
            let before = Date().timeIntervalSince1970
            let run = try await bench.build()
            let after = Date().timeIntervalSince1970
            #expect(run.output.contains("From a checkpoint: install, provisioner 1: shell ("))
            #expect(run.output.contains("served") && run.output.contains("GET /word 200"))
            let time = try #require(run.output.firstMatch(of: /time ([0-9]+)/).flatMap { Double($0.1) })
            // What it takes to log in and set it may pass between the two clocks.
            #expect(time > before - 60 && time < after + 60, "\(time - before)")
            let random = try #require(run.output.firstMatch(of: /random ([0-9a-f]{24})/).map { String($0.1) })
            drawn.insert(random)
        }
        #expect(drawn.count == 3, "\(drawn)")
        try await bench.expectClean()
    }

    @Test("the key of the build that installed it opens it, and is the one that its provisioners are told")
    func firstBuildsKey() async throws {
        let bench = try CheckpointBench()
        func write(_ word: String) throws {
            try bench.write(
                source: "  ssh_password = \"\"", bench.stage(1, "one"),
                bench.stage(
                    2, word, then: "grep -c \"${build.SSHPublicKey}\" /root/.ssh/authorized_keys | sed 's/^/keys: /'"))
        }
        try write("two")
        try await bench.build()
        try write("TWO")
        let run = try await bench.build()
        #expect(run.output.contains("From a checkpoint: install, provisioner 1: shell"))
        #expect(run.output.contains("keys: 1"), "\(run.output)")
    }

    @Test("a freeze in the middle of a reboot is one like any other")
    func reboot() async throws {
        let bench = try CheckpointBench()
        func write(_ word: String) throws {
            try bench.write(
                bench.stage(1, "one"),
                shell(": \(bench.id); touch /tmp/before; reboot; sleep 100", "expect_disconnect = true"),
                bench.stage(3, word, then: "test ! -e /tmp/before && echo a new start"))
        }
        try write("three")
        let first = try await bench.build()
        // Its memory is that of a new start, the disk is the old one.
        #expect(first.output.contains("ran 3 13") && first.output.contains("a new start"))
        try write("THREE")
        let second = try await bench.build()
        #expect(second.output.contains("From a checkpoint: install, provisioner 1: shell, provisioner 2: shell ("))
        #expect(second.output.contains("ran 3 13") && second.output.contains("a new start"), "\(second.output)")
        #expect(try await ImageContent(bench.path + "/" + bench.image)[3] == "THREE")
        try await bench.expectClean()
    }
}
