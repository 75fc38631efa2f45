"""Trees of `derive.formula.expression` as the plain text that `derive.formula.grammar.read` reads back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from derive.formula.expression import (
    Call,
    Cases,
    Condition,
    Expr,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    expanded,
)
from derive.formula.tokens import MAX_DIGITS

_LITERAL = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_CASES, _SUM, _NEGATIVE, _PRODUCT, _QUOTIENT, _DERIVATIVE, _POWER, _ATOM = range(8)
_BINDING: Mapping[type, int] = {
    Cases: _CASES, Sum: _SUM, Negative: _NEGATIVE, Product: _PRODUCT, Quotient: _QUOTIENT, Power: _POWER,
}  # fmt: skip


def write(expr: Expr) -> str:
    """The formula as plain text: "w1*x1 + w2*x2 + b1", "1/2*(y - out_o1)^2".

    `read` gives an equal tree back, with these exceptions: a negative number is read as a `Negative`, a number without
    finite decimals as a `Quotient`, a `Series` as the sum that it stands for, and a name such as dE/dw5 (written as it
    stands) as a division.
    """
    match expr:
        case Number():
            simpler = _written_number(expr)
            return simpler if isinstance(simpler, str) else write(simpler)
        case Name(name):
            return name
        case Sum(terms):
            return _write_sum(terms)
        case Negative(arg):
            return "-" + _part(arg, _PRODUCT)
        case Product((first, *rest)):
            return "*".join((_part(first, _QUOTIENT), *(_part(factor, _DERIVATIVE) for factor in rest)))
        case Quotient(top, bottom):
            return f"{_part(top, _PRODUCT)}/{_part(bottom, _POWER)}"
        case Power(base, exponent):
            return f"{_part(base, _ATOM)}^{_part(exponent, _ATOM)}"
        case Call("pi", ()):
            return "pi"
        case Call(function, args):
            return f"{function}({', '.join(write(arg) for arg in args)})"
        case Cases(pieces, otherwise):
            return "".join(f"{_part(value, _SUM)} if {_test(test)} else " for value, test in pieces) + _part(
                otherwise, _SUM
            )
        case Series():
            return write(expanded(expr))
        case _:
            raise TypeError(f"not an expression: {expr!r}")


def _part(expr: Expr, least: int) -> str:
    """The text of a part, in brackets when it binds less than its place asks."""
    text = write(expr)
    return text if _binding(expr) >= least else f"({text})"


def _binding(expr: Expr) -> int:
    match expr:
        case Number():
            simpler = _written_number(expr)
            return _ATOM if isinstance(simpler, str) else _binding(simpler)
        case Name(name):
            return _DERIVATIVE if "/" in name else _ATOM
        case Series():
            return _binding(expanded(expr))
        case _:
            return _BINDING.get(type(expr), _ATOM)


def _write_sum(terms: tuple[Expr, ...]) -> str:
    first, *rest = (part for term in terms for part in _spread(term))
    return _part(first, _NEGATIVE) + "".join(
        f" - {_part(term.arg, _PRODUCT)}" if isinstance(term, Negative) else f" + {_part(term, _PRODUCT)}"
        for term in rest
    )


def _spread(term: Expr) -> tuple[Expr, ...]:
    """A term as it stands in a sum: a Σ gives its terms, a negative number is subtracted."""
    if isinstance(term, Series):
        whole = expanded(term)
        return whole.terms if isinstance(whole, Sum) else (whole,)
    if isinstance(term, Number) and isinstance(simpler := _written_number(term), Negative):
        return (simpler,)
    return (term,)


def _test(test: Condition) -> str:
    return f"{_part(test.left, _SUM)} {test.relation} {_part(test.right, _SUM)}"


def _written_number(constant: Number) -> str | Expr:
    """The digits of a number, or the operation that it has to be written as."""
    value, written = constant.value, constant.written
    if value < 0:
        return Negative(Number(-value, written.removeprefix("-")))
    if _LITERAL.fullmatch(written) and Fraction(written) == value:
        return written
    if value.denominator == 1:
        return str(value.numerator)
    places = max(_count_factor(value.denominator, 2), _count_factor(value.denominator, 5))
    if places <= MAX_DIGITS and 10**places % value.denominator == 0:
        digits = str(value.numerator * (10**places // value.denominator)).rjust(places + 1, "0")
        return f"{digits[:-places]}.{digits[-places:]}"
    return Quotient(Number(Fraction(value.numerator)), Number(Fraction(value.denominator)))


def _count_factor(whole: int, prime: int) -> int:
    count = 0
    while whole % prime == 0:
        whole //= prime
        count += 1
    return count
