"""Whether an activation is zero-centred, and what it means for the weights that its outputs feed."""

from __future__ import annotations

from collections.abc import Iterator

from derive.calculus.limits import constant_sign, is_odd
from derive.calculus.rules import rational
from derive.catalogue import numeric
from derive.catalogue.activations import Activation
from derive.derivation.network import tidy
from derive.formula.expression import replace_names
from derive.formula.grammar import read
from derive.pages.activation_parts import Lesson, folded
from derive.pages.blocks import Block, Equation, Row, equations, table
from derive.pages.writers import Writer


def centre(lesson: Lesson) -> Iterator[Block]:
    """Whether outputs have both signs, and what it means for the weights that they feed."""
    f = lesson.writer.inline(lesson.function())
    sign = one_sign(lesson)
    odd = lesson.row.zero_centred if lesson.row.name != "custom" else is_odd(lesson.formula)
    mixed = "both_signs" if _has_both_signs(lesson.row) else "not_odd"
    key = "centred" if odd else f"one_sign_{sign}" if sign else mixed
    yield lesson.say(key, f=f)
    yield lesson.say("gradient_of_weight")
    yield equations(*_weight_slope(lesson.writer))
    yield sign_table(lesson, sign)
    yield lesson.say("orthants_one" if sign else "orthants_all")


def one_sign(lesson: Lesson) -> str:
    """"plus" or "minus" where no output has the other sign; empty where both occur or nobody said."""
    ends = lesson.row.ends()
    if ends is None:
        return constant_sign(lesson.bound)
    if ends.low != "-oo" and not ends.low.startswith("~"):
        low = rational(folded(tidy(replace_names(read(ends.low), lesson.numbers))))
        if low is not None and low >= 0:
            return "plus"
    return "minus" if ends.high == "0" else ""


def _has_both_signs(row: Activation) -> bool:
    values = numeric.value(row, [-10, -3, -1, -0.5, 0.5, 1, 3, 10])
    return bool(values.min() < 0 < values.max())


def _weight_slope(writer: Writer) -> Iterator[Equation]:
    if writer.style == "latex":
        chain = r"\frac{\partial E}{\partial \mathrm{net}} \cdot \frac{\partial \mathrm{net}}{\partial w_i}"
        yield Equation(r"\mathrm{net}", (Row("=", r"w_1 \cdot x_1 + w_2 \cdot x_2 + \dots + w_n \cdot x_n + b"),))
        yield Equation(r"\frac{\partial E}{\partial w_i}", (Row("=", rf"{chain} = \delta \cdot x_i"),))
        return
    d, delta, dot = ("∂", "δ", "·") if writer.style == "unicode" else ("d", "delta", "*")
    dots = "…" if writer.style == "unicode" else "..."
    yield Equation("net", (Row("=", f"w_1{dot}x_1 + w_2{dot}x_2 + {dots} + w_n{dot}x_n + b"),))
    yield Equation(f"{d}E/{d}w_i", (Row("=", f"{d}E/{d}net {dot} {d}net/{d}w_i = {delta}{dot}x_i"),))


def sign_table(lesson: Lesson, sign: str) -> Block:
    """The signs of inputs, gradients and steps of two weights."""
    signs = {"plus": ((1, 1),), "minus": ((-1, -1),), "": ((1, 1), (1, -1), (-1, 1), (-1, -1))}[sign]
    writer = lesson.writer
    header = {
        "latex": (r"\delta", "x_1", "x_2", r"\partial E/\partial w_1", r"\partial E/\partial w_2",
                  r"\Delta w_1", r"\Delta w_2"),
        "unicode": ("δ", "x₁", "x₂", "∂E/∂w₁", "∂E/∂w₂", "Δw₁", "Δw₂"),
        "ascii": ("delta", "x1", "x2", "dE/dw1", "dE/dw2", "step of w1", "step of w2"),
    }[writer.style]  # fmt: skip
    rows = []
    for delta in (1, -1):
        for first, second in signs:
            slopes = (delta * first, delta * second)
            cells = (delta, first, second, *slopes, *(-slope for slope in slopes))
            rows.append(tuple(writer.inline("+" if cell > 0 else writer.number("-")) for cell in cells))
    return table(tuple(writer.inline(cell) for cell in header), rows)
