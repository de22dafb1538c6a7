a=[for x in y:x]
b={for k,v in m:k=>v if v!=null}
c={for k,v in m : upper(k)=>v...}
d=[for x in [1,2]:-x]
e=[for x in(y):x]
f=[for x in y:
x
if x!=1
]
g={
for k,v in m:
k=>{
name=v
}
}
