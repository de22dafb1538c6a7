source "qemu" "vm" {
  iso_url = "debian-13.iso"
  ssh_username = "root"
  iso_md5 = "5f4dcc3b5aa765d61d8327deb882cf99"
}

build {
  sources = ["source.qemu.vm"]
}
