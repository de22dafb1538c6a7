# Debian 13 from the distribution's cloud image: no installation, ready in a minute.
#
#   ingot build templates/debian-13-cloud.pkr.hcl

variable "image_url" {
  type    = string
  default = "https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2"
}

variable "image_checksum" {
  type    = string
  default = "file:https://cloud.debian.org/images/cloud/trixie/latest/SHA512SUMS"
}

variable "output_directory" {
  type    = string
  default = "output-debian-13-cloud"
}

source "qemu" "debian-13-cloud" {
  iso_url      = var.image_url
  iso_checksum = var.image_checksum
  disk_image   = true

  vm_name          = "debian-13-cloud.qcow2"
  output_directory = var.output_directory
  format           = "qcow2"
  disk_size        = "8G"
  disk_discard     = "unmap"
  cpus             = 2
  memory           = 1024
  headless         = true

  # cloud-init finds its data on a CD with this label.
  cd_label = "cidata"
  cd_files = ["${path.root}/../cloud-init/debian-13/*"]

  ssh_username     = "debian"
  ssh_password     = "packer"
  ssh_timeout      = "20m"
  shutdown_command = "sudo systemctl poweroff"
}

build {
  sources = ["source.qemu.debian-13-cloud"]

  provisioner "shell" {
    inline = [
      "cloud-init status --wait",
      "sudo cloud-init clean --logs --machine-id",
    ]
  }

  post-processor "checksum" {
    checksum_types = ["sha256"]
    output         = "${var.output_directory}/{{.ChecksumType}}sums"
  }
}
