"""The derivative as it is written when the rules are applied one by one, and the piecewise forms of kinked functions.

Nothing here calls SymPy: a tree goes in and a tree comes out.  That the result equals SymPy's derivative is shown in
the tests, on random expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache

from derive.catalogue.activations import BY_FUNCTION, Activation
from derive.errors import DeriveError
from derive.formula.expression import (
    ONE,
    PI,
    TWO,
    ZERO,
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
    Relation,
    Series,
    Sum,
    add,
    children,
    multiply,
    names_in,
    number,
    replace_names,
    subtract,
)
from derive.formula.grammar import read

KINKED = frozenset({"abs", "max", "min"})


def depends(expr: Expr, wrt: str) -> bool:
    return wrt in names_in(expr)


def by_rules(definition: Expr, wrt: str) -> Expr:
    """The derivative of `definition` with respect to the name `wrt`, rule by rule and not simplified.

    1/2*(y - o)^2 gives 1/2*2*(y - o)*(-1): constant factors stay in front, factors of one and terms of zero are left
    out, as a textbook does.  It equals `symbolic.partial` wherever both are defined.  Raises DeriveError for a function
    without a known derivative.
    """
    if not depends(definition, wrt):
        return ZERO
    match definition:
        case Name():
            return ONE
        case Sum() | Series():
            return add(*(by_rules(term, wrt) for term in children(definition)))
        case Negative(arg):
            return negated(by_rules(arg, wrt))
        case Product(factors):
            return _product_rule(factors, wrt)
        case Quotient(top, bottom):
            return _quotient_rule(top, bottom, wrt)
        case Power(base, exponent):
            return _power_rule(base, exponent, wrt)
        case Cases():
            return piecewise(definition, lambda value: by_rules(value, wrt))
        case Call():
            return _chain_rule(definition, wrt)
        case _:
            return ZERO


def _product_rule(factors: Sequence[Expr], wrt: str) -> Expr:
    def with_derivative(k: int) -> Expr:
        return product(*factors[:k], by_rules(factors[k], wrt), *factors[k + 1 :])

    return add(*(with_derivative(k) for k, factor in enumerate(factors) if depends(factor, wrt)))


def _quotient_rule(top: Expr, bottom: Expr, wrt: str) -> Expr:
    if not depends(bottom, wrt):
        return quotient(by_rules(top, wrt), bottom)
    gained, lost = product(by_rules(top, wrt), bottom), product(top, by_rules(bottom, wrt))
    return quotient(_minus(gained, lost), Power(bottom, TWO))


def _power_rule(base: Expr, exponent: Expr, wrt: str) -> Expr:
    if not depends(exponent, wrt):
        return product(exponent, lowered(base, exponent), by_rules(base, wrt))
    logarithm = Call("ln", (base,))
    if not depends(base, wrt):
        return product(Power(base, exponent), logarithm, by_rules(exponent, wrt))
    grown = product(by_rules(exponent, wrt), logarithm)
    return product(Power(base, exponent), add(grown, product(exponent, quotient(by_rules(base, wrt), base))))


def lowered(base: Expr, exponent: Expr) -> Expr:
    """base^(exponent - 1)"""
    value = rational(exponent)
    if value is None:
        return Power(base, subtract(exponent, ONE))
    if value == 1:
        return ONE
    return base if value == 2 else Power(base, fraction(value - 1))


def _chain_rule(call: Call, wrt: str) -> Expr:
    row = BY_FUNCTION.get(call.function)
    if call.function in KINKED:
        return by_rules(as_cases(call), wrt)
    if row is None:
        return product(outer_derivative(call), by_rules(call.args[0], wrt))
    if not row.derivative or any(depends(arg, wrt) for arg in call.args[1:]):
        return by_rules(inlined(call), wrt)
    return times_inner(activation_slope(call), by_rules(call.args[0], wrt))


_OUTER: dict[str, Callable[[Expr], Expr]] = {
    "exp": lambda u: Call("exp", (u,)),
    "ln": lambda u: Quotient(ONE, u),
    "sqrt": lambda u: Quotient(ONE, Product((TWO, Call("sqrt", (u,))))),
    "sin": lambda u: Call("cos", (u,)),
    "cos": lambda u: Negative(Call("sin", (u,))),
    "erf": lambda u: Product((Quotient(TWO, Call("sqrt", (PI,))), Call("exp", (Negative(Power(u, TWO)),)))),
}


def outer_derivative(call: Call) -> Expr:
    """f'(u) of a smooth function of the grammar."""
    if call.function not in _OUTER:
        raise DeriveError(f'the derivative of "{call.function}" is not known; known: {", ".join(known_functions())}')
    return _OUTER[call.function](call.args[0])


def known_functions() -> list[str]:
    """The functions that can be differentiated."""
    return sorted({*_OUTER, *KINKED, *(row.function for row in BY_FUNCTION.values() if not row.vector)})


# Activations and kinked functions


def scalar_row(call: Call) -> Activation:
    """The row of the activation that is called; raises DeriveError when there is no scalar one of that name."""
    row = BY_FUNCTION.get(call.function)
    if row is None or row.vector:
        raise DeriveError(f'"{call.function}" is not a function of one number; known: {", ".join(known_functions())}')
    return row


@lru_cache(maxsize=256)
def read_once(text: str) -> Expr:
    return read(text)


def inlined(call: Call) -> Expr:
    """The formula of an activation with the arguments of the call in place of z and the parameters."""
    return replace_names(read_once(scalar_row(call).formula), _arguments(call))


def activation_slope(call: Call) -> Expr:
    """The textbook derivative at the argument of the call; the call itself stands for a = f(z)."""
    return replace_names(read_once(scalar_row(call).derivative), {**_arguments(call), "a": call})


def _arguments(call: Call) -> dict[str, Expr]:
    row = scalar_row(call)
    given = dict(zip((key for key, _ in row.parameters), call.args[1:], strict=False))
    return {"z": call.args[0], **{key: given.get(key, value) for key, value in row.parameters}}


def as_cases(call: Call) -> Expr:
    """abs, max and min by cases.

    Where two arguments of max or min are equal, a written number is taken, else the argument on the left, so that
    max(0, z) and max(z, 0) are both 0 with slope 0 at z = 0; abs has slope 0 there.
    """
    if call.function == "abs":
        inside = call.args[0]
        return Cases(((inside, Condition(inside, ">", ZERO)), (negated(inside), Condition(inside, "<", ZERO))), ZERO)
    first, *rest = sorted(call.args, key=lambda arg: rational(arg) is None)
    relation: Relation = ">" if call.function == "max" else "<"
    pieces: list[tuple[Expr, Condition]] = []
    best = first
    for arg in rest:
        pieces.insert(0, (arg, Condition(arg, relation, best)))
        best = Call(call.function, (best, arg))
    return Cases(tuple(pieces), first) if pieces else first


def piecewise(cases: Cases, change: Callable[[Expr], Expr]) -> Expr:
    """The cases with every value changed; one value when all are equal."""
    pieces = tuple((change(value), test) for value, test in cases.pieces)
    otherwise = change(cases.otherwise)
    return otherwise if all(value == otherwise for value, _ in pieces) else Cases(pieces, otherwise)


def times_inner(outer: Expr, inner: Expr) -> Expr:
    """outer*inner; the factor goes into each piece when `outer` is given by cases."""
    if isinstance(outer, Cases):
        return piecewise(outer, lambda value: product(value, inner))
    return product(outer, inner)


# Writing


def product(*factors: Expr) -> Expr:
    """The product in the order given, without ones and without products inside the product."""
    flat = [part for factor in factors for part in (factor.factors if isinstance(factor, Product) else (factor,))]
    return multiply(*flat)


def quotient(top: Expr, bottom: Expr) -> Expr:
    return ZERO if top == ZERO else Quotient(top, bottom)


def negated(expr: Expr) -> Expr:
    """The negative, without a double sign and without a negative zero."""
    if isinstance(expr, Negative):
        return expr.arg
    return ZERO if expr == ZERO else Negative(expr)


def _minus(left: Expr, right: Expr) -> Expr:
    terms = left.terms if isinstance(left, Sum) else (left,)
    return left if right == ZERO else add(*terms, negated(right))


def rational(expr: Expr) -> Fraction | None:
    """The value of a written rational number such as 3, -0.5 or 1/2; None for anything else."""
    match expr:
        case Number(value):
            return value
        case Negative(arg):
            inside = rational(arg)
            return None if inside is None else -inside
        case Quotient(top, bottom):
            over, under = rational(top), rational(bottom)
            return None if over is None or not under else over / under
        case _:
            return None


def fraction(value: Fraction) -> Expr:
    """A rational number as p, p/q or the negative of one."""
    size = abs(value)
    written: Expr = number(size.numerator)
    if size.denominator != 1:
        written = Quotient(written, number(size.denominator))
    return Negative(written) if value < 0 else written


def kind_of_factor(part: Expr) -> int:
    """The order of the factors of a product.

    1 names, 2 powers with names in the exponent, 3 activations, 4 brackets, 5 functions, 6 cases.
    """
    match part:
        case Call(function, _):
            return 3 if function in BY_FUNCTION else 5
        case Sum():
            return 4
        case Cases():
            return 6
        case _:
            return 1
