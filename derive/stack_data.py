"""Collapsed stacks of linear layers as data for other programs: W[i,j] and B[j] of the one layer, as JSON has them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from derive.data import FORMAT
from derive.derivation.matrices import Matrix, NetworkMatrices
from derive.derivation.network import NetworkGraph
from derive.derivation.stacks import Stack, need_stacks
from derive.errors import DeriveError
from derive.formula.expression import Expr
from derive.formula.grammar import write
from derive.formula.printing import write as print_formula
from derive.formula.symbols import symbol
from derive.numbers.rounding import Rounding, nearest_double, show
from derive.verify.checked import checked
from derive.worked import WorkedExample


def stacks_as_data(example: WorkedExample) -> dict[str, Any]:
    """What `derive collapse --format json` prints: a list of stacks, each with the entries of its W and B.

    An entry has the keys of a quantity: value, exact, shown (None without numbers), formula, latex (None where they are
    too long to write out).  Raises DeriveError where no layers collapse.
    """
    found = need_stacks(network_matrices(example))
    return {
        "format": FORMAT,
        "title": example.problem.title,
        "kind": example.problem.kind,
        "stacks": [_stack(stack, example.problem.rounding) for stack in found],
        "verified": checked(example).as_data(),
    }


def network_matrices(example: WorkedExample) -> NetworkMatrices:
    """The matrices of a network; raises DeriveError for a problem of another kind."""
    if not isinstance(example.graph, NetworkGraph):
        raise DeriveError(f'a problem of the kind "{example.problem.kind}" has no layers; accepted: the kind "network"')
    return NetworkMatrices(example.derivation, example.graph)


def _stack(stack: Stack, rounding: Rounding) -> dict[str, Any]:
    return {"layers": [stack.first, stack.last], "quantities": dict(_entries(stack, rounding))}


def _entries(stack: Stack, rounding: Rounding) -> Iterator[tuple[str, dict[str, Any]]]:
    rows, columns = stack.shape
    numbers, biases = stack.weight_numbers, stack.bias_numbers
    for i in range(rows):
        for j in range(columns):
            formula = _formula(stack.weights, i + 1, j + 1)
            yield f"W[{i + 1},{j + 1}]", _entry(numbers[i][j] if numbers else None, formula, rounding)
    for j in range(columns):
        yield f"B[{j + 1}]", _entry(biases[j] if biases else None, _formula(stack.biases, 1, j + 1), rounding)


def _formula(matrix: Matrix | None, i: int, j: int) -> Expr | None:
    return matrix.entry(i, j) if matrix else None


def _entry(value: Fraction | None, formula: Expr | None, rounding: Rounding) -> dict[str, Any]:
    exact = {} if value is None else {"exact": str(value)}
    return {
        "value": None if value is None else nearest_double(value),
        **exact,
        "shown": None if value is None else show(value, rounding),
        "formula": None if formula is None else write(formula),
        "latex": None if formula is None else print_formula(formula, "latex", lambda name: symbol(name, "latex")),
    }
