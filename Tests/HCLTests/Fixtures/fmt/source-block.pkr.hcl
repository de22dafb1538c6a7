source "qemu"   "debian" {
iso_url="https://example.org/debian.iso"
  iso_checksum    = "sha256:0123"
    disk_size = "8G"

 ssh_username="root"
    ssh_timeout =   "20m"
}
