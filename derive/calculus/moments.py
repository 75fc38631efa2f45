"""Second moments that SymPy works out: of a weighted sum, of a uniform weight, of an activation of a normal net input.

Names of the trees: w1, x1, … and, for what is derived, `v` = Var(w), `m` = E[x²], `s` = the standard deviation of z.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import sympy

from derive.calculus.symbolic import activation_derivative, from_sympy, to_sympy
from derive.catalogue.activations import Activation
from derive.formula.expression import Expr, replace_names
from derive.formula.grammar import read


@dataclass(frozen=True, slots=True)
class Halves:
    """∫ g(z) over the density of z, as the part where z < 0 and the part where z > 0, and their sum."""

    below: Expr
    above: Expr
    total: Expr


@dataclass(frozen=True, slots=True)
class SquaredSum:
    """(w1·x1 + … )²: each term with its expectation, and the sum of these."""

    terms: tuple[tuple[Expr, Expr], ...]
    total: Expr


def squared_sum(count: int) -> SquaredSum:
    """E[(Σ wᵢxᵢ)²] term by term, where all weights and inputs are independent and weights have mean 0 and variance v.

    A term with a weight to an odd power has expectation zero, E[w²] = v and E[x²] = m.
    """
    weights = sympy.symbols(f"w1:{count + 1}")
    inputs = sympy.symbols(f"x1:{count + 1}")
    v, m = sympy.symbols("v m")
    square = sympy.expand(sum(w * x for w, x in zip(weights, inputs, strict=True)) ** 2)
    found = []
    for term in sympy.Add.make_args(square):
        powers = sympy.Poly(term, *weights, *inputs).monoms()[0]
        of_weights, of_inputs = powers[:count], powers[count:]
        odd = any(power % 2 for power in of_weights)
        expectation = sympy.Integer(0) if odd else v ** (sum(of_weights) // 2) * m ** (sum(of_inputs) // 2)
        found.append((odd, term, expectation))
    found.sort(key=lambda entry: (entry[0], str(entry[1])))
    return SquaredSum(
        tuple((from_sympy(term), from_sympy(expectation)) for _, term, expectation in found),
        from_sympy(sum(expectation for _, _, expectation in found)),
    )


@lru_cache(maxsize=1)
def uniform_variance() -> Expr:
    """∫ x²/(2a) dx from −a to a: the variance of a uniform weight, in `a`."""
    x, a = sympy.symbols("x", real=True), sympy.Symbol("a", positive=True)
    return from_sympy(sympy.integrate(x**2 / (2 * a), (x, -a, a)))


@lru_cache(maxsize=64)
def kept_forward(row: Activation) -> Halves:
    """E[f(z)²] of a normal z with mean 0 and deviation s, for an activation that is straight on both sides of 0."""
    return _halves(_formula(row))


@lru_cache(maxsize=64)
def kept_backward(row: Activation) -> Halves:
    """E[f'(z)²] of the same z."""
    return _halves(_with_values(activation_derivative(row), row))


def solved(condition: Expr, name: str) -> Expr:
    """The one solution of condition = 1 for the name."""
    symbol = sympy.Symbol(name, real=True)
    (solution,) = sympy.solve(to_sympy(condition) - 1, symbol)
    return from_sympy(solution)


def simple(text: str, values: tuple[tuple[str, Expr], ...]) -> Expr:
    """A formula of the catalogue with constants put in and cleared away: 2/((1 + 0²)·n) is 2/n."""
    return from_sympy(to_sympy(replace_names(read(text), dict(values))))


@lru_cache(maxsize=1)
def truncated_deviation() -> Expr:
    """The standard deviation of a standard normal number that is drawn again while it is beyond ±2."""
    x = sympy.Symbol("x", real=True)
    density = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    mass = sympy.integrate(density, (x, -2, 2))
    # By parts: x²·density = density + (-x·density)', which SymPy takes seconds to find by itself.
    ends = (-x * density).subs(x, 2) - (-x * density).subs(x, -2)
    return from_sympy(sympy.sqrt(1 + ends / mass))


def _formula(row: Activation) -> Expr:
    return _with_values(read(row.formula), row)


def _with_values(tree: Expr, row: Activation) -> Expr:
    return replace_names(tree, {key: value for key, value in row.parameters})  # noqa: C416


def _halves(tree: Expr) -> Halves:
    t, s = sympy.Symbol("t", positive=True), sympy.Symbol("s", positive=True)
    density = sympy.exp(-(t**2) / (2 * s**2)) / (s * sympy.sqrt(2 * sympy.pi))
    function = to_sympy(tree)
    z = next((symbol for symbol in function.free_symbols if symbol.name == "z"), sympy.Symbol("z", real=True))
    sides = [
        sympy.integrate(sympy.expand(function.subs(z, sign * t) ** 2 * density), (t, 0, sympy.oo)) for sign in (-1, 1)
    ]
    return Halves(*(from_sympy(side) for side in (*sides, sympy.expand(sum(sides)))))
