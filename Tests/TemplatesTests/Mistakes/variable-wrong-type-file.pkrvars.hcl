memory = ["lots"]
