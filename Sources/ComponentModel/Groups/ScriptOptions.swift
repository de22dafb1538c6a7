extension Scripts {
    /// What components that run scripts have in common.
    package static let options: [Option] = [
        .list("inline", "The lines of a script."),
        .file("script", "A file with a script to run."),
        .files("scripts", "Files with scripts to run, one after the other."),
        .list("environment_vars", "Environment variables, as NAME=VALUE."),
        .map("env", "Environment variables by their names; they win over environment_vars."),
        .text(
            "env_var_format", "How each variable is written in front of the command; %s stands for name and value.",
            default: "%s='%s' "),
        .ints("valid_exit_codes", "The exit codes that mean success.", default: "[0]"),
    ]
}

extension ShellSettings {
    package static let options: [Option] =
        Scripts.options + [
            .text(
                "execute_command", "The command that runs a script in the guest.",
                default: "chmod +x {{.Path}}; {{.Vars}} {{.Path}}"
            ).late("Path", "Vars", "EnvVarFile"),
            .text(
                "inline_shebang", "The interpreter of the lines in inline, unless they name one.",
                default: "/bin/sh -e"),
            .text("remote_folder", "The folder of the guest that scripts are uploaded to.", default: "/tmp"),
            .text("remote_file", "The name of an uploaded script.", default: "script_NUMBER.sh"),
            .text(
                "remote_path", "The whole path of an uploaded script.", default: "made of remote_folder and remote_file"
            ),
            .bool("binary", "Whether scripts are uploaded as they are, instead of with UNIX line ends."),
            .bool("use_env_var_file", "Whether environment variables go into a file that the script reads."),
            .bool("skip_clean", "Whether uploaded scripts stay in the guest."),
            .bool("expect_disconnect", "Whether a script may cut the connection, as a reboot does."),
            .duration(
                "start_retry_timeout", "How long starting a script is tried again, such as during a reboot.",
                default: "5m"
            ).outsideKey,
            .duration("pause_after", "How long to wait after the scripts."),
        ]
}

extension ShellLocalSettings {
    /// The same as provisioner and as post-processor.
    package static let options: [Option] =
        Scripts.options + [
            .text("command", "One command, instead of a script."),
            .list(
                "execute_command", "The program that runs a script, with its arguments.",
                default: "[\"/bin/sh\", \"-c\", \"{{.Vars}} {{.Script}}\"]"
            ).late("Vars", "Script", "Command"),
            .text("inline_shebang", "The interpreter of the lines in inline.", default: "/bin/sh -e"),
            .choices(
                "only_on", "The operating systems of this host that it runs on.",
                of: ["darwin", "freebsd", "linux", "openbsd", "solaris", "windows"], default: "all"),
            .text("tempfile_extension", "The extension of the temporary file with the lines in inline.").outsideKey,
            .bool("use_linux_pathing", "Whether paths are written as in Linux on a Windows host.").inert,
            .bool("binary", "Whether scripts keep their line ends.").inert,
        ]
}

extension FileSettings {
    package static let options: [Option] = [
        .path("source", "The file or folder to copy."),
        .paths("sources", "The files and folders to copy."),
        .text("content", "The text of a file to upload, instead of source."),
        .text("destination", "Where the copy goes; with a slash at its end it is a folder.", required: true),
        .choice("direction", "Which way files are copied.", of: ["upload", "download"], default: "upload"),
        .bool("generated", "Whether the source is made while the build runs, and need not exist before."),
    ]
}

extension ChecksumSettings {
    package static let options: [Option] = [
        .choices(
            "checksum_types", "The checksums to write.", of: ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"],
            default: "[\"md5\"]"),
        .text(
            "output", "The file that they are added to, one for each kind.",
            default: "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum"
        ).late("BuildName", "BuilderType", "ChecksumType"),
    ]
}

extension ManifestSettings {
    package static let options: [Option] = [
        .text("output", "The JSON file that the build is added to.", default: "packer-manifest.json"),
        .bool("strip_path", "Whether files are named without their folders."),
        .bool("strip_time", "Whether the time of the build is left out."),
        .map("custom_data", "Further values of the build's entry."),
        .text("filename", "The JSON file that the build is added to.").gone("Write output instead."),
    ]
}
