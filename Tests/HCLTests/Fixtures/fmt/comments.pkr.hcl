# first
   // second
  /* third
     goes on */
a=1# one
bbb=22   // two
c {   # three
d=/* four */1
# five
      # six

e="x"#seven
}#eight

f=[   # nine
1,# ten
222# eleven
]  # twelve
   /* thirteen */ g=1 /* fourteen */
hh=2
