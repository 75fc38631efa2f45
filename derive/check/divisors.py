"""Divisors and arguments of logarithms: nobody divides by what rounding made zero of.

A number that does not round to zero keeps its first digit at least.  So every quantity has a least size, unless it is
zero, and with that a divisor is bounded away from zero where its interval is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np

from derive.check.intervals import holds_zero, least_of, nearest_to_zero
from derive.check.plan import Applied, Minus, Plan, Raised, Ratio, Reference, Times, Total, is_computed
from derive.check.precision import Floats, Grid, Range
from derive.check.routes import Node

Environment = Mapping[str, Range]
Value = Callable[[Plan, Environment, Grid], Range]


class Reached(dict[str, Range]):
    """What is reached of each quantity by its key; beside it the least size of each, worked out where it is needed."""

    def __init__(self, nodes: Mapping[str, Node], grid: Grid | None, value: Value) -> None:
        super().__init__()
        self._nodes, self._grid, self._value = nodes, grid, value

    def __missing__(self, key: str) -> Range:
        name = _named(key)
        if name not in self._nodes or self._grid is None:
            raise KeyError(key)
        node, grid = self._nodes[name], self._grid
        ways = tuple(least_of_plan(way, self, grid, self._value) for way in (*node.routes, *node.late))
        found = grid.first_digits(least_of(ways)) if ways else nearest_to_zero(self[name])
        self[key] = Range(found, found)
        return self[key]


def _key(name: str) -> str:
    return f"|{name}|"


def _named(key: str) -> str:
    return key[1:-1] if key.startswith("|") and key.endswith("|") else ""


def least_carried(plan: Plan, env: Environment, grid: Grid, value: Value) -> Floats:
    """The least size of what is carried on of a plan's value, unless that is zero."""
    found = least_of_plan(plan, env, grid, value)
    return grid.first_digits(found) if is_computed(plan) else found


def least_of_plan(plan: Plan, env: Environment, grid: Grid, value: Value) -> Floats:
    """The least size of a plan's value, unless that is zero; infinite for what is zero always."""
    match plan:
        case Reference(key):
            return _of_quantity(key, env)
        case Minus(arg):
            return least_of_plan(arg, env, grid, value)
        case Times(atoms):
            return _of_product([least_carried(atom.plan, env, grid, value) for atom in atoms], grid)
        case Total(terms):
            return _of_total(terms, env, grid, value)
        case Ratio(top, bottom):
            divisor = value(bottom, env, grid)
            divisor = grid.rounded(divisor) if is_computed(bottom) else divisor
            found = least_carried(top, env, grid, value) / np.maximum(abs(divisor.lo), abs(divisor.hi))
            return found * grid.least_left if isinstance(top, Times) else found
        case Raised(base, exponent):
            power = value(exponent, env, grid)
            if (power.lo > 0).all() and (power.lo == power.hi).all():
                return _floats(np.power(least_carried(base, env, grid, value), power.lo))
        case Applied("sqrt", (arg,)):
            return _floats(np.sqrt(least_carried(arg, env, grid, value)))
        case Applied("abs", (arg,)):
            return least_carried(arg, env, grid, value)
        case Applied("max", args):
            return least_of(tuple(least_carried(arg, env, grid, value) for arg in args))
    return _size(value(plan, env, grid))


def _of_product(parts: list[Floats], grid: Grid) -> Floats:
    """The least product; of three factors any two may be taken first."""
    whole = reduce(np.multiply, parts)
    if len(parts) != 3:
        return _floats(whole * grid.least_left ** max(len(parts) - 2, 0))
    pairs = ((0, 1, 2), (0, 2, 1), (1, 2, 0))
    return least_of((whole, *(grid.first_digits(parts[i] * parts[j]) * parts[k] for i, j, k in pairs)))


def _floats(found: Floats) -> Floats:
    return found


def _size(x: Range) -> Floats:
    return np.where((x.lo == 0) & (x.hi == 0), np.inf, nearest_to_zero(x))


def _of_quantity(key: str, env: Environment) -> Floats:
    found = _size(env[key])
    if not holds_zero(env[key]).any():
        return found
    try:
        behind = env[_key(key)].lo
    except KeyError:
        return found
    return np.where(found > 0, found, behind)


def _of_total(terms: tuple[Plan, ...], env: Environment, grid: Grid, value: Value) -> Floats:
    """Of terms of one sign the least that any has; those that are given and vanish in the last digit aside."""
    found = [value(term, env, grid) for term in terms]
    values = [grid.rounded(x) if is_computed(term) else x for term, x in zip(terms, found, strict=True)]
    least = sum((x.lo for x in values), np.zeros((1, 1))), sum((x.hi for x in values), np.zeros((1, 1)))
    whole = nearest_to_zero(Range(*least))
    above = np.logical_and.reduce(np.broadcast_arrays(*(x.lo >= 0 for x in values)))
    below = np.logical_and.reduce(np.broadcast_arrays(*(x.hi <= 0 for x in values)))
    parts = []
    for term, x in zip(terms, values, strict=True):
        tiny = (x.lo == x.hi) & (2 * abs(x.lo) < grid.unit(abs(x.lo)))
        parts.append(np.where(tiny, np.inf, least_carried(term, env, grid, value)))
    each = least_of(tuple(parts)) * grid.least_left ** max(len(terms) - 2, 0)
    return np.where(above | below, np.maximum(whole, each), whole)
