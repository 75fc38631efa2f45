from __future__ import annotations

import random
import re
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import DeriveError
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
    number,
)
from derive.formula.printing import seen_width, write, write_lines
from derive.formula.symbols import ACCENTS, WORDS, Style, symbol
from reader import Malformed, power, stand_in, value_of
from renderers import github_refuses, katex_check

STYLES: tuple[Style, ...] = ("latex", "unicode", "ascii")

SYMBOLS = [
    ("w5", "w_{5}", "w5", "w5"),
    ("w_11", "w_{11}", "w_11", "w_11"),
    ("x", "x", "x", "x"),
    ("hours", r"\mathrm{hours}", "hours", "hours"),
    ("hours2", r"\mathrm{hours}_{2}", "hours2", "hours2"),
    ("hours_2", r"\mathrm{hours}_{2}", "hours_2", "hours_2"),
    ("hours_studied", r"\mathrm{hours\_studied}", "hours_studied", "hours_studied"),
    ("_a__b", r"\mathrm{\_a\_\_b}", "_a__b", "_a__b"),
    ("x1a", r"\mathrm{x1a}", "x1a", "x1a"),
    ("x1_2", "x_{1,2}", "x1_2", "x1_2"),
    ("alpha", r"\alpha", "α", "alpha"),
    ("theta1", r"\theta_{1}", "θ1", "theta1"),
    ("eta", r"\eta", "η", "eta"),
    ("Δ", r"\Delta", "Δ", "Delta"),
    ("Δw", r"\mathrm{\Delta w}", "Δw", "Deltaw"),
    ("θ1", r"\theta_{1}", "θ1", "theta1"),
    ("Α", "A", "Α", "A"),
    ("ŷ", r"\hat{y}", "ŷ", "yhat"),
    ("ŷ1", r"\hat{y}_{1}", "ŷ1", "yhat1"),
    ("café", r"\mathrm{caf\acute{e}}", "café", "cafe"),
    ("größe", r"\mathrm{gr\ddot{o}\text{ß}e}", "größe", "grou00dfe"),
    ("W_xh", r"W_{\mathrm{xh}}", "W_xh", "W_xh"),
    ("net_h1", r"\mathrm{net}_{h1}", "net_h1", "net_h1"),
    ("out_o1", r"\mathrm{out}_{o1}", "out_o1", "out_o1"),
    ("net_h1_2", r"\mathrm{net}_{h1,2}", "net_h1_2", "net_h1_2"),
    ("net_4", r"\mathrm{net}_{4}", "net_4", "net_4"),
    ("out_hidden", r"\mathrm{out}_{\mathrm{hidden}}", "out_hidden", "out_hidden"),
    ("net", r"\mathrm{net}", "net", "net"),
    ("E", "E", "E", "E"),
    ("E_o1", "E_{o1}", "E_o1", "E_o1"),
    ("E_l2", "E_{L2}", "E_l2", "E_l2"),
    ("E_data", r"E_{\mathrm{data}}", "E_data", "E_data"),
    ("delta_o1", r"\delta_{o1}", "δ_o1", "delta_o1"),
    ("m_w5@1", "m_{w5}^{[1]}", "m_w5@1", "m_w5@1"),
    ("m_theta1", r"m_{\theta1}", "m_θ1", "m_theta1"),
    ("dE/dw5", r"\frac{\partial E}{\partial w_{5}}", "∂E/∂w5", "dE/dw5"),
    ("dE/dd", r"\frac{\partial E}{\partial d}", "∂E/∂d", "dE/dd"),
    ("dE/dtheta1", r"\frac{\partial E}{\partial \theta_{1}}", "∂E/∂θ1", "dE/dtheta1"),
    (
        "dout_o1/dnet_o1", r"\frac{\partial \mathrm{out}_{o1}}{\partial \mathrm{net}_{o1}}",
        "∂out_o1/∂net_o1", "dout_o1/dnet_o1",
    ),
    ("dE/dW1[300,17]", r"\frac{\partial E}{\partial w^{(1)}_{300,17}}", "∂E/∂W1[300,17]", "dE/dW1[300,17]"),
    ("dE[2]/dw5", r"\frac{\partial E^{(2)}}{\partial w_{5}}", "∂E[2]/∂w5", "dE[2]/dw5"),
    (
        "dE/dnet_o1[2]", r"\frac{\partial E}{\partial \mathrm{net}_{o1}^{(2)}}",
        "∂E/∂net_o1[2]", "dE/dnet_o1[2]",
    ),
    ("E[2]", "E^{(2)}", "E[2]", "E[2]"),
    ("net_h1[2]", r"\mathrm{net}_{h1}^{(2)}", "net_h1[2]", "net_h1[2]"),
    ("w5_new", "w_{5}^{+}", "w5⁺", "w5_new"),
    ("E_new", "E^{+}", "E⁺", "E_new"),
    ("net_h1_new", r"\mathrm{net}_{h1}^{+}", "net_h1⁺", "net_h1_new"),
    ("E[2]_new", "E^{(2)+}", "E[2]⁺", "E[2]_new"),
    ("w5@3", "w_{5}^{[3]}", "w5@3", "w5@3"),
    ("E@3", "E^{[3]}", "E@3", "E@3"),
    ("E_o1[2]@3", "E_{o1}^{(2)[3]}", "E_o1[2]@3", "E_o1[2]@3"),
    ("W1[300,17]", "w^{(1)}_{300,17}", "W1[300,17]", "W1[300,17]"),
    ("W1[i,17]", "w^{(1)}_{i,17}", "W1[i,17]", "W1[i,17]"),
    ("W1[300,17]_new", "w^{(1)+}_{300,17}", "W1[300,17]⁺", "W1[300,17]_new"),
    ("B1[17]", "b^{(1)}_{17}", "B1[17]", "B1[17]"),
    ("W2", "W_{2}", "W2", "W2"),
    ("x[i]", "x_{i}", "x_i", "x_i"),
    ("x[i][2]", "x_{i}^{(2)}", "x_i[2]", "x_i[2]"),
    ("out_h[i]", r"\mathrm{out}_{h_{i}}", "out_h[i]", "out_h[i]"),
    ("out_h1_[i]", r"\mathrm{out}_{h1,i}", "out_h1_[i]", "out_h1_[i]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "latex", "unicode", "ascii_"), SYMBOLS)
def test_symbol(name: str, latex: str, unicode: str, ascii_: str) -> None:
    assert tuple(symbol(name, style) for style in STYLES) == (latex, unicode, ascii_)


Z_A = [
    ("net_h1", "z_{h1}", "z_h1"),
    ("out_h1_2", "a_{h1,2}", "a_h1_2"),
    ("net_h1[2]", "z_{h1}^{(2)}", "z_h1[2]"),
    ("out_h[i]", "a_{h_{i}}", "a_h[i]"),
    ("dout_o1/dnet_o1", r"\frac{\partial a_{o1}}{\partial z_{o1}}", "∂a_o1/∂z_o1"),
    ("delta_o1", r"\delta_{o1}", "δ_o1"),
    ("network", r"\mathrm{network}", "network"),
]


@pytest.mark.parametrize(("name", "latex", "unicode"), Z_A)
def test_symbol_in_the_notation_z_a(name: str, latex: str, unicode: str) -> None:
    assert (symbol(name, "latex", "z-a"), symbol(name, "unicode", "z-a")) == (latex, unicode)


@pytest.mark.parametrize(
    "name",
    ["", r"\input{x}", "<script>", "a b", "x$", "a{b}", "a^2", "w-1", "g(1)", "a/b", "d/dx", "dE/d",
     "dE/dw5/dw6", "w5@", "w[", "w[]", "w]", "@3", "x²", "w5@3x", "x[i][j]", "dE/d[2]", "×", "a\u200bb", "a\nb", "'"],
)  # fmt: skip
@pytest.mark.parametrize("style", STYLES)
def test_a_name_that_is_no_name_is_refused(name: str, style: Style) -> None:
    with pytest.raises(DeriveError, match="cannot be printed"):
        symbol(name, style)


@given(st.text(max_size=20))
def test_every_text_is_refused_or_harmless(name: str) -> None:
    try:
        latex, ascii_ = symbol(name, "latex"), symbol(name, "ascii")
    except DeriveError:
        return
    assert ascii_.isascii()
    assert set(re.findall(r"\\([A-Za-z]+)", latex)) <= {
        "mathrm", "text", "frac", "partial", *letter_commands(),
    }  # fmt: skip
    assert latex.count("{") == latex.count("}")


def letter_commands() -> set[str]:
    return set(ACCENTS.values()) | set(WORDS.values())


def num(text: str) -> Number:
    return number(text)


def var(name: str) -> Name:
    return Name(name)


a, b, c, z, y, o = (Name(letter) for letter in "abczyo")
HALF = Quotient(num("1"), num("2"))
SQUARE = Power(Sum((y, Negative(o))), num("2"))
LONG = Series("i", 784, Product((var("W1[i,17]"), var("x[i]"))), lambda i: Product((var(f"W1[{i},17]"), var(f"x{i}"))))
LEAKY = Cases(((z, Condition(z, ">", num("0"))),), Product((num("0.1"), z)))

LOOKS: list[tuple[Expr, str, str, str]] = [
    (Sum((Product((var("w1"), var("x1"))), var("b1"))), r"w_{1} \cdot x_{1} + b_{1}", "w1·x1 + b1", "w1*x1 + b1"),
    (Product((HALF, SQUARE)), r"\frac{1}{2} \cdot (y - o)^{2}", "1/2·(y − o)²", "1/2*(y - o)^2"),
    (
        Product((Number(Fraction(1, 2)), SQUARE)),
        r"\frac{1}{2} \cdot (y - o)^{2}", "1/2·(y − o)²", "1/2*(y - o)^2",
    ),
    (Sum((a, Negative(num("-0.3")))), "a - (-0.3)", "a − (−0.3)", "a - (-0.3)"),
    (Sum((a, num("-0.3"))), "a + (-0.3)", "a + (−0.3)", "a + (-0.3)"),
    (num("-0.35"), "(-0.35)", "(−0.35)", "(-0.35)"),
    (Negative(num("-0.35")), "-(-0.35)", "−(−0.35)", "-(-0.35)"),
    (Negative(Sum((a, b))), r"-(a + b)", "−(a + b)", "-(a + b)"),
    (Negative(Negative(a)), r"-(-a)", "−(−a)", "-(-a)"),
    (Sum((Negative(a), b)), "-a + b", "−a + b", "-a + b"),
    (Sum((a, Negative(Sum((b, c))))), r"a - (b + c)", "a − (b + c)", "a - (b + c)"),
    (Sum((a, Sum((b, c)))), r"a + (b + c)", "a + (b + c)", "a + (b + c)"),
    (Product((a, Negative(b))), r"a \cdot (-b)", "a·(−b)", "a*(-b)"),
    (Product((a, num("-2"))), r"a \cdot (-2)", "a·(−2)", "a*(-2)"),
    (Product((a, Number(Fraction(-1, 2)))), r"a \cdot \left(-\frac{1}{2}\right)", "a·(−1/2)", "a*(-1/2)"),
    (Product((a, Sum((b, c)))), r"a \cdot (b + c)", "a·(b + c)", "a*(b + c)"),
    (Quotient(a, Product((b, c))), r"\frac{a}{b \cdot c}", "a/(b·c)", "a/(b*c)"),
    (Quotient(Sum((a, b)), c), r"\frac{a + b}{c}", "(a + b)/c", "(a + b)/c"),
    (Quotient(Quotient(a, b), c), r"\frac{\frac{a}{b}}{c}", "(a/b)/c", "(a/b)/c"),
    (Quotient(num("-1"), a), r"\frac{(-1)}{a}", "(−1)/a", "(-1)/a"),
    (Power(Quotient(a, b), num("2")), r"\left(\frac{a}{b}\right)^{2}", "(a/b)²", "(a/b)^2"),
    (Power(num("-2"), num("2")), "(-2)^{2}", "(−2)²", "(-2)^2"),
    (Negative(Power(a, num("2"))), "-a^{2}", "−a²", "-a^2"),
    (Power(a, num("-1")), "a^{-1}", "a⁻¹", "a^(-1)"),
    (Power(a, num("-0.5")), "a^{-0.5}", "a^(−0.5)", "a^(-0.5)"),
    (Power(a, Sum((b, num("1")))), "a^{b + 1}", "a^(b + 1)", "a^(b + 1)"),
    (Power(Power(a, b), c), r"\left(a^{b}\right)^{c}", "(a^b)^c", "(a^b)^c"),
    (Power(var("w5_new"), num("2")), r"\left(w_{5}^{+}\right)^{2}", "(w5⁺)²", "w5_new^2"),
    (Power(var("dE/dw"), num("2")), r"\left(\frac{\partial E}{\partial w}\right)^{2}", "(∂E/∂w)²", "(dE/dw)^2"),
    (
        Product((var("dE/da"), var("da/dz"))),
        r"\frac{\partial E}{\partial a} \cdot \frac{\partial a}{\partial z}", "∂E/∂a · ∂a/∂z", "dE/da * da/dz",
    ),
    (Quotient(a, var("dE/dz")), r"\frac{a}{\frac{\partial E}{\partial z}}", "a/(∂E/∂z)", "a/(dE/dz)"),
    (Call("exp", (Negative(num("0.3775")),)), "e^{-0.3775}", "e^(−0.3775)", "exp(-0.3775)"),
    (Call("exp", (num("-0.3775"),)), "e^{-0.3775}", "e^(−0.3775)", "exp(-0.3775)"),
    (Call("exp", (num("2"),)), "e^{2}", "e²", "exp(2)"),
    (Power(Call("exp", (z,)), num("2")), r"\left(e^{z}\right)^{2}", "(e^z)²", "(exp(z))^2"),
    (
        Call("exp", (Negative(Product((a, Sum((b, c))))),)),
        r"e^{-a \cdot (b + c)}", "exp(−a·(b + c))", "exp(-a*(b + c))",
    ),
    (Call("ln", (Sum((num("1"), z)),)), r"\ln(1 + z)", "ln(1 + z)", "ln(1 + z)"),
    (Call("log", (z,)), r"\ln(z)", "ln(z)", "ln(z)"),
    (Call("sqrt", (z,)), r"\sqrt{z}", "√(z)", "sqrt(z)"),
    (Call("abs", (Negative(z),)), r"\left\lvert -z\right\rvert", "|−z|", "abs(-z)"),
    (Call("sigmoid", (var("net_h1"),)), r"\sigma(\mathrm{net}_{h1})", "σ(net_h1)", "sigmoid(net_h1)"),
    (Call("sigmoid", (num("-0.5"),)), r"\sigma(-0.5)", "σ(−0.5)", "sigmoid(-0.5)"),
    (Call("leaky_relu", (z, num("0.1"))), r"\mathrm{LReLU}(z)", "LReLU(z)", "LReLU(z)"),
    (Call("softmax", (a, b)), r"\mathrm{softmax}(a, b)", "softmax(a, b)", "softmax(a, b)"),
    (Call("max", (num("0"), z)), r"\max(0, z)", "max(0, z)", "max(0, z)"),
    (Call("erf", (z,)), r"\mathrm{erf}(z)", "erf(z)", "erf(z)"),
    (Call("f", (z,)), r"f(z)", "f(z)", "f(z)"),
    (
        LEAKY, r"\begin{cases} z & \text{if } z > 0 \\ 0.1 \cdot z & \text{otherwise} \end{cases}",
        "z if z > 0 else 0.1·z", "z if z > 0 else 0.1*z",
    ),
    (
        Product((LEAKY, a)),
        r"\left(\begin{cases} z & \text{if } z > 0 \\ 0.1 \cdot z & \text{otherwise} \end{cases}\right) \cdot a",
        "(z if z > 0 else 0.1·z)·a", "(z if z > 0 else 0.1*z)*a",
    ),
    (
        Cases(((a, Condition(z, "<=", num("-1"))),), b),
        r"\begin{cases} a & \text{if } z \le (-1) \\ b & \text{otherwise} \end{cases}",
        "a if z ≤ (−1) else b", "a if z <= (-1) else b",
    ),
    (
        LONG, r"\sum_{i=1}^{784} w^{(1)}_{i,17} \cdot x_{i}",
        "Σ_{i=1..784} W1[i,17]·x_i", "sum_{i=1..784} W1[i,17]*x_i",
    ),
    (
        Sum((LONG, var("B1[17]"))), r"\sum_{i=1}^{784} w^{(1)}_{i,17} \cdot x_{i} + b^{(1)}_{17}",
        "Σ_{i=1..784} W1[i,17]·x_i + B1[17]", "sum_{i=1..784} W1[i,17]*x_i + B1[17]",
    ),
    (
        Product((LONG, a)), r"\left(\sum_{i=1}^{784} w^{(1)}_{i,17} \cdot x_{i}\right) \cdot a",
        "(Σ_{i=1..784} W1[i,17]·x_i)·a", "(sum_{i=1..784} W1[i,17]*x_i)*a",
    ),
    (
        Quotient(Product((a, Series("k", 3, Power(var("w[k]"), num("2")), lambda i: var(f"w{i}")))), b),
        r"\frac{a \cdot \sum_{k=1}^{3} w_{k}^{2}}{b}", "(a·Σ_{k=1..3} w_k²)/b", "(a*sum_{k=1..3} w_k^2)/b",
    ),
    (
        Series("k", 3, Sum((var("y[k]"), a)), lambda i: var(f"y{i}")),
        r"\sum_{k=1}^{3} (y_{k} + a)", "Σ_{k=1..3} (y_k + a)", "sum_{k=1..3} (y_k + a)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "latex", "unicode", "ascii_"), LOOKS)
def test_look(expr: Expr, latex: str, unicode: str, ascii_: str) -> None:
    def shown(style: Style) -> str:
        return write(expr, style, lambda name: symbol(name, style))

    assert tuple(shown(style) for style in STYLES) == (latex, unicode, ascii_)


@pytest.mark.renderer
def test_every_look_is_accepted_by_katex_and_github() -> None:
    formulas = [(latex, True) for _, latex, *_ in (*SYMBOLS, *Z_A)] + [(latex, True) for _, latex, *_ in LOOKS]
    assert katex_check(formulas) == []
    assert github_refuses(formulas) == []


LEAVES = [
    ("1.2e-09", r"a \cdot 1.2 \cdot 10^{-9}", "a·1.2·10⁻⁹", "a*1.2e-09"),
    ("-1.2e+15", r"a \cdot \left(-1.2 \cdot 10^{15}\right)", "a·(−1.2·10¹⁵)", "a*(-1.2e+15)"),
    ("3/8", r"a \cdot 3/8", "a·3/8", "a*3/8"),
    ("0", r"a \cdot 0", "a·0", "a*0"),
]


@pytest.mark.parametrize(("leaf", "latex", "unicode", "ascii_"), LEAVES)
def test_leaf_texts(leaf: str, latex: str, unicode: str, ascii_: str) -> None:
    product = Product((a, b))
    assert tuple(write(product, style, {"a": "a", "b": leaf}.__getitem__) for style in STYLES) == (
        latex, unicode, ascii_,
    )  # fmt: skip


def test_names_and_numbers_have_their_own_leaf_function() -> None:
    total = Sum((a, num("0.10")))
    assert write(total, "ascii", str.upper, lambda constant: f"{float(constant.value):.3f}") == "A + 0.100"


LINES: list[tuple[Expr, Style, int, list[str]]] = [
    (Sum((a, Negative(b), c)), "ascii", 5, ["a - b", "+ c"]),
    (Sum((a, Negative(b), c)), "ascii", 80, ["a - b + c"]),
    (Sum((a, Negative(b), c)), "unicode", 1, ["a", "− b", "+ c"]),
    (Sum((a, Negative(b), c)), "latex", 5, ["a - b", "+ c"]),
    (Product((a, b, c)), "unicode", 3, ["a·b", "·c"]),
    (Product((a, b, c)), "latex", 5, [r"a \cdot b", r"\cdot c"]),
    (Negative(Product((a, b, c))), "ascii", 4, ["-a*b", "*c"]),
    (Sum((a, Negative(Product((a, b, c))))), "ascii", 6, ["a", "- a*b", "*c"]),
    (Quotient(a, b), "ascii", 1, ["a/b"]),
    (num("-1"), "ascii", 1, ["(-1)"]),
    (Negative(num("-1")), "ascii", 1, ["-(-1)"]),
]


@pytest.mark.parametrize(("expr", "style", "width", "lines"), LINES)
def test_lines(expr: Expr, style: Style, width: int, lines: list[str]) -> None:
    assert write_lines(expr, style, str, width) == lines


SEEN = [
    (r"\frac{\partial E}{\partial w_{5}} \cdot (a + b)", len("dw5 x (a + b)")),
    (r"\mathrm{net}_{h1}^{(2)}", len("neth1(2)")),
    (r"\frac{\frac{a}{b}}{c}", 1),
    (r"\alpha", 1),
]


@pytest.mark.parametrize(("latex", "width"), SEEN)
def test_seen_width(latex: str, width: int) -> None:
    assert seen_width(latex, "latex") == width


# --- the round trip: random formulas with numbers put in, printed and read back ---

FUNCTIONS = ("exp", "ln", "sqrt", "abs", "max", "min", "sin", "sigmoid", "tanh", "relu", "softplus", "leaky_relu")
RELATIONS: tuple[Relation, ...] = ("<", "<=", ">", ">=", "==")
VALUES = ("0", "1", "-1", "2", "-3", "0.35", "-0.35", "0.00", "-0.10", "12.5", "3/8", "-3/8", "1e-07", "-2.5e-09", "7")
MALFORMED = re.compile(r"(?:[+*/·−-]|\\cdot)\s*[+−*/·-]|\(\)|\{\}|\^\{[^{}]*\}\^|(?:[+*/·−-]|\\cdot)\s*$")


def grown(random_: random.Random, depth: int) -> Expr:
    """A random formula, with numbers of every sort at its leaves, as constants or behind names."""

    def more() -> Expr:
        return grown(random_, depth - 1)

    def several() -> tuple[Expr, ...]:
        return tuple(more() for _ in range(random_.choice((2, 2, 3))))

    def leaf() -> Expr:
        text = random_.choice(VALUES)
        return Number(Fraction(text), text if random_.random() < 0.5 else "") if random_.random() < 0.3 else Name(text)

    def call() -> Expr:
        function = random_.choice(FUNCTIONS)
        return Call(function, (more(), more()) if function in ("max", "min") else (more(),))

    def small_power() -> Expr:
        return Power(more(), number(random_.choice((2, 2, 3, -1, -2, 0))))

    kinds: tuple[Callable[[], Expr], ...] = (
        leaf,
        lambda: Sum(several()),
        lambda: Sum((more(), Negative(more()))),
        lambda: Product(several()),
        lambda: Quotient(more(), more()),
        lambda: Negative(more()),
        small_power,
        lambda: Power(more(), more()),
        call,
        lambda: Cases(((more(), Condition(more(), random_.choice(RELATIONS), more())),), more()),
    )
    weights = (2, 4, 4, 6, 5, 4, 3, 2, 4, 1)
    return leaf() if depth == 0 else random_.choices(kinds, weights)[0]()


def compare(test: Condition) -> bool:
    left, right = meaning(test.left), meaning(test.right)
    order = (left > right) - (left < right)
    return order in {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0), "==": (0,)}[test.relation]


def meaning(expr: Expr) -> Fraction:
    """The exact value of the tree, with the stand-ins for functions; every part is evaluated."""
    match expr:
        case Number(value):
            return value
        case Name(text):
            return Fraction(text)
        case Sum(terms):
            return sum((meaning(term) for term in terms), Fraction(0))
        case Product(factors):
            product = Fraction(1)
            for factor in factors:
                product *= meaning(factor)
            return product
        case Quotient(top, bottom):
            return meaning(top) / meaning(bottom)
        case Power(base, exponent):
            return power(meaning(base), meaning(exponent))
        case Negative(arg):
            return -meaning(arg)
        case Call(function, args):
            return stand_in(function, *map(meaning, args))
        case Cases(pieces, otherwise):
            last = meaning(otherwise)
            values = [(meaning(value), compare(test)) for value, test in pieces]
            return next((value for value, holds in values if holds), last)
        case Series():
            raise AssertionError("no series here")


def leaf_text(text: str, style: Style) -> str:
    if "/" not in text or style != "latex":
        return text
    top, bottom = text.lstrip("-").split("/")
    return rf"{'-' if text.startswith('-') else ''}\frac{{{top}}}{{{bottom}}}"


@pytest.mark.parametrize("style", STYLES)
def test_substituted_lines_read_back_to_their_value(style: Style) -> None:
    random_ = random.Random(20240229)
    wrong: list[str] = []
    done = 0
    while done < 2500:
        expr = grown(random_, random_.choice((1, 2, 3, 4)))
        try:
            value = meaning(expr)
        except ZeroDivisionError:
            continue
        done += 1
        line = write(expr, style, lambda text: leaf_text(text, style))
        try:
            read = value_of(line)
        except (Malformed, ZeroDivisionError) as problem:
            wrong.append(f"{line}: {problem!r}")
            continue
        if read != value or MALFORMED.search(line):
            wrong.append(line)
    assert wrong == []


@pytest.mark.parametrize("style", STYLES)
def test_broken_lines_say_the_same(style: Style) -> None:
    random_ = random.Random(7)
    for _ in range(300):
        expr = Sum(tuple(grown(random_, 2) for _ in range(6)))
        lines = write_lines(expr, style, lambda text: leaf_text(text, style), 30)
        whole = write(expr, style, lambda text: leaf_text(text, style))
        assert "".join(lines).replace(" ", "") == whole.replace(" ", "")
        assert all(line[0] in "+-−·*\\" for line in lines[1:])


@pytest.mark.parametrize(
    "line", ["1 + -2", "1 - -2", r"2 \cdot -3", "2·-3", "(1", "1)", "2 3", "2^{3}^{4}", "1 +", "()", "e"]
)
def test_the_reader_of_this_test_is_strict(line: str) -> None:
    with pytest.raises(Malformed):
        value_of(line)


@pytest.mark.parametrize(
    ("line", "value"),
    [("1 - 2 - 3", -4), ("8/2/2", 2), ("-2^2", -4), ("(−2)²", 4), (r"\frac{1}{2} \cdot (-4)", -2),
     ("2^{-1}", Fraction(1, 2)), ("2 if 1 > 0 else 3", 2), (r"\left\lvert -2\right\rvert", 2),
     ("2·10⁻¹", Fraction(1, 5))],
)  # fmt: skip
def test_the_reader_of_this_test_reads(line: str, value: Fraction) -> None:
    assert value_of(line) == value
