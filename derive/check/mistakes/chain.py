"""Slips of the chain rule: factors, paths, δ, and what stands for a local derivative of a weighted sum."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import exchanged, factors_of, has_series, negated, renamed, terms_of, text, without
from derive.derivation.chain_rule import Quantity, derivative_name, split_derivative
from derive.derivation.graph import split_sample
from derive.formula.expression import (
    Expr,
    Name,
    Product,
    Quotient,
    add,
    multiply,
    names_in,
    number,
)

MOST_FACTORS = 8
MOST_PATHS = 12
MOST_INPUTS = 4


def chain(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in a product of derivatives."""
    definition = quantity.definition
    if definition is None or has_series(definition):
        return
    factors = factors_of(definition)
    yield from _sign(scene, quantity)
    if 1 < len(factors) <= MOST_FACTORS:
        yield from _product(quantity, factors)
    for place, factor in enumerate(factors):
        for mistake, wrong, used in _instead(scene, factor):
            changed = multiply(*exchanged(factors, place, wrong))
            yield slip(mistake, quantity, changed, "", right=text(factor), used=used)
    yield from _beside(scene, quantity, factors)
    yield from _with_delta(scene, quantity, factors[-1])


def _with_delta(scene: Scene, quantity: Quantity, last: Expr) -> Iterator[Slip]:
    """A gradient as the sum of δ and what comes in, or with the δ of the neuron beside."""
    pair = split_derivative(quantity.name)
    local = split_derivative(last.name) if isinstance(last, Name) else None
    source = scene.definition(last.name) if isinstance(last, Name) else None
    if pair is None or local is None or not isinstance(source, Name) or scene.place_of(pair[1]) is None:
        return
    delta = derivative_name(pair[0], local[0])
    if scene.quantity(delta) is None:
        return
    summed = (Name(delta), source)
    yield slip("sum-for-product", quantity, add(*summed), "", part=text(Product(summed)))
    for other in scene.beside(local[0]):
        wrong = derivative_name(pair[0], other)
        if scene.quantity(wrong) is not None:
            yield slip("wrong-delta", quantity, multiply(Name(wrong), source), "", right=delta, used=wrong)


def _sign(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    assert quantity.definition is not None
    mistake = "sign-lost" if scene.is_negative(quantity.name) else "sign-turned"
    yield slip(mistake, quantity, negated(quantity.definition), "", part=quantity.name)


def _product(quantity: Quantity, factors: tuple[Expr, ...]) -> Iterator[Slip]:
    yield from factors_left_out(quantity, factors)
    for place, factor in enumerate(factors):
        yield slip("factor-used-twice", quantity, multiply(*factors, factor), "", factor=text(factor))
        divided = Quotient(multiply(*without(factors, place)), factor)
        yield slip("division-for-product", quantity, divided, "", factor=text(factor))
    yield slip("sum-for-product", quantity, add(*factors), "", part=text(Product(factors)))
    if len(factors) > 2:
        for one, two in combinations(range(len(factors)), 2):
            kept = [factor for place, factor in enumerate(factors) if place not in (one, two)]
            yield slip("two-factors-left-out", quantity, multiply(*kept), "",
                       factor=text(factors[one]), other=text(factors[two]))  # fmt: skip


def _instead(scene: Scene, factor: Expr) -> Iterator[tuple[str, Expr, str]]:
    """What somebody may write for a factor: the id, the wrong factor, what it is."""
    pair = split_derivative(factor.name) if isinstance(factor, Name) else None
    if pair is None or not isinstance(factor, Name):
        return
    top, bottom = pair
    for other in scene.beside(bottom) if bottom.startswith(("net_", "out_")) else ():
        sibling = _next(scene, top, bottom, other)
        if sibling is not None and top.startswith("net_") and bottom.startswith("out_"):
            yield "wrong-weight", sibling, text(scene.definition(sibling.name) or sibling)
        elif sibling is not None:
            yield ("wrong-delta" if top == scene.graph.root else "wrong-factor"), sibling, sibling.name
    if top.startswith("net_"):
        yield from instead_of_source(scene, factor, top, bottom)


def _next(scene: Scene, top: str, bottom: str, other: str) -> Name | None:
    """The same factor of a neighbour: ∂out_h2/∂net_h2 for ∂out_h1/∂net_h1, ∂net_o1/∂out_h2 for ∂net_o1/∂out_h1."""
    if top.startswith("out_") and bottom.startswith("net_"):
        top = f"out_{other.removeprefix('net_')}"
    name = derivative_name(top, other)
    return Name(name) if scene.quantity(name) is not None else None


def instead_of_source(scene: Scene, factor: Name, top: str, bottom: str) -> Iterator[tuple[str, Expr, str]]:
    """Another input or hidden output for ∂net/∂w, another weight for ∂net/∂out."""
    definition = scene.definition(factor.name)
    if not isinstance(definition, Name):
        return
    source = definition.name
    if scene.place_of(bottom) is not None:
        for other in scene.beside(source):
            yield "wrong-input", Name(other), other
        if source.startswith("out_"):
            net = f"net_{source.removeprefix('out_')}"
            yield "net-for-output", Name(net), net
            behind = scene.definition(net)
            names = dict.fromkeys(names_in(behind)) if behind is not None else ()
            fed = [name for name in names if scene.definition(name) is None and scene.place_of(name) is None]
            yield from (("wrong-input", Name(name), name) for name in fed[:MOST_INPUTS])
        yield "weight-for-input", Name(bottom), bottom
    else:
        for other in scene.next_weights(source):
            yield "wrong-weight", Name(other), other
        place = scene.place_of(source)
        transposed = scene.weight_at(place[0], place[2], place[1]) if place else None
        if transposed and transposed != source:
            yield "transposed-weights", Name(transposed), transposed
        yield "output-for-weight", Name(bottom), bottom


def _beside(scene: Scene, quantity: Quantity, factors: tuple[Expr, ...]) -> Iterator[Slip]:
    """Another path altogether: everything of the first hidden neuron replaced by that of the second."""
    pair = split_derivative(quantity.name)
    if pair is None or scene.place_of(pair[1]) is None:
        return
    for other in scene.next_weights(pair[1]):
        wrong = scene.definition(derivative_name(pair[0], other))
        if wrong is not None:
            yield slip("gradient-of-another-weight", quantity, wrong, "", right=pair[1], used=other)


# --- sums over paths -------------------------------------------------------------------------------------------------


def paths(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in a sum over several paths: hidden outputs, shared parameters, samples."""
    definition = quantity.definition
    if definition is None or has_series(definition):
        return
    terms = terms_of(definition)
    if not 1 < len(terms) <= MOST_PATHS:
        yield from chain(scene, quantity)
        return
    yield from _sign(scene, quantity)
    penalties = tuple(term for term in terms if _is_penalty(scene, term))
    data = tuple(term for term in terms if term not in penalties)
    if penalties:
        yield slip("penalty-left-out", quantity, add(*data), "all", term=text(penalties[0]))
    if len(data) > 1:
        yield from _several(scene, quantity, data, penalties)
    yield slip("product-for-sum", quantity, multiply(*terms), "all", part=text(definition))
    for place, term in enumerate(terms):
        turned = add(*exchanged(terms, place, negated(term)))
        yield slip("sign-turned", quantity, turned, "", part=text(term))
    yield from _inside(scene, quantity, terms)


def _is_penalty(scene: Scene, term: Expr) -> bool:
    """Whether a term of a gradient is that of the penalty: then it holds nothing of the way back."""
    if scene.network is None or scene.network.penalty is None:
        return False
    return not any(name.startswith("delta_") or split_derivative(name) for name in names_in(term)) or any(
        name.startswith("dE_l2/") for name in names_in(term)
    )


def _several(scene: Scene, quantity: Quantity, terms: tuple[Expr, ...], rest: tuple[Expr, ...]) -> Iterator[Slip]:
    """One path only, one left out, the mean of the paths; `rest` is added in any case."""
    one, left, mean = _ids(scene, quantity, terms)
    for place, term in enumerate(terms):
        yield slip(one, quantity, add(term, *rest), place, term=text(term))
    if len(terms) > 2:
        for place, term in enumerate(terms):
            yield slip(left, quantity, add(*without(terms, place), *rest), place, term=text(term))
    averaged = multiply(Quotient(number(1), number(len(terms))), add(*terms))
    yield slip(mean, quantity, add(averaged, *rest), "mean", count=str(len(terms)))


def _ids(scene: Scene, quantity: Quantity, terms: tuple[Expr, ...]) -> tuple[str, str, str]:
    """The ids of: one term only, one term left out, the mean, by what the terms stand for."""
    pair = split_derivative(quantity.name)
    samples = {split_sample(name)[1] for term in terms for name in names_in(term)} - {0}
    if pair and not split_sample(pair[1])[1] and len(samples) >= len(terms) > 1:
        return "one-sample-only", "sample-left-out", "samples-averaged"
    if pair and scene.place_of(pair[1]) is not None:
        return "shared-parameter-one-use", "shared-parameter-use-left-out", "shared-parameter-averaged"
    return "one-path-only", "path-left-out", "paths-averaged"


def _inside(scene: Scene, quantity: Quantity, terms: tuple[Expr, ...]) -> Iterator[Slip]:
    """Factors left out and exchanged, in one term and in all."""
    lists = [factors_of(term) for term in terms]
    for place, factors in enumerate(lists):
        for inner, factor in enumerate(factors):
            if len(factors) > 1:
                shorter = exchanged(terms, place, multiply(*without(factors, inner)))
                yield slip("factor-left-out", quantity, add(*shorter), "", factor=text(factor))
            for mistake, wrong, used in _instead_in_path(scene, factor):
                changed = exchanged(terms, place, multiply(*exchanged(factors, inner, wrong)))
                yield slip(mistake, quantity, add(*changed), "", right=text(factor), used=used)
    shortest = min(len(factors) for factors in lists)
    if shortest > 1:
        for inner in range(shortest):
            short = add(*(multiply(*without(factors, inner)) for factors in lists))
            yield slip("factor-left-out", quantity, short, ("each", inner), factor=text(lists[0][inner]))
        yield from _crossed(quantity, lists)
    transposed = _transposed(scene, terms)
    if transposed:
        wrong_sum = add(*(renamed(term, transposed) for term in terms))
        yield slip("transposed-weights", quantity, wrong_sum, "all",
                   right=next(iter(transposed)), used=next(iter(transposed.values())))  # fmt: skip


def _instead_in_path(scene: Scene, factor: Expr) -> Iterator[tuple[str, Expr, str]]:
    if not isinstance(factor, Name):
        return
    if factor.name.startswith("delta_"):
        yield from (("wrong-delta", Name(other), other) for other in scene.beside(factor.name))
    elif scene.place_of(factor.name) is not None:
        yield from (("wrong-weight", Name(other), other) for other in scene.next_weights(factor.name))
    else:
        yield from _instead(scene, factor)


def _crossed(quantity: Quantity, lists: list[tuple[Expr, ...]]) -> Iterator[Slip]:
    """δ of one path with the weight of another, all the way round; and sums multiplied instead of products summed."""
    last = [factors[-1] for factors in lists]
    turned = [multiply(*factors[:-1], last[place - 1]) for place, factors in enumerate(lists)]
    yield slip("paths-crossed", quantity, add(*turned), "all", part=text(last[0]))
    fronts = add(*(multiply(*factors[:-1]) for factors in lists))
    yield slip("product-of-sums", quantity, multiply(fronts, add(*last)), "all", part=text(add(*last)))


def _transposed(scene: Scene, terms: tuple[Expr, ...]) -> dict[str, str]:
    """For each weight in the terms the one with source and neuron exchanged."""
    names: dict[str, str] = {}
    for name in dict.fromkeys(part for term in terms for part in names_in(term)):
        place = scene.place_of(name)
        if place is None or not place[2]:
            continue
        other = scene.weight_at(place[0], place[2], place[1])
        if other is None:
            return {}
        names[name] = other
    return {} if all(name == other for name, other in names.items()) else names


def factors_left_out(quantity: Quantity, factors: tuple[Expr, ...]) -> Iterator[Slip]:
    for place, factor in enumerate(factors):
        if len(factors) > 1:
            yield slip("factor-left-out", quantity, multiply(*without(factors, place)), "", factor=text(factor))
