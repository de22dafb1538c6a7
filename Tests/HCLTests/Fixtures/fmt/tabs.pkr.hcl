a	=	1
	b {
		c	=	2	# x
		dd	=	[	1	]
	}
