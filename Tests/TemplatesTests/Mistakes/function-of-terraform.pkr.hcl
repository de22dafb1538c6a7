locals {
  count = tostring(2)
  home  = env("HOME")
}

source "qemu" "vm" {
  iso_url      = "a.iso"
  iso_checksum = "sha256:5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99"
  ssh_username = "root"
  boot_wait    = 5000000000
}

build {
  sources = ["source.qemu.vm"]
}
