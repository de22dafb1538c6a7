variable "memory" {
  default = 4096
}
