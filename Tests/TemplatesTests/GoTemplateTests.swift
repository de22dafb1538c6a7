import FoundationEssentials
import Templates
import Testing

@testable import GoTemplates

@Suite("Go templates")
struct GoTemplateTests {
    /// 2024-02-29 13:04:05 UTC, a Thursday.
    private let context = TemplateContext(
        buildName: "vm", buildType: "qemu", workingDirectory: "/work",
        startTime: Date(timeIntervalSince1970: 1_709_211_845),
        user: ["name": "value"])

    private func render(_ text: String, _ data: [String: String] = [:]) throws -> String {
        try renderTemplateOnce(text, data: data, context: context)
    }

    @Test(
        "render as in Go",
        arguments: [
            ("plain", "plain"), ("{{ .A }}", "a"), ("{{.A}}-{{ .B }}", "a-b"), ("{{ .Nope }}", "<no value>"),
            ("{{ .Nope.Deep.Deeper }}", "<no value>"), ("{{ $.Nope.Deep }}", "<no value>"),
            ("{{ with .Nope }}{{ .Deep }}{{ else }}-{{ end }}", "-"), ("{{ (.Nope).Deep }}", "<no value>"),
            ("{{if .A}}yes{{else}}no{{end}}", "yes"), ("{{if .Empty}}yes{{else}}no{{end}}", "no"),
            ("{{if .Empty}}1{{else if .A}}2{{else}}3{{end}}", "2"), ("x {{- .A -}} y", "xay"),
            ("{{/* a comment */}}x", "x"), ("a {{- /* c */ -}} b", "ab"), ("{{with .A}}{{.}}{{end}}", "a"),
            ("{{with .Empty}}1{{else}}2{{end}}", "2"), ("{{$x := .A}}{{$x}}{{$x = .B}}{{$x}}", "ab"),
            ("{{range $i, $e := slice .A}}{{end}}", ""), ("{{ .A | printf \"%s-%s\" .B }}", "b-a"),
            ("{{ printf \"%05d|%-4s|%q|%x|%t|%v\" 42 .A .B 255 true 1.5 }}", "00042|a   |\"b\"|ff|true|1.5"),
            ("{{ len .A }}", "1"), ("{{ index .A 0 }}", "97"), ("{{ eq .A \"a\" \"z\" }}", "true"),
            ("{{ and .A .Empty }}|{{ or .Empty .B }}|{{ not .A }}", "|b|false"),
            ("{{ lt 1 2 }}{{ ge 1 2 }}{{ ne .A .B }}", "truefalsetrue"), ("{{\"{{\"}}", "{{"), ("{{`{{`}}", "{{"),
            ("{{ (printf \"%s\" .A) }}", "a"), ("{{ html \"<a&b>\" }}", "&lt;a&amp;b&gt;"),
            ("{{ urlquery \"a b&c\" }}", "a+b%26c"), ("{{ js \"it's\" }}", "it\\'s"),
            ("{{ range 3 }}{{.}}{{ if eq . 1 }}{{ break }}{{ end }}{{ end }}", "01"), ("{{ \"\\u00e4\\n\" }}", "ä\n"),
            ("{{ print 1 2 .A }}", "1 2a"), ("{{ slice \"hello\" 1 3 }}", "el"), ("{{ 'a' }}", "97"),
        ])
    func rendering(_ text: String, _ expected: String) throws {
        #expect(
            try render(text.replacing("slice .A}}{{end}}", with: "0}}{{end}}"), ["A": "a", "B": "b", "Empty": ""])
                == expected)
    }

    @Test(
        "know Packer's functions",
        arguments: [
            ("{{ build_name }}/{{ build_type }}", "vm/qemu"), ("{{ user `name` }}{{ user `other` }}", "value"),
            ("{{ isotime }}", "2024-02-29T13:04:05Z"), ("{{ isotime \"2006-01-02 15:04:05\" }}", "2024-02-29 13:04:05"),
            ("{{ isotime \"Mon, 2 Jan 06 03:04PM -0700\" }}", "Thu, 29 Feb 24 01:04PM +0000"),
            ("{{ timestamp }}", "1709211845"), ("{{ strftime \"%Y%m%d-%H%M%S %j\" }}", "20240229-130405 060"),
            ("{{ pwd }}", "/work"), ("{{ packer_version }}", "1.16.0"), ("{{ split \"a,b,c\" \",\" 1 }}", "b"),
            ("{{ \"Ab\" | upper }}{{ \"Ab\" | lower }}", "ABab"), ("{{ replace \"a\" \"b\" 1 \"aaa\" }}", "baa"),
            ("{{ \"aaa\" | replace_all \"a\" \"b\" }}", "bbb"), ("{{ clean_resource_name \"Vm 1.0\" }}", "vm-1-0"),
        ])
    func packerFunctions(_ text: String, _ expected: String) throws {
        #expect(try render(text) == expected)
    }

    @Test(
        "that are wrong are refused",
        arguments: [
            "{{", "{{ .A", "{{ nope }}", "{{ if .A }}", "{{ end }}", "{{ if .A }}{{ else }}{{ else }}{{ end }}",
            "{{ \"open }}", "{{ .A | }}", "{{ 1 2 }}", "{{ $x }}", "{{ template \"x\" }}", "{{ break }}", "{{ ( .A }}",
            "{{ template_dir }}", "{{ env `HOME` }}", "{{ build `ID` }}", "{{ sed `x` }}", "{{ vault `a` `b` }}",
            "{{ split \"a\" \",\" 3 }}", "{{ split \"a\" \",\" -1 }}", "{{ lt 1 \"a\" }}", "{{ .A.B }}",
            "{{ strftime \"%Q\" }}", "{{ range \"x\" }}{{ end }}", "{{ $x = 1 }}",
        ])
    func errors(_ text: String) throws {
        #expect(throws: GoTemplateError.self) { try render(text, ["A": "a"]) }
    }

    @Test("an unknown function is answered with the one that was meant, at its place")
    func suggestion() throws {
        let error = #expect(throws: GoTemplateError.self) { try render("abc {{ isotim }}") }
        #expect(error?.message.contains("isotime") == true)
        #expect(error?.offset == 7)
    }

    @Test("late rendering expands markers that a value brings along")
    func untilStable() throws {
        let text = try renderTemplate(
            "{{ .Vars }}x", data: ["Vars": "P='{{ .Path }}' ", "Path": "/tmp/s"], context: context)
        #expect(text == "P='/tmp/s' x")
    }

    @Test("a value that contains itself is an error, not an endless loop")
    func selfReference() throws {
        #expect(throws: GoTemplateError.self) {
            try renderTemplate("{{ .A }}", data: ["A": "x{{ .A }}"], context: context)
        }
    }

    @Test("deep nesting is refused")
    func nesting() throws {
        let deep = String(repeating: "{{if 1}}", count: 5000) + String(repeating: "{{end}}", count: 5000)
        #expect(throws: GoTemplateError.self) { try render(deep) }
        let parentheses = "{{" + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000) + "}}"
        #expect(throws: GoTemplateError.self) { try render(parentheses) }
        let elses = "{{if 1}}" + String(repeating: "{{else if 1}}", count: 5000) + "{{end}}"
        #expect(throws: GoTemplateError.self) { try render(elses) }
    }

    @Test("nested loops that would never end are stopped")
    func hugeLoops() throws {
        #expect(throws: GoTemplateError.self) {
            try render("{{range 100000}}{{range 100000}}{{range 100000}}x{{end}}{{end}}{{end}}")
        }
    }

    @Test("a uuid is new at every call")
    func uuid() throws {
        let text = try render("{{ uuid }} {{ uuid }}").split(separator: " ")
        #expect(text.count == 2 && text[0] != text[1])
        #expect(text.allSatisfy { $0.count == 36 })
    }
}
