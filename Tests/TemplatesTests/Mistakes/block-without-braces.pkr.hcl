source "qemu" "vm" {
  iso_url      = "a.iso"
  iso_checksum = "none"
  ssh_username = "root"
}
build {
  sources = ["source.qemu.vm"]
  provisioner "shell" inline = ["true"]
}
