memry = 4096
