source "bhyve" "vm" {
}

build {
  sources = ["source.bhyve.vm"]
}
