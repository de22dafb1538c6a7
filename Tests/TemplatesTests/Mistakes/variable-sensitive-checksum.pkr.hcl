local "sum" {
  expression = "hunter2"
  sensitive  = true
}

source "qemu" "vm" {
  iso_url = "debian-13.iso"
  ssh_username = "root"
  iso_checksum = local.sum
}

build {
  sources = ["source.qemu.vm"]
}
