source "qemu" "vm" {
  iso_url = "debian-13.iso"
  ssh_username = "root"
  iso_checksum = "debian-13.iso.sha256"
}

build {
  sources = ["source.qemu.vm"]
}
