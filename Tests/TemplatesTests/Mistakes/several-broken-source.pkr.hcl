source "qmeu" "vm" {
  iso_checksum = "sha256:5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99"
  ssh_username = "root"
  memroy = 2048
}

build {
  sources = ["source.qemu.vm"]
}
