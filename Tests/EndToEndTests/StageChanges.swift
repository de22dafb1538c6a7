/// What a stage is made of, each thing with a change of it.
extension StageChange {
    static let ofInstall: [StageChange] = [
        .input("memory", 0, "memory", "= var.megabytes", "= 300"),
        .added("cpus", 0, "cpus", "cpus = 2"),
        .added("sockets", 0, "sockets", "sockets = 2"),
        .input("disk_size", 0, "disk_size", "64M", "65M"),
        .input("another size of the second disk", 0, "disk_additional_size", "\"8M\"", "\"9M\""),
        .input("a third disk", 0, "disk_additional_size", "\"8M\"", "\"8M\", \"8M\""),
        .input("no second disk", 0, "disk_additional_size", "[\"8M\"]", "[]"),
        .added("disk_interface", 0, "disk_interface", "disk_interface = \"ide\""),
        .added("cdrom_interface", 0, "cdrom_interface", "cdrom_interface = \"virtio-scsi\""),
        .added("net_device", 0, "net_device", "net_device = \"e1000\""),
        .added("machine_type", 0, "machine_type", "machine_type = \"q35\""),
        .added("cpu_model", 0, "cpu_model", "cpu_model = \"max\""),
        .added("vga", 0, "vga", "vga = \"cirrus\""),
        .added("UEFI", 0, "efi_boot", "efi_boot = true"),
        StageChange(
            testDescription: "firmware", first: 0, reason: "firmware", edits: [("# options", "firmware = \"own.bin\"")],
            files: ["own.bin": "firmware"]),
        .added("a TPM", 0, "vtpm", "vtpm = true"),
        .input("a value of qemuargs", 0, "qemuargs", "serial=abc", "serial=abd"),
        .input("one of qemuargs less", 0, "qemuargs", ", [\"-smbios\", \"type=1,serial=abc\"]", ""),
        .file("fw.txt", 0, "fw.txt changed", "another file that qemuargs name"),
        .input("boot_command", 0, "boot_command", "linux answer", "linux quiet answer"),
        .input("boot_wait", 0, "boot_wait", "\"1s\"", "\"2s\""),
        .added("boot_key_interval", 0, "boot_key_interval", "boot_key_interval = \"20ms\""),
        StageChange(
            testDescription: "vm_name where it is typed", first: 0, reason: "vm_name",
            edits: [("mark=$", "name={{ .Name }} mark=$"), ("# options", "vm_name = \"other\"")]),
        .file("http/answer", 0, "http/answer changed", "another answer"),
        .file("http/deep/er", 0, "http/deep/er changed", "another depth"),
        .file("http/new", 0, "http/new was added", "new"),
        .file("http/deep/er", 0, "http/deep/er was removed", nil),
        StageChange(
            testDescription: "a served file gets another name", first: 0,
            reason: "http/answer was replaced by http/answers",
            files: ["http/answer": nil, "http/answers": "an answer"]),
        .input(
            "http_content instead", 0, "http_content /answer was added", "= \"http\"",
            "= null\n  http_content = { \"/answer\" = \"an answer\" }"),
    ]

    static let ofSeeds: [StageChange] = [
        .file("cd/meta-data", 0, "cd/meta-data changed", "other"),
        .file("cd/tree/leaf", 0, "cd/tree/leaf changed", "other"),
        .file("cd/tree/new", 0, "cd/tree/new was added", "other"),
        .input("cd_content", 0, "cd_content user-data changed", "seed on CD", "Seed on CD"),
        .input(
            "a name in cd_content", 0, "cd_content user-data was replaced by cd_content user_data", "\"user-data\"",
            "\"user_data\""),
        .input("cd_label", 0, "cd_label changed", "\"cidata\"", "\"CIDATA\""),
        .input("a file less on the CD", 0, "cd_files cd/meta-data was removed", "\"cd/meta-data\", ", ""),
        .input(
            "a folder's content instead of the folder", 0, "cd_files cd/tree was removed", "\"cd/tree\"",
            "\"cd/tree/*\""),
        .file("floppy/a.txt", 0, "floppy/a.txt changed", "other"),
        .file("floppy/dir/b.txt", 0, "floppy/dir/b.txt changed", "other"),
        .input("floppy_content", 0, "floppy_content c.txt changed", "seed on a floppy", "Seed on a floppy"),
        .input("floppy_label", 0, "floppy_label changed", "\"seeds\"", "\"answers\""),
        StageChange(
            testDescription: "a file moves from the CD to the floppy", first: 0,
            reason: "floppy_files cd/tree, floppy_files cd/tree/leaf were added",
            edits: [(", \"cd/tree\"]", "]"), ("[\"floppy/a.txt\"]", "[\"cd/tree\", \"floppy/a.txt\"]")]),
        StageChange(
            testDescription: "a folder's files move to the floppy's root", first: 0,
            reason: "floppy_files floppy/dir, floppy_files floppy/dir/b.txt were added",
            edits: [("= [\"floppy/dir\"]", "= []"), ("[\"floppy/a.txt\"]", "[\"floppy/a.txt\", \"floppy/dir\"]")]),
    ]

    private static let another = "provisioner \"shell\" {\n inline = [\"echo another\"]\n}\n"

    static let ofProvisioners: [StageChange] = [
        .input("inline", 1, "inline changed", "echo ${var.greeting} >", "echo ${var.greeting}  >"),
        .added("execute_command", 1, "execute_command was added", "execute_command = \"sh {{ .Path }}\"", at: "# in 1"),
        .added("remote_folder", 1, "remote_folder changed", "remote_folder = \"/root\"", at: "# in 1"),
        .added("remote_file", 1, "remote_file was added", "remote_file = \"x.sh\"", at: "# in 1"),
        .added("inline_shebang", 1, "inline_shebang was added", "inline_shebang = \"/bin/sh -ex\"", at: "# in 1"),
        .added("skip_clean", 1, "skip_clean changed", "skip_clean = true", at: "# in 1"),
        .added("use_env_var_file", 1, "use_env_var_file changed", "use_env_var_file = true", at: "# in 1"),
        .added("env_var_format", 3, "env_var_format was added", "env_var_format = \"%s=%s \"", at: "# in 3"),
        .added("binary", 2, "binary changed", "binary = true", at: "# in 2"),
        .added("pause_before", 2, "pause_before was added", "pause_before = \"1s\"", at: "# in 2"),
        .added("pause_after", 2, "pause_after was added", "pause_after = \"1s\"", at: "# in 2"),
        .file("scripts/app.sh", 2, "scripts/app.sh changed", "echo other\n"),
        .input("a variable's value", 3, "environment FOO changed", "\"foo\"", "\"bar\""),
        .input("a variable's name", 3, "environment FOO was replaced by environment FOX", "FOO = ", "FOX = "),
        .input("a variable more", 3, "environment BAR was added", "{ FOO = ", "{ BAR = \"1\", FOO = "),
        .input("a variable less", 3, "environment FOO was removed", "FOO = \"foo\", ", ""),
        .file("files/one", 4, "files/one changed", "other"),
        .file("files/deep/two", 4, "files/deep/two changed", "other"),
        .file("files/deep/three", 4, "files/deep/three was added", "3"),
        .file("files/deep/two", 4, "files/deep/two was removed", nil),
        StageChange(testDescription: "a mode", first: 4, reason: "files/one changed", modes: ["files/one": 0o755]),
        StageChange(
            testDescription: "the mode of a folder", first: 4, reason: "files changed", modes: ["files": 0o700]),
        .input("what is in the folder instead of it", 4, "files changed", "\"files\"", "\"files/\""),
        .input("content", 5, "content changed", "= \"content\"", "= \"Content\""),
        .input("destination", 5, "destination changed", "/tmp/content", "/root/content"),
        .file("upload.txt", 6, "upload.txt changed", "other"),
        StageChange(
            testDescription: "the mode of a file", first: 6, reason: "upload.txt changed", modes: ["upload.txt": 0o755]),
        StageChange(
            testDescription: "the name of a file", first: 6, reason: "upload.txt was replaced by upload2.txt",
            edits: [("\"upload.txt\"", "\"upload2.txt\"")], files: ["upload2.txt": "uploaded"]),
        .input("a longer sleep", 7, "duration changed", "\"10ms\"", "\"20ms\""),
        .input("a breakpoint that stops", 7, "a breakpoint stops in every build", "disable = true", "disable = false"),
        .input("a provisioner at the beginning", 1, "inline changed", "# 1\n", another),
        .input("a provisioner in between", 3, "", "# 3\n", another),
        .input("a provisioner at the end", 10, "", "# end", another),
        .input("a provisioner less", 7, "", "provisioner \"sleep\" {\n    duration = \"10ms\"\n  }\n", ""),
        StageChange(
            testDescription: "two that change places", first: 1, reason: "",
            edits: [
                ("inline = [\"echo ${var.greeting} >/tmp/first\"]", "script = \"scripts/app.sh\" #"),
                ("    script = \"scripts/app.sh\"\n    # in 2", "    inline = [\"echo ${var.greeting} >/tmp/first\"]"),
            ]),
        .added("ssh_pty", 1, "ssh_pty changed", "ssh_pty = true"),
        .input("ssh_username", 1, "ssh_username changed", "\"root\"", "\"toor\""),
        .added(
            "an override", 2, "environment X was added", "override = { guest = { env = { X = \"1\" } } }", at: "# in 2"),
        .added("checkpoint = false", 2, "checkpoint = false", "checkpoint = false", at: "# in 2"),
        .added("shell-local", 3, "shell-local", "provisioner \"shell-local\" {\n inline = [\"true\"]\n}", at: "# 3"),
        .added(
            "shell-local that need not run", 3, "",
            "provisioner \"shell-local\" {\n inline = [\"true\"]\n checkpoint = true\n}", at: "# 3"),
        .input(
            "a file that is made meanwhile", 6, "made while the build runs", "\"upload.txt\"",
            "\"none.txt\"\n    generated = true"),
    ]

    static let ofVariables: [StageChange] = [
        StageChange(
            testDescription: "-var in the boot command", first: 0, reason: "boot_command",
            arguments: ["-var", "mark=there"]),
        StageChange(
            testDescription: "PKR_VAR_ in the machine", first: 0, reason: "memory",
            environment: ["PKR_VAR_megabytes": "300"]),
        StageChange(
            testDescription: "a var file in a script", first: 1, reason: "inline changed",
            files: ["v.pkrvars.hcl": "greeting = \"ciao\""],
            arguments: ["-var-file=v.pkrvars.hcl"]),
        StageChange(
            testDescription: "PKR_VAR_ in a script", first: 1, reason: "inline changed",
            environment: ["PKR_VAR_greeting": "ciao"]),
        .input("a default", 1, "inline changed", "\"hello\"", "\"ciao\""),
        StageChange(
            testDescription: "a secret", first: 3, reason: "environment TOKEN changed",
            environment: ["PKR_VAR_token": "another-secret"]),
        StageChange(testDescription: "one that nothing uses", arguments: ["-var", "unused=2"]),
        StageChange(testDescription: "the same value from elsewhere", environment: ["PKR_VAR_greeting": "hello"]),
    ]
}
