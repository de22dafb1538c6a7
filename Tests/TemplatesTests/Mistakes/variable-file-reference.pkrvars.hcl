memory = var.cpus
