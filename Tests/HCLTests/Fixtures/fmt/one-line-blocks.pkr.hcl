variable "a"{default=1}
variable "longer" {  type = string }
variable "c" { }
x=1
yyyyy=2
z {}
w=3
