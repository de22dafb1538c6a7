source "qemu" "vm" {
  iso_url = "debian-13.iso"
  iso_checksum = "sha256:5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99"
  ssh_username = "root"
}

build {
  sources = ["source.qemu.vm"]
  post-processor "proxmox" {
    username    = "root@pam"
    token       = "11111111-2222-3333-4444-555555555555"
    existing    = "replce"
    fingerprint = "AA:BB"
    ssh_private_key_file = "id_ed25519.pub"
  }
}
