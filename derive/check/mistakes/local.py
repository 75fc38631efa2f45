"""Slips where the chain begins: loss and activation that cancel, the derivative of one node by what stands in it."""

from __future__ import annotations

from collections.abc import Iterator

from derive.check.mistakes import activations, derivatives, losses, softmax, totals
from derive.check.mistakes.chain import factors_left_out, instead_of_source
from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import factors_of, has_series, negated, renamed, terms_of, text, without
from derive.derivation.chain_rule import Quantity, derivative_name, split_derivative
from derive.formula.expression import (
    TWO,
    Call,
    Expr,
    Name,
    Negative,
    Number,
    Sum,
    add,
    multiply,
    names_in,
    number,
    subtract,
)

# --- where the loss cancels ------------------------------------------------------------------------------------------


def cancellation(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in (out − target), and in the long form that it stands for."""
    definition = quantity.definition
    pair = split_derivative(quantity.name)
    if definition is None or pair is None:
        return
    yield slip("target-minus-output", quantity, negated(definition), "all", part=text(definition))
    factors = factors_of(definition)
    for place, factor in enumerate(factors):
        if len(factors) > 1:
            yield slip("factor-left-out", quantity, multiply(*without(factors, place)), ("factor", place),
                       factor=text(factor))  # fmt: skip
    yield slip("two-too-many", quantity, multiply(TWO, definition), "all", part=text(definition))
    yield slip("half-too-many", quantity, losses.scaled_half(definition), "all", part=text(definition))
    if isinstance(factors[-1], Sum):
        unsigned = multiply(*factors[:-1], Call("abs", (factors[-1],)))
        yield slip("error-without-sign", quantity, unsigned, "all", part=text(unsigned))
    output = next((name for name in names_in(definition)), "")
    before = derivative_name(pair[0], output)
    if output.startswith("out_") and scene.quantity(before) is not None:
        yield slip("factor-left-out", quantity, Name(before), "slope", factor=derivative_name(output, pair[1]))
    a = Name(output)
    slope = multiply(a, subtract(number(1), a))
    yield slip("slope-not-cancelled", quantity, multiply(definition, slope), "all", factor=text(slope))
    yield slip("output-for-error", quantity, multiply(*factors[:-1], a), "all", output=output)
    for name in dict.fromkeys(names_in(definition)):
        for other in scene.beside(name):
            mistake = "wrong-input" if name == output else "wrong-target"
            yield slip(mistake, quantity, renamed(definition, {name: other}), "", right=name, used=other)
    yield from _long_form(scene, quantity)


def _long_form(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    for form in quantity.forms[:1]:
        terms = terms_of(form)
        for term in terms:
            if len(terms) > 1 and _is_own(scene, term):
                yield slip("jacobian-diagonal-only", quantity, term, "own", part=text(form))
            elif len(terms) == 1:
                yield from factors_left_out(quantity, factors_of(term))


def _is_own(scene: Scene, term: Expr) -> bool:
    """Whether a term of ∂E/∂net_i goes through output i itself: then its slope is one of that output alone."""
    last = factors_of(term)[-1]
    definition = scene.definition(last.name) if isinstance(last, Name) else None
    return definition is not None and len(set(names_in(definition))) == 1


# --- local derivatives -----------------------------------------------------------------------------------------------


def local(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in the derivative of one node with respect to what stands in it."""
    node = quantity.node
    if node is None or quantity.definition is None or has_series(quantity.definition):
        return
    match node.rule:
        case "activation":
            yield from activations.slope(scene, quantity)
        case "softmax":
            yield from softmax.jacobian(scene, quantity)
        case "loss" | "loss-part":
            yield from losses.slope(scene, quantity)
        case "weighted-sum":
            yield from _of_sum(scene, quantity)
        case "total":
            yield from totals.total_slope(scene, quantity)
        case "penalty":
            yield from totals.penalty_slope(scene, quantity)
        case _:
            yield from derivatives.local(scene, quantity)


def _of_sum(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """∂net/∂w = out, ∂net/∂out = w, ∂net/∂b = 1."""
    pair = split_derivative(quantity.name)
    assert pair is not None
    assert quantity.definition is not None
    words = {"right": text(quantity.definition)}
    if isinstance(quantity.definition, Name):
        yield slip("factor-left-out", quantity, number(1), "all", factor=quantity.name)
        for mistake, wrong, used in instead_of_source(scene, Name(quantity.name), *pair):
            kind = mistake if mistake in ("transposed-weights", "output-for-weight", "weight-for-input") else ""
            yield slip(mistake, quantity, wrong, kind, used=used, **words)
        if scene.is_negative(quantity.definition.name):
            yield slip("sign-lost", quantity, negated(quantity.definition), "", part=quantity.definition.name)
    elif isinstance(quantity.definition, Number | Negative):
        yield slip("bias-for-its-slope", quantity, Name(pair[1]), "all", bias=pair[1])
        yield slip("bias-slope-zero", quantity, number(0), "all", bias=pair[1])
        if isinstance(quantity.definition, Negative) or quantity.definition.value < 0:
            yield slip("sign-lost", quantity, number(1), "all", part=text(quantity.definition))
    elif isinstance(quantity.definition, Sum):
        for place, term in enumerate(quantity.definition.terms):
            shorter = add(*without(quantity.definition.terms, place))
            yield slip("shared-parameter-use-left-out", quantity, shorter, "", term=text(term))
