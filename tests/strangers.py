"""What strangers send: texts that are meant to be more than text, and specs that are meant never to end."""

from __future__ import annotations

import random

#: Names that would run, or become something else, where they are not looked at.
NAMES = [
    'x"if[getattr(__import__("os"),"system")("touch$IFS$PROOF")]else"',
    'x"+str(__import__("os").system("touch$IFS$PROOF"))+"',
    'x",__import__("os").system("touch$IFS$PROOF"),"',
    "x',__import__('os').system('touch$IFS$PROOF'),'",
    'x")or(__import__("os").system("touch$IFS$PROOF"))or("',
    'x")#', 'x"', "x'", 'x""', "x\\", 'x\\"', "x`id`", "x$(id)", "x;y", "x#y", "x(y)", "x[0]", "x<b>", "x&amp",
    "x|y", "x=y", "x,y", "x:y", "x/y", "x*y", "x!y", "x?y", "x~y", "x^y", "x+y", "x%sy", "x@y", "../x", "x y", "x\ty",
    "x\ny", "x\u00a0y", "x\u2028y", "x\u200by", "x\u202ey", "x\u2066y", "x\u00ady", "x\ufeffy", "x\ufe0f", "\u0301x",
    "x\u20dd", "ﬁx", "ｘ", "ſx", "𝐱", "ª", "x²", "x․y", "ℌ", "e\u0301", "\u115f", "\u1160", "x" * 101, "💥",
]  # fmt: skip

#: Names that people use, in several scripts.
GOOD_NAMES = [
    "conv", "Größe", "слой", "卷积", "レイヤー", "طبقة", "שכבה", "층", "दो", "ชั้น", "étage", "ñandú", "x-y", "a_b", "A", "_", "-",
    "νευρώνας", "ა", "lớp", "कन्व", "x_y-z",
]  # fmt: skip

#: Texts that mean something in one place or another.
TEXTS = [
    '"""', "'''", '\\"""', "\\", '"', "'", "a\\nb", "\\x41", "\\N{DIGIT ONE}", "{x}", "{0}", "%s", "#", "# a", "## a", "* a", "- a",
    "+ a", "1. a", "1) a", "> a", "=====", "-----", "```", "~~~", "~~~~ a", "`a`", "**a**", "__a__", "*a*", "_a_", "~~a~~", "[a](b)",
    "[a](javascript:alert(1))", "![a](http://x.y/z.png)", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!-- ", "-->",
    "</title><script>", "</pre>", "&lt;b&gt;", "&#60;", "&amp;", "http://x.example/y", "https://x.example", "www.x.example",
    "a@b.example", "<http://a.b>", "[1]: http://a.b", "a | b", "|---|", "| a |", "$a$", "$$a$$", "\\(a\\)", "^a^", "H~2~O", "@cite", "[@cite]",
    "{.class}", "{{ 7*7 }}", "{% a %}", "<%= a %>", "=1+1", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "+cmd|' /C calc'!A0",
    "＝1+1", "\t=1", " =1", "a;=1", "a\t=1", "x;\"=HYPERLINK(1);y", "a|'=1", "a. x", "(1) x", "i) x", "Table: x", "x :smile: y", "?`", ",,", "\u3164\u2800\ufe0f", "a;b", "a,b", '"a"', "'=1", "0123", "1e5", "1/2", "\\input{/etc/passwd}", "\\write18{id}", "\\end{tabular}",
    "\\\\[1cm]", "[1cm]", "*", "%", "% a", "a & b", "a_b", "^^5c", "~", "\\def\\a{}", "$\\infty$", "{", "}", "}}", "{{", "--", "---", "``a''", "?`",
    "::a::", "~a", "=a", "#a", "a -> b", "//a", "$CATEGORY: a", "[html]<b>a</b>", "[markdown]*a*", "<![CDATA[a]]>", "]]>", "<?xml", "<!DOCTYPE a>",
    "\x1b[2J", "\x1b]0;a\x07", "\x9b31m", "\x00", "\x07", "\x08", "\r", "a\rb", "a\nb", "a\n\n\nb", "\n# a", "\n\n- a", "\u2028a", "\u202egnp.a", "\u2066a\u2069", "\u200ba",
    "a\u200d", "\ufeffa", "\u00ada", "\u00a0a", "\ud800", "\U000e0041", "é", "e\u0301", "漢字", "العربية", "💥", "ﬁ", "a" * 300, "", " ", "  a  b  ", "None", "true", "null",
    "~", "!!python/object/apply:os.system [id]", "*a", "&a", "<<", "- - -", "? a", ": a", "a: b", "import os", "__import__('os')", "lambda: 0", "os.system('id')",
]  # fmt: skip


def text(rng: random.Random) -> str:
    """A text of a few pieces, most of which mean something somewhere."""
    pieces = [
        rng.choice(TEXTS)
        if rng.random() < 0.7
        else "".join(chr(rng.choice(_RANGES)(rng)) for _ in range(rng.randrange(6)))
        for _ in range(rng.choice([1, 1, 1, 2, 3]))
    ]
    return rng.choice(["", "", " ", "\n"]).join(pieces)


_RANGES = [
    lambda rng: rng.randrange(0x20, 0x7F),
    lambda rng: rng.randrange(0x100),
    lambda rng: rng.randrange(0x2000, 0x2070),
    lambda rng: rng.randrange(0xD800),
    lambda rng: rng.randrange(0x10000, 0x110000),
]


def _listed(count: int, one: str) -> str:
    return ", ".join(one.format(i=i, j=i + 1) for i in range(count))


def _lines(count: int, one: str) -> str:
    return "".join(one.format(i=i, j=i + 1) + "\n" for i in range(count))


#: Specs that took minutes or gigabytes, or could.
SPECS = {
    "blocks that use the next twice": "input: [1]\nblocks:\n"
    + _lines(50, "  b{i}: {{args: [n], layers: [{{b{j}: {{n: 2*n}}}}, {{b{j}: {{n: 2*n + 1}}}}]}}")
    + "  b50: {args: [n], layers: [ReLU]}\nlayers: [b0: {n: 1}]\n",
    "blocks that use the next twice with small numbers": "input: [1]\nblocks:\n"
    + _lines(50, "  b{i}: {{args: [n], layers: [{{b{j}: {{n: n + {i}}}}}, {{b{j}: {{n: n + {j}}}}}]}}")
    + "  b50: {args: [n], layers: []}\nlayers: [b0: {n: 1}]\n",
    "a block that uses itself twice": "input: [1]\nblocks: {b: {args: [n], layers: [{b: {n: n+1}}, {b: {n: n+2}}]}}\nlayers: [{b: {n: 0}}]\n",
    "a long list in what is repeated": "input: [1]\nargs: {x: '[0]*4990'}\nlayers: [{ReLU: {}, when: 'max(x)+max(x)+max(x)+max(x)+max(x)+i', repeat: 20000}]\n",
    "a list compared": "input: [1]\nargs: {x: '[0]*9990', y: '[0]*9990'}\nlayers: [{ReLU: {}, when: 'x == y and x == y and not x in [y]', repeat: 100000}]\n",
    "lists beside the uses of a block": "input: [1]\nblocks:\n  b: {args: [" + _listed(40, "a{i}") + "], layers: [ReLU]}\n"
    "layers: [{b: {" + _listed(40, "a{i}: '[i]*4990'") + "}, repeat: 15000}]\n",
    "lists as defaults": "input: [1]\nblocks:\n  b: {args: [" + _listed(40, "a{i}: '[7]*9990'") + "], layers: [ReLU]}\nlayers: [{b: {}, repeat: 15000}]\n",
    "columns of long lists": "input: [1]\nargs: {c: '[0]*9990'}\nlayers: [{inline: [{ReLU: {}, when: false}], foreach: {" + _listed(2000, "c{i}: c") + "}}]\n",
    "branches that never end": "input: [1]\nlayers: [{add: [{branch: [ReLU], repeat: 1000000000}]}]\n",
    "branches of branches": "input: [1]\nlayers: [{add: [{branch: [{add: [{branch: [ReLU], foreach: {k: '[0]*9990'}}]}], foreach: {k: '[0]*9990'}}]}]\n",
    "branches of blocks": "input: [4]\nblocks: {b: {args: [n], layers: [{add: [{branch: [{b: {n: n - 1}}], repeat: '9 + 0 * in_channels', when: n > 0}, []]}]}}\nlayers: [{b: {n: 40}}]\n",
    "names of branches": "input: [1]\nlayers:\n" + _lines(3000, "  - {{add: [{{branch: input, repeat: 9000}}]}}"),
    "uses of uses": "input: [1]\nlayers:\n  - g0: [ReLU, ReLU]\n" + "".join(f"  - g{i}: [{{use: g{i - 1}}}, {{use: g{i - 1}}}]\n" for i in range(1, 60)),
    "uses of empty groups": "input: [1]\nlayers:\n  - g0: [" + ", ".join("[]" for _ in range(3000)) + "]\n  - {use: g0, repeat: 100000}\n",
    "uses of uses of empty groups": "input: [1]\nlayers:\n  - g0: [[], []]\n" + "".join(f"  - g{i}: [{{use: g{i - 1}}}, {{use: g{i - 1}}}]\n" for i in range(1, 60)),
    "uses of a block": "input: [4]\nblocks: {b: {args: [n], layers: [{g: [ReLU, ReLU]}, {use: g, repeat: n}, {b: {n: n * 9}, when: n < 10**9}]}}\nlayers: [{b: {n: 9}}, {use: '0', repeat: 100000}]\n",
    "uses of what does not fit": "input: [4]\nlayers:\n  - g: [{Linear: {out_features: 5}}, {repeat: 100, ReLU: {}}]\n" + _lines(5000, "  - {{use: g, from: input}}") + "\n  - {use: g, repeat: 100000}\n",
    "names of uses": "input: [1]\nlayers:\n" + "".join(f"  - {'a' * 90}.{'b' * 90}.{'c' * 90}.d{i}: ReLU\n  - {{use: d{i}}}\n" for i in range(3000)),
    "lists that hold lists": "input: [1]\nlayers:\n  - {'" + ".".join(["a"] * 100) + ".{i}': ReLU, repeat: 100000}\n",
    "branches": "input: [1]\nlayers: [{x: ReLU}, {add: [" + "x, " * 1000 + "], repeat: 100000}]\n",
    "sources": "input: [1]\nlayers: {x: ReLU, y: {MultiheadAttention: {num_heads: 1}, from: [" + "x, " * 20000 + "], repeat: 1000}}\n",
    "claims": "input: [1]\nlayers: [{ReLU: {}, repeat: 100000, expect: {" + _listed(1000, "q{i}: 1") + "}}]\n",
    "copies that are not there": "input: [1]\nlayers:\n" + _lines(5000, "  - {{inline: [{{ReLU: {{}}, when: false, repeat: 300}}], repeat: 500}}"),
    "empty groups": "input: [1]\nlayers: [{layers: [], repeat: 150000}]\n",
    "empty groups by the line": "input: [1]\nlayers:\n" + _lines(5000, "  - {{layers: [], repeat: 150000}}"),
    "groups in groups": "input: [1]\nlayers: " + "[{inline: " * 28 + "[ReLU]" + ", repeat: 1+1}]" * 28 + "\n",
    "long expressions": "input: [1]\nlayers:\n" + "".join(f"  - {{ReLU: {{}}, when: '{'+'.join(['1'] * 240)}+{i}'}}\n" for i in range(2000)),
    "long expressions that are not worked out": "input: [1]\nlayers:\n - inline:\n"
    + "".join(f"    - {{ReLU: {{}}, when: '0 if 1 else ({'+'.join(['1'] * 230)}+{i})'}}\n" for i in range(2000))
    + "   repeat: 70\n",
    "names that are not there": "input: [1]\nlayers:\n" + _lines(10000, "  - {{ReLU: {{}}, when: arx{i}}}") + "args: {" + _listed(20000, "arg{i}: 1") + "}\n",
    "settings that are not there": "input: [1]\nlayers: [ReLU]\nargs: {" + _listed(10000, "arg{i}: 1") + "}\nvariants:\n  v: {" + _listed(10000, "arx{i}: 1") + "}\n",
    "arguments that are not there": "input: [1]\nlayers: [ReLU]\nargs: {" + _listed(10000, "arg{i}: arx{i}") + "}\n",
    "parts that are not there": "input: [1]\nlayers: [{ReLU: {}, repeat: 1000}]\nvariants: {v: {}}\nexpect: {v: {parts: {" + _listed(9000, "p{i}: {{macs: 1}}") + "}}}\n",
    "keys that nothing uses": "input: [1]\nlayers: [ReLU]\n" + _lines(30000, "lay{i}: 1"),
    "types with nothing in them": "input: [1]\nlayers:\n" + _lines(30000, "  - q{i}x: {{}}"),
    "unknown types": "input: [1]\nlayers:\n" + _lines(30000, "  - Q{i}x: {{}}"),
    "a long text many times": "a: &a " + "x" * 90000 + "\ninput: [" + "*a, " * 50000 + "]\nlayers: [ReLU]\n",
    "a long text in a claim": "source: &a " + "x" * 900000 + "\ninput: [1]\nlayers: [ReLU]\nexpect: {a: [" + "*a, " * 10000 + "]}\n",
    "a mapping merged many times": "input: [1]\na: &a {" + _listed(300, "k{i}: 1") + "}\nb: [" + "{<<: *a}, " * 300 + "]\nlayers: [ReLU]\n",
    "many axes": "input: [1]\nlayers: [{Unflatten: {dim: 1, unflattened_size: " + str([1] * 9000) + "}}, {ReLU: {}, repeat: 100000}]\n",
    "tables of planes": "input: [400, 4, 4]\nargs: {c: '[[0,1,2,3,4,5,6,7,8,9]]*900'}\nlayers: [{add: [{layers: [{PartialConv2d: {connections: 'c[:i%800+1]', kernel_size: 1}}, {PadChannels: {before: 0, after: 399 - i%800}}]}, []], repeat: 20000}]\n",
    "a stride without end": "input: [1, 1, 1]\nlayers: [{MaxPool2d: {kernel_size: 1, stride: 2}, repeat: 20000}]\n",
    "fractions without end": "input: [1, 4, 4]\nlayers: [{Upsample: {scale_factor: 1.1}, repeat: 20000}]\n",
    "windows without end": "input: [1, 97, 89]\nlayers: [{inline: [{AdaptiveAvgPool2d: {output_size: [83, 79]}}, {AdaptiveAvgPool2d: {output_size: [97, 89]}}], repeat: 10000}]\n",
    "an unknown layer before many": "input: [1]\nlayers: [Foo, {Linear: {out_features: 'in_features+" + "+".join(["1"] * 200) + "'}, repeat: 100000}]\n",
    "anchors": "input: [1]\nlayers: [ReLU]\nnote: [" + "".join(f"&a{i} x, " for i in range(90000)) + "]\n",
    "disputes": "input: [1]\nlayers: [ReLU]\ndisputed: [" + "{part: xx, macs: 1, source: a, note: b}, " * 9000 + "]\n",
    "a deep tower": "input: [1]\nlayers:\n" + "".join("  " * i + f"  g{i}: \n" for i in range(50)) + "  " * 51 + "{r: {ReLU: {}, repeat: 20000}}\n",
}  # fmt: skip
