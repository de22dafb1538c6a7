memory 4096
