import Diagnostics
import Foundation
import Templates
import Testing

@testable import ComponentModel

@Suite("The JSON Schema of .pkr.json templates")
struct SchemaTests {
    private let validator: SchemaValidator

    init() throws { validator = try SchemaValidator(templateSchema()) }

    private func problems(_ text: String) throws -> [String] {
        validator.problems(of: try JSONSerialization.jsonObject(with: Data(text.utf8)))
    }

    /// A template that validates, with most kinds of blocks and values.
    private let template = """
        {
          "//": "a comment",
          "packer": {"required_version": ">= 1.7.0", "required_plugins": {
            "qemu": {"source": "github.com/hashicorp/qemu", "version": ">= 1.0.0"}}},
          "variable": {
            "cpus": {"type": "number", "default": 2,
              "validation": {"condition": "${var.cpus > 0}", "error_message": "Cpus must be positive."}},
            "key": [{"type": "string", "default": "a", "sensitive": true}]},
          "locals": {"a": 1, "b": "${var.cpus}", "c": [true, null]},
          "source": {"qemu": {"debian": {
            "iso_url": "https://example.org/a.iso", "iso_checksum": "none", "ssh_username": "root",
            "cpus": "${var.cpus}", "memory": "2048", "headless": true, "disk_compression": "true", "boot_wait": "5s",
            "boot_command": ["<enter>"], "qemuargs": [["-smbios", "type=1"]], "http_content": {"/a": "b"},
            "disk_size": 20480, "vga": null, "qemu_img_args": {"convert": ["-o", "lazy_refcounts=on"]}}}},
          "build": [{
            "name": "b", "sources": ["source.qemu.debian"],
            "source": {"qemu.debian": {"name": "again", "output_directory": "two"}},
            "provisioner": [
              {"shell": {"inline": ["echo ${var.key}"], "max_retries": 3, "only": ["qemu.debian"], "pause_before": "1s"}},
              {"sleep": {"duration": "1s"}}],
            "dynamic": {"provisioner": {"for_each": ["a"], "labels": ["breakpoint"], "content": {"note": "x"}}},
            "post-processors": [{"post-processor": [
              {"checksum": {"checksum_types": ["md5"], "keep_input_artifact": true}},
              {"manifest": {"strip_path": true, "custom_data": {"a": "b"}}}]}]
          }]
        }
        """

    @Test("a template that validates agrees with it")
    func good() throws {
        let loaded = Loaded("", files: ["t.pkr.json": template], path: "t.pkr.json")
        #expect(loaded.errors.map(\.summary) == [])
        let source = try #require(loaded.plan.builds.first?.source)
        #expect(source.disk.convertArguments == ["-o", "lazy_refcounts=on"])
        #expect(try problems(template) == [])
    }

    @Test(
        "what is wrong is found",
        arguments: [
            (#"{"sources": {}}"#, "sources"),
            (#"{"source": {"qemu": {"d": {"iso_urll": "x"}}}}"#, "iso_urll"),
            (#"{"source": {"qemu": {"d": {"cpus": "two"}}}}"#, "cpus"),
            (#"{"source": {"qemu": {"d": {"headless": "yes"}}}}"#, "headless"),
            (#"{"source": {"qemu": {"d": {"boot_wait": "5"}}}}"#, "boot_wait"),
            (#"{"source": {"qemu": {"d": {"format": "vmdk"}}}}"#, "format"),
            (#"{"source": {"qemu": {"d": {"communicator": "telnet"}}}}"#, "communicator"),
            (#"{"build": {"post-processor": {"checksum": {"checksum_types": ["md5", "crc"]}}}}"#, "checksum_types/1"),
            (#"{"source": {"qemu": {"d": {"boot_command": "<enter>"}}}}"#, "boot_command"),
            (#"{"source": {"qemu": {"d": {"iso_md5": "0"}}}}"#, "iso_md5"),
            (#"{"source": {"qemu": {"d": {"qemu_img_args": {"convrt": []}}}}}"#, "convrt"),
            (#"{"build": {"foo": 1}}"#, "foo"),
            (#"{"build": {"provisioner": {"shell": {"inlin": []}}}}"#, "inlin"),
            (#"{"build": [{"post-processor": [{"manifest": {"max_retries": 1}}]}]}"#, "max_retries"),
            (#"{"packer": {"required_plugins": {"qemu": {"version": "1"}}}}"#, "source"),
            (#"{"variable": {"a": {"defalt": 1}}}"#, "defalt"),
        ])
    func bad(_ template: String, _ word: String) throws {
        let problems = try problems(template)
        #expect(problems.count == 1 && problems[0].contains(word), "\(problems)")
    }

    @Test("sources and provisioners that are not built in may have any options")
    func foreign() throws {
        #expect(try problems(#"{"source": {"virtualbox-iso": {"d": {"guest_os_type": "x"}}}}"#) == [])
        #expect(try problems(#"{"build": {"provisioner": {"ansible": {"playbook_file": "x"}}}}"#) == [])
    }

    @Test("options that take one of a few words name them, and an expression may give the word")
    func choices() throws {
        let qemu = try #require(validator.definition("source.qemu")?["properties"] as? [String: [String: Any]])
        let forms = try #require(qemu["disk_interface"]?["anyOf"] as? [[String: Any]])
        #expect(forms.first?["enum"] as? [String] == ["ide", "sata", "scsi", "sd", "virtio", "virtio-scsi"])
        let open = #"{"source": {"qemu": {"d": {"format": "${var.format}", "disk_cache": "", "communicator": null}}}}"#
        #expect(try problems(open) == [])
    }

    @Test("old names are marked, with the name of today")
    func deprecated() throws {
        let qemu = try #require(validator.definition("source.qemu")?["properties"] as? [String: [String: Any]])
        #expect(qemu["ssh_wait_timeout"]?["deprecated"] as? Bool == true)
        #expect((qemu["ssh_wait_timeout"]?["description"] as? String)?.contains("ssh_timeout") == true)
        #expect(qemu["ssh_timeout"]?["deprecated"] == nil)
        #expect((qemu["ssh_timeout"]?["description"] as? String)?.isEmpty == false)
    }
}

/// As much of JSON Schema as the schema of templates uses.
struct SchemaValidator {
    private let root: [String: Any]

    init(_ text: String) throws {
        root = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    func definition(_ name: String) -> [String: Any]? { (root["$defs"] as? [String: [String: Any]])?[name] }

    func problems(of value: Any) -> [String] { problems(value, root, "") }

    private func problems(_ value: Any, _ schema: Any?, _ path: String) -> [String] {
        if let allowed = schema as? Bool { return allowed ? [] : ["\(path) is not allowed"] }
        guard let schema = schema as? [String: Any] else { return [] }
        var found: [String] = []
        if let reference = schema["$ref"] as? String {
            guard let target = definition(reference.replacing("#/$defs/", with: "")) else {
                return ["there is no \(reference)"]
            }
            found += problems(value, target, path)
        }
        if let condition = schema["if"] {
            found += problems(value, schema[problems(value, condition, path).isEmpty ? "then" : "else"], path)
        }
        if let choices = schema["anyOf"] as? [Any],
            choices.allSatisfy({ !problems(value, $0, path).isEmpty })
        {
            found.append("\(path) fits none of its forms")
        }
        if let forbidden = schema["not"], problems(value, forbidden, path).isEmpty {
            found.append("\(path) is forbidden")
        }
        if let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map({ [$0] }),
            types.allSatisfy({ !Self.has(value, $0) })
        {
            found.append("\(path) is no \(types)")
        }
        if let values = schema["enum"] as? [NSObject], let value = value as? NSObject, !values.contains(value) {
            found.append("\(path) is none of \(values)")
        }
        if let pattern = schema["pattern"] as? String, let text = value as? String,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            found.append("\(path) does not match \(pattern)")
        }
        if let elements = value as? [Any] {
            for (index, element) in elements.enumerated() {
                found += problems(element, schema["items"], "\(path)/\(index)")
            }
        }
        if let members = value as? [String: Any] {
            let known = schema["properties"] as? [String: Any] ?? [:]
            for (name, member) in members {
                found += problems(member, known[name] ?? schema["additionalProperties"], path + "/" + name)
            }
            let missing = (schema["required"] as? [String] ?? []).filter { members[$0] == nil }
            found += missing.map { "\(path) lacks \($0)" }
        }
        return found
    }

    private static func has(_ value: Any, _ type: String) -> Bool {
        let isFlag = (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
        switch type {
        case "null": return value is NSNull
        case "string": return value is String
        case "array": return value is [Any]
        case "object": return value is [String: Any]
        case "boolean": return isFlag
        case "number", "integer": return value is NSNumber && !isFlag
        default: return false
        }
    }
}
