import HCL
import Testing

/// What is expected was printed by `packer fmt` 1.6.6.
@Suite("the formatter")
struct FormattingTests {
    @Test(
        "tokens on a line are spaced as Packer does it",
        arguments: [
            (#"a=1"#, #"a = 1"#),
            (#"a   =   "x"   #   y   "#, #"a = "x" #   y   "#),
            (#"b"x"y"z"{a=1}"#, #"b "x" y "z" { a = 1 }"#),
            (#"b   x{}"#, #"b x {}"#),
            (#"a=[for x in -a:-x if -b]"#, #"a = [for x in - a : -x if - b]"#),
            (#"a=[for x in(a):(x) if(b)]"#, #"a = [for x in(a) : (x) if(b)]"#),
            (#"a=[for x in[a]:[x] if[b]]"#, #"a = [for x in [a] : [x] if[b]]"#),
            (#"a=[for in in [b] : in [c]]"#, #"a = [for in in [b] : in[c]]"#),
            (#"a=[for x in y : x if in]"#, #"a = [for x in y : x if in ]"#),
            (#"a={for x in y:-x=>-x}"#, #"a = { for x in y : -x => - x }"#),
            (#"a={for x in y: (x) => (x) ...}"#, #"a = { for x in y : (x) => (x)... }"#),
            (#"a=a[-1]"#, #"a = a[-1]"#),
            (#"a=a[!b]"#, #"a = a[! b]"#),
            (#"a=- - a"#, #"a = --a"#),
            (#"a=!!a"#, #"a = ! ! a"#),
            (#"a=-!b"#, #"a = -! b"#),
            (#"a=foo ()"#, #"a = foo()"#),
            (#"a="x" [0]"#, #"a = "x" [0]"#),
            (#"a=(a) [0]"#, #"a = (a)[0]"#),
            (#"a=[1] [0]"#, #"a = [1][0]"#),
            (#"a={a=1} [0]"#, #"a = { a = 1 }[0]"#),
            (#"a=a.* . b [0]"#, #"a = a.*.b[0]"#),
            (#"a=a.* [0]"#, #"a = a.* [0]"#),
            (#"a=a[*] [*] . c"#, #"a = a[*][*].c"#),
            (#"a=a.0 [0]"#, #"a = a.0[0]"#),
            (
                #"a={(a)=1,"b"=2,"c":3,d:4,(e):5,"${f}":6}"#,
                #"a = { (a) = 1, "b" = 2, "c" : 3, d : 4, (e) : 5, "${f}" : 6 }"#
            ),
            (#"a={-1=2}"#, #"a = { -1 = 2 }"#),
            (#"a={a=1,}"#, #"a = { a = 1, }"#),
            (#"a=[1,]"#, #"a = [1, ]"#),
            (#"a=[a,b ,]"#, #"a = [a, b, ]"#),
            (#"a=[  {  } ]"#, #"a = [{}]"#),
            (#"a=foo([1],{a=1},(b),"c",[])"#, #"a = foo([1], { a = 1 }, (b), "c", [])"#),
            (#"a=({a=1})"#, #"a = ({ a = 1 })"#),
            (#"a=a?[1]:[2]"#, #"a = a ? [1] : [2]"#),
            (#"a=a?-1:!b"#, #"a = a ? -1 : ! b"#),
            (#"a=a ==!b"#, #"a = a == ! b"#),
            (#"a=a%b"#, #"a = a % b"#),
            (#"a=1--1"#, #"a = 1 - -1"#),
            (#"a=1 - - - 1"#, #"a = 1 - --1"#),
            (#"a=a- -b"#, #"a = a- - b"#),
            (#"a=1e3-3"#, #"a = 1e3 - 3"#),
            (#"a=a.*-1"#, #"a = a.* -1"#),
            (#"a="${-a}${!a}${(a)}${[a]}${{a=1}}${"x"}""#, #"a = "${- a}${! a}${(a)}${[a]}${ { a = 1 } }${"x"}""#),
            (#"a="${ a == {} }""#, #"a = "${a == {} }""#),
            (#"a="${~ {} ~}""#, #"a = "${~ {} ~}""#),
            (#"a="%{if -a}%{else}%{endif}""#, #"a = "%{if - a}%{else}%{endif}""#),
            (
                #"a="%{ if(a) }%{ endif }%{if!a}%{endif}%{ if {a=1}==1 }%{endif}""#,
                #"a = "%{if(a)}%{endif}%{if ! a}%{endif}%{if { a = 1 } == 1}%{endif}""#
            ),
            (#"a="%{~ for x , y in [a] ~}%{~ endfor ~}""#, #"a = "%{~for x, y in [a]~}%{~endfor~}""#),
            (#"a="%{if [a]==[b]}%{endif}""#, #"a = "%{if[a] == [b]}%{endif}""#),
            (#"a="$$${ b } %%%{ b }""#, #"a = "$$${ b } %%%{ b }""#),
            (#"a=- /* x */ 1"#, #"a = -/* x */ 1"#),
            (#"a=(/* x */ - 1)"#, #"a = (/* x */ - 1)"#),
            (#"a=a . /* x */ b"#, #"a = a./* x */ b"#),
            (#"a=a /* x */ [0]"#, #"a = a /* x */ [0]"#),
            (#"a=foo /* x */ (1)"#, #"a = foo /* x */ (1)"#),
            (#"a={/* x */}"#, #"a = { /* x */ }"#),
            (#"a="${ /* x */ a }""#, #"a = "${/* x */ a}""#),
        ])
    func spacing(text: String, expected: String) {
        #expect(format(text + "\n") == expected + "\n")
    }

    @Test(
        "lines are indented and aligned as Packer does it",
        arguments: [
            ("a=1\t\t", "a = 1  "),
            ("  \n \n", "\n\n"),
            ("a=1\n   ", "a = 1\n   "),
            ("", ""),
            ("  # foo", "# foo"),
            ("\u{FEFF}a=1\n", "a = 1\n"),
            ("a=1 /* x\n y */ # zz\nbbb=1 # y\n", "a   = 1 /* x\n y */ # zz\nbbb = 1            # y\n"),
            ("a=[foo(b,\nz),# c\n1]/*d*/", "a = [foo(b,\n  z), # c\n1]    /*d*/"),
            ("a=<<EOT\nx\nEOT  \nb  =1\n", "a = <<EOT\nx\nEOT  \nb = 1\n"),
            (
                "a=[<<EOT\n${a # x\n} y ${b # long\n}\nEOT\n]\n",
                "a = [<<EOT\n${a # x\n  } y ${b      # long\n}\nEOT\n]\n"
            ),
            (
                "x {\ny {\na=<<EOT\n${foo(\nb\n)}\nEOT\nb=1\n}\n}\n",
                "x {\n  y {\n    a = <<EOT\n${foo(\n    b\n)}\nEOT\nb = 1\n}\n}\n"
            ),
            ("d=[1,2,\n3,{a=1,b:2\nc=3\n}]\n", "d = [1, 2,\n  3, { a = 1, b : 2\n    c    = 3\n}]\n"),
            ("d=[{x=1},\n{xxx=1},\n{xx=1}]\n", "d = [{ x = 1 },\n  { xxx = 1 },\n{ xx = 1 }]\n"),
            ("a={e={\nf=1}\n}\nb={e={\nf=1}}\n", "a = { e = {\n  f = 1 }\n}\nb = { e = {\nf = 1 } }\n"),
            ("a=foo(bar({\nb=1\nc=2}\n))\n", "a = foo(bar({\n  b = 1\n  c = 2 }\n))\n"),
        ])
    func lines(text: String, expected: String) {
        #expect(Array(format(text).utf8) == Array(expected.utf8))
    }

    @Test(
        "blanks stay where without them two tokens would become one",
        arguments: ["a = 1 .0\n", "a = b.0 .1\n", "a = 1. 0\n"])
    func separate(text: String) {
        #expect(format(text) == text)
    }

    @Test("very deep nesting is not a danger")
    func deep() {
        let text = "a = " + String(repeating: "[\"${", count: 20_000)
        #expect(format(text) == text)
    }
}
