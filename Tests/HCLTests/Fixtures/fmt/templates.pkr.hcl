a="${ b }"
b="x ${b+c} y ${ d["e"] }"
c="%{ if a }b%{ else }c%{ endif }"
d="%{ for x,y in z ~}${ x }%{~ endfor }"
e="${ {a=1}["a"] }"
f="${~ a ~}"
g="$${ kept } %%{ kept }"
h="${"inner ${ "most" }"}"
i="a\"b\\${ c }\n"
j="${foo({a=1})}"
k="${ a == {} }"
l="${
multi
}"
