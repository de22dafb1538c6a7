x {
text=<<EOT
first ${join(",",[
for a in list:
a
])} rest
${ "x" } # no comment
EOT
after=1
}
