"""The parts of the lesson of an activation of one number: derivative, kinks, limits, saturation, centre."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from derive.calculus.limits import Infinite, Limit, Side, limit, slope_limit
from derive.calculus.rules import rational
from derive.catalogue.activations import Activation
from derive.derivation.evaluate import Values
from derive.derivation.network import tidy
from derive.derivation.points import point_name
from derive.formula.expression import Expr, Name, Number, Power, number, replace_names
from derive.formula.grammar import read
from derive.formula.printing import write as print_formula
from derive.formula.printing import write_lines
from derive.formula.symbols import symbol
from derive.numbers.rounding import Rounding, show
from derive.pages.blocks import Block, Equation, Row, equations, paragraph, table
from derive.pages.equations import RELATIONS
from derive.pages.prose import Prose
from derive.pages.writers import Writer
from derive.worked import WorkedExample

FAR = number("10")
SIDES: tuple[Side, Side] = ("-", "+")
ENDS: tuple[Infinite, Infinite] = ("-oo", "oo")
LAYERS = 10


class Lesson:
    """What all parts of a lesson share: the row, how to write, where numbers come from."""

    def __init__(self, example: WorkedExample, row: Activation, writer: Writer, prose: Prose, width: int) -> None:
        self.example = example
        self.row = row
        self.writer = writer
        self.prose = prose
        self.width = width
        self.numbers: dict[str, Expr] = dict(row.parameters)
        self.formula = read(row.formula)
        self.bound = tidy(replace_names(self.formula, self.numbers))
        self.stable = tidy(replace_names(read(row.numeric), self.numbers)) if row.numeric else self.bound

    def say(self, key: str, **words: object) -> Block:
        return paragraph(self.prose.say("activation", key, **words))

    def function(self, argument: str = "z", prime: str = "") -> str:
        """σ(z), σ'(z)"""
        short = {"latex": self.row.latex, "unicode": self.row.text}.get(self.writer.style, self.row.function)
        return f"{short}{prime}({argument})"

    def inline(self, expr: Expr) -> str:
        return self.writer.inline(self.text(expr))

    def text(self, expr: Expr) -> str:
        return print_formula(expr, self.writer.style, self.name, self.writer.constant)

    def lines(self, expr: Expr, width: int, name: Callable[[str], str] | None = None) -> list[str]:
        return write_lines(expr, self.writer.style, name or self.name, width, self.writer.constant)

    def name(self, name: str) -> str:
        return symbol(name, self.writer.style)

    def limit_text(self, found: Limit | None) -> str:
        """A limit as a formula: exact where that is short, else rounded."""
        if found is None:
            return "?"
        if isinstance(found, str):
            sign = "-" if found == "-oo" and self.writer.style != "unicode" else "−" if found == "-oo" else ""
            return sign + {"latex": r"\infty", "unicode": "∞", "ascii": "oo"}[self.writer.style]
        value = rational(found)
        if value is None:
            return self.text(found)
        if len(str(value)) <= 8:
            return self.writer.constant(_short(value))
        near = RELATIONS["≈"][self.writer.style]
        return f"{near} {self.writer.number(show(value, self.example.problem.rounding))}"


def _short(value: Fraction) -> Number:
    """0.01 where that is exact, else 1/6."""
    for places in range(6):
        if (value * 10**places).denominator == 1:
            return Number(value, show(value, Rounding(decimals=places)))
    return Number(value)


# Kinks


def kinks(lesson: Lesson) -> Iterator[Block]:
    """The limits from both sides of each kink, and the slope that is taken there."""
    for kink in lesson.row.kinks:
        at = tidy(replace_names(read(kink.at), lesson.numbers))
        values, slopes = ([way(lesson.stable, at, side) for side in SIDES] for way in (limit, slope_limit))
        place = lesson.text(at)
        yield table(
            ("", *(lesson.writer.inline(_approach(lesson, place, side)) for side in ("-", "+"))),
            [_limits_row(lesson, lesson.function(), values), _limits_row(lesson, lesson.function(prime="'"), slopes)],
        )
        words = {"at": lesson.writer.inline(f"z = {place}"), "f": lesson.writer.inline(lesson.function())}
        taken = folded(tidy(replace_names(read(kink.derivative), lesson.numbers)))
        slope = lesson.writer.inline(f"{lesson.function(place, chr(39))} = {lesson.limit_text(taken)}")
        value = lesson.writer.inline(lesson.function(place))
        meets = "smooth" if slopes[0] == slopes[1] else "kink"
        yield lesson.say(meets if values[0] == values[1] else "jump", slope=slope, value=value, **words)


def _limits_row(lesson: Lesson, left: str, limits: list[Limit | None]) -> tuple[str, ...]:
    return lesson.writer.inline(left), *(lesson.writer.inline(lesson.limit_text(found)) for found in limits)


def _approach(lesson: Lesson, place: str, side: str) -> str:
    writer = lesson.writer
    minus = "−" if writer.style == "unicode" else "-"
    sign = {"-": minus, "+": "+"}[side]
    if writer.style == "latex":
        return rf"z \to {place}^{{{sign}}}"
    arrow = "→" if writer.style == "unicode" else "->"
    return f"z {arrow} {place} ({lesson.prose.say('activation', 'from_below' if side == '-' else 'from_above')})"


# Limits, range, saturation


def limits(lesson: Lesson) -> Iterator[Block]:
    """A table of the four limits at infinity, and the range."""
    writer = lesson.writer
    ways = {
        "latex": (r"z \to -\infty", r"z \to +\infty"),
        "unicode": ("z → −∞", "z → +∞"),
        "ascii": ("z -> -oo", "z -> +oo"),
    }[writer.style]
    found = {key: [way(lesson.stable, at) for at in ENDS] for key, way in (("", limit), ("'", slope_limit))}
    yield table(
        ("", *(writer.inline(way) for way in ways)),
        [_limits_row(lesson, lesson.function(prime=key), found[key]) for key in ("", "'")],
    )
    shown = range_text(lesson, found[""])
    if shown:
        yield lesson.say("range", f=writer.inline(lesson.function()), range=shown)
    yield from _saturation(lesson, found["'"])


def range_text(lesson: Lesson, at_infinity: list[Limit | None]) -> str:
    """The interval of all values; empty where nobody said, or where other parameters have changed it."""
    ends = lesson.row.ends()
    if ends is None:
        return ""
    texts = []
    for end in (ends.low, ends.high):
        if end in ("oo", "-oo"):
            texts.append(lesson.limit_text(end))  # type: ignore[arg-type]  # the two infinities
            fits = end in at_infinity
        elif end.startswith("~"):
            near = RELATIONS["≈"][lesson.writer.style]
            texts.append(f"{near} {lesson.writer.number(end[1:])}")
            fits = True
        else:
            value = rational(folded(tidy(replace_names(read(end), lesson.numbers))))
            texts.append("?" if value is None else lesson.limit_text(Number(value)))
            fits = value is not None and any(_same(value, found) for found in at_infinity)
        if lesson.row.parameters and not fits:
            return ""
    opened, closed = "[" if ends.has_low else "(", "]" if ends.has_high else ")"
    return lesson.writer.inline(f"{opened}{texts[0]}, {texts[1]}{closed}")


def folded(expr: Expr) -> Expr:
    """The number that a product of numbers is."""
    from derive.calculus.sympy_trees import from_sympy, to_sympy

    return from_sympy(to_sympy(expr))


def _same(value: Fraction, found: Limit | None) -> bool:
    return found is not None and not isinstance(found, str) and rational(found) == value


def _saturation(lesson: Lesson, slopes: list[Limit | None]) -> Iterator[Block]:
    """Where the slope vanishes, and what ten layers make of a gradient there."""
    flat = [found is not None and not isinstance(found, str) and rational(found) == 0 for found in slopes]
    f = lesson.writer.inline(lesson.function())
    if not any(flat):
        yield lesson.say("no_saturation", f=f)
        return
    yield lesson.say("saturates", f=f, below=flat[0], above=flat[1])
    yield equations(*(_ten_layers(lesson, sign) for sign, here in zip("-+", flat, strict=True) if here))
    whole = _values(lesson)
    far = [point_name("f'", (_far(sign),)) for sign, here in zip("-+", flat, strict=True) if here]
    yield lesson.say("no_gradient" if all(whole.exact(name) == 0 for name in far) else "ten_layers", n=LAYERS)
    at_best = _at_zero(lesson)
    if all(flat) and at_best is not None:
        yield lesson.say("even_at_zero")
        yield equations(at_best)


def _values(lesson: Lesson) -> Values:
    return Values(lesson.example.derivation, {}, Rounding(decimals=None, significant=3))


def _ten_layers(lesson: Lesson, sign: str) -> Equation:
    at = _far(sign)
    return _power(lesson, point_name("f'", (at,)), at)


def _far(sign: str) -> Number:
    return FAR if sign == "+" else Number(-FAR.value, f"-{FAR.written}")


def _at_zero(lesson: Lesson) -> Equation | None:
    """f'(0)^10, where f'(0) is below 1."""
    name = point_name("f'", (number("0"),))
    here = _values(lesson).double(name)
    return _power(lesson, name, number("0")) if here is not None and 0 < here < 1 else None


def _power(lesson: Lesson, name: str, at: Number) -> Equation:
    values, writer = _values(lesson), lesson.writer
    left = lesson.function(writer.constant(at), "'")
    slope = values.shown(name) or "?"
    exact = values.exact(name)
    if exact == 0:
        return Equation(left, (Row("=", "0"),))
    whole = values.shown_of(Power(Name(name), number(str(LAYERS)))) or "?"
    near = RELATIONS["≈"][writer.style]
    sign = "=" if exact is not None and exact == Fraction(slope) else near
    raised = {"latex": f"^{{{LAYERS}}}", "unicode": "¹⁰", "ascii": f"^{LAYERS}"}[writer.style]
    gap = r", \qquad " if writer.style == "latex" else ",   "
    product = f"{left}{raised} {near} {scientific(writer, whole)}"
    return Equation(left, (Row(sign, f"{scientific(writer, slope)}{gap}{product}"),))


def scientific(writer: Writer, text: str) -> str:
    """A number as text, 4.54e-05 as a power of ten."""
    size = print_formula(Name("n"), writer.style, lambda _: text.removeprefix("-"))
    return writer.number("-") + size if text.startswith("-") else size
