"""Slips in a loss and in its derivative.

The formulas are texts in t (target), o (output) and n (the number of outputs), as in the catalogue of losses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.calculus.loss_terms import LossTerms
from derive.catalogue.losses import LOSSES
from derive.check.mistakes.activations import general
from derive.check.mistakes.scene import Scene, Slip, slip
from derive.check.mistakes.trees import (
    MOST_TERMS,
    factors_of,
    negated,
    renamed,
    text,
    variants,
)
from derive.derivation.chain_rule import Quantity, split_derivative
from derive.derivation.graph import Node, sample_suffix, split_sample
from derive.derivation.loss import LossGraph
from derive.derivation.network import NetworkGraph
from derive.formula.expression import (
    ONE,
    TWO,
    Call,
    Expr,
    Name,
    Product,
    Quotient,
    Sum,
    add,
    multiply,
    names_in,
)

_SQUARED = (
    ("square-left-out", "t - o"),
    ("square-left-out", "o - t"),
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
_HALF = (*_SQUARED, ("half-left-out", "(t - o)^2"))
_WHOLE = (*_SQUARED, ("half-too-many", "1/2*(t - o)^2"))
_CROSS = (
    ("logarithm-to-base-2", "-t*ln(o)/ln(2)"),
    ("logarithm-to-base-10", "-t*ln(o)/ln(10)"),
    ("sign-lost", "t*ln(o)"),
    ("target-and-output-exchanged", "-o*ln(t)"),
    ("logarithm-of-the-rest", "-t*ln(1 - o)"),
    ("logarithm-left-out", "-t*o"),
    ("logarithm-left-out", "t*(1 - o)"),
    ("target-left-out", "-ln(o)"),
    ("output-in-front", "-o*ln(o)"),
    ("squared-error-for-cross-entropy", "1/2*(t - o)^2"),
    ("squared-error-for-cross-entropy", "(t - o)^2"),
    ("binary-for-categorical", "-(t*ln(o) + (1 - t)*ln(1 - o))"),
)
VALUES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "half-squared-error": _HALF,
    "squared-error": _WHOLE,
    "mean-squared-error": (
        ("square-left-out", "1/n*(t - o)"),
        ("square-left-out", "1/n*(o - t)"),
        ("difference-of-squares", "1/n*(o^2 - t^2)"),
        ("absolute-for-square", "1/n*abs(t - o)"),
        ("difference-of-squares", "1/n*(t^2 - o^2)"),
        ("plus-for-minus", "1/n*(t + o)^2"),
        ("mean-squared-twice", "1/n^2*(t - o)^2"),
        ("two-too-many", "2/n*(t - o)^2"),
        ("half-too-many", "1/2*(1/n*(t - o)^2)"),
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
        ("logarithm-to-base-2", "-(t*ln(o) + (1 - t)*ln(1 - o))/ln(2)"),
        ("logarithm-of-the-rest", "-(t*ln(o) + (1 - t)*ln(o))"),
        ("logarithm-left-out", "-(t*o + (1 - t)*(1 - o))"),
        ("half-too-many", "-1/2*(t*ln(o) + (1 - t)*ln(1 - o))"),
        ("target-left-out", "-(ln(o) + ln(1 - o))"),
        ("squared-error-for-cross-entropy", "1/2*(t - o)^2"),
        ("squared-error-for-cross-entropy", "(t - o)^2"),
    ),
}  # fmt: skip

_SQUARED_SLOPES = (
    ("target-left-out", "o"),
    ("output-left-out", "-t"),
    ("loss-for-slope", "1/2*(o - t)^2"),
    ("loss-for-slope", "(o - t)^2"),
    ("plus-for-minus", "o + t"),
)
SLOPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "half-squared-error": _SQUARED_SLOPES,
    "squared-error": (
        *_SQUARED_SLOPES, ("plus-for-minus", "2*(o + t)"), ("target-left-out", "2*o"), ("output-left-out", "-2*t"),
    ),
    "mean-squared-error": (
        ("factor-left-out", "o - t"),
        ("factor-left-out", "2*(o - t)"),
        ("target-left-out", "2/n*o"),
        ("output-left-out", "-2/n*t"),
        ("plus-for-minus", "2/n*(o + t)"),
        ("loss-for-slope", "1/n*(o - t)^2"),
        ("loss-for-slope", "(o - t)^2"),
    ),
    "cross-entropy": (
        ("target-left-out", "-1/o"),
        ("cancelled-form", "o - t"),
        ("squared-error-for-cross-entropy", "2*(o - t)"),
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


OTHER_VALUES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "mean-absolute-error": (("absolute-value-left-out", "1/n*(o - t)"),),
}
OTHER_SLOPES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "mean-absolute-error": (
        ("difference-for-sign", "1/n*(o - t)"),
        ("error-without-sign", "1/n"),
    ),
    "huber": (
        ("error-without-sign", "abs(o - t) if abs(o - t) <= delta else delta"),
        ("error-without-sign", "abs(o - t)"),
        ("error-without-sign", "o - t if abs(o - t) <= delta else delta"),
        ("factor-left-out", "o - t if abs(o - t) <= delta else 1 if o > t else -1"),
    ),
    "hinge": (
        ("value-for-slope", "-t*o if t*o < 1 else 0"),
        ("own-value-for-slope", "-o if t*o < 1 else 0"),
        ("target-left-out", "-1 if t*o < 1 else 0"),
    ),
    "squared-hinge": (
        ("inner-derivative-left-out", "2*max(0, 1 - t*o)"),
        ("target-left-out", "-2*max(0, 1 - t*o)"),
        ("own-value-for-slope", "-2*o*max(0, 1 - t*o)"),
    ),
}
"""Slips of losses of which every general slip is tried as well."""

TAKEN_FOR: Mapping[str, str] = {
    "hinge": "squared-hinge", "squared-hinge": "hinge", "mean-absolute-error": "mean-squared-error",
    "mean-squared-error": "mean-absolute-error",
}  # fmt: skip
"""What somebody may take for a loss."""


IN_FRONT: Mapping[str, str] = {"half-squared-error": "1/2", "squared-error": "1", "mean-squared-error": "1/n"}
"""What stands in front of the sum of the squared differences."""


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
        yield slip("half-too-many", quantity, scaled_half(quantity.definition), "all", part=text(quantity.definition))
        yield from _table(quantity, terms, position, OTHER_VALUES)
    if other := TAKEN_FOR.get(terms.loss.name):
        yield slip("another-loss", quantity, terms.of(LOSSES[other].part, position), "all",
                   used=LOSSES[other].title, right=terms.loss.title)  # fmt: skip
    yield slip("root-taken", quantity, Call("sqrt", (quantity.definition,)), "all", **_words("", quantity.definition))
    yield from _of_another_output(scene, quantity, terms, position)


def _table(
    quantity: Quantity, terms: LossTerms, position: int, table: Mapping[str, tuple[tuple[str, str], ...]]
) -> Iterator[Slip]:
    """The slips of a table at one output."""
    assert quantity.definition is not None
    for mistake, formula_text in table.get(terms.loss.name, ()):
        wrong = terms.of(formula_text, position)
        words = _words(formula_text, quantity.definition) | {"name": text(terms.outputs[position - 1])}
        yield slip(mistake, quantity, wrong, formula_text, **words | {"part": text(wrong)})


_FACTORS = {"o - t": "2/n", "o - t if abs(o - t) <= delta else 1 if o > t else -1": "delta"}
"""What was left out of a slope."""


def _words(formula_text: str, definition: Expr) -> dict[str, str]:
    part = text(definition)
    factor = _FACTORS.get(formula_text, "1/n")
    return {"part": part, "formula": formula_text, "term": part, "factor": factor, "divisor": "o"}


def _of_another_output(scene: Scene, quantity: Quantity, terms: LossTerms, position: int) -> Iterator[Slip]:
    """The target of the output beside."""
    assert quantity.definition is not None
    own, output = terms.targets[position - 1], terms.outputs[position - 1]
    if terms.loss.whole:
        return
    if isinstance(output, Name) and not split_derivative(quantity.name):
        for used in scene.beside(output.name):
            wrong = renamed(quantity.definition, {output.name: used})
            yield slip("wrong-input", quantity, wrong, "", right=output.name, used=used)
    if not isinstance(own, Name):
        return
    for place, other in enumerate(terms.targets, 1):
        if place != position and abs(place - position) <= 1 and isinstance(other, Name):
            wrong = renamed(quantity.definition, {own.name: other.name})
            yield slip("wrong-target", quantity, wrong, place - position, right=own.name, used=other.name)
    head, sample = split_sample(own.name)
    count = scene.network.samples if scene.network is not None else 1
    for beside in (sample + 1, sample - 1) if sample else ():
        if 1 <= beside <= count:
            used = f"{head}[{beside}]"
            wrong = renamed(quantity.definition, {own.name: used})
            yield slip("wrong-target", quantity, wrong, "", right=own.name, used=used)


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
    for mistake, formula_text in _slopes(terms):
        wrong = terms.of(formula_text, position)
        yield slip(mistake, quantity, wrong, formula_text, **_words(formula_text, definition))
    if terms.loss.name not in SLOPES:
        for each, wrong, words in variants(definition):
            yield slip(each, quantity, wrong, (each, "slope"), **words)
        if terms.loss.part:
            yield slip("loss-for-slope", quantity, terms.part(position), "part")
        yield from _table(quantity, terms, position, OTHER_SLOPES)
    if other := TAKEN_FOR.get(terms.loss.name):
        yield slip("another-loss", quantity, terms.of(LOSSES[other].derivative, position), "all",
                   used=LOSSES[other].title, right=terms.loss.title)  # fmt: skip
    yield from _of_another_output(scene, quantity, terms, position)
    own = Name(pair[1])
    for other in scene.beside(own.name) if own in set(_names(definition)) else ():
        yield slip("wrong-input", quantity, renamed(definition, {own.name: other}), "", right=own.name, used=other)
    if 1 < len(terms.outputs) <= MOST_TERMS and terms.loss.name in IN_FRONT:
        every = add(*(terms.of(terms.loss.derivative, place) for place in range(1, len(terms.outputs) + 1)))
        yield slip("errors-of-all-outputs", quantity, every, "all", output=own.name)
    if terms.loss.name in IN_FRONT:
        error = terms.of("abs(o - t)", position)
        yield slip("error-without-sign", quantity, multiply(*_outer(definition), error), "all", part=text(error))


def _slopes(terms: LossTerms) -> Iterator[tuple[str, str]]:
    """The slips of the table; of one output 2/n is the 2 alone, of which other slips tell better."""
    for mistake, formula_text in SLOPES.get(terms.loss.name, ()):
        if len(terms.outputs) > 1 or (mistake, formula_text) != ("factor-left-out", "o - t"):
            yield mistake, formula_text


def _names(definition: Expr) -> tuple[Expr, ...]:
    return tuple(map(Name, names_in(definition)))


def _outer(definition: Expr) -> tuple[Expr, ...]:
    """The factors in front of a difference."""
    return tuple(factor for factor in factors_of(definition) if not isinstance(factor, Sum))


def scaled_half(definition: Expr) -> Expr:
    return multiply(Quotient(ONE, TWO), definition)


def _position(terms: LossTerms, output: str) -> int | None:
    return next((place for place, out in enumerate(terms.outputs, 1) if out == Name(output)), None)
