"""A derivative taken a rule at a time: each stage applies one rule to every derivative that is still to be taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from derive.calculus.rules import (
    KINKED,
    activation_slope,
    as_cases,
    by_rules,
    depends,
    inlined,
    lowered,
    negated,
    outer_derivative,
    piecewise,
    product,
    quotient,
    times_inner,
)
from derive.catalogue.activations import BY_FUNCTION
from derive.formula.expression import (
    ONE,
    TWO,
    ZERO,
    Call,
    Cases,
    Expr,
    Name,
    Negative,
    Power,
    Product,
    Quotient,
    Series,
    Sum,
    add,
    children,
    rebuild,
)

Rule = Literal["sum", "factor", "product", "quotient", "power", "chain", "function", "cases"]

MOST_STAGES = 12


@dataclass(frozen=True, slots=True)
class Stage:
    """The derivative after some rules; a name of `pending` stands for the derivative of that part."""

    rules: tuple[Rule, ...]
    form: Expr
    pending: dict[str, Expr]


def stages(definition: Expr, wrt: str) -> list[Stage]:
    """From d/dz (definition) to a form without derivatives; derivatives of z itself and of constants are taken at once.

    Every stage equals `rules.by_rules` in value.  Raises DeriveError for a function without a known derivative.
    """
    found = [Stage((), Name("#0"), {"#0": definition})]
    while found[-1].pending and len(found) <= MOST_STAGES:
        found.append(_next(found[-1], wrt))
    return found


def _next(stage: Stage, wrt: str) -> Stage:
    marks = _Marks(wrt)
    form = _filled(stage.form, {name: marks.applied(part) for name, part in stage.pending.items()})
    return Stage(tuple(dict.fromkeys(marks.rules)), form, marks.pending)


def _filled(expr: Expr, taken: dict[str, Expr]) -> Expr:
    """The form with each derivative exchanged for what its rule gave; flat, without ones and zeros."""
    match expr:
        case Name(name):
            return taken.get(name, expr)
        case Product(factors):
            return product(*(_filled(factor, taken) for factor in factors))
        case Sum(terms):
            return add(*(_filled(term, taken) for term in terms))
        case Negative(arg):
            return negated(_filled(arg, taken))
        case Quotient(top, bottom):
            return quotient(_filled(top, taken), _filled(bottom, taken))
        case Cases():
            return rebuild(expr, lambda part: _filled(part, taken))
        case _:
            return rebuild(expr, lambda part: _filled(part, taken))


class _Marks:
    """Applies one rule at a time, and remembers which rules, and what is left."""

    def __init__(self, wrt: str) -> None:
        self._wrt = wrt
        self.rules: list[Rule] = []
        self.pending: dict[str, Expr] = {}

    def _later(self, part: Expr) -> Expr:
        """The derivative of a part: at once for z, −z and constants, else to be taken in the next stage."""
        if not depends(part, self._wrt):
            return ZERO
        if part == Name(self._wrt):
            return ONE
        if part == Negative(Name(self._wrt)):
            return Negative(ONE)
        name = f"#{len(self.pending)}"
        self.pending[name] = part
        return Name(name)

    def applied(self, part: Expr) -> Expr:
        match part:
            case Sum() | Series():
                self.rules.append("sum")
                return add(*(self._later(term) for term in children(part)))
            case Negative(arg):
                self.rules.append("factor")
                return negated(self._later(arg))
            case Product(factors):
                return self._product(factors)
            case Quotient(top, bottom):
                return self._quotient(top, bottom)
            case Power(base, exponent):
                self.rules += ["power"] if base == Name(self._wrt) else ["power", "chain"]
                return self._power(base, exponent)
            case Cases():
                self.rules.append("cases")
                return piecewise(part, self._later)
            case Call():
                return self._call(part)
            case _:
                return self._later(part)

    def _product(self, factors: Sequence[Expr]) -> Expr:
        active = [k for k, factor in enumerate(factors) if depends(factor, self._wrt)]
        self.rules.append("factor" if len(active) == 1 else "product")
        return add(*(product(*factors[:k], self._later(factors[k]), *factors[k + 1 :]) for k in active))

    def _quotient(self, top: Expr, bottom: Expr) -> Expr:
        if not depends(bottom, self._wrt):
            self.rules.append("factor")
            return quotient(self._later(top), bottom)
        self.rules.append("quotient")
        gained, lost = product(self._later(top), bottom), product(top, self._later(bottom))
        over = negated(lost) if gained == ZERO else add(gained, negated(lost))
        return quotient(over, Power(bottom, TWO))

    def _power(self, base: Expr, exponent: Expr) -> Expr:
        if not depends(exponent, self._wrt):
            return product(exponent, lowered(base, exponent), self._later(base))
        whole = Power(base, exponent)
        if depends(base, self._wrt):
            return by_rules(whole, self._wrt)
        return product(whole, Call("ln", (base,)), self._later(exponent))

    def _call(self, call: Call) -> Expr:
        row = BY_FUNCTION.get(call.function)
        if call.function in KINKED:
            self.rules.append("cases")
            cases = as_cases(call)
            return piecewise(cases, self._later) if isinstance(cases, Cases) else self._later(cases)
        if row is not None and (not row.derivative or any(depends(arg, self._wrt) for arg in call.args[1:])):
            return self.applied(inlined(call))
        self.rules.append("function" if call.args[0] == Name(self._wrt) else "chain")
        outer = activation_slope(call) if row else outer_derivative(call)
        return times_inner(outer, self._later(call.args[0]))
