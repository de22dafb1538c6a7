source "qemu" "vm" {
  iso_url = "debian-13.iso"
  iso_checksum = "none" }

build {
  sources = ["source.qemu.vm"]
}
