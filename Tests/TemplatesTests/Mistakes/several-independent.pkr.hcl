variable "memory" {
  type    = number
  default = "lots"
}

locals {
  name = "debian-${local.relase}"
  full = "${local.name}-${var.memory}"
}

source "qemu" "vm" {
  iso_url = "debian-13.iso"
  iso_checksum = "sha256:5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99"
  ssh_username = "root"
  vm_name   = local.full
  memory    = var.memory
  boot_wait = "ten"
  headles   = true
}

build {
  sources = ["source.qemu.vm"]
  provisioner "shell" {
    inline = ["echo ${local.name}"]
  }
}
