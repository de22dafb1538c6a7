source "qemu" "vm" {
}

build {
  sources = ["source.qemu.vm"]
}
