extension StageChange {
    /// What a build's result does not depend on.
    static let ofNothing: [StageChange] = [
        .sameAdded("output_directory", "output_directory = \"elsewhere\""),
        .sameAdded("vm_name", "vm_name = \"other\""),
        .same("headless", "headless             = true", "headless = false"),
        .same("an accelerator that is taken anyway", "accelerator          = \"tcg\"", ""),
        .sameAdded("http ports", "http_port_min = 8100\n  http_port_max = 8200"),
        .sameAdded("host ports", "host_port_min = 2300\n  host_port_max = 2400"),
        .sameAdded("VNC", "vnc_port_min = 5950\n  vnc_port_max = 5960\n  vnc_bind_address = \"127.0.0.1\""),
        .same("ssh_timeout", "\"4m\"", "\"5m\""),
        .sameAdded("installer_dialog_timeout", "installer_dialog_timeout = \"1h\""),
        .sameAdded("ssh_handshake_attempts", "ssh_handshake_attempts = 50"),
        .same("shutdown_command", "\"poweroff\"", "\"sync; poweroff\""),
        .sameAdded("shutdown_timeout", "shutdown_timeout = \"9m\""),
        .sameAdded("format", "format = \"raw\""),
        .sameAdded("skip_compaction", "skip_compaction = true"),
        .sameAdded("disk_compression", "disk_compression = true"),
        .sameAdded("finish", "finish {\n    shrink = true\n  }"),
        .sameAdded("a post-processor", "post-processor \"checksum\" {\n}", at: "# end"),
        .sameAdded("max_retries", "max_retries = 3", at: "# in 1"),
        .sameAdded("timeout", "timeout = \"1h\"", at: "# in 1"),
        .sameAdded("start_retry_timeout", "start_retry_timeout = \"1m\"", at: "# in 1"),
        .sameAdded("a provisioner's name", "name = \"one\"", at: "# in 1"),
        .sameAdded("checkpoint = true", "checkpoint = true", at: "# in 1"),
        .sameAdded(
            "error-cleanup-provisioner", "error-cleanup-provisioner \"shell\" {\n inline = [\"true\"]\n}", at: "# end"),
        .same("comments", "# 1\n", "# One.\n/* And\nmore */\n"),
        .same("spaces", "boot_wait            = \"1s\"", "boot_wait=\"1s\""),
        .same("another way to write a time", "\"1s\"", "\"1000ms\""),
        .same("another way to write a size", "\"64M\"", "\"65536K\""),
        .same("the order of variables", "{ FOO = \"foo\", TOKEN = var.token }", "{ TOKEN = var.token, FOO = \"foo\" }"),
        .same(
            "environment_vars instead of env", "env    = { FOO = \"foo\", TOKEN = var.token }",
            "environment_vars = [\"TOKEN=${var.token}\", \"FOO=foo\"]"),
        .same("sensitive", "sensitive = true", "sensitive = false"),
        .same("a variable more", "# variables", "variable \"more\" { default = 1 }"),
        .same("a local in between", "# variables", "locals { x = \"hello\" }"),
        StageChange(
            testDescription: "a script with another name", edits: [("scripts/app.sh", "scripts/b.sh")],
            files: ["scripts/b.sh": files("scripts/app.sh")]),
        StageChange(
            testDescription: "a file that is uploaded from another folder",
            edits: [("\"upload.txt\"", "\"other/upload.txt\"")],
            files: ["other/upload.txt": files("upload.txt")]),
        StageChange(
            testDescription: "a folder that is uploaded from another folder",
            edits: [("\"files\"", "\"other/files\"")],
            files: ["other/files/one": files("files/one"), "other/files/deep/two": files("files/deep/two")]),
        StageChange(
            testDescription: "a file for the CD from another folder",
            edits: [("\"cd/meta-data\"", "\"other/meta-data\"")],
            files: ["other/meta-data": files("cd/meta-data")]),
        StageChange(
            testDescription: "home, locale, colours",
            environment: [
                "HOME": "/nonexistent", "LC_ALL": "C", "LANG": "de_DE.UTF-8", "NO_COLOR": "1", "TERM": "dumb",
            ]),
        StageChange(testDescription: "-only", arguments: ["-only=qemu.guest"]),
    ]

    private static func files(_ name: String) -> String { StageBench.files[name] ?? "" }
}
