a=foo()
b=foo ( 1 , 2 )
c=foo(list ...)
d=foo({
a=1
bb=2
})
e=foo(
1,
[
2
]
)
f=foo(bar(baz(1),
2),
3)
g=1
