source "qemu" "vm" {
  iso_url = "debian-13.iso"
  ssh_username = "root"
}

build {
  sources = ["source.qemu.vm"]
}
