source "qemu" "vm" {
  iso_url = "debian-13.iso"
  ssh_username = "root"
  iso_checksum = "none"
}

build {
  sources = ["source.qemu.vm"]
}
