packer {
  required_version = ">= 1.7.0"
}

variable "size" {
  type    = string
  default = "8G" # enough
}
