"""Layers without a non-linear activation collapse into one: which linear function they are, and what it cannot fit."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod

import sympy

from derive.calculus.sympy_trees import to_sympy
from derive.derivation.graph import sample_suffix
from derive.derivation.network import NetworkGraph
from derive.formula.expression import ONE, Expr, Name, Product, add, multiply
from derive.problem.model import Layer

MOST_PARAMETERS = 200
MOST_TERMS = 500
"""An entry of the one layer that adds up more products of weights is not written out."""


@dataclass(frozen=True, slots=True)
class Collapse:
    """An output of a stack of linear layers: `composed` layer by layer, `collapsed` into one linear function."""

    output: str
    composed: Expr
    collapsed: Expr


@dataclass(frozen=True, slots=True)
class _Linear:
    """Σ coefficients[i] · input i + constant; each part is a list of products of parameters."""

    coefficients: tuple[tuple[Expr, ...], ...]
    constant: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why no linear function passes through all samples.

    With these multipliers the rows (inputs, 1) of the samples add up to zero, the targets of one output to `rest` ≠ 0.
    """

    target: str
    multipliers: tuple[Fraction, ...]
    targets: tuple[Fraction, ...]
    rest: Fraction


def collapse(graph: NetworkGraph) -> list[Collapse]:
    """The linear function of each output; empty unless there are two layers or more and every activation is linear."""
    network = graph.network
    if not graph.is_linear or len(network.layers) < 2 or network.parameter_count() > MOST_PARAMETERS:
        return []
    if prod(network.sizes()[1:-1]) > MOST_TERMS:
        return []
    size = len(network.inputs)
    forms = [_Linear(tuple((ONE,) if i == k else () for i in range(size)), ()) for k in range(size)]
    trees: list[Expr] = [Name(name) for name in network.inputs]
    for layer in network.layers:
        neurons = range(len(layer.neurons))
        forms = [_combined(layer, position, forms) for position in neurons]
        trees = [_net(layer, position, trees) for position in neurons]
    found = [
        Collapse(f"out_{neuron}", tree, _written(form, network.inputs))
        for neuron, tree, form in zip(network.layers[-1].neurons, trees, forms, strict=True)
    ]
    assert all(sympy.expand(to_sympy(one.composed) - to_sympy(one.collapsed)) == 0 for one in found)
    return found


def _net(layer: Layer, position: int, sources: list[Expr]) -> Expr:
    names = [layer.weights.name(position, source) for source in range(len(sources))]
    terms = [multiply(Name(name), value) for name, value in zip(names, sources, strict=True) if name]
    return add(*terms, *_bias(layer, position))


def _bias(layer: Layer, position: int) -> tuple[Expr, ...]:
    bias = layer.biases[position]
    return (multiply(Name(bias), layer.bias_input),) if bias else ()


def _combined(layer: Layer, position: int, sources: list[_Linear]) -> _Linear:
    """The weighted sum of linear functions, weights in front: W2 · (W1 X + B1) + B2 has the coefficient W2 · W1."""
    names = [layer.weights.name(position, source) for source in range(len(sources))]
    pairs = [(Name(name), form) for name, form in zip(names, sources, strict=True) if name]
    width = len(sources[0].coefficients)
    coefficients = tuple(
        tuple(_product(weight, term) for weight, form in pairs for term in form.coefficients[i]) for i in range(width)
    )
    constant = tuple(_product(weight, term) for weight, form in pairs for term in form.constant)
    return _Linear(coefficients, (*constant, *_bias(layer, position)))


def _product(weight: Name, term: Expr) -> Expr:
    return multiply(weight, *(term.factors if isinstance(term, Product) else (term,)))


def _written(form: _Linear, inputs: tuple[str, ...]) -> Expr:
    terms = []
    for name, parts in zip(inputs, form.coefficients, strict=True):
        coefficient = add(*parts)
        terms.append(_product_with_input(coefficient, name))
    return add(*terms, add(*form.constant))


def _product_with_input(coefficient: Expr, name: str) -> Expr:
    factors = coefficient.factors if isinstance(coefficient, Product) else (coefficient,)
    return multiply(*factors, Name(name))


def misfit(graph: NetworkGraph) -> Misfit | None:
    """A proof that no linear function fits the given samples; None when one does, or when numbers are missing.

    The alternative is exact (Fredholm): either the equations have a solution or such multipliers exist.
    """
    network, given = graph.network, graph.given
    rows = []
    for sample in graph.samples:
        suffix = sample_suffix(sample)
        row = [given.get(name + suffix) for name in (*network.inputs, *network.targets)]
        if any(value is None for value in row) or not network.targets:
            return None
        rows.append([sympy.Rational(value.value) for value in row if value is not None])
    points = sympy.Matrix([[*row[: len(network.inputs)], 1] for row in rows])
    for index, target in enumerate(network.targets):
        wanted = sympy.Matrix([row[len(network.inputs) + index] for row in rows])
        for vector in points.T.nullspace():
            rest = (vector.T * wanted)[0]
            if rest != 0:
                return _whole(target, [Fraction(int(v.p), int(v.q)) for v in vector], wanted)
    return None


def _whole(target: str, multipliers: list[Fraction], wanted: sympy.Matrix) -> Misfit:
    """The multipliers as whole numbers, the first of them positive."""
    scale = lcm(*(value.denominator for value in multipliers))
    first = next(value for value in multipliers if value)
    scaled = tuple(value * scale * (1 if first > 0 else -1) for value in multipliers)
    targets = tuple(Fraction(int(v.p), int(v.q)) for v in wanted)
    return Misfit(target, scaled, targets, sum((a * b for a, b in zip(scaled, targets, strict=True)), Fraction(0)))
