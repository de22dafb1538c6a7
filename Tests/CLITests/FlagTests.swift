import CLI
import Testing

@Suite("The spelling of flags")
struct FlagTests {
    @Test("Packer's single dashes, joined and separate values become the parser's")
    func packerSpelling() {
        #expect(
            FlagSpelling.normalised(["build", "-var", "a=b", "-var-file=x", "-force", "-color=0", "t.json"])
                == ["build", "--var=a=b", "--var-file=x", "--force", "--color=false", "t.json"])
        #expect(
            FlagSpelling.normalised(["validate", "-syntax-only=false", "-only", "-x", "."]) == [
                "validate", "--only=-x", ".",
            ])
        #expect(
            FlagSpelling.normalised(["fmt", "-write=false", "-check", "-"]) == ["fmt", "--write=false", "--check", "-"])
    }

    @Test("-machine-readable is taken before the command, too")
    func machineReadable() {
        #expect(
            FlagSpelling.normalised(["-machine-readable", "plugins", "required", "t"])
                == ["plugins", "required", "t", "--machine-readable"])
        #expect(FlagSpelling.normalised(["build", "t", "--machine-readable"]) == ["build", "t", "--machine-readable"])
        #expect(FlagSpelling.normalised(["-machine-readable"]) == [])
        #expect(FlagSpelling.requestsRecords(["build", "-machine-readable"]))
        #expect(!FlagSpelling.requestsRecords(["build", "--", "-machine-readable"]))
    }

    @Test("what follows two dashes is left alone")
    func terminator() {
        #expect(FlagSpelling.normalised(["fmt", "-check", "--", "-x"]) == ["fmt", "--check", "--", "-x"])
    }

    @Test("the version can be asked for by a flag")
    func version() {
        for flag in ["-v", "-version", "--version"] {
            #expect(FlagSpelling.normalised([flag]) == ["version"])
        }
        #expect(FlagSpelling.normalised(["build", "-v"]) == ["build", "-v"])
    }

    @Test("the error for an unknown command suggests the one that was meant")
    func misspelt() {
        #expect(Ingot.misspeltCommand(in: ["valdate", "t.json"])?.contains("Did you mean “validate”?") == true)
        #expect(Ingot.misspeltCommand(in: ["plugins", "instaled"])?.contains("Did you mean “installed”?") == true)
        #expect(Ingot.misspeltCommand(in: ["xyzzy"])?.contains("It has: build, validate, ") == true)
        #expect(Ingot.misspeltCommand(in: ["help", "bulid"])?.contains("Did you mean “build”?") == true)
        #expect(Ingot.misspeltCommand(in: ["help", "plugins", "xyzzy"])?.contains("It has: required, ") == true)
        #expect(Ingot.misspeltCommand(in: ["help"]) == nil)
        #expect(Ingot.misspeltCommand(in: ["plugin", "required", "bulid"]) == nil)
        #expect(Ingot.misspeltCommand(in: ["--machine-readable", "fmt", "tpl"]) == nil)
        #expect(Ingot.misspeltCommand(in: ["help", "build"]) == nil)
        #expect(Ingot.misspeltCommand(in: []) == nil)
    }
}
