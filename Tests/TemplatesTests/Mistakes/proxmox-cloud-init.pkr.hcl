source "qemu" "vm" {
  iso_url = "debian-13.iso"
  iso_checksum = "sha256:5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99"
  ssh_username = "root"
}

build {
  sources = ["source.qemu.vm"]
  post-processor "proxmox-template" {
    cloud_init_user          = "a user"
    cloud_init_ssh_keys      = ["AAAAC3"]
    cloud_init_ssh_key_files = ["notes.txt", "id.pub"]
    nameserver               = "ns.example.com"
    ipconfig {
      ip = "10.0.0.5"
    }
  }
}
