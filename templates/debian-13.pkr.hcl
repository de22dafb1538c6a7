# A minimal Debian 13 with SSH, from the installer ISO.
#
#   ingot build templates/debian-13.pkr.hcl
#
# To adapt it, copy it together with http/debian-13.

variable "iso_url" {
  type        = string
  default     = "https://cdimage.debian.org/cdimage/archive/13.2.0/amd64/iso-cd/debian-13.2.0-amd64-netinst.iso"
  description = "The installer: a URL, or the path of a file."
}

variable "iso_checksum" {
  type        = string
  default     = "file:https://cdimage.debian.org/cdimage/archive/13.2.0/amd64/iso-cd/SHA256SUMS"
  description = "Its checksum, or where the checksum is found; \"none\" to go without."
}

variable "boot_prefix" {
  type        = string
  default     = "<esc><wait>"
  description = "What leads from the ISO's menu to its boot: prompt."
}

variable "boot_parameters" {
  type        = string
  default     = ""
  description = "Further parameters for the installer's kernel."
}

variable "mirror_host" {
  type        = string
  default     = ""
  description = "The package mirror's host name; empty for the installer's own choice."
}

variable "mirror_path" {
  type    = string
  default = "/debian"
}

variable "hostname" {
  type    = string
  default = "golden"
}

variable "disk_size" {
  type    = string
  default = "8G"
}

variable "cpus" {
  type    = number
  default = 2
}

variable "memory" {
  type        = number
  default     = 1536
  description = "MiB; the installer wants more than the installed system needs."
}

variable "accelerator" {
  type        = string
  default     = null
  description = "By default the best that works: KVM, else emulation."
}

variable "output_directory" {
  type    = string
  default = "output-debian-13"
}

locals {
  mirror = "mirror/country=manual mirror/http/hostname=${var.mirror_host} mirror/http/directory=${var.mirror_path}"
}

source "qemu" "debian-13" {
  iso_url      = var.iso_url
  iso_checksum = var.iso_checksum
  accelerator  = var.accelerator

  vm_name          = "debian-13.qcow2"
  output_directory = var.output_directory
  format           = "qcow2"
  disk_size        = var.disk_size
  disk_interface   = "virtio"
  disk_discard     = "unmap"
  net_device       = "virtio-net"
  cpus             = var.cpus
  memory           = var.memory
  headless         = true

  # The preseed file defines the system; values that differ between builds are typed.
  http_directory = "${path.root}/../http/debian-13"
  boot_wait      = "5s"
  boot_command = [
    var.boot_prefix,
    "auto url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg hostname=${var.hostname} domain=local",
    " ${var.mirror_host == "" ? "" : local.mirror} ${var.boot_parameters}<enter>",
  ]

  ssh_username     = "root"
  ssh_password     = "packer"
  ssh_timeout      = "90m"
  shutdown_command = "systemctl poweroff"
}

build {
  sources = ["source.qemu.debian-13"]

  provisioner "file" {
    source      = "${path.root}/../files/debian-13/motd"
    destination = "/etc/motd"
  }

  provisioner "shell" {
    inline = [
      "apt-get clean",
      "rm -rf /var/lib/apt/lists/*",
      "fstrim -av || true",
    ]
  }

  post-processor "checksum" {
    checksum_types = ["sha256"]
    output         = "${var.output_directory}/{{.ChecksumType}}sums"
  }

  post-processor "manifest" {
    output = "${var.output_directory}/manifest.json"
  }
}
