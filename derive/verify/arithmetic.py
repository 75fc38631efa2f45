"""The numbers that a witness calculates in: real numbers of mpmath with many digits, in contexts of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

from derive.verify.functions import SCALARS, Scalar

DIGITS = 40
MORE_DIGITS = 320
"""For what 40 digits do not decide: 1 − σ(100) differs from 0 in the 44th."""

FAILURES = (ArithmeticError, ValueError)
"""What a calculation outside of its domain raises."""


class Functions:
    """The functions of real numbers; ValueError where there is no real value."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.exp, self.expm1, self.sinh, self.tanh = context.exp, context.expm1, context.sinh, context.tanh
        self.sin, self.cos, self.erf, self.erfc = context.sin, context.cos, context.erf, context.erfc
        self.pi = +context.pi

    def log(self, z: Any) -> Any:
        if z <= 0:
            raise ValueError("a logarithm of a number that is not above 0")
        return self._context.log(z)

    def log1p(self, z: Any) -> Any:
        if z <= -1:
            raise ValueError("a logarithm of a number that is not above 0")
        return self._context.log1p(z)

    def sqrt(self, z: Any) -> Any:
        if z < 0:
            raise ValueError("a root of a negative number")
        return self._context.sqrt(z)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Numbers of so many digits, their functions (see `Functions`) and the scalar activations of them."""

    functions: Any
    context: Any
    digits: int
    scalars: Mapping[str, Scalar] = field(default_factory=lambda: SCALARS)

    def number(self, value: Fraction) -> Any:
        return self.context.mpf(value.numerator) / value.denominator


@cache
def arithmetic_of(digits: int = DIGITS) -> Arithmetic:
    from mpmath import MPContext

    context = MPContext()
    context.dps = digits
    return Arithmetic(Functions(context), context, digits)
