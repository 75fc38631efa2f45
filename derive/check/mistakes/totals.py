"""Slips in the sum over outputs and samples, and in the penalty."""

from __future__ import annotations

from collections.abc import Iterator

from derive.check.mistakes.losses import IN_FRONT, scaled_half, terms_at
from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import factors_of, has_series, negated, scaled, terms_of, text, without
from derive.derivation.chain_rule import Quantity, split_derivative
from derive.formula.expression import (
    ONE,
    TWO,
    ZERO,
    Call,
    Name,
    Power,
    Quotient,
    Sum,
    add,
    multiply,
    names_in,
    number,
)


def total(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in a sum over outputs or samples, and in loss plus penalty."""
    definition = quantity.definition
    if definition is None or has_series(definition):
        return
    factors = factors_of(definition)
    inner = next((factor for factor in factors if isinstance(factor, Sum)), definition)
    terms = terms_of(inner)
    count = len(terms)
    if count < 2 or count > 12:
        return
    outer = [factor for factor in factors if factor is not inner]
    if any(term == Name("E_l2") for term in terms):
        yield slip("penalty-left-out", quantity, terms[0], "all", term="E_l2")
        yield slip("sign-turned", quantity, Sum((terms[0], negated(terms[1]))), "all", part="E_l2")
        return
    part = text(inner)
    yield from _square_of_the_sum(scene, quantity, count)
    for place, term in enumerate(terms):
        yield slip("one-part-only", quantity, multiply(*outer, term), place, term=text(term))
        yield slip("one-part-only", quantity, term, ("alone", place), term=text(term))
        if count > 2:
            yield slip("part-left-out", quantity, multiply(*outer, add(*without(terms, place))), place, term=text(term))
    yield slip("product-for-sum", quantity, multiply(*outer, *terms), "all", part=part)
    yield slip("root-taken", quantity, Call("sqrt", (definition,)), "all", part=part)
    if count > 2 or outer:
        yield slip("half-too-many", quantity, scaled_half(definition), "all", part=part)
    if not outer:
        yield slip("sum-averaged", quantity, multiply(Quotient(ONE, number(count)), inner), "all", part=part)
    for wrong_count in (count - 1, count + 1, 2 * count):
        if wrong_count > 1 or outer:
            wrong = multiply(Quotient(ONE, number(wrong_count)), inner)
            yield slip("mean-over-wrong-count", quantity, wrong, wrong_count, count=str(count), used=str(wrong_count))


def _square_of_the_sum(scene: Scene, quantity: Quantity, count: int) -> Iterator[Slip]:
    """(Σ(t − o))² for Σ(t − o)²."""
    found = terms_at(scene, quantity.node) if quantity.node else None
    if found is None or found[0].loss.name not in IN_FRONT or len(found[0].outputs) != count:
        return
    terms = found[0]
    differences = add(*(terms.of("t - o", place) for place in range(1, count + 1)))
    if any(scene.definition(name) is None and scene.value(name) is None for name in names_in(differences)):
        return
    wrong = multiply(terms.of(IN_FRONT[terms.loss.name], 1), Power(differences, TWO))
    yield slip("square-of-the-sum", quantity, wrong, "all", part=text(differences))


def total_slope(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in the factor 1/n of a mean."""
    definition = quantity.definition
    if definition is None:
        return
    yield slip("sign-turned", quantity, negated(definition), "all", part=quantity.name)
    if definition != ONE:
        yield slip("factor-left-out", quantity, ONE, "all", factor=text(definition))
        yield slip("factor-used-twice", quantity, multiply(definition, definition), "all", factor=text(definition))


def penalty(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in λ/2 · Σw²."""
    definition = quantity.definition
    network = scene.network
    if definition is None or network is None or has_series(definition) or network.penalty is None:
        return
    factors = factors_of(definition)
    squares, outer = factors[-1], factors[:-1]
    strength = network.penalty.strength
    yield slip("penalty-without-strength", quantity, squares, "all", part=text(definition))
    if network.penalty.half:
        yield slip("half-left-out", quantity, multiply(strength, squares), "all", part=text(definition))
    else:
        yield slip("half-too-many", quantity, scaled_half(definition), "all", part=text(definition))
    biases = [Power(Name(name), TWO) for name in network.bias_names()]
    if biases:
        wrong = multiply(*outer, add(*terms_of(squares), *biases))
        yield slip("penalty-on-biases", quantity, wrong, "all", part=text(definition))
    bases = [term.base for term in terms_of(squares) if isinstance(term, Power)]
    yield slip("square-left-out", quantity, multiply(*outer, add(*bases)), "all", part=text(definition))
    yield slip("absolute-for-square", quantity, multiply(*outer, add(*(Call("abs", (base,)) for base in bases))),
               "all", part=text(definition))  # fmt: skip
    yield slip("root-taken", quantity, multiply(*outer, Call("sqrt", (squares,))), "all", part=text(definition))


def penalty_slope(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in λ·w."""
    pair, definition = split_derivative(quantity.name), quantity.definition
    if pair is None or definition is None:
        return
    weight = Name(pair[1])
    yield slip("penalty-left-out", quantity, ZERO, "all", term=text(definition))
    yield slip("penalty-without-strength", quantity, weight, "all", part=text(definition))
    yield slip("two-too-many", quantity, multiply(TWO, definition), "all", part=text(definition))
    yield slip("half-too-many", quantity, scaled(definition, ONE.value / 2), "all", part=text(definition))
    yield slip("loss-for-slope", quantity, multiply(scaled_half(definition), weight), "all", part=text(definition))
    yield slip("penalty-not-differentiated", quantity, multiply(definition, weight), "all", part=text(definition))
    network = scene.network
    if network is not None and network.penalty is not None:
        sign = multiply(network.penalty.strength, Quotient(weight, Call("abs", (weight,))))
        yield slip("sign-for-weight", quantity, sign, "all", part=text(definition))
    yield slip("sign-turned", quantity, negated(definition), "all", part=text(definition))
    if network is not None and network.penalty is not None:
        yield slip("factor-left-out", quantity, network.penalty.strength, "all", factor=pair[1])
