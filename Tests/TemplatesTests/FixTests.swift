import Diagnostics
import Templates
import Testing

@Suite("fix")
struct FixTests {
    private func fix(_ text: String, isValidated: Bool = true, path: String = "t.json") -> RewrittenTemplate {
        fixTemplate(
            LoadOptions(
                path: path, workingDirectory: "/work",
                fileSystem: MemoryFiles(files: ["/work/" + path: text])),
            isValidated: isValidated)
    }

    /// On one line, without blanks.
    private func fixed(_ text: String) throws -> String {
        let text = try #require(fix(text, isValidated: false).text)
        return text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined().replacing("\": ", with: "\":")
    }

    @Test("the result is printed in Packer's form")
    func form() {
        let template = #"""
            {"_comment": "a <b> & \u00e9\u2028\u0001\n\"\\", "variables": {"z": "1", "a": null}, "provisioners": [],
             "push": {}, "builders": [{"type": "null", "n": 20000, "f": 1.50, "e": 1e21, "s": 1e-7, "big": 12345678901234567890,
               "x": 0.000125, "minus": -2.5E1, "zero": 0.0, "yes": true, "list": [["a"], []]}]}
            """#
        let expected = #"""
            {
              "_comment": "a <b> \u0026 é\u2028\u0001\n\"\\",
              "builders": [
                {
                  "big": 12345678901234567000,
                  "e": 1e+21,
                  "f": 1.5,
                  "list": [
                    [
                      "a"
                    ],
                    []
                  ],
                  "minus": -25,
                  "n": 20000,
                  "s": 1e-7,
                  "type": "null",
                  "x": 0.000125,
                  "yes": true,
                  "zero": 0
                }
              ],
              "provisioners": [],
              "push": {},
              "variables": {
                "a": null,
                "z": "1"
              }
            }


            """#
        let result = fix(template)
        #expect(result.text == expected)
        #expect(result.diagnostics == [])
    }

    @Test(
        "options of builders get their names of today",
        arguments: [
            (#""type":"qemu","ssh_key_path":"k""#, #""ssh_private_key_file":"k","type":"qemu""#),
            (#""type":"x","ssh_key_path":"a","ssh_private_key_file":"b""#, #""ssh_private_key_file":"b","type":"x""#),
            (#""type":"x","ssh_disable_agent":true"#, #""ssh_disable_agent_forwarding":true,"type":"x""#),
            (#""ssh_wait_timeout":"5m","type":"x""#, #""ssh_timeout":"5m","type":"x""#),
            (#""disk_size":20000,"type":"qemu""#, #""disk_size":"20000M","type":"qemu""#),
            (#""disk_size":"20000","type":"qemu""#, #""disk_size":"20000","type":"qemu""#),
            (#""ssh_host_port_min":1,"host_port_min":2,"type":"qemu""#, #""host_port_min":1,"type":"qemu""#),
            (
                #""ssh_host_port_min":1,"host_port_min":2,"ssh_skip_nat_mapping":true,"type":"virtualbox-ovf""#,
                #""host_port_min":2,"skip_nat_mapping":true,"type":"virtualbox-ovf""#
            ),
            (#""ssh_host_port_min":1,"type":"parallels-iso""#, #""ssh_host_port_min":1,"type":"parallels-iso""#),
            (#""type":"proxmox""#, #""type":"proxmox-iso""#),
            (#""type":"vmware""#, #""type":"vmware-iso""#),
            (
                #""type":"virtualbox","guest_additions_attach":true"#,
                #""guest_additions_mode":"attach","type":"virtualbox-iso""#
            ),
            (
                #""type":"virtualbox","guest_additions_attach":false"#,
                #""guest_additions_mode":"upload","type":"virtualbox-iso""#
            ),
            (
                #""type":"vmware-iso","remote_type":"esx5""#,
                #""disk_type_id":"zeroedthick","remote_type":"esx5","skip_compaction":true,"type":"vmware-iso""#
            ),
            (
                #""type":"vmware-iso","remote_type":"esx5","disk_type_id":"thin""#,
                #""disk_type_id":"thin","remote_type":"esx5","type":"vmware-iso""#
            ),
            (
                #""type":"parallels-pvm","headless":true,"parallels_tools_host_path":"x","guest_os_distribution":"c""#,
                #""guest_os_type":"c","type":"parallels-pvm""#
            ),
            (#""type":"scaleway","access_key":"a""#, #""organization_id":"a","type":"scaleway""#),
            (
                #""type":"amazon-ebs","ssh_private_ip":"true","enhanced_networking":true"#,
                #""ena_support":true,"ssh_interface":"private_ip","type":"amazon-ebs""#
            ),
            (
                #""type":"amazon-ebs","shutdown_behaviour":"x","spot_price_auto_product":"y""#,
                #""shutdown_behavior":"x","type":"amazon-ebs""#
            ),
            (
                #""type":"amazon-ebs","temporary_security_group_source_cidr":"a""#,
                #""temporary_security_group_source_cidrs":["a"],"type":"amazon-ebs""#
            ),
            (#""type":"docker","login_email":"x""#, #""type":"docker""#),
            (
                #""type":"hyperv-iso","vhd_temp_path":"x","cpu":2,"ram_size":3"#,
                #""cpus":2,"memory":3,"type":"hyperv-iso""#
            ),
            (#""type":"hyperv-vmcx","clone_from_vmxc_path":"x""#, #""clone_from_vmcx_path":"x","type":"hyperv-vmcx""#),
            (
                #""type":"x","a":{"b":"{{clean_ami_name `a`}} {{ .CreateTime }}"}"#,
                #""a":{"b":"{{clean_resource_name `a`}} {{timestamp}}"},"type":"x""#
            ),
            (#""type":"azure-arm","exlude_from_latest":true"#, #""exclude_from_latest":true,"type":"azure-arm""#),
            (
                #""type":"vsphere-iso","disk_size":1,"disk_thin_provisioned":true,"network":"n","storage":[{"a":2}]"#,
                #""network_adapters":[{"network":"n"}],"storage":[{"disk_size":1,"disk_thin_provisioned":true},{"a":2}],"type":"vsphere-iso""#
            ),
        ])
    func builders(before: String, after: String) throws {
        #expect(try fixed("{\"builders\": [{\(before)}]}") == "{\"builders\":[{\(after)}]}")
    }

    @Test(
        "what once described a checksum becomes iso_checksum",
        arguments: [
            (#""iso_md5":"ff""#, "md5:ff"),
            (#""iso_checksum":"ff","iso_checksum_type":"sha256""#, "sha256:ff"),
            (#""iso_checksum":"md5:ff","iso_checksum_type":"md5""#, "md5:ff"),
            (#""iso_checksum":"ff","iso_checksum_type":"none""#, "none"),
            (#""iso_checksum_type":"none""#, "none"),
            (#""iso_checksum":"ff","iso_checksum_url":"http://x/S","iso_checksum_type":"md5""#, "file:http://x/S"),
            (#""iso_checksum":"ff","iso_checksum_type":"{{user `t`}}""#, "{{user `t`}}:ff"),
        ])
    func checksums(before: String, after: String) throws {
        #expect(
            try fixed("{\"builders\": [{\(before), \"type\": \"q\"}]}")
                == "{\"builders\":[{\"iso_checksum\":\"\(after)\",\"type\":\"q\"}]}")
    }

    @Test("provisioners and post-processors are fixed, in sequences too")
    func others() throws {
        let template = #"""
            {"provisioners": [
               {"type": "ansible-local", "galaxycommand": "x"}, {"type": "ansible", "galaxycommand": "x"},
               {"type": "powershell", "environment_vars": ["A=`$x`\"``"], "elevated_password": "a`$"}],
             "post-processors": ["vagrant", {"type": "manifest", "filename": "f"},
               [{"type": "docker-tag", "tag": "a,b", "tags": ["c"]}, {"type": "docker-push", "login_email": "x"}],
               {"type": "vagrant", "vmware": {"x": 1}, "override": {"aws": {}}}]}
            """#
        #expect(
            try fixed(template) == #"{"post-processors":["vagrant",{"output":"f","type":"manifest"},"#
                + #"[{"tags":["a","b","c"],"type":"docker-tag"},{"type":"docker-push"}],"#
                + #"{"override":{"aws":{},"vmware":{"x":1}},"type":"vagrant"}],"#
                + #""provisioners":[{"galaxy_command":"x","type":"ansible-local"},{"galaxycommand":"x","type":"ansible"},"#
                + #"{"elevated_password":"a$","environment_vars":["A=$x\"`"],"type":"powershell"}]}"#)
    }

    @Test("a result of the wrong form is printed and reported, unless that is switched off")
    func validation() {
        let template = #"{"builders": [{"type": "null"}], "colour": 1}"#
        let checked = fix(template)
        #expect(checked.diagnostics.map(\.id) == ["template/unknown-key"])
        #expect(checked.text?.contains("colour") == true)
        #expect(fix(template, isValidated: false).diagnostics == [])
    }

    @Test("of a name that is written twice the last one counts, with a warning")
    func duplicates() throws {
        let result = fix(#"{"builders": [{"type": "null", "a": 1, "a": 2}]}"#)
        #expect(result.diagnostics.map(\.severity) == [.warning])
        #expect(try #require(result.text).contains("\"a\": 2"))
        #expect(try !#require(result.text).contains("\"a\": 1"))
    }

    @Test("what is not a JSON template gives a message and no text")
    func refusals() {
        for (path, text) in [("t.json", "{"), ("t.pkr.hcl", ""), ("t.json", "[1,]")] {
            let result = fix(text, path: path)
            #expect(result.text == nil && result.diagnostics.hasErrors, "\(path): \(text)")
        }
        let missing = fixTemplate(
            LoadOptions(path: "no.json", workingDirectory: "/work", fileSystem: MemoryFiles()), isValidated: true)
        #expect(missing.diagnostics.map(\.id) == ["template/no-such-file"])
    }
}
