"""Stacks of linear layers as one layer: W = W1 @ W2 @ … and B = B1 @ W2 @ … + … + Bn, entry by entry."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod

from derive.derivation.collapse import MOST_PARAMETERS, MOST_TERMS
from derive.derivation.matrices import Matrix, NetworkMatrices, grid
from derive.errors import DeriveError
from derive.formula.expression import Expr, Name, Number, Product, add, multiply


@dataclass(frozen=True, slots=True)
class Stack:
    """Layers `first` to `last`, all but perhaps the last of them linear.

    weights, biases    of the one layer (a row of biases), in the parameters; None where they are too large to write
    weight_numbers     the same as numbers; None where a number is missing
    """

    first: int
    last: int
    shape: tuple[int, int]
    weights: Matrix | None
    biases: Matrix | None
    weight_numbers: tuple[tuple[Fraction, ...], ...] | None
    bias_numbers: tuple[Fraction, ...] | None

    @property
    def layers(self) -> range:
        return range(self.first, self.last + 1)


def stacks(matrices: NetworkMatrices) -> list[Stack]:
    """Every stack of two layers or more that is one linear function before its last activation."""
    found: list[Stack] = []
    first = 1
    for number in matrices.layers:
        ends = matrices.layer(number).activation.name != "linear" or number == matrices.layers[-1]
        if ends and number > first:
            found.append(_stack(matrices, first, number))
        first = number + 1 if ends else first
    return found


def need_stacks(matrices: NetworkMatrices) -> list[Stack]:
    """The same; raises DeriveError where there is none."""
    found = stacks(matrices)
    if not found:
        shown = ", ".join(f'"{matrices.layer(number).activation.name}"' for number in matrices.layers)
        raise DeriveError(
            f"no layers collapse: the activations are {shown}; accepted: two layers or more, the first with the "
            'activation "linear"'
        )
    return found


def _stack(matrices: NetworkMatrices, first: int, last: int) -> Stack:
    layers = [matrices.layer(number) for number in range(first, last + 1)]
    sizes = [layer.weights.neurons for layer in layers]
    shape = (layers[0].weights.fan_in, sizes[-1])
    count = sum(layer.weights.fan_in * layer.weights.neurons for layer in layers)
    small = count <= MOST_PARAMETERS and prod(sizes[:-1]) <= MOST_TERMS
    weights, biases = _written(matrices, first, last) if small else (None, None)
    numbers = _numbers(matrices, first, last) if count <= MOST_NUMBERS else None
    return Stack(first, last, shape, weights, biases, *(numbers or (None, None)))


MOST_NUMBERS = 20_000
"""Stacks with more weights are described by their shapes alone."""


def _written(matrices: NetworkMatrices, first: int, last: int) -> tuple[Matrix, Matrix]:
    weights = matrices.weights(first).entries()
    biases = [list(_bias(matrices, first))]
    rows = [list(row) for row in weights]
    for number in range(first + 1, last + 1):
        following = matrices.weights(number).entries()
        rows = _times(rows, following)
        before = _times(biases, following)[0]
        biases = [[add(*_terms(old), new) for old, new in zip(before, _bias(matrices, number), strict=True)]]
    return grid(rows), grid(biases)


def _bias(matrices: NetworkMatrices, number: int) -> list[Expr]:
    constant = matrices.layer(number).bias_input
    return [multiply(entry, constant) for entry in matrices.bias_row(number).entries()[0]]


def _times(left: list[list[Expr]], right: tuple[tuple[Expr, ...], ...]) -> list[list[Expr]]:
    """The matrix product with every bracket multiplied out, the factors in the order of the layers."""
    columns = list(zip(*right, strict=True))
    return [[_entry(row, column) for column in columns] for row in left]


def _entry(row: list[Expr], column: tuple[Expr, ...]) -> Expr:
    products = (
        multiply(*(term.factors if isinstance(term, Product) else (term,)), weight)
        for entry, weight in zip(row, column, strict=True)
        for term in _terms(entry)
    )
    return add(*products)


def _terms(entry: Expr) -> tuple[Expr, ...]:
    return getattr(entry, "terms", (entry,))


# --- numbers ----------------------------------------------------------------------------------------------------------

_Rows = list[list[Fraction]]


def _numbers(
    matrices: NetworkMatrices, first: int, last: int
) -> tuple[tuple[tuple[Fraction, ...], ...], tuple[Fraction, ...]] | None:
    """W and B exactly; None where a parameter has no number."""
    rows: _Rows | None = None
    biases: _Rows | None = None
    for number in range(first, last + 1):
        weights, bias = _given(matrices, matrices.weights(number)), _given(matrices, matrices.bias_row(number))
        if weights is None or bias is None:
            return None
        constant = matrices.layer(number).bias_input.value
        own = [value * constant for value in bias[0]]
        biases = [own] if biases is None else [[a + b for a, b in zip(_dot(biases, weights)[0], own, strict=True)]]
        rows = weights if rows is None else _dot(rows, weights)
    assert rows is not None
    assert biases is not None
    return tuple(tuple(row) for row in rows), tuple(biases[0])


def _given(matrices: NetworkMatrices, matrix: Matrix) -> _Rows | None:
    rows: _Rows = []
    for row in matrix.entries():
        values = [_value(matrices, entry) for entry in row]
        if any(value is None for value in values):
            return None
        rows.append([value for value in values if value is not None])
    return rows


def _value(matrices: NetworkMatrices, entry: Expr) -> Fraction | None:
    if isinstance(entry, Number):
        return entry.value
    assert isinstance(entry, Name)
    found = matrices.given.get(entry.name)
    return found.value if found else None


def _dot(left: _Rows, right: _Rows) -> _Rows:
    columns = list(zip(*right, strict=True))
    return [[sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in columns] for row in left]
