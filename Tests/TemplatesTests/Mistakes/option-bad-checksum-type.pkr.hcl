source "qemu" "vm" {
  iso_url = "debian-13.iso"
  ssh_username = "root"
  iso_checksum = "sha3:1234abcd"
}

build {
  sources = ["source.qemu.vm"]
}
