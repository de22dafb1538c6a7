import CLI
import Foundation
import Pipeline
import Scopes
import Testing

@Suite("Packer's records for programs")
struct MachineRecordTests {
    private let time = Date(timeIntervalSince1970: 1_700_000_000.9)

    private func line(_ record: MachineRecord?) -> String? { record?.line(at: time) }

    private func event(_ kind: Event.Kind, _ text: String, build: String = "b.qemu.x") -> Event {
        Event(time: time, build: build, kind: kind, text: text)
    }

    @Test("commas and line breaks are escaped in the data, and in a build's name")
    func escapes() {
        #expect(
            line(MachineRecord("artifact", ["0", "a,b\r\nc\nd\re"], target: "x,y"))
                == "1700000000,x%!(PACKER_COMMA)y,artifact,0,a%!(PACKER_COMMA)b\\r\\nc\\nd\\re")
        #expect(line(MachineRecord(.say, "a,b\n\n")) == "1700000000,,ui,say,a%!(PACKER_COMMA)b")
        #expect(line(MachineRecord(.error, "")) == "1700000000,,ui,error,")
        #expect(line(MachineRecord("version-commit", [""])) == "1700000000,,version-commit,")
    }

    @Test("a program's words keep the form that Packer gives them")
    func events() {
        #expect(line(MachineRecord(event(.stepStarted, "Booting"))) == "1700000000,,ui,say,==> b.qemu.x: Booting...")
        #expect(
            line(MachineRecord(event(.guest(isError: false), "hello, world")))
                == "1700000000,,ui,message,    b.qemu.x: hello%!(PACKER_COMMA) world")
        #expect(line(MachineRecord(event(.guest(isError: true), "no"))) == "1700000000,,ui,error,==> b.qemu.x: no")
        #expect(
            line(MachineRecord(event(.error, "one\ntwo")))
                == "1700000000,,ui,error,==> b.qemu.x: one\\n==> b.qemu.x: two")
        #expect(line(MachineRecord(event(.warning, "low", build: ""))) == "1700000000,,ui,say,==> Warning: low")
        #expect(MachineRecord(event(.progress(fraction: 0.5), "Downloading")) == nil)
        #expect(MachineRecord(event(.heartbeat, "waiting")) == nil)
        #expect(MachineRecord(event(.stepFinished(took: .milliseconds(2), failed: false), "Booting")) == nil)
    }

    @Test("artifacts are listed after their count, and failures after theirs")
    func summary() {
        let artifact = Artifact(
            id: "VM", description: "VM files in directory: out", files: ["out/x", "out/x-1"], directory: nil,
            builderID: "transcend.qemu")
        let lines = MachineRecord.summary(of: [
            BuildOutcome(name: "b.qemu.x", took: .seconds(5), result: .success([artifact])),
            BuildOutcome(name: "b.qemu.y", took: .seconds(6), result: .failure(Broken())),
        ]).map { $0.line(at: time).replacing("1700000000,", with: "") }
        #expect(
            lines == [
                ",ui,say,Build 'b.qemu.x' finished after \(Duration.seconds(5).text).",
                ",ui,error,Build 'b.qemu.y' errored after \(Duration.seconds(6).text): it broke",
                ",error-count,1",
                ",ui,error,\\n==> Some builds didn't complete successfully and had errors:",
                "b.qemu.y,error,it broke",
                ",ui,error,--> b.qemu.y: it broke",
                ",ui,say,\\n==> Builds finished. The artifacts of successful builds are:",
                "b.qemu.x,artifact-count,1",
                "b.qemu.x,artifact,0,builder-id,transcend.qemu",
                "b.qemu.x,artifact,0,id,VM",
                "b.qemu.x,artifact,0,string,VM files in directory: out",
                "b.qemu.x,artifact,0,files-count,2",
                "b.qemu.x,artifact,0,file,0,out/x",
                "b.qemu.x,artifact,0,file,1,out/x-1",
                "b.qemu.x,artifact,0,end",
                ",ui,say,--> b.qemu.x: VM files in directory: out",
            ])
        let nothing = MachineRecord.summary(of: []).map { $0.line(at: time) }
        #expect(nothing == ["1700000000,,ui,say,\\n==> Builds finished but no artifacts were created."])
    }
}

private struct Broken: Error, CustomStringConvertible {
    var description: String { "it broke" }
}
