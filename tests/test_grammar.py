from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.catalogue import activations, losses
from derive.formula.expression import (
    Call,
    Cases,
    Condition,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Relation,
    Series,
    Sum,
    children,
    rebuild,
)
from derive.formula.grammar import FUNCTIONS, Unreadable, read, write

a, b, c, d, e, o, t, x, y, z = map(Name, "abcdeotxyz")


def n(digits: str | int) -> Number:
    return Number(Fraction(digits))


def minus(expr: Expr) -> Negative:
    return Negative(expr)


def plus(*terms: Expr) -> Sum:
    return Sum(terms)


def times(*factors: Expr) -> Product:
    return Product(factors)


def call(function: str, *args: Expr) -> Call:
    return Call(function, args)


HALF = Quotient(n(1), n(2))

PLAIN: dict[str, Expr] = {
    "x": x,
    "0.10": n("0.1"),
    ".5": n("0.5"),
    "1e-3": n("0.001"),
    "b + w5*x": plus(b, times(Name("w5"), x)),
    "a - b": plus(a, minus(b)),
    "a - b - c": plus(a, minus(b), minus(c)),
    "a - (b - c)": plus(a, minus(plus(b, minus(c)))),
    "(a + b) + c": plus(plus(a, b), c),
    "a*b*c": times(a, b, c),
    "(a*b)*c": times(times(a, b), c),
    "a/b*c": times(Quotient(a, b), c),
    "a*b/c": Quotient(times(a, b), c),
    "a*b/c*d": times(Quotient(times(a, b), c), d),
    "a/b/c": Quotient(Quotient(a, b), c),
    "a/(b*c)": Quotient(a, times(b, c)),
    "1/2*x": times(HALF, x),
    "-z^2": minus(Power(z, n(2))),
    "(-z)^2": Power(minus(z), n(2)),
    "-a*b": minus(times(a, b)),
    "-t/o": minus(Quotient(t, o)),
    "a*-b*c": times(a, minus(b), c),
    "a + -b": plus(a, minus(b)),
    "a - -b": plus(a, minus(minus(b))),
    "--a": minus(minus(a)),
    "+a": a,
    "2^3^2": Power(n(2), Power(n(3), n(2))),
    "2**3**2": Power(n(2), Power(n(3), n(2))),
    "2^-3^2": Power(n(2), minus(Power(n(3), n(2)))),
    "-2^-x": minus(Power(n(2), minus(x))),
    "(0.15)(0.05) + (0.20)(0.10)": plus(times(n("0.15"), n("0.05")), times(n("0.2"), n("0.1"))),
    "(a)(b)(c)": times(a, b, c),
    "2(a + b)": times(n(2), plus(a, b)),
    "(a)^2(b)": times(Power(a, n(2)), b),
    "1/2(t - o)^2": times(HALF, Power(plus(t, minus(o)), n(2))),
    "[a + b]*c": times(plus(a, b), c),
    "exp(-z)": call("exp", minus(z)),
    "log(o)": call("ln", o),
    "max(0, z, a)": call("max", n(0), z, a),
    "sigmoid(z)*(1 - sigmoid(z))": times(call("sigmoid", z), plus(n(1), minus(call("sigmoid", z)))),
    "tanh(z)^2": Power(call("tanh", z), n(2)),
    "leaky_relu(z)": call("leaky_relu", z, n("0.01")),
    "leaky_relu(z, 0.2)": call("leaky_relu", z, n("0.2")),
    "elu(z)": call("elu", z, n(1)),
    "1 if z > 0 else 0": Cases(((n(1), Condition(z, ">", n(0))),), n(0)),
    "a if z < -1 else b if z == a*b else c": Cases(
        ((a, Condition(z, "<", minus(n(1)))), (b, Condition(z, "==", times(a, b)))), c
    ),
    "a if z<=0 else (b if z>=1 else c)": Cases(
        ((a, Condition(z, "<=", n(0))),), Cases(((b, Condition(z, ">=", n(1))),), c)
    ),
    "2*(a if z > 0 else b) + c": plus(times(n(2), Cases(((a, Condition(z, ">", n(0))),), b)), c),
    "net_h1[2] - w5@3": plus(Name("net_h1[2]"), minus(Name("w5@3"))),
    "W1[300, 17]*x[i]": times(Name("W1[300,17]"), Name("x[i]")),
    "dE/dw5": Quotient(Name("dE"), Name("dw5")),
    "w_5": Name("w_5"),
    "e^x": Power(e, x),
    " \t x\n": x,
}

TYPESET: dict[str, str] = {
    "w1·x1 + w2×x2 − b1 ÷ 2": "w1*x1 + w2*x2 - b1/2",
    "½(t − o)²": "1/2*(t - o)^2",
    "x² + 3x + 2": "x^2 + 3*x + 2",
    "x⁻¹²": "x^-12",
    "σ(z)(1 − σ(z))": "sigmoid(z)*(1 - sigmoid(z))",
    "2σ(2z)−1": "2*sigmoid(2*z) - 1",
    "LReLU(z)·1": "leaky_relu(z)*1",
    "√2 + √(x + 1) + √x": "sqrt(2) + sqrt(x + 1) + sqrt(x)",
    "∂E/∂w5": "dE/dw5",
    "µ·x": "μ*x",
    "1/(1 + e^−z)": "1/(1 + exp(-z))",
    "e²": "exp(2)",
    "1 if z ≥ 0 else 0": "1 if z >= 0 else 0",
    r"\frac{1}{1+e^{-net_{h1}}}": "1/(1 + exp(-net_h1))",
    r"\frac{1}{2}\left(y-out_{o1}\right)^{2}": "1/2*(y - out_o1)^2",
    r"\mathrm{net}_{h1}": "net_h1",
    r"\text{out}_{\mathrm{h}_1}": "out_h1",
    r"\mathrm{net}_{h1,2}": "net_h1_2",
    r"\mathrm{net\_h1}": "net_h1",
    r"w_{1}x_{1}+w_2 \cdot x_2": "w1*x1 + w2*x2",
    r"w_{5}^{2}": "w5^2",
    r"-t \ln o": "-t*ln(o)",
    r"-t\,\ln\left(o\right)": "-t*ln(o)",
    r"\sqrt{x^2+1}": "sqrt(x^2 + 1)",
    r"\exp(-z)": "exp(-z)",
    r"e^{e^{x}}": "exp(exp(x))",
    r"\sigma\left(z\right)": "sigmoid(z)",
    r"\mathrm{ReLU}(z)": "relu(z)",
    r"\max\{0, z\}": "max(0, z)",
    r"\tanh z": "tanh(z)",
    r"\alpha z": "α*z",
    r"\delta_{o1} \times \delta_1": "δ_o1*δ1",
    r"\frac{\partial E}{\partial w_5}": "dE/dw5",
    r"1.2 \times 10^{-9}": "1.2*10^-9",
    r"1 \text{ if } z \ge 0 \text{ else } 0": "1 if z >= 0 else 0",
    r"{a + b}^{2}": "(a + b)^2",
    r"2\left[a + b\right]": "2*(a + b)",
}


@pytest.mark.parametrize(("text", "tree"), PLAIN.items())
def test_plain_text_is_read_to_the_tree(text: str, tree: Expr) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(("text", "plain"), TYPESET.items())
def test_typeset_text_is_read_to_the_same_tree_as_plain_text(text: str, plain: str) -> None:
    assert read(text) == read(plain)


@pytest.mark.parametrize("digits", ["0.10", "1e-3", "007", "5.", ".50"])
def test_digits_are_remembered(digits: str) -> None:
    tree = read(digits)
    assert isinstance(tree, Number)
    assert tree.written == digits


@pytest.mark.parametrize(
    ("text", "names", "plain"),
    [
        ("w_5*x", ["w5", "x"], "w5*x"),
        ("w_5*x", ["w_5", "w5", "x"], "w_5*x"),
        (r"w_{5}x", ["w_5", "x"], "w_5*x"),
        (r"\alpha \delta_{o1}", ["alpha", "delta_o1"], "alpha*delta_o1"),
        ("alpha*z", ["α", "z"], "α*z"),
        ("e^−z", ["e", "z"], "e^-z"),
        ("a(1 − a)", ["a"], "a*(1 - a)"),
    ],
)
def test_known_names_decide_the_spelling(text: str, names: list[str], plain: str) -> None:
    assert read(text, names=names) == read(plain)
    assert read(text, names=names.__contains__) == read(plain)


def test_formulas_of_the_catalogue_are_read_and_written_back() -> None:
    rows = [text for row in activations.ROWS for text in (row.formula, row.derivative)]
    rows += [text for loss in losses.ROWS if not loss.whole for text in (loss.part, loss.derivative)]
    rows += [kink.derivative for row in activations.ROWS for kink in row.kinks]
    names = {"z", "a", "t", "o", "n", "E"}
    names |= {key for table in (activations.ROWS, losses.ROWS) for row in table for key, _ in row.parameters}
    for text in filter(None, rows):
        assert write(read(text, names=names)) == text


def test_every_scalar_activation_is_a_function() -> None:
    for row in activations.ROWS:
        if row.vector:
            with pytest.raises(Unreadable):
                read(f"{row.function}(z)")
        else:
            assert read(f"{row.function}(z)") == Call(row.function, (z, *(value for _, value in row.parameters)))


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (n(-2), "-2"),
        (plus(a, n("-0.5")), "a - 0.5"),
        (minus(minus(a)), "-(-a)"),
        (plus(a, minus(minus(b))), "a - (-b)"),
        (times(a, n(-2)), "a*(-2)"),
        (Power(n(-2), n(2)), "(-2)^2"),
        (Number(Fraction(1, 3)), "1/3"),
        (times(a, Number(Fraction(-1, 3))), "a*(-1/3)"),
        (Power(a, Number(Fraction(1, 3))), "a^(1/3)"),
        (Number(Fraction(1, 8)), "0.125"),
        (Number(Fraction(1, 10), "0.10"), "0.10"),
        (Number(Fraction(1, 2), "7"), "0.5"),
        (times(Name("dE/dout_o1"), Name("dout_o1/dnet_o1")), "dE/dout_o1*dout_o1/dnet_o1"),
        (Quotient(a, Name("dE/dw5")), "a/(dE/dw5)"),
        (Power(Name("dE/dw5"), n(2)), "(dE/dw5)^2"),
        (
            plus(Series("i", 3, times(Name("w[i]"), Name("x[i]")), lambda i: times(Name(f"w{i}"), Name(f"x{i}"))), b),
            "w1*x1 + w2*x2 + w3*x3 + b",
        ),
        (minus(Series("i", 2, Name("x[i]"), lambda i: Name(f"x{i}"))), "-(x1 + x2)"),
    ],
)
def test_trees_are_written(tree: Expr, text: str) -> None:
    assert write(tree) == text


NAMES = st.sampled_from("x w5 out_h1 net_h1[2] w5@3 W1[300,17] x[i] delta_o1 δ_o1 ŷ h1_2 k_2 E".split())
DECIMALS = st.builds(
    lambda whole, places: Number(Fraction(whole, 10**places)), st.integers(0, 10**9), st.integers(0, 9)
)
RATIONALS = st.fractions(-50, 50, max_denominator=60).map(Number)
RELATIONS: st.SearchStrategy[Relation] = st.sampled_from(["<", "<=", ">", ">=", "=="])


def several(part: st.SearchStrategy[Expr]) -> st.SearchStrategy[tuple[Expr, ...]]:
    return st.lists(part, min_size=2, max_size=4).map(tuple)


def calls(part: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    def of(function: str) -> st.SearchStrategy[Expr]:
        count = FUNCTIONS[function].most or 3
        return st.lists(part, min_size=count, max_size=count).map(lambda args: Call(function, tuple(args)))

    return st.sampled_from(sorted(FUNCTIONS)).flatmap(of)


def cases(part: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    piece = st.tuples(part, st.builds(Condition, part, RELATIONS, part))
    return st.builds(Cases, st.lists(piece, min_size=1, max_size=2).map(tuple), part)


def trees(numbers: st.SearchStrategy[Number]) -> st.SearchStrategy[Expr]:
    def larger(part: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        return st.one_of(
            st.builds(Sum, several(part)),
            st.builds(Product, several(part)),
            st.builds(Quotient, part, part),
            st.builds(Power, part, part),
            st.builds(Negative, part),
            calls(part),
            cases(part),
        )

    return st.recursive(st.one_of(numbers, NAMES.map(Name)), larger, max_leaves=25)


def as_read(tree: Expr) -> Expr:
    """The tree with its numbers as reading makes them: without sign, and with finite decimals."""
    if not isinstance(tree, Number):
        return rebuild(tree, as_read)
    if tree.value < 0:
        return Negative(as_read(Number(-tree.value)))
    bottom = tree.value.denominator
    finite = 10**60 % bottom == 0
    return tree if finite else Quotient(n(tree.value.numerator), n(bottom))


@given(trees(DECIMALS))
@settings(max_examples=400, deadline=None)
def test_reading_what_was_written_gives_the_same_tree(tree: Expr) -> None:
    assert read(write(tree)) == tree


@given(trees(RATIONALS))
@settings(max_examples=200, deadline=None)
def test_any_rational_is_read_back_with_its_value(tree: Expr) -> None:
    assert read(write(tree)) == as_read(tree)


@given(trees(DECIMALS))
@settings(max_examples=100, deadline=None)
def test_typeset_signs_do_not_change_the_tree(tree: Expr) -> None:
    text = write(tree)
    assert read(text.replace("*", "·").replace("-", "−").replace("<=", "≤").replace("/", "÷")) == tree
    assert (
        read(text.replace("*", r"\cdot ").replace("(", r"\left(").replace(")", r"\right)"), names=set(spelt(tree)))
        == tree
    )


def spelt(tree: Expr) -> list[str]:
    own = [tree.name] if isinstance(tree, Name) else []
    return own + [name for part in children(tree) for name in spelt(part)]


UNREADABLE: list[tuple[str, int, str, str]] = [
    ("", 1, "no formula", "a number"),
    (" \t ", 1, "no formula", "a number"),
    ("a +", 4, "the end", "a number, a name"),
    ("(a", 3, "the end", '")" for the "(" in column 1'),
    ("a)", 2, '")"', "an operator"),
    ("(a]", 3, '"]"', '")"'),
    ("()", 2, '")"', "a number"),
    ("a b", 3, '"b"', "an operator"),
    ("2x", 2, '"x"', "*"),
    ("2 3", 3, '"3"', "an operator"),
    ("x² 3", 4, '"3"', "an operator"),
    ("0x10", 2, '"x10"', "an operator"),
    ("0x10·1", 2, '"x10"', "an operator"),
    ("1_000", 2, '"_"', "numbers"),
    ("1.2.3", 4, '".3"', "an operator"),
    ("1e999", 1, '"1e999"', "exponents from -400 to 400"),
    ("1e-401", 1, '"1e-401"', "exponents"),
    ("2*" + "1" * 61, 3, "61 digits", "60 digits"),
    ("a*" + "b" * 61, 3, "61 characters", "60 characters"),
    ("x" * 2001, 2001, "2,001 characters", "2,000"),
    ("(" * 61 + "x" + ")" * 61, 62, "nested too deeply", "60 levels"),
    ("-" * 80 + "x", 1, "nested too deeply", "60 levels"),
    ("x" + "/x" * 80, 1, "nested too deeply", "60 levels"),
    ("x" + "^x" * 80, 41, "nested too deeply", "60 levels"),
    ("+".join("x" * 700), 1201, "too long", "600"),
    ("foo(z)", 1, 'unknown function "foo"', "the functions abs"),
    ("1 + sigmod(z)", 5, 'did you mean "sigmoid"', "sigmoid"),
    ("a(1 - a)", 1, 'unknown function "a"', "the functions"),
    ("softmax(z)", 1, "unknown function", "softplus"),
    ("exp", 4, "the end", '"(" after the function exp'),
    ("exp[x]", 7, "the end", '"(" after the function exp'),
    ("exp(a, b)", 1, "2 arguments of exp", "1 argument"),
    ("max(a)", 1, "1 argument of max", "2 or more"),
    ("leaky_relu(a, b, c)", 1, "3 arguments", "1 to 2 arguments"),
    ("leaky_relu()", 12, '")"', "a number"),
    ("x = 2", 3, '"="', "the formula alone"),
    ("|x|", 1, '"|"', "abs"),
    ("a < b", 3, '"<"', "an operator"),
    ("a if b else c", 8, '"else"', "a comparison"),
    ("a if b < c", 11, "the end", '"else"'),
    ("a if 0 < z < 1 else b", 12, '"<"', '"else" after one comparison'),
    ("if", 1, '"if"', "a name"),
    ("a/2(b + c)", 4, '"("', "a/(b*c)"),
    ("a·1/b c", 7, '"c"', "a/(b*c)"),
    ("a\0", 2, "U+0000", "numbers"),
    ("a\x1b[31m", 2, "U+001B", "numbers"),
    ("１+1", 1, "FULLWIDTH DIGIT ONE", "numbers"),
    ("a+\uff42", 3, "FULLWIDTH LATIN SMALL LETTER B", "numbers"),
    ("x\u200b1", 2, "ZERO WIDTH SPACE", "numbers"),
    ("x\u202e1", 2, "RIGHT-TO-LEFT OVERRIDE", "numbers"),
    ("٣", 1, "ARABIC-INDIC DIGIT THREE", "numbers"),
    ("𝑥", 1, "MATHEMATICAL ITALIC SMALL X", "numbers"),
    ("\u3164", 1, "HANGUL FILLER", "numbers"),
    (r"\input{x}", 1, r'unknown command "\input"', r"\frac"),
    (r"1+\sigm(z)", 3, r'did you mean "\sigma"', r"\frac"),
    (r"\frac12", 6, '"12"', r"\frac{…}{…}"),
    (r"\sqrt[3]{x}", 6, '"["', r"\sqrt{…}"),
    (r"\ln x^2", 6, '"^"', "brackets around the argument of ln"),
    (r"\ln 2 x", 7, '"x"', "brackets around the argument of ln"),
    (r"x^{(2)}", 3, '"{"', "name[2] for a sample"),
    (r"x_{a+b}", 5, '"+"', "letters, digits and _"),
    (r"x_{", 3, '"{"', "a name in { }"),
    ("\\", 1, "unknown command", r"\frac"),
]


@pytest.mark.parametrize(("text", "column", "found", "accepted"), UNREADABLE)
def test_what_cannot_be_read_is_said_with_its_place(text: str, column: int, found: str, accepted: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert caught.value.column == column
    assert found in caught.value.found
    assert accepted in caught.value.accepted
    assert str(caught.value) == f"column {column}: {caught.value.found}; accepted: {caught.value.accepted}"


@pytest.mark.parametrize(
    ("text", "column", "found", "accepted"),
    [
        ("w1*x + ww1", 8, 'unknown name "ww1" (did you mean "w1"?)', "the names w1, x, a"),
        ("x*e^x", 3, 'unknown name "e"', "exp(…)"),
        ("a(1 - a)", 2, '"a("', "a*(… to multiply"),
        ("оut*x", 1, "U+043E CYRILLIC SMALL LETTER O", "the names w1, x, a"),
    ],
)
def test_unknown_names_are_said_with_the_nearest(text: str, column: int, found: str, accepted: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text, names=["w1", "x", "a"])
    assert caught.value.column == column
    assert found in caught.value.found
    assert accepted in caught.value.accepted


def test_functions_can_be_restricted_and_extended() -> None:
    assert read("f(x, 1)", functions=["f"]) == Call("f", (x, n(1)))
    with pytest.raises(Unreadable, match="accepted: the functions f"):
        read("exp(x)", functions=["f"])
    with pytest.raises(Unreadable, match="unknown name"):
        read("e^−x", functions=["f"], names=["x"])


CODE = """
__import__('os').system('id')
__import__("os")
__import__(os)
().__class__.__bases__[0].__subclasses__()
x.__class__
x.__class__.__mro__
().__class__
[].__class__
''.__class__
__builtins__
_
__
_x
eval('1')
eval(x)
exec("import os")
exec(x)
open('/etc/passwd').read()
open(x)
lambda: 0
lambda x: x
(lambda: 0)()
[i for i in x]
{i for i in x}
{1: 2}
x if x else x
x and x
not x
x or y
x is y
x in y
x := 1
(x := 1)
x; y
x, y
*x
**x
~x
!x
x!
x % y
x // y
x << 400
x >> 1
x & y
x | y
x ^^ y
x @ y
x != y
x <> y
x == y
f"{x}"
"x"
'x'
`id`
$(id)
${x}
$x$
x # comment
# x
x \\
0b1
0o7
0xff
1j
1_000_000
1e5e5
1e+
nan(x)
inf
-inf
None
import os
print(x)
getattr(x, y)
globals()
sympify(x)
Symbol(x)
S(x).n
x.real
x.subs(y, 1)
9**9**9
9**9**9**9**9**9
9^9^9^9
(9**9)**9**9
1/0
0/0
0^0
ln(0)
1e400^1e400
1e400*1e400*1e400
exp(exp(exp(exp(exp(99999)))))
\\input{x}
\\input{/etc/passwd}
\\include{x}
\\def\\x{1}
\\def
\\newcommand{\\x}{1}
\\write18{id}
\\immediate\\write18{id}
\\catcode`\\@=11
\\csname x\\endcsname
\\loop\\repeat
\\href{javascript:alert(1)}{x}
\\url{x}
\\frac{\\frac{\\input{x}}{2}}{3}
\\frac{1}
\\frac
\\sqrt[3]{x}
\\mathrm{\\input{x}}
\\mathrm{}
\\mathrm{x
\\text{<b>}
x_{\\def}
x_{{{{{{x}}}}}}
\\begin{cases} 1 \\end{cases}
\\left.
\\left
\\right)
\\\\
\\%
$$x$$
<script>alert(1)</script>
<b>x</b>
&lt;
x%00
{{ x }}
{% x %}
{{7*7}}
../../etc/passwd
; rm -rf /
' OR 1=1 --
=cmd|' /C calc'!A0
@SUM(1)
""".strip().split("\n")

LONG = {
    "open brackets": "(" * 2000,
    "closing brackets": ")" * 2000,
    "brackets": "(" * 999 + "x" + ")" * 999,
    "sixty brackets": "(" * 60 + "x" + ")" * 60,
    "square brackets": "[" * 2000,
    "braces": "{" * 2000,
    "subscript braces": "x_" + "{" * 1990,
    "subscript chain": "x" + "_{a" * 660,
    "minus": "-" * 1999 + "x",
    "plus": "+" * 1999 + "x",
    "plus and minus": "+-" * 999 + "x",
    "stars": "*" * 2000,
    "powers": "9" + "**9" * 600,
    "carets": "9" + "^9" * 999,
    "signed powers": "9" + "^-9" * 600,
    "quotients": "1" + "/1" * 999,
    "products": "1" + "*1" * 999,
    "sums": "1" + "+1" * 999,
    "digits": "9" * 2000,
    "decimals": "0." + "9" * 1900,
    "exponent": "1e" + "9" * 1900,
    "superscripts": "x" + "²" * 1900,
    "half": "½" * 2000,
    "roots": "√" * 2000,
    "logarithms": r"\ln " * 500,
    "exponentials": "e^" * 1000 + "·1",
    "calls": "exp(" * 500,
    "closed calls": "exp(" * 285 + "x" + ")" * 285,
    "fractions": r"\frac{" * 333,
    "empty arguments": "max(" + "," * 1900 + ")",
    "arguments": "max(" + "1," * 900 + "1)",
    "conditions": "1 if x > 0 else " * 124 + "1",
    "ifs": "if " * 600,
    "relations": "x" + "<x" * 900,
    "letters": "x" * 2000,
    "underscores": "x" + "_" * 1999,
    "indices": "x" + "[1]" * 600,
    "half an index": "x[" + "1," * 900,
    "juxtaposed": "x " * 990 + "·",
    "bracket pairs": "(1)" * 600,
    "spaces": " " * 2000,
    "backslashes": "\\" * 2000,
    "sizes": r"\left" * 400,
    "marks": "∂" * 2000,
    "nulls": "\0" * 2000,
    "combining": "x" + "\u0301" * 1900,
    "surrogate": "x\ud800",
    "too long": "x+" * 500_000,
    "emoji": "🙂" * 1000,
    "right to left": "\u202e" + "x",
    "byte order mark": "\ufeffx",
    "newlines": "x\n" * 900,
    "quotes": "'" * 2000,
}
ATTACKS = [pytest.param(text, id=text) for text in CODE] + [pytest.param(text, id=key) for key, text in LONG.items()]


def attempt(text: str) -> Expr | Unreadable:
    try:
        return read(text)
    except Unreadable as error:
        return error


def seconds(text: str) -> float:
    start = time.process_time()
    attempt(text)
    return time.process_time() - start


def check_outcome(text: str) -> None:
    """A place and a short printable message, or a tree within the limits that is read back."""
    outcome = attempt(text)
    if isinstance(outcome, Unreadable):
        assert 1 <= outcome.column <= len(text) + 1
        assert len(str(outcome)) < 500
        assert str(outcome).isprintable()
    else:
        assert height(outcome) <= 60
        assert read(write(outcome), names=set(spelt(outcome))) == outcome


def height(tree: Expr) -> int:
    return 1 + max(map(height, children(tree)), default=0)


def test_there_are_many_attacks() -> None:
    assert len(ATTACKS) >= 150


@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_is_refused_or_harmless_and_fast(text: str) -> None:
    check_outcome(text)
    assert min(seconds(text) for _ in range(3)) < 0.05


@given(st.text(alphabet=r"\{}()[]^_*/+-.,<>=|·²√½∂σ0129abexzwif ls" + "\0\u200b\n", max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    check_outcome(text)


PIECES = [
    "x", "w5", "2", "0.10", "σ", "(", ")", "{", "}", "+", "-", "·", "/", "^", "^{", "_{", "²", "½", "√", ",", " ",
    r"\frac{", r"\left(", r"\right)", r"\ln ", r"\mathrm{", r"\alpha", r"\partial ", "e", "exp(", "max(", "[1]", "@2",
    " if ", " else ", ">", r"\cdot ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@settings(max_examples=1000, deadline=None)
def test_any_row_of_pieces_is_read_or_refused(text: str) -> None:
    check_outcome(text)


def test_reading_takes_time_in_proportion_to_the_length() -> None:
    short, long = "x1*x2 + " * 12 + "1", "x1*x2 + " * 120 + "1"

    def best(text: str) -> float:
        return min(seconds(text) for _ in range(15))

    assert best(long) < 30 * best(short)
