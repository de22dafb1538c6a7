packer {
  required_plugins = {
    qemu = {
      source = "github.com/hashicorp/qemu"
      version = ">= 1.0.0"
    }
  }
}
source "qemu" "vm" {
  iso_url      = "debian-13.iso"
  iso_checksum = "sha256:5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99"
  ssh_username = "root"
}
build {
  sources = ["source.qemu.vm"]
}
