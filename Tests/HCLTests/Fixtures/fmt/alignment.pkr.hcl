a=1
bbb=2

cccc=3
# a comment breaks a column
dd=4
list=[
1
]
e=5
ffffff=6
b {}
g=7
text=<<EOT
heredoc
EOT
hhhhhhhh=8
