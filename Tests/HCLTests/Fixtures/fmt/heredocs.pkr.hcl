a=<<EOT
  kept   as is  ${ name   }
	%{ if  x }y%{  endif ~}
EOT
bb  =  <<-END
      dedented = "no"
   END
list=[<<EOT
one
EOT
,<<EOT
two
EOT
]
call=join(",",[<<EOT
${ a+b }
EOT
])
