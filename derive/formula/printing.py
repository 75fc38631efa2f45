"""Formulas as text: one walk over the tree, in the order of the tree, with one leaf function for names and one for
numbers.  With symbols at the leaves it prints the formula, with values the substituted line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from derive.catalogue.activations import BY_FUNCTION
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
)
from derive.formula.symbols import Style, symbol

SHORT_EXPONENT = 10
NEW_LINE = "\n"
SUPERSCRIPTS = str.maketrans("-−0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# Of the text of a leaf: what its signs are.
_SCIENTIFIC = re.compile(r"([-−]?[0-9.]+)[eE]([-+]?)0*([0-9]+)")
_SIGN = re.compile(r"[-+−]")
_TIMES = re.compile(r"[*·×]|\\cdot|\\times")
_POWER = re.compile(r"[\^@⁺⁻⁰¹²³⁴-⁹]|\\frac")
_SLOPE = re.compile(r"[∂d]\w+(\[\d+\])?/[∂d]")

# Of LaTeX: what is tall, what is not seen, what is seen smaller.
_TALL = re.compile(r"\\(frac|sum|begin|left|sqrt)|\^")
_UNSEEN = re.compile(r"\\(left|right|mathrm|text) ?")
_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_COMMAND = re.compile(r"\\(?!frac)[A-Za-z]+ ?")
_RAISED = re.compile(r"[_^]\{([^{}]*)\}")
_BRACES = re.compile(r"[{}_^\\]")


class Strength(IntEnum):
    """How firmly a text holds together; where more is needed it is bracketed."""

    CASES = 0
    SIGNED = 1  # a number with a minus sign
    SUM = 2
    SERIES = 3  # its body reaches to the end
    DIVIDED = 4
    PRODUCT = 5
    POWER = 6
    ATOM = 7


@dataclass(frozen=True, slots=True)
class _Marks:
    """The signs of a style; `times` is followed by its factor, `gap` stands before it."""

    minus: str
    gap: str
    times: str
    left: str
    right: str
    series: str
    relations: dict[Relation, str]


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class _Pen:
    style: Style
    marks: _Marks
    name: Callable[[str], str]
    number: Callable[[Number], str]


MARKS: dict[Style, _Marks] = {
    "latex": _Marks(
        "-", " ", r"\cdot ", r"\left(", r"\right)", r"\sum_{{{index}=1}}^{{{count}}} {body}",
        {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "="},
    ),
    "unicode": _Marks(
        "−", "", "·", "(", ")", "Σ_{{{index}=1..{count}}} {body}",
        {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "="},
    ),
    "ascii": _Marks(
        "-", "", "*", "(", ")", "sum_{{{index}=1..{count}}} {body}",
        {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=="},
    ),
}  # fmt: skip
PI: dict[Style, str] = {"latex": r"\pi", "unicode": "π", "ascii": "pi"}
LATEX_FUNCTIONS = {
    "ln": r"\ln", "log": r"\ln", "max": r"\max", "min": r"\min", "sin": r"\sin", "cos": r"\cos", "exp": r"\exp",
}  # fmt: skip


def write(expr: Expr, style: Style, name: Callable[[str], str], number: Callable[[Number], str] | None = None) -> str:
    """The expression on one line; `name` and `number` give the text of a leaf.

    A leaf that begins with a minus sign is bracketed wherever brackets, an exponent or the commas of a call do not
    enclose it already.  Leaves may be written with "-", as 1.2e-09, as 3/8 or as LaTeX.
    """
    pen = _pen(style, name, number)
    return _whole(expr, pen)


def write_lines(
    expr: Expr, style: Style, name: Callable[[str], str], width: int, number: Callable[[Number], str] | None = None
) -> list[str]:
    """The expression on lines of at most `width` characters (in LaTeX: an estimate of what is seen).

    A sum is broken before + and −, a product, or a term too long for a line, before its multiplication signs; every
    line but the first begins with its operator.  What cannot be broken stays whole, however long.
    """
    pen = _pen(style, name, number)
    lines: list[str] = []
    for gap, piece in _breakable(expr, pen, width):
        longer = f"{lines[-1]}{gap}{piece}" if lines else piece
        if lines and gap != NEW_LINE and _fits(longer, style, width):
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines


def plain_number(constant: Number, style: Style) -> str:
    r"""A constant as it was written; a fraction as \frac{1}{2} or 1/2."""
    value = constant.value
    if constant.written and "/" not in constant.written:
        return constant.written
    if value.denominator == 1:
        return str(value.numerator)
    if style != "latex":
        return f"{value.numerator}/{value.denominator}"
    return rf"{'-' if value < 0 else ''}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _fits(text: str, style: Style, width: int) -> bool:
    """Whether the text is seen on one line; its own length is looked at first, as what is seen is never longer."""
    return len(text) <= width or seen_width(text, style) <= width


def seen_width(text: str, style: Style) -> int:
    """About how many characters wide the text is when it is shown."""
    if style != "latex":
        return len(text)
    text = _UNSEEN.sub("", text.replace(r"\cdot", "·"))
    text = _COMMAND.sub("x", text)
    text = _RAISED.sub(lambda found: found[1], text)
    while _FRACTION.search(text):
        text = _FRACTION.sub(lambda found: max(found[1], found[2], key=len), text)
        text = _RAISED.sub(lambda found: found[1], text)
    return len(_BRACES.sub("", text))


def _pen(style: Style, name: Callable[[str], str], number: Callable[[Number], str] | None) -> _Pen:
    return _Pen(style, MARKS[style], name, number or (lambda constant: plain_number(constant, style)))


def _whole(expr: Expr, pen: _Pen) -> str:
    written = _walk(expr, pen)
    return _at_least(Strength.SUM, written, pen) if written.strength is Strength.SIGNED else written.text


def _walk(expr: Expr, pen: _Pen) -> _Text:
    match expr:
        case Number():
            return _leaf(pen.number(expr), pen.style)
        case Name(name):
            return _leaf(pen.name(name), pen.style)
        case Sum(terms):
            return _Text(_row(_sum_pieces(terms, pen)), Strength.SUM)
        case Product():
            return _product(expr, pen)
        case Quotient(top, bottom):
            return _quotient(top, bottom, pen)
        case Power(base, exponent):
            return _power(_part(Strength.ATOM, base, pen), exponent, pen)
        case Negative(arg):
            return _Text(pen.marks.minus + _part(Strength.SERIES, arg, pen), Strength.SUM)
        case Call(function, args):
            return _call(function, args, pen)
        case Cases():
            return _cases(expr, pen)
        case Series(index, count, general):
            body = _part(Strength.SERIES, general, pen)
            shown = pen.marks.series.format(index=symbol(index, pen.style), count=count, body=body)
            return _Text(shown, Strength.SERIES)


def _part(needed: Strength, expr: Expr, pen: _Pen) -> str:
    return _at_least(needed, _walk(expr, pen), pen)


def _at_least(needed: Strength, written: _Text, pen: _Pen) -> str:
    if written.strength >= needed:
        return written.text
    return _bracketed(written.text, pen)


def _bracketed(text: str, pen: _Pen) -> str:
    """Brackets that grow only around what is tall: a fraction, a sum, a case."""
    if pen.style == "latex" and not _TALL.search(text):
        return f"({text})"
    return f"{pen.marks.left}{text}{pen.marks.right}"


def _leaf(text: str, style: Style) -> _Text:
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific and style != "ascii":
        mantissa, sign, exponent = scientific.groups()
        power = sign.strip("+") + exponent
        above = f"^{{{power}}}" if style == "latex" else power.translate(SUPERSCRIPTS)
        text = rf"{mantissa} \cdot 10{above}" if style == "latex" else f"{mantissa}·10{above}"
    if text[:1] in ("-", "−"):
        return _Text(MARKS[style].minus + text[1:], Strength.SIGNED)
    return _Text(text, Strength.PRODUCT if scientific else _strength(text))


@lru_cache(maxsize=1 << 14)
def _strength(text: str) -> Strength:
    """How firmly the text of a leaf holds together, read off the signs outside its brackets."""
    outside, depth = "", 0
    for char in text:
        depth -= char in ")]}"
        outside += char if depth == 0 else ""
        depth += char in "([{"
    if _SIGN.search(outside):
        return Strength.SUM
    if "/" in outside:
        return Strength.DIVIDED
    if _TIMES.search(outside):
        return Strength.PRODUCT
    return Strength.POWER if _POWER.search(outside) else Strength.ATOM


def _row(pieces: Sequence[tuple[str, str]]) -> str:
    return "".join(gap + piece for gap, piece in pieces)


def _sum_pieces(terms: Sequence[Expr], pen: _Pen) -> list[tuple[str, str]]:
    return [_signed(i, term, _part(Strength.SERIES, _unsigned(term), pen), pen) for i, term in enumerate(terms)]


def _unsigned(term: Expr) -> Expr:
    return term.arg if isinstance(term, Negative) else term


def _signed(place: int, term: Expr, written: str, pen: _Pen) -> tuple[str, str]:
    sign = pen.marks.minus if isinstance(term, Negative) else "+"
    if place == 0:
        return "", written if sign == "+" else sign + written
    return " ", f"{sign} {written}"


def _factors(product: Product) -> list[Expr]:
    flat: list[Expr] = []
    for factor in product.factors:
        flat.extend(_factors(factor) if isinstance(factor, Product) else (factor,))
    return flat


def _product_pieces(product: Product, pen: _Pen) -> tuple[list[tuple[str, str]], Strength]:
    factors = [_walk(factor, pen) for factor in _factors(product)]
    texts = [_at_least(Strength.DIVIDED, factor, pen) for factor in factors[:-1]]
    texts.append(_at_least(Strength.SERIES, factors[-1], pen))
    gap, times = (" ", f"{pen.marks.times} ") if _has_slopes(texts, pen) else (pen.marks.gap, pen.marks.times)
    pieces = [("", texts[0])] + [(gap, times + text) for text in texts[1:]]
    if factors[-1].strength is Strength.SERIES:
        return pieces, Strength.SERIES
    divided = any(factor.strength is Strength.DIVIDED for factor in factors)
    return pieces, Strength.DIVIDED if divided else Strength.PRODUCT


def _has_slopes(texts: Sequence[str], pen: _Pen) -> bool:
    """Whether factors such as ∂E/∂w5 stand in terminal text, where they need air around the dot."""
    return pen.style != "latex" and any(_SLOPE.match(text) for text in texts)


def _product(product: Product, pen: _Pen) -> _Text:
    pieces, strength = _product_pieces(product, pen)
    return _Text(_row(pieces), strength)


def _quotient(top: Expr, bottom: Expr, pen: _Pen) -> _Text:
    if pen.style == "latex":
        over, under = _part(Strength.SUM, top, pen), _part(Strength.SUM, bottom, pen)
        return _Text(rf"\frac{{{over}}}{{{under}}}", Strength.POWER)
    return _Text(f"{_part(Strength.PRODUCT, top, pen)}/{_part(Strength.POWER, bottom, pen)}", Strength.DIVIDED)


def _power(base: str, exponent: Expr, pen: _Pen) -> _Text:
    above = _walk(exponent, pen)
    if pen.style == "latex":
        return _Text(f"{base}^{{{above.text}}}", Strength.POWER)
    if pen.style == "unicode" and re.fullmatch("−?[0-9]+", above.text):
        return _Text(base + above.text.translate(SUPERSCRIPTS), Strength.POWER)
    return _Text(f"{base}^{_at_least(Strength.ATOM, above, pen)}", Strength.POWER)


EULER: ContextVar[bool] = ContextVar("EULER", default=True)
"""Whether e^z may stand for exp(z); not where a quantity is called e."""


def _call(function: str, args: tuple[Expr, ...], pen: _Pen) -> _Text:
    if function == "pi":
        return _Text(PI[pen.style], Strength.ATOM)
    row = BY_FUNCTION.get(function)
    shown = [_walk(arg, pen).text for arg in (args[:1] if row and row.parameters else args)]
    inside = ", ".join(shown)
    is_short = len(inside) <= SHORT_EXPONENT and " " not in inside
    if function == "exp" and EULER.get() and (pen.style == "latex" or (pen.style == "unicode" and is_short)):
        return _power("e", args[0], pen)
    if function == "sqrt" and pen.style != "ascii":
        if pen.style == "latex":
            return _Text(rf"\sqrt{{{inside}}}", Strength.ATOM)
        return _Text(f"√({inside})", Strength.POWER)
    if function == "abs" and pen.style == "latex":
        return _Text(rf"\left\lvert {inside}\right\rvert", Strength.ATOM)
    if function == "abs" and pen.style == "unicode" and "|" not in inside:
        return _Text(f"|{inside}|", Strength.ATOM)
    return _Text(_function(function, pen.style) + _bracketed(inside, pen), Strength.POWER)


def _function(function: str, style: Style) -> str:
    row = BY_FUNCTION.get(function)
    if row:
        return row.latex if style == "latex" else row.text if style == "unicode" or row.text.isascii() else row.function
    if style == "latex" and function in LATEX_FUNCTIONS:
        return LATEX_FUNCTIONS[function]
    return "ln" if function == "log" else symbol(function, style)


def _cases(cases: Cases, pen: _Pen) -> _Text:
    pieces = [(_part(Strength.SUM, value, pen), _condition(test, pen)) for value, test in cases.pieces]
    otherwise = _part(Strength.SUM, cases.otherwise, pen)
    if pen.style == "latex":
        rows = "".join(rf"{value} & \text{{if }} {test} \\ " for value, test in pieces)
        return _Text(rf"\begin{{cases}} {rows}{otherwise} & \text{{otherwise}} \end{{cases}}", Strength.CASES)
    return _Text("".join(f"{value} if {test} else " for value, test in pieces) + otherwise, Strength.CASES)


def _condition(test: Condition, pen: _Pen) -> str:
    left, right = _part(Strength.SUM, test.left, pen), _part(Strength.SUM, test.right, pen)
    return f"{left} {pen.marks.relations[test.relation]} {right}"


def _breakable(expr: Expr, pen: _Pen, width: int) -> list[tuple[str, str]]:
    """The pieces between which a line may end, each with its operator and the gap before it."""
    if isinstance(expr, Sum):
        whole = _sum_pieces(expr.terms, pen)
        return [
            part
            for place, (piece, term) in enumerate(zip(whole, expr.terms, strict=True))
            for part in _long_term(place, piece, term, pen, width)
        ]
    if isinstance(_unsigned(expr), Product):
        return _long_term(0, ("", _whole(expr, pen)), expr, pen, width)
    return [("", _whole(expr, pen))]


def _long_term(place: int, piece: tuple[str, str], term: Expr, pen: _Pen, width: int) -> list[tuple[str, str]]:
    product = _unsigned(term)
    if not isinstance(product, Product) or _fits(piece[1], pen.style, width):
        return [piece]
    pieces, _ = _product_pieces(product, pen)
    return [(NEW_LINE, _signed(place, term, pieces[0][1], pen)[1]), *pieces[1:]]
