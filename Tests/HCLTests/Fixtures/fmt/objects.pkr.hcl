one={a=1,b="x"}
colons={a:1,"b":2,(c):3}
many={
a=1
"bb"=2
(ccc)=3
dddd:4
"${e}"={
inner=true
}
last = 1
}
empty={ }
unbalanced={ a=1
b=2 }
after=1
afterwards=2
