"""Slips in a sum over paths: hidden outputs, the uses of a shared parameter, samples, a penalty beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive.check.mistakes.chain import chain, instead, sign, without_slope, words
from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import exchanged, factors_of, has_series, negated, renamed, terms_of, text, without
from derive.derivation.chain_rule import Quantity, split_derivative
from derive.derivation.graph import sample_suffix, split_sample
from derive.formula.expression import (
    TWO,
    Call,
    Expr,
    Name,
    Product,
    Quotient,
    add,
    multiply,
    names_in,
    number,
)

MOST_PATHS = 12


def paths(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in a sum over several paths: hidden outputs, shared parameters, samples."""
    definition = quantity.definition
    if definition is None or has_series(definition):
        return
    terms = terms_of(definition)
    if not 1 < len(terms) <= MOST_PATHS:
        yield from chain(scene, quantity)
        return
    yield from sign(scene, quantity)
    penalties = tuple(term for term in terms if _is_penalty(scene, term))
    data = tuple(term for term in terms if term not in penalties)
    for term in penalties[:1]:
        yield slip("penalty-left-out", quantity, add(*data), "all", term=text(term))
        for mistake, wrong in penalty_slips(term):
            yield slip(mistake, quantity, add(*data, wrong), "all", part=text(term), factor=text(term))
    if len(data) > 1:
        yield from _several(scene, quantity, data, penalties)
        yield from _of_bias(scene, quantity, data)
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


def _of_bias(scene: Scene, quantity: Quantity, terms: tuple[Expr, ...]) -> Iterator[Slip]:
    """The bias as a factor of its gradient, or what the bias itself is multiplied by alone."""
    pair = split_derivative(quantity.name)
    if pair is None or (place := scene.place_of(pair[1])) is None or place[2]:
        return
    yield slip("bias-for-its-slope", quantity, multiply(Name(pair[1]), add(*terms)), "all", bias=pair[1])
    yield slip("bias-slope-zero", quantity, number(0), "all", bias=pair[1])
    yield slip("upstream-left-out", quantity, number(1), "all", factor="1")


def penalty_slips(term: Expr) -> Iterator[tuple[str, Expr]]:
    """What somebody may write for the derivative of a penalty, strength times weight."""
    factors = factors_of(term)
    weight, strength = factors[-1], multiply(*factors[:-1]) if len(factors) > 1 else number(1)
    yield "two-too-many", multiply(TWO, *factors)
    yield "half-too-many", multiply(Quotient(number(1), TWO), *factors)
    yield "penalty-without-strength", weight
    yield "penalty-not-differentiated", multiply(*factors, weight)
    yield "penalty-not-differentiated", multiply(Quotient(number(1), TWO), *factors, weight)
    yield "sign-for-weight", multiply(strength, Quotient(weight, Call("abs", (weight,))))
    yield "factor-left-out", strength


def _several(scene: Scene, quantity: Quantity, terms: tuple[Expr, ...], rest: tuple[Expr, ...]) -> Iterator[Slip]:
    """One path only, one left out, the mean of the paths; `rest` is added in any case."""
    one, left, mean = _ids(scene, quantity, terms)
    for place, term in enumerate(terms):
        yield slip(one, quantity, add(term, *rest), place, term=text(term))
    if len(terms) > 2:
        for place, term in enumerate(terms):
            yield slip(left, quantity, add(*without(terms, place), *rest), place, term=text(term))
    if one == "one-sample-only" and scene.is_mean:
        yield from _undivided(quantity, terms, rest)
    averaged = multiply(Quotient(number(1), number(len(terms))), add(*terms))
    yield slip(mean, quantity, add(averaged, *rest), "mean", count=str(len(terms)))


def _undivided(quantity: Quantity, terms: tuple[Expr, ...], rest: tuple[Expr, ...]) -> Iterator[Slip]:
    """Of a mean over samples one alone, or all but one, divided by how many these are; and a wrong count."""
    count = len(terms)
    for place, term in enumerate(terms):
        alone = add(multiply(number(count), term), *rest)
        yield slip("one-sample-only", quantity, alone, (place, "alone"), term=text(term))
    more = Quotient(number(count), number(count - 1))
    for place, term in enumerate(terms) if count > 2 else ():
        left = add(multiply(more, add(*without(terms, place))), *rest)
        yield slip("sample-left-out", quantity, left, (place, "alone"), term=text(term))
    if count > 2:
        wrong = add(multiply(more, add(*terms)), *rest)
        yield slip("mean-over-wrong-count", quantity, wrong, "count", count=str(count), used=str(count - 1))


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
    pair = split_derivative(quantity.name)
    parameter = pair[1] if pair and scene.place_of(pair[1]) is not None else ""
    for place, factors in enumerate(lists):
        for inner, factor in enumerate(factors):
            if len(factors) > 1:
                shorter = exchanged(terms, place, multiply(*without(factors, inner)))
                yield slip("factor-left-out", quantity, add(*shorter), "", factor=text(factor))
            for mistake, wrong, used in _instead_in_path(scene, factor, parameter if len(factors) > 1 else ""):
                changed = exchanged(terms, place, multiply(*exchanged(factors, inner, wrong)))
                yield slip(mistake, quantity, add(*changed), "", **words(scene, factor, used))
    if min(len(factors) for factors in lists) > 1:
        yield from _in_each(scene, quantity, terms, parameter)
        yield from _crossed(quantity, lists)
    transposed = _transposed(scene, terms)
    if transposed:
        wrong_sum = add(*(renamed(term, transposed) for term in terms))
        yield slip("transposed-weights", quantity, wrong_sum, "all",
                   right=next(iter(transposed)), used=next(iter(transposed.values())))  # fmt: skip


def _in_each(scene: Scene, quantity: Quantity, terms: tuple[Expr, ...], parameter: str) -> Iterator[Slip]:
    """The same done to every term: a factor left out or twice, another one in its place, a sum or a quotient."""
    rest = tuple(term for term in terms if _is_penalty(scene, term))
    lists = [factors_of(term) for term in terms if term not in rest]
    for inner in range(min(len(factors) for factors in lists)):
        factor = lists[0][inner]
        short = add(*(multiply(*without(factors, inner)) for factors in lists), *rest)
        yield slip("factor-left-out", quantity, short, ("each", inner), factor=text(factor))
        twice = add(*(multiply(*factors, factors[inner]) for factors in lists), *rest)
        yield slip("factor-used-twice", quantity, twice, ("each", inner), factor=text(factor))
        ways = [_counted(_instead_in_path(scene, factors[inner], parameter)) for factors in lists]
        for (mistake, which), (_, used) in ways[0].items() if len(lists) > 1 else ():
            if all((mistake, which) in way for way in ways):
                wrong = (multiply(*exchanged(factors, inner, way[mistake, which][0]))
                         for factors, way in zip(lists, ways, strict=True))  # fmt: skip
                yield slip(mistake, quantity, add(*wrong, *rest), "", **words(scene, factor, used))
    if parameter:
        yield slip("sum-for-product", quantity, add(*(add(*factors) for factors in lists), *rest), "each",
                   part=text(Product(lists[0])))  # fmt: skip
        divided = (Quotient(multiply(*factors[:-1]), factors[-1]) for factors in lists)
        yield slip("division-for-product", quantity, add(*divided, *rest), "each", factor=text(lists[0][-1]))


def _counted(ways: Iterable[tuple[str, Expr, str]]) -> dict[tuple[str, int], tuple[Expr, str]]:
    """By the id of a mistake and which one of that id it is."""
    found: dict[tuple[str, int], tuple[Expr, str]] = {}
    for mistake, wrong, used in ways:
        found[mistake, sum(1 for known, _ in found if known == mistake)] = wrong, used
    return found


def _instead_in_path(scene: Scene, factor: Expr, parameter: str = "") -> Iterator[tuple[str, Expr, str]]:
    """What somebody may write for a factor of one path; `parameter` is the one that the gradient is of, if any."""
    if not isinstance(factor, Name):
        return
    if factor.name.startswith("delta_"):
        yield from (("wrong-delta", Name(other), other) for other in scene.beside(factor.name))
        yield from without_slope(scene, scene.graph.root or "", f"net_{factor.name.removeprefix('delta_')}")
    elif scene.place_of(factor.name) is not None:
        yield from _of_weight(scene, factor.name)
        yield from (("wrong-weight", Name(other), other) for other in scene.next_weights(factor.name))
    elif parameter and not split_derivative(factor.name):
        yield from _of_source(scene, factor.name, parameter)
    else:
        yield from instead(scene, factor)


def _of_weight(scene: Scene, weight: str) -> Iterator[tuple[str, Expr, str]]:
    """On the way back: the hidden output for the weight behind it, the weights into the same hidden neuron."""
    place = scene.place_of(weight)
    if scene.network is None or place is None or place[0] < 2 or not place[2]:
        return
    hidden = f"out_{scene.network.layers[place[0] - 2].neurons[place[2] - 1]}"
    if scene.network.samples == 1:
        yield "output-for-weight", Name(hidden), hidden
    same = scene.weight_at(place[0] - 1, place[2], place[1])
    into = dict.fromkeys((*((same,) if same else ()), *scene.weights_into(hidden)))
    yield from (("wrong-weight", Name(other), other) for other in into)


def _of_source(scene: Scene, source: str, weight: str) -> Iterator[tuple[str, Expr, str]]:
    """In a gradient: another input or hidden output, that of another sample, the weight itself, the net input."""
    head, sample = split_sample(source)
    yield from (("wrong-input", Name(other), other) for other in scene.beside(source))
    yield "weight-for-input", Name(weight), weight
    if head.startswith("out_"):
        net = f"net_{source.removeprefix('out_')}"
        yield "net-for-output", Name(net), net
        place = scene.place_of(weight)
        if scene.network is not None and place is not None and len(scene.network.inputs) >= place[2] > 0:
            given = f"{scene.network.inputs[place[2] - 1]}{sample_suffix(sample)}"
            yield "wrong-input", Name(given), given
    count = scene.network.samples if scene.network is not None else 1
    for other in (sample + 1, sample - 1) if sample else ():
        if 1 <= other <= count:
            yield "wrong-input", Name(f"{head}[{other}]"), f"{head}[{other}]"


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
