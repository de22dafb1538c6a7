locals {
  name = "x-${source.name}"
}
source "qemu" "vm" {
  iso_url      = "debian-13.iso"
  iso_checksum = "sha256:5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99"
  ssh_username = "root"
  vm_name = local.name
}
build {
  sources = ["source.qemu.vm"]
}
