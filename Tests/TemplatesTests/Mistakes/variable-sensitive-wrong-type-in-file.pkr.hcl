variable "token" {
  type      = number
  sensitive = true
}

source "qemu" "vm" {
  iso_url      = "a.iso"
  iso_checksum = "none"
  ssh_username = "root"
  ssh_password = var.token
}

build {
  sources = ["source.qemu.vm"]
}
