"""Slips in a loss, in its derivative, in the sum over outputs and samples, and in the penalty.

The formulas are texts in t (target), o (output) and n (the number of outputs), as in the catalogue of losses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.calculus.loss_terms import LossTerms
from derive.check.mistakes.activations import general
from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import (
    factors_of,
    has_series,
    negated,
    renamed,
    scaled,
    terms_of,
    text,
    variants,
    without,
)
from derive.derivation.chain_rule import Quantity, split_derivative
from derive.derivation.graph import Node, sample_suffix, split_sample
from derive.derivation.loss import LossGraph
from derive.derivation.network import NetworkGraph
from derive.formula.expression import (
    ONE,
    TWO,
    ZERO,
    Call,
    Expr,
    Name,
    Power,
    Product,
    Quotient,
    Sum,
    add,
    multiply,
    number,
)

_SQUARED = (
    ("square-left-out", "t - o"),
    ("square-left-out", "1/2*(t - o)"),
    ("absolute-for-square", "abs(t - o)"),
    ("difference-of-squares", "1/2*(t^2 - o^2)"),
    ("difference-of-squares", "t^2 - o^2"),
    ("plus-for-minus", "1/2*(t + o)^2"),
    ("plus-for-minus", "(t + o)^2"),
    ("two-for-half", "2*(t - o)^2"),
    ("fraction-bar-lost", "12*(t - o)^2"),
    ("half-squared", "(1/2*(t - o))^2"),
    ("sign-turned", "-1/2*(t - o)^2"),
    ("target-left-out", "1/2*o^2"),
)
_CROSS = (
    ("logarithm-to-base-10", "-t*ln(o)/ln(10)"),
    ("sign-lost", "t*ln(o)"),
    ("target-and-output-exchanged", "-o*ln(t)"),
    ("logarithm-of-the-rest", "-t*ln(1 - o)"),
    ("logarithm-left-out", "-t*o"),
    ("target-left-out", "-ln(o)"),
    ("output-in-front", "-o*ln(o)"),
    ("squared-error-for-cross-entropy", "1/2*(t - o)^2"),
    ("squared-error-for-cross-entropy", "(t - o)^2"),
    ("binary-for-categorical", "-(t*ln(o) + (1 - t)*ln(1 - o))"),
)
VALUES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "half-squared-error": _SQUARED,
    "squared-error": _SQUARED,
    "mean-squared-error": (
        ("square-left-out", "1/n*(t - o)"),
        ("absolute-for-square", "1/n*abs(t - o)"),
        ("difference-of-squares", "1/n*(t^2 - o^2)"),
        ("plus-for-minus", "1/n*(t + o)^2"),
        ("mean-squared-twice", "1/n^2*(t - o)^2"),
        ("two-too-many", "2/n*(t - o)^2"),
        ("mean-over-wrong-count", "1/(n - 1)*(t - o)^2"),
    ),
    "cross-entropy": _CROSS,
    "kullback-leibler": (
        ("logarithm-to-base-10", "t*ln(t/o)/ln(10)"),
        ("sign-turned", "-t*ln(t/o)"),
        ("fraction-turned-round", "t*ln(o/t)"),
        ("target-and-output-exchanged", "o*ln(o/t)"),
        ("term-left-out", "-t*ln(o)"),
        ("logarithm-left-out", "t*(t/o)"),
        ("target-left-out", "ln(t/o)"),
    ),
    "binary-cross-entropy": (
        ("second-term-left-out", "-t*ln(o)"),
        ("first-term-left-out", "-(1 - t)*ln(1 - o)"),
        ("sign-lost", "t*ln(o) + (1 - t)*ln(1 - o)"),
        ("sign-turned", "-(t*ln(o) - (1 - t)*ln(1 - o))"),
        ("brackets-left-out", "-t*ln(o) + (1 - t)*ln(1 - o)"),
        ("terms-exchanged", "-(t*ln(1 - o) + (1 - t)*ln(o))"),
        ("target-and-output-exchanged", "-(o*ln(t) + (1 - o)*ln(1 - t))"),
        ("logarithm-to-base-10", "-(t*ln(o) + (1 - t)*ln(1 - o))/ln(10)"),
        ("logarithm-of-the-rest", "-(t*ln(o) + (1 - t)*ln(o))"),
        ("logarithm-left-out", "-(t*o + (1 - t)*(1 - o))"),
        ("half-too-many", "-1/2*(t*ln(o) + (1 - t)*ln(1 - o))"),
        ("squared-error-for-cross-entropy", "1/2*(t - o)^2"),
        ("squared-error-for-cross-entropy", "(t - o)^2"),
    ),
}  # fmt: skip

_SQUARED_SLOPES = (
    ("target-left-out", "o"),
    ("loss-for-slope", "1/2*(o - t)^2"),
    ("loss-for-slope", "(o - t)^2"),
    ("plus-for-minus", "o + t"),
)
SLOPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "half-squared-error": _SQUARED_SLOPES,
    "squared-error": (*_SQUARED_SLOPES, ("plus-for-minus", "2*(o + t)"), ("target-left-out", "2*o")),
    "mean-squared-error": (
        ("factor-left-out", "o - t"),
        ("factor-left-out", "2*(o - t)"),
        ("factor-left-out", "1/n*(o - t)"),
        ("target-left-out", "2/n*o"),
        ("plus-for-minus", "2/n*(o + t)"),
        ("loss-for-slope", "1/n*(o - t)^2"),
        ("loss-for-slope", "(o - t)^2"),
    ),
    "cross-entropy": (
        ("target-left-out", "-1/o"),
        ("cancelled-form", "o - t"),
        ("loss-for-slope", "-t*ln(o)"),
        ("loss-for-slope", "t*ln(o)"),
        ("divisor-left-out", "-t"),
        ("fraction-turned-round", "-o/t"),
        ("product-for-division", "-t*o"),
        ("binary-for-categorical", "(o - t)/(o*(1 - o))"),
    ),
    "binary-cross-entropy": (
        ("cancelled-form", "o - t"),
        ("second-term-left-out", "-t/o"),
        ("first-term-left-out", "(1 - t)/(1 - o)"),
        ("sign-turned", "-t/o - (1 - t)/(1 - o)"),
        ("divisor-left-out", "(o - t)/o"),
        ("divisor-left-out", "(o - t)/(1 - o)"),
        ("product-for-division", "(o - t)*o*(1 - o)"),
        ("terms-exchanged", "-t/(1 - o) + (1 - t)/o"),
        ("terms-exchanged", "-(1 - t)/o + t/(1 - o)"),
    ),
}  # fmt: skip


def terms_at(scene: Scene, node: Node) -> tuple[LossTerms, int] | None:
    """The loss of the sample that a node belongs to, and the position of its output."""
    graph = scene.graph
    if isinstance(graph, NetworkGraph):
        suffix = sample_suffix(node.sample)
        network = graph.network
        targets = [Name(target + suffix) for target in network.targets]
        outputs = [Name(f"out_{neuron}{suffix}") for neuron in network.layers[-1].neurons]
        return LossTerms(network.loss, targets, outputs, node.name), max(node.position, 1)
    if isinstance(graph, LossGraph):
        head, sample = split_sample(node.name)
        place = head.removeprefix("E_o")
        return graph.terms(sample_suffix(sample)), int(place) if place.isascii() and place.isdigit() else 1
    return None


def loss(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in the loss of a sample, or in what one output contributes."""
    found = terms_at(scene, quantity.node) if quantity.node else None
    if found is None or quantity.definition is None:
        yield from general(scene, quantity)
        return
    terms, position = found
    for mistake, formula_text in VALUES.get(terms.loss.name, ()):
        wrong = terms.of(formula_text, position)
        yield slip(mistake, quantity, wrong, formula_text, **_words(formula_text, quantity.definition))
    if terms.loss.name not in VALUES:
        for mistake, wrong, words in variants(quantity.definition):
            yield slip(mistake, quantity, wrong, (mistake, "loss"), **words)
    yield slip("root-taken", quantity, Call("sqrt", (quantity.definition,)), "all", **_words("", quantity.definition))
    yield from _of_another_output(scene, quantity, terms, position)


def _words(formula_text: str, definition: Expr) -> dict[str, str]:
    part = text(definition)
    return {"part": part, "formula": formula_text, "term": part, "factor": "1/n", "divisor": "o"}


def _of_another_output(scene: Scene, quantity: Quantity, terms: LossTerms, position: int) -> Iterator[Slip]:
    """The target of the output beside."""
    assert quantity.definition is not None
    own = terms.targets[position - 1]
    if not isinstance(own, Name) or terms.loss.whole:
        return
    for place, other in enumerate(terms.targets, 1):
        if place != position and abs(place - position) <= 1 and isinstance(other, Name):
            wrong = renamed(quantity.definition, {own.name: other.name})
            yield slip("wrong-target", quantity, wrong, place - position, right=own.name, used=other.name)


def slope(scene: Scene, quantity: Quantity) -> Iterator[Slip]:
    """Slips in the derivative of a loss with respect to an output."""
    pair, definition = split_derivative(quantity.name), quantity.definition
    found = terms_at(scene, quantity.node) if quantity.node else None
    if pair is None or definition is None:
        return
    squared = isinstance(definition, Sum | Product) and "squared" in (found[0].loss.name if found else "")
    mistake = "target-minus-output" if squared else "sign-lost" if scene.is_negative(quantity.name) else "sign-turned"
    yield slip(mistake, quantity, negated(definition), "all", part=text(definition))
    yield slip("two-too-many", quantity, multiply(TWO, definition), "all", part=text(definition))
    yield slip("half-too-many", quantity, scaled_half(definition), "all", part=text(definition))
    if found is None:
        return
    terms, _ = found
    position = _position(terms, pair[1])
    if position is None:
        yield from general(scene, quantity)
        return
    for mistake, formula_text in SLOPES.get(terms.loss.name, ()):
        wrong = terms.of(formula_text, position)
        yield slip(mistake, quantity, wrong, formula_text, **_words(formula_text, definition))
    if terms.loss.name not in SLOPES:
        for each, wrong, words in variants(definition):
            yield slip(each, quantity, wrong, (each, "slope"), **words)
    yield from _of_another_output(scene, quantity, terms, position)


def scaled_half(definition: Expr) -> Expr:
    return multiply(Quotient(ONE, TWO), definition)


def _position(terms: LossTerms, output: str) -> int | None:
    return next((place for place, out in enumerate(terms.outputs, 1) if out == Name(output)), None)


# --- sums of parts and of samples ------------------------------------------------------------------------------------


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
    for place, term in enumerate(terms):
        yield slip("one-part-only", quantity, multiply(*outer, term), place, term=text(term))
        yield slip("one-part-only", quantity, term, ("alone", place), term=text(term))
        if count > 2:
            yield slip("part-left-out", quantity, multiply(*outer, add(*without(terms, place))), place, term=text(term))
    yield slip("product-for-sum", quantity, multiply(*outer, *terms), "all", part=part)
    yield slip("root-taken", quantity, Call("sqrt", (definition,)), "all", part=part)
    for wrong_count in (count - 1, count + 1, 2 * count):
        if wrong_count > 1 or outer:
            wrong = multiply(Quotient(ONE, number(wrong_count)), inner)
            yield slip("mean-over-wrong-count", quantity, wrong, wrong_count, count=str(count), used=str(wrong_count))


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
    yield slip("sign-turned", quantity, negated(definition), "all", part=text(definition))
    network = scene.network
    if network is not None and network.penalty is not None:
        yield slip("factor-left-out", quantity, network.penalty.strength, "all", factor=pair[1])
