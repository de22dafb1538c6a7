# Each value is followed by what the reference, packer console 1.6.6, makes of it as JSON.
v0 = <<EOT
plain
EOT
v0_json = "\"plain\\n\""
v1 = <<EOT

EOT
v1_json = "\"\\n\""
v2 = <<EOT
EOT
v2_json = "\"\""
v3 = <<-EOT
	one
		two
  EOT
v3_json = "\"one\\n\\ttwo\\n\""
v4 = <<-EOT
    one
      two

    three
    EOT
v4_json = "\"one\\n  two\\n\\nthree\\n\""
v5 = <<-EOT
    one
  
    three
    EOT
v5_json = "\"one\\n  \\nthree\\n\""
v6 = <<-EOT
    one
        
    three
    EOT
v6_json = "\"one\\n        \\nthree\\n\""
v7 = <<EOT
\n not an escape \"quoted\"
EOT
v7_json = "\"\\\\n not an escape \\\\\\\"quoted\\\\\\\"\\n\""
v8 = <<EOT
$${a} %%{b} $ % $$ %%
EOT
v8_json = "\"$${a} %%{b} $ % $$ %%\\n\""
v9 = <<EOT
  ${1 + 1}
EOT
v9_json = "\"  2\\n\""
v10 = <<EOT
${"a"}
EOT
v10_json = "\"a\\n\""
v11 = <<EOT
%{ if true }
yes
%{ endif }
EOT
v11_json = "\"\\nyes\\n\\n\""
v12 = <<EOT
%{ if true ~}
yes
%{ endif ~}
EOT
v12_json = "\"yes\\n\""
v13 = <<EOT
  %{~ if true ~}
  yes
  %{~ endif ~}
end
EOT
v13_json = "\"  yes\\nend\\n\""
v14 = <<EOT
a
%{~ if true ~}
yes
%{~ endif ~}
b
EOT
v14_json = "\"ayesb\\n\""
v15 = <<EOT
%{ for v in ["a", "b"] ~}
- ${v}
%{ endfor ~}
EOT
v15_json = "\"- a\\n- b\\n\""
v16 = <<EOT
%{ for v in ["a", "b"] }
- ${v}
%{ endfor }
EOT
v16_json = "\"\\n- a\\n\\n- b\\n\\n\""
v17 = <<-EOT
    %{ for v in ["a", "b"] ~}
    - ${v}
    %{ endfor ~}
    end
    EOT
v17_json = "\"    - a\\n    - b\\n    end\\n\""
v18 = <<-EOT
    list:
    %{~ for v in ["a", "b"] }
      - ${v}
    %{~ endfor }
    end
    EOT
v18_json = "\"    list:\\n\\n      - a\\n\\n      - b\\n\\n    end\\n\""
v19 = <<-EOT
    a
    ${~ "x" ~}
    b
    EOT
v19_json = "\"    a\\nx    b\\n\""
v20 = <<-EOT
      a
    ${"x"}
      b
    EOT
v20_json = "\"  a\\nx\\n  b\\n\""
v21 = <<-EOT
      a
${"x"}
      b
    EOT
v21_json = "\"      a\\nx\\n      b\\n\""
v22 = <<-EOT
      a
%{ if true }
      b
%{ endif }
    EOT
v22_json = "\"      a\\n\\n      b\\n\\n\""
v23 = <<-EOT
    %{ if true }
      b
    %{ endif }
    EOT
v23_json = "\"\\n  b\\n\\n\""
v24 = <<EOT
  EOT not yet
EOTX
  EOT
v24_json = "\"  EOT not yet\\nEOTX\\n\""
v25 = <<EOT
a ${ <<IN
inner
IN
} b
EOT
v25_json = "\"a inner\\n b\\n\""
v26 = <<EOT
${ [
  "EOT"
][0] }
EOT
v26_json = "\"EOT\\n\""
v27 = <<-EOT
  wide
 x
EOT
v27_json = "\" wide\\nx\\n\""
v28 = <<-EOT
  	 mixed
   b
EOT
v28_json = "\" mixed\\nb\\n\""
v29 = <<EOT
trailing   
EOT
v29_json = "\"trailing   \\n\""
v30 = <<A-B_1
x
A-B_1
v30_json = "\"x\\n\""
v31 = <<EOT
%{ if false }x%{ else }y%{ endif }z
EOT
v31_json = "\"yz\\n\""
v32 = <<EOT
%{ if true }
%{ for v in [1,2] ~}
  ${v}
%{ endfor ~}
%{ endif }
EOT
v32_json = "\"\\n  1\\n  2\\n\\n\""
v33 = <<EOT
a%{ if true ~}   b   %{~ endif }c
EOT
v33_json = "\"abc\\n\""
v34 = <<EOT
  ${~ "a" ~}  
  b
EOT
v34_json = "\"a  b\\n\""
v35 = [<<A
one
A
, <<B
two
B
]
v35_json = "[\"one\\n\",\"two\\n\"]"
v36 = upper(<<EOT
abc
EOT
)
v36_json = "\"ABC\\n\""
v37 = "${<<EOT
abc
EOT
}x"
v37_json = "\"abc\\nx\""
v38 = {
  a = <<EOT
x
EOT
  b = 2
}
v38_json = "{\"a\":\"x\\n\",\"b\":2}"
v39 = <<-EOT
  a
    EOT
v39_json = "\"a\\n\""
v40 = <<-EOT
none
    four
  EOT
v40_json = "\"none\\n    four\\n\""
v41 = <<-EOT
    ${"a"}
    EOT
v41_json = "\"a\\n\""
v42 = <<-EOT
    x${"a"}y
  ${"b"}
    EOT
v42_json = "\"  xay\\nb\\n\""
v43 = <<EOT
ñ
EOT
v43_json = "\"ñ\\n\""
v44 = <<EOT
a


${~ "x" }
EOT
v44_json = "\"a\\n\\nx\\n\""
v45 = <<EOT
${ "x" ~}


b
EOT
v45_json = "\"x\\n\\nb\\n\""
v46 = [
  for v in ["a"] :
  upper(v)
  if v == "a"
]
v46_json = "[\"A\"]"
v47 = {
  for v in ["a"] :
  v =>
  1
}
v47_json = "{\"a\":1}"
v48 = (
  1
  +
  2
)
v48_json = "3"
v49 = (true
 ? 1
 : 2)
v49_json = "1"
v50 = [
  1, # c
  2 // d
  , /* e
 */ 3
]
v50_json = "[1,2,3]"
v51 = {
  a = 1, b = 2
  c : 3

  # x
  "d" = 4
}
v51_json = "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}"
v52 = upper(
  "a"
)
v52_json = "\"A\""
v53 = "a${
  1
}b"
v53_json = "\"a1b\""
v54 = { a = [
1
], b = {
} }
v54_json = "{\"a\":[1],\"b\":{}}"
