source "qemu" "vm" {
  iso_url = "debian-13.iso"
  iso_checksum = "sha256:5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99"
  ssh_username = "root"
}

build {
  sources = ["source.qemu.vm"]
  post-processor "proxmox-template" {
    vm_id         = 50
    template_name = "my template"
    boot          = "scsi0"
    disks {
      type = "virtio"
      ssd  = true
    }
    disks {
    }
    vga {
      type = "serial0"
    }
    additional_options = { name = "x" }
  }
}
