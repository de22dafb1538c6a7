source "amazon-ebs" "web" {
  region = "eu-west-1"
}

build {
  sources = ["source.amazon-ebs.web"]
}
