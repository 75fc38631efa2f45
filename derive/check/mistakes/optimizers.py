"""Slips in what an optimizer carries along: averages, sums of squares, corrections, velocities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from derive.check.mistakes.scene import Every, Scene, Slip, base_and_step, slip
from derive.check.mistakes.trees import factors_of, renamed, terms_of, text
from derive.derivation.chain_rule import Quantity, derivative_name
from derive.formula.expression import (
    ONE,
    Call,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    add,
    multiply,
    names_in,
    number,
    rebuild,
    replace_names,
    subtract,
)

_AVERAGE = re.compile(r"m_(?:hat_)?(.+?)(@[0-9]+|_new)$")
_SQUARES = re.compile(r"v_(?!hat_|max_)(.+?)(@[0-9]+|_new)$")
_GRADIENT = re.compile(r"(?:dE?[^/]*/d.+|g_.+)$")
_INDEX = re.compile(r"[0-9@^]+|\b[mv]_")


def every(target: str, mistake: str, *words: str) -> Every:
    """The kind of a slip that somebody makes in each update, and in both averages of Adam."""
    return Every(target, (mistake, *(_INDEX.sub("", word) for word in words)))


def state(scene: Scene, quantity: Quantity, target: str) -> Iterator[Slip]:
    """Slips of optimizers with a state, in one definition."""
    definition = quantity.definition
    if definition is None:
        return
    yield from _shares(quantity, definition, target)
    yield from _gradient_for_average(scene, quantity, definition)
    yield from _powers(quantity, definition, target)
    yield from _squares(quantity, definition, target)
    yield from _corrected(scene, quantity, definition)
    yield from _velocities(scene, quantity, definition, target)


def _shares(quantity: Quantity, definition: Expr, target: str) -> Iterator[Slip]:
    """β·old + (1 − β)·new as a sum, with one share for both; old + new as a mean."""
    found = _shared(definition)
    if found is not None:
        kept, old, new = found
        ways = (("shares-left-out", Sum((old, new))), ("same-share", Sum((Product((kept, old)), Product((kept, new))))))
        for mistake, wrong in ways:
            yield slip(mistake, quantity, wrong, every(target, mistake), part=text(kept))
    _, step = base_and_step(quantity.name)
    match definition:
        case Sum((Name() as before, Power() as square)) if step > 1:
            mean = Quotient(Sum((multiply(number(step - 1), before), square)), number(step))
            yield slip("mean-for-sum", quantity, mean, "all", part=text(square))


def _shared(definition: Expr) -> tuple[Expr, Expr, Expr] | None:
    """(β, old, new) of β·old + (1 − β)·new."""
    match definition:
        case Sum((Product((kept, old)), Product((Sum() as rest, new)))) if rest == subtract(ONE, kept):
            return kept, old, new
        case _:
            return None


def _gradient_for_average(scene: Scene, quantity: Quantity, definition: Expr) -> Iterator[Slip]:
    """The gradient where the average of the gradients belongs, in a step."""
    if _AVERAGE.match(quantity.name):
        return
    for name in dict.fromkeys(names_in(definition)):
        if found := _AVERAGE.match(name):
            used = f"g_{found[1]}{found[2]}" if "@" in found[2] else derivative_name(scene.graph.root or "", found[1])
            wrong = renamed(definition, {name: used})
            yield slip("gradient-for-average", quantity, wrong, "all", right=name, used=used)
        if "_hat_" in name and name in scene.asked:
            uncorrected = {name: name.replace("_hat_", "_")}
            kind = every(name, "uncorrected")
            wrong = renamed(definition, uncorrected)
            yield slip("bias-correction-left-out", quantity, wrong, kind, divisor="1 - beta^t")


def _powers(quantity: Quantity, definition: Expr, target: str) -> Iterator[Slip]:
    """β^(t − 1) or β^(t + 1) for β^t."""
    for by in (-1, 1):
        wrong = _with_power(definition, by)
        if wrong != definition:
            yield slip("power-of-another-step", quantity, wrong, every(target, "power", "-" * by), formula=text(wrong))


def _with_power(expr: Expr, by: int) -> Expr:
    match expr:
        case Power(Name(name), Number(value)) if name.startswith("beta") and value + by > 0:
            return Power(Name(name), number(value + by))
        case _:
            return rebuild(expr, lambda part: _with_power(part, by))


def _squares(quantity: Quantity, definition: Expr, target: str) -> Iterator[Slip]:
    """|g| for g²."""
    wrong = _without_square(definition)
    if wrong != definition:
        yield slip("absolute-for-square", quantity, wrong, every(target, "absolute"))


def _without_square(expr: Expr) -> Expr:
    match expr:
        case Power(Name(name) as base, Number(value)) if value == 2 and _GRADIENT.match(name):
            return Call("abs", (base,))
        case _:
            return rebuild(expr, _without_square)


def _corrected(scene: Scene, quantity: Quantity, definition: Expr) -> Iterator[Slip]:
    """RMSprop with the bias correction of Adam."""
    _, step = base_and_step(quantity.name)
    for name in dict.fromkeys(names_in(definition)) if step and not _SQUARES.match(quantity.name) else ():
        before = scene.definition(name) if _SQUARES.match(name) else None
        found = _shared(before) if before is not None else None
        others = (scene.quantity(f"{other}_{name[2:]}") for other in ("v_hat", "u"))
        if found is not None and not any(others):
            corrected = Quotient(Name(name), subtract(ONE, Power(found[0], number(step))))
            wrong = replace_names(definition, {name: corrected})
            yield slip("bias-correction-made", quantity, wrong, "all", part=text(corrected), used=name)


def _velocities(scene: Scene, quantity: Quantity, definition: Expr, target: str) -> Iterator[Slip]:
    """Momentum: the gradient weighted by 1 − μ; the step of the other of momentum and Nesterov."""
    match definition:
        case Sum((Product((Name() as kept, Name())) as first, last)) if not _holds(last, kept):
            gradient = factors_of(last.arg if isinstance(last, Negative) else last)
            for way, factors in enumerate((gradient, gradient[1:])):
                weighted = multiply(subtract(ONE, kept), *factors)
                wrong = Sum((first, Negative(weighted) if isinstance(last, Negative) else weighted))
                found = slip("one-minus-momentum-used", quantity, wrong, way, part=text(kept))
                yield replace(found, convention=True)
    old, *moves = terms_of(definition)
    velocity = next((name for name in names_in(definition) if _SQUARES.match(name)), "")
    before = scene.definition(velocity) if velocity else None
    match before:
        case Sum((Product((Name() as mu, Name())), Negative() as pull)) if f"v_{target}" == base_of(velocity):
            v = Name(velocity)
            steps: Sequence[tuple[Expr, ...]] = (
                (v,), (multiply(mu, v),), (multiply(mu, v), pull), (v, pull), (v, multiply(mu, v)),
                (multiply(mu, mu, v), pull),
            )  # fmt: skip
            for way, step in enumerate(steps):
                if step != tuple(moves):
                    yield slip("step-of-another-rule", quantity, add(old, *step), way,
                               used=text(add(*step)), right=text(add(*moves)))  # fmt: skip


def base_of(name: str) -> str:
    """v_w for v_w@2 and v_w_new."""
    return base_and_step(name.removesuffix("_new"))[0]


def _holds(expr: Expr, part: Expr) -> bool:
    return isinstance(part, Name) and part.name in set(names_in(expr))
