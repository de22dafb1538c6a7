a=1
bbb=2   # x
c {
 d="e" // y
}
f=<<EOT
  x
EOT
