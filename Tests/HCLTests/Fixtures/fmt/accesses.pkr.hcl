a=b . c
b=c [ 0 ]
c=d.*.e
d=e[ * ] . f
e=foo (1) [0]
f=(a) . b
g=[1] [0]
h={a=1} ["a"]
i="x" [0]
j=a.*[0]
k=a.0
