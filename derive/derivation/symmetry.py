"""Hidden neurons with equal weights stay equal: shown on the trees of a 2-2-1 network, and with numbers."""

from __future__ import annotations

from dataclasses import dataclass

from derive.derivation.chain_rule import Derivation, derivative_name, split_derivative
from derive.formula.expression import Expr, Name, multiply, replace_names

EQUAL_WEIGHTS = {"w3": "w1", "w4": "w2", "w6": "w5"}
"""The second hidden neuron has the weights of the first, on the way in and on the way out."""

PAIRS = (
    ("net_h1", "net_h2"),
    ("out_h1", "out_h2"),
    ("dE/dw5", "dE/dw6"),
    ("dE/dout_h1", "dE/dout_h2"),
    ("dE/dnet_h1", "dE/dnet_h2"),
    ("dE/dw1", "dE/dw3"),
    ("dE/dw2", "dE/dw4"),
    ("w1_new", "w3_new"),
    ("w2_new", "w4_new"),
    ("w5_new", "w6_new"),
)

TEXT = """
title = "Equal weights"
inputs = [0.05, 0.10]
targets = [0.01]
[[layers]]
neurons = ["h1", "h2"]
activation = "sigmoid"
weights = [[{c}, {c}], [{c}, {c}]]
bias = {c}
[[layers]]
neurons = ["o1"]
activation = "sigmoid"
weights = [[{c}, {c}]]
bias = {c}
[update]
learning_rate = 0.5
steps = 2
"""
"""The network of the worked 2-2-1 example, with one number for every parameter."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A quantity of the first hidden neuron and the same of the second.

    `left` and `right` are their definitions; `renamed` is `right` with the equal quantities found so far in place of
    their partners, and is the same tree as `left` where the two are equal.
    """

    first: str
    second: str
    left: Expr
    right: Expr
    renamed: Expr

    @property
    def equal(self) -> bool:
        return self.left == self.renamed


def pairs(derivation: Derivation, equal: dict[str, str] | None = None) -> list[Pair]:
    """Each quantity of one hidden neuron beside that of the other, in an order in which each needs only those above."""
    partner = dict(EQUAL_WEIGHTS if equal is None else equal)
    found = []
    for first, second in PAIRS:
        left, right = _definition(derivation, first), _definition(derivation, second)
        renamed = replace_names(right, {name: Name(other) for name, other in partner.items()})
        pair = Pair(first, second, left, right, renamed)
        if pair.equal:
            partner[second] = first
        found.append(pair)
    return found


def _definition(derivation: Derivation, name: str) -> Expr:
    """The definition; of a derivative of the loss its last link: dE/dw1 = dE/dnet_h1 · x1."""
    pair = split_derivative(name)
    if pair:
        (over,) = derivation.graph.children(pair[1])
        link = _definition_of(derivation, derivative_name(over, pair[1]))
        return multiply(Name(derivative_name(pair[0], over)), link)
    return _definition_of(derivation, name)


def _definition_of(derivation: Derivation, name: str) -> Expr:
    definition = derivation.quantity(name).definition
    assert definition is not None
    return definition
