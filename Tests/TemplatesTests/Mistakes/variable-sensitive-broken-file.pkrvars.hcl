user          = "root
root_password = "hunter2
