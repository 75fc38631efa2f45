"""Formulas as the checker evaluates them: the factors of a product apart, and what each of them depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from derive.catalogue.activations import BY_FUNCTION
from derive.derivation.evaluator import exponents, formula
from derive.formula.expression import (
    Call,
    Cases,
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
    children,
    is_plain,
    names_in,
    replace_names,
)

MOST_FACTORS = 7
"""Products of more factors are taken in the order in which they are written."""
MOST_REGROUPED_TERMS = 6


@dataclass(frozen=True, slots=True)
class Constant:
    value: float
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A quantity, carried on as it stands in the environment."""

    key: str


@dataclass(frozen=True, slots=True)
class Total:
    terms: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Atom:
    """A factor; `variable` is the one uncertain quantity in it, None where there are several or none."""

    plan: Plan
    variable: str | None


@dataclass(frozen=True, slots=True)
class Times:
    """A product.

    squares   for each o beside 1 − o, its place and the mask of the two
    slopes    the places of 1 − o²
    """

    atoms: tuple[Atom, ...]
    squares: tuple[tuple[int, int], ...] = ()
    slopes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Minus:
    arg: Plan


@dataclass(frozen=True, slots=True)
class Ratio:
    top: Plan
    bottom: Plan


@dataclass(frozen=True, slots=True)
class Raised:
    base: Plan
    exponent: Plan


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of the grammar, or a scalar activation with its formulas in its arguments."""

    function: str
    args: tuple[Plan, ...]
    direct: Plan | None = None
    by_hand: Plan | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """exp(own)/(exp(own) + Σ exp(others))."""

    own: Plan
    others: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Test:
    left: Plan
    relation: Relation
    right: Plan


@dataclass(frozen=True, slots=True)
class Choice:
    pieces: tuple[tuple[Plan, Test], ...]
    otherwise: Plan


Plan = Constant | Reference | Total | Times | Minus | Ratio | Raised | Applied | Share | Choice
Mode = Literal["exact", "carried"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a formula is compiled among.

    key        the node that a name means
    certain    whether a node is a given number, which nobody rounds
    inner      the definition of a node that may be looked through (nobody is asked for it), None for any other
    """

    key: Callable[[str], str]
    certain: Callable[[str], bool]
    inner: Callable[[str], Expr | None]


def plan_of(expr: Expr, around: Surroundings) -> Plan:
    """The plan of a definition; names become keys."""
    match expr:
        case Number(value):
            return Constant(_float(value.numerator, value.denominator))
        case Name(name):
            return Reference(around.key(name))
        case Negative(arg):
            return Minus(plan_of(arg, around))
        case Sum() | Series():
            return Total(tuple(plan_of(term, around) for term in children(expr)))
        case Product():
            return _product(expr, around)
        case Quotient(top, bottom):
            return _quotient(top, bottom, around)
        case Power(base, Number(value)) if value in (2, 3):
            return _product(Product((base,) * int(value)), around)
        case Power(base, exponent):
            return Raised(plan_of(base, around), plan_of(exponent, around))
        case Call(function, args):
            return _call(function, args, around)
        case Cases(pieces, otherwise):
            compiled = tuple(
                (plan_of(value, around), Test(plan_of(t.left, around), t.relation, plan_of(t.right, around)))
                for value, t in pieces
            )
            return Choice(compiled, plan_of(otherwise, around))


def is_computed(plan: Plan) -> bool:
    """Whether a value had to be worked out, so that somebody may have rounded it."""
    if isinstance(plan, Minus):
        return is_computed(plan.arg)
    return plan.computed if isinstance(plan, Constant) else not isinstance(plan, Reference)


def is_linear(plan: Plan) -> bool:
    """Whether a plan is a quantity, or a sum of quantities and numbers."""
    match plan:
        case Reference() | Constant():
            return True
        case Minus(arg):
            return is_linear(arg)
        case Total(terms):
            return all(map(is_linear, terms))
    return False


def _float(top: int, bottom: int) -> float:
    try:
        return top / bottom
    except OverflowError:
        return float("inf") if (top > 0) == (bottom > 0) else float("-inf")


def _quotient(top: Expr, bottom: Expr, around: Surroundings) -> Plan:
    if isinstance(top, Number) and isinstance(bottom, Number) and bottom.value:
        value = top.value / bottom.value
        return Constant(_float(value.numerator, value.denominator), computed=True)
    if nets := exponents(top, bottom):
        own, *others = (plan_of(net, around) for net in nets)
        return Share(own, tuple(others))
    return Ratio(plan_of(top, around), plan_of(bottom, around))


def _call(function: str, args: tuple[Expr, ...], around: Surroundings) -> Plan:
    row = BY_FUNCTION.get(function)
    compiled = tuple(plan_of(arg, around) for arg in args)
    if row is None or not row.formula:
        return Applied(function, compiled)
    names = ("z", *(name for name, _ in row.parameters))
    inside = dict(zip(names, args, strict=False))

    def of(text: str) -> Plan:
        return plan_of(replace_names(formula(text, names), inside), around)

    return Applied(function, compiled, of(row.numeric or row.formula), of(row.formula))


def references(plan: Plan) -> set[str]:
    """Every key that a plan needs."""
    match plan:
        case Reference(key):
            return {key}
        case Total(parts):
            return set().union(*map(references, parts))
        case Times(atoms):
            return set().union(*(references(atom.plan) for atom in atoms))
        case Minus(arg):
            return references(arg)
        case Ratio(a, b) | Raised(a, b):
            return references(a) | references(b)
        case Applied(_, args):
            return set().union(*map(references, args))
        case Share(own, others):
            return references(own).union(*map(references, others))
        case Choice(pieces, otherwise):
            tests = (references(value) | references(t.left) | references(t.right) for value, t in pieces)
            return references(otherwise).union(*tests)
        case _:
            return set()


# -- products


def _product(expr: Product, around: Surroundings) -> Plan:
    """The factors, each looked through as long as there are few; the sign in front."""
    negative, flat = False, list(_signed(expr.factors, around, through=True))
    if len(flat) > MOST_FACTORS:
        flat = list(_signed(expr.factors, around, through=False))
    atoms = []
    for sign, factor in flat:
        negative ^= sign
        plan = plan_of(factor, around)
        if plan != Constant(1.0):
            atoms.append(Atom(plan, _variable(factor, around)))
    if not atoms:
        whole: Plan = Constant(1.0)
    elif len(atoms) == 1:
        whole = atoms[0].plan
    else:
        whole = Times(tuple(atoms), _squares(atoms), _slopes(atoms))
    return Minus(whole) if negative else whole


def _squares(atoms: list[Atom]) -> tuple[tuple[int, int], ...]:
    found = []
    for place, atom in enumerate(atoms):
        rest = Total((Constant(1.0), Minus(atom.plan)))
        found += [(place, 1 << place | 1 << other) for other, each in enumerate(atoms) if each.plan == rest]
    return tuple(found)


def _slopes(atoms: list[Atom]) -> tuple[int, ...]:
    found = []
    for place, atom in enumerate(atoms):
        match atom.plan:
            case Total((Constant(1.0), Minus(Times((one, other))))) if one == other:
                found.append(place)
    return tuple(found)


def _signed(factors: tuple[Expr, ...], around: Surroundings, *, through: bool) -> list[tuple[bool, Expr]]:
    found: list[tuple[bool, Expr]] = []
    for factor in factors:
        match factor:
            case Product(inside):
                found += _signed(inside, around, through=through)
            case Negative(arg):
                (first, rest), *more = _signed((arg,), around, through=through)
                found += [(not first, rest), *more]
            case Power(base, Number(value)) if value in (2, 3):
                found += _signed((base,) * int(value), around, through=through)
            case Name(name) if through and (inner := around.inner(name)) is not None and _opens(inner, around):
                found += _signed((inner,), around, through=through)
            case _:
                found.append((False, factor))
    return found


def _opens(inner: Expr, around: Surroundings) -> bool:
    """A product, another name, a constant, or an expression in one uncertain quantity."""
    if isinstance(inner, Product | Name) or is_plain(inner):
        return True
    if isinstance(inner, Negative | Power):
        return True
    return not isinstance(inner, Call | Cases | Series) and _variable(inner, around) is not None


def _variable(expr: Expr, around: Surroundings) -> str | None:
    found = {key for key in map(around.key, names_in(expr)) if not around.certain(key)}
    return found.pop() if len(found) == 1 else None
