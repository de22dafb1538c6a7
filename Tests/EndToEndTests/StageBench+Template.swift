extension StageBench {
    static let name = "t.pkr.hcl"

    static let secrets = ["s3cr3t-token-value", "packer"]

    /// The files that the template speaks of, beside the medium.
    static let files = [
        "http/answer": "an answer", "http/deep/er": "deeper",
        "cd/meta-data": "meta", "cd/tree/leaf": "leaf",
        "floppy/a.txt": "a", "floppy/dir/b.txt": "b", "fw.txt": "from the host",
        "scripts/app.sh": "echo app >/tmp/app\n",
        "files/one": "1", "files/deep/two": "2", "upload.txt": "uploaded",
    ]

    static let template = """
        variable "greeting" { default = "hello" }
        variable "mark" { default = "here" }
        variable "megabytes" {
          type    = number
          default = 256
        }
        variable "token" {
          default   = "s3cr3t-token-value"
          sensitive = true
        }
        variable "unused" { default = "1" }
        # variables
        source "qemu" "guest" {
          iso_url              = "medium.iso"
          iso_checksum         = "none"
          disk_size            = "64M"
          disk_additional_size = ["8M"]
          memory               = var.megabytes
          headless             = true
          accelerator          = "tcg"
          boot_wait            = "1s"
          boot_command         = ["linux answer=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answer mark=${var.mark}<enter>"]
          http_directory       = "http"
          cd_files             = ["cd/meta-data", "cd/tree"]
          cd_content           = { "user-data" = "seed on CD" }
          cd_label             = "cidata"
          floppy_files         = ["floppy/a.txt"]
          floppy_dirs          = ["floppy/dir"]
          floppy_content       = { "c.txt" = "seed on a floppy" }
          floppy_label         = "seeds"
          qemuargs             = [["-fw_cfg", "name=opt/test,file=fw.txt"], ["-smbios", "type=1,serial=abc"]]
          ssh_username         = "root"
          ssh_password         = "packer"
          ssh_timeout          = "4m"
          shutdown_command     = "poweroff"
          temporary_key_pair_type = "ed25519"
          # options
        }
        build {
          sources = ["source.qemu.guest"]
          # 1
          provisioner "shell" {
            inline = ["echo ${var.greeting} >/tmp/first"]
            # in 1
          }
          # 2
          provisioner "shell" {
            script = "scripts/app.sh"
            # in 2
          }
          # 3
          provisioner "shell" {
            inline = ["echo $FOO >/tmp/environment"]
            env    = { FOO = "foo", TOKEN = var.token }
            # in 3
          }
          # 4
          provisioner "file" {
            source      = "files"
            destination = "/tmp"
          }
          # 5
          provisioner "file" {
            content     = "content"
            destination = "/tmp/content"
          }
          # 6
          provisioner "file" {
            source      = "upload.txt"
            destination = "/tmp/uploaded"
          }
          # 7
          provisioner "sleep" {
            duration = "10ms"
          }
          # 8
          provisioner "breakpoint" {
            disable = true
          }
          # 9
          provisioner "shell" {
            inline = ["echo last >/tmp/last"]
          }
          # end
        }
        """

    /// The same in JSON.
    static let json = #"""
        {
          "variable": {
            "greeting": {"default": "hello"}, "mark": {"default": "here"},
            "megabytes": {"type": "number", "default": 256},
            "token": {"default": "s3cr3t-token-value", "sensitive": true}
          },
          "source": {"qemu": {"guest": {
            "iso_url": "medium.iso", "iso_checksum": "none", "disk_size": "64M", "disk_additional_size": ["8M"],
            "memory": "${var.megabytes}", "headless": true, "accelerator": "tcg", "boot_wait": "1s",
            "boot_command": ["linux answer=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answer mark=${var.mark}<enter>"],
            "http_directory": "http", "cd_files": ["cd/meta-data", "cd/tree"],
            "cd_content": {"user-data": "seed on CD"}, "cd_label": "cidata",
            "floppy_files": ["floppy/a.txt"], "floppy_dirs": ["floppy/dir"],
            "floppy_content": {"c.txt": "seed on a floppy"}, "floppy_label": "seeds",
            "qemuargs": [["-fw_cfg", "name=opt/test,file=fw.txt"], ["-smbios", "type=1,serial=abc"]],
            "ssh_username": "root", "ssh_password": "packer", "ssh_timeout": "4m",
            "shutdown_command": "poweroff", "temporary_key_pair_type": "ed25519"
          }}},
          "build": {
            "sources": ["source.qemu.guest"],
            "provisioner": [
              {"shell": {"inline": ["echo ${var.greeting} >/tmp/first"]}},
              {"shell": {"script": "scripts/app.sh"}},
              {"shell": {"inline": ["echo $FOO >/tmp/environment"], "env": {"FOO": "foo", "TOKEN": "${var.token}"}}},
              {"file": {"source": "files", "destination": "/tmp"}},
              {"file": {"content": "content", "destination": "/tmp/content"}},
              {"file": {"source": "upload.txt", "destination": "/tmp/uploaded"}},
              {"sleep": {"duration": "10ms"}},
              {"breakpoint": {"disable": true}},
              {"shell": {"inline": ["echo last >/tmp/last"]}}
            ]
          }
        }
        """#
}
