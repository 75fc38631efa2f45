"""Proof that two formulas are one: both are computed in a finite field, at random elements for everything unknown.

Polynomials and quotients of polynomials that agree at a random point of a field of about 2^127 elements are the same,
but for one chance in 2^110 (Schwartz 1980, Zippel 1979).  exp, ln, max, … are unknown functions here: the same
argument gives the same random element.  So an identity that is found holds whatever these functions are, and of exp no
more is used than exp(0) = 1 and exp(-z) = 1/exp(z).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256

from derive.catalogue.activations import BY_FUNCTION
from derive.check.points import Point, World
from derive.derivation.evaluator import Evaluator, formula
from derive.formula.expression import Call, Cases, Expr, Negative, Number, Power, Quotient, names_in
from derive.numbers.exact import Undefined


class Field:
    """Arithmetic modulo a prime; unknown functions are drawn by their name and arguments."""

    def __init__(self, prime: int) -> None:
        self.prime = prime

    def constant(self, value: Fraction) -> int:
        return self.divide(value.numerator % self.prime, value.denominator % self.prime)

    def add(self, a: int, b: int) -> int:
        return (a + b) % self.prime

    def negate(self, value: int) -> int:
        return -value % self.prime

    def multiply(self, a: int, b: int) -> int:
        return a * b % self.prime

    def divide(self, a: int, b: int) -> int:
        if not b:
            raise Undefined("division by zero")
        return a if b == 1 else a * pow(b, -1, self.prime) % self.prime

    def power(self, base: int, exponent: int) -> int:
        return self.drawn("^", base, exponent)

    def integer_power(self, base: int, exponent: int) -> int:
        if not base and exponent < 0:
            raise Undefined("division by zero")
        return pow(base, exponent % (self.prime - 1) if base else exponent, self.prime)

    def function(self, name: str, args: list[int]) -> int:
        match name, args:
            case "exp", [value]:
                return self._exp(value)
            case "ln", [1]:
                return 0
            case "sqrt", [0 | 1 as value]:
                return value
            case "abs", [value]:
                return self.drawn("abs", min(value, self.prime - value))
            case "max" | "min", [first, *others]:
                return self.drawn(name, *sorted({first, *others})) if {*others} != {first} else first
            case _:
                return self.drawn(name, *args)

    def softmax(self, own: int, others: list[int]) -> int:
        top = self._exp(own)
        return self.divide(top, sum(map(self._exp, others), top) % self.prime)

    def compare(self, a: int, b: int) -> int:
        raise Undefined(f"{a} and {b} have no order")

    def _exp(self, value: int) -> int:
        if not value:
            return 1
        opposite = self.prime - value
        if opposite < value:
            return self.divide(1, self.drawn("exp", opposite))
        return self.drawn("exp", value)

    def drawn(self, name: str, *args: int) -> int:
        """A random element other than zero."""
        digest = sha256(f"{self.prime} {name} {args}".encode()).digest()
        return 1 + int.from_bytes(digest) % (self.prime - 1)


class InField(Evaluator[int]):
    """Choices between cases are unknown functions too, and the exponents of powers are the numbers that they are."""

    def __init__(self, numbers: Field, lookup: object) -> None:
        super().__init__(numbers, lookup)  # type: ignore[arg-type]
        self._field = numbers

    def value(self, expr: Expr) -> int:
        match expr:
            case Cases(pieces, otherwise):
                parts = [part for value, test in pieces for part in (value, test.left, test.right)]
                relations = " ".join(test.relation for _, test in pieces)
                return self._field.drawn(f"cases {relations}", *map(self.value, (*parts, otherwise)))
            case Power(base, exponent) if (known := constant(exponent)) is not None:
                return self._power(self.value(base), known)
            case Call(function, args) if (row := BY_FUNCTION.get(function)) is not None:
                names = ("z", *(name for name, _ in row.parameters))
                bound = dict(zip(names, map(self.value, args), strict=True))
                return InField(self._field, bound.__getitem__).value(formula(row.numeric or row.formula, names))
            case _:
                return super().value(expr)

    def _power(self, base: int, exponent: Fraction) -> int:
        if exponent.denominator == 1:
            return self._field.integer_power(base, exponent.numerator)
        if exponent.denominator == 2:
            return self._field.integer_power(self._field.function("sqrt", [base]), exponent.numerator)
        return self._field.power(base, self._field.constant(exponent))


def constant(expr: Expr) -> Fraction | None:
    """The number that a tree is, where it is one that was written."""
    match expr:
        case Number(value):
            return value
        case Negative(arg):
            inside = constant(arg)
            return None if inside is None else -inside
        case Quotient(Number(top), Number(bottom)) if bottom:
            return top / bottom
        case _:
            return None


def proved_equal(world: World, one: Expr, other: Expr, text: str, *, whole: bool) -> bool:
    """Whether the formulas are the same for all numbers: as they stand or with derivatives written out.

    text   what somebody wrote, on which the field hangs
    whole  the forward pass is written out as well, and nothing less

    Raises TooLarge where that would be too long to write out.
    """
    field = Field(_prime(text))
    levels: list[Callable[[str], bool]] = [lambda _: False] if whole else [lambda _: True, world.is_forward]
    for atoms in levels:
        point = Point(world, field, lambda name: field.drawn("", _element(name)), atoms=atoms, evaluator=InField)
        point.fill(world.needed((*names_in(one), *names_in(other)), atoms=atoms))
        try:
            if point.value(one) == point.value(other):
                return True
        except Undefined:
            continue
    return False


def repeats(world: World, expr: Expr, asked: str, text: str) -> bool:
    """Whether a formula is nothing but the name of what was asked for, whatever is written around it."""
    field = Field(_prime(text))
    point = Point(world, field, lambda name: field.drawn("", _element(name)), atoms=lambda _: True, evaluator=InField)
    point.fill((*names_in(expr), asked))
    try:
        return point.value(expr) == point.known(asked)
    except Undefined:
        return False


def _element(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest())


@lru_cache(maxsize=64)
def _prime(text: str) -> int:
    """A prime of 127 bits that hangs on the text, so that nobody can write a multiple of it into that text."""
    number = int.from_bytes(sha256(text.encode()).digest()[:16]) >> 1 | 1 << 126 | 1
    while not _is_prime(number):
        number += 2
    return number


_SMALL = [p for p in range(3, 400, 2) if all(p % d for d in range(3, p, 2))]


def _is_prime(number: int) -> bool:
    """The test of Miller and Rabin to 16 bases."""
    if any(number % small == 0 for small in _SMALL):
        return False
    twos = ((number - 1) & (1 - number)).bit_length() - 1
    odd = (number - 1) >> twos
    return all(_passes(number, base, odd, twos) for base in (2, *_SMALL[:15]))


def _passes(number: int, base: int, odd: int, twos: int) -> bool:
    x = pow(base, odd, number)
    if x in (1, number - 1):
        return True
    for _ in range(twos - 1):
        x = x * x % number
        if x == number - 1:
            return True
    return False
