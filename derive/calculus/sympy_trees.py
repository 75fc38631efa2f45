"""Trees to SymPy expressions and back, in a readable order.

SymPy never parses a text: every name is a `sympy.Symbol` made directly, every number an exact rational.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from derive.calculus.rules import fraction, inlined, kind_of_factor, product
from derive.errors import DeriveError
from derive.formula.expression import (
    ONE,
    PI,
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
    number,
)

LARGEST_POWER_BITS = 100_000

# Trees to SymPy

_FUNCTIONS: dict[str, Callable[..., sympy.Expr]] = {
    "exp": sympy.exp,
    "ln": sympy.log,
    "sqrt": sympy.sqrt,
    "abs": sympy.Abs,
    "max": sympy.Max,
    "min": sympy.Min,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "erf": sympy.erf,
    "pi": lambda: sympy.pi,
}
_RELATIONS: dict[Relation, Callable[..., sympy.Basic]] = {
    "<": sympy.StrictLessThan,
    "<=": sympy.LessThan,
    ">": sympy.StrictGreaterThan,
    ">=": sympy.GreaterThan,
    "==": sympy.Eq,
}


@dataclass(slots=True)
class Reading:
    """One conversion: `atom` gives the symbol of a node that stays closed, `forms` keeps what was written."""

    atom: Callable[[Expr], sympy.Expr | None]
    forms: dict[sympy.Expr, Expr] = field(default_factory=dict)


def to_sympy(expr: Expr, *, positive: Collection[str] = ()) -> sympy.Expr:
    """The SymPy expression of a tree: names become real symbols (positive ones where asked), numbers exact rationals.

    Activations are replaced by their formulas.  Raises DeriveError for a division by zero, for a power of numbers too
    large to write out and for a function that is not in the grammar or the catalogue.
    """

    def atom(part: Expr) -> sympy.Expr | None:
        if not isinstance(part, Name):
            return None
        return sympy.Symbol(part.name, positive=True) if part.name in positive else sympy.Symbol(part.name, real=True)

    return convert(expr, Reading(atom))


def convert(expr: Expr, reading: Reading) -> sympy.Expr:
    known = reading.atom(expr)
    if known is not None:
        return known
    match expr:
        case Number(value):
            return sympy.Rational(value.numerator, value.denominator)
        case Sum() | Series():
            whole = sympy.Add(*(convert(term, reading) for term in children(expr)))
        case Product(factors):
            whole = sympy.Mul(*(convert(factor, reading) for factor in factors))
        case Quotient(top, bottom):
            whole = _divided(convert(top, reading), convert(bottom, reading))
        case Power(base, exponent):
            whole = _raised(convert(base, reading), convert(exponent, reading))
        case Negative(arg):
            whole = -convert(arg, reading)
        case Cases():
            whole = _piecewise(expr, reading)
        case Call():
            whole = _called(expr, reading)
        case _:
            raise DeriveError(f"{expr!r} is not a formula")
    same_sum = isinstance(expr, Sum) and whole.is_Add and len(whole.args) == len(expr.terms)
    if same_sum or (isinstance(expr, Call) and whole.func in _NAMES):
        reading.forms[whole] = expr
    return whole


def _divided(top: sympy.Expr, bottom: sympy.Expr) -> sympy.Expr:
    if bottom == 0:
        raise DeriveError("division by zero in a formula")
    return top / bottom


def _raised(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    if exponent.is_Rational:
        factor = base.as_coeff_Mul()[0]
        bits = max(factor.p.bit_length(), factor.q.bit_length()) if factor.is_Rational and abs(factor) != 1 else 0
        if bits * abs(exponent) > LARGEST_POWER_BITS:
            raise DeriveError(f"a power in a formula has more than {LARGEST_POWER_BITS} binary digits")
        if base == 0 and exponent < 0:
            raise DeriveError("division by zero in a formula")
    return base**exponent


def _piecewise(cases: Cases, reading: Reading) -> sympy.Expr:
    def test(condition: Condition) -> sympy.Basic:
        sides = (convert(condition.left, reading), convert(condition.right, reading))
        return _RELATIONS[condition.relation](*sides)

    pieces: list[tuple[sympy.Expr, sympy.Basic]] = []
    for value, condition in cases.pieces:
        held = test(condition)
        if held == sympy.true:
            return _joined(pieces, convert(value, reading))
        if held != sympy.false:
            pieces.append((convert(value, reading), held))
    return _joined(pieces, convert(cases.otherwise, reading))


def _joined(pieces: list[tuple[sympy.Expr, sympy.Basic]], otherwise: sympy.Expr) -> sympy.Expr:
    """The pieces in their order: SymPy would merge nested ones into conditions that the grammar does not have."""
    return sympy.Piecewise(*pieces, (otherwise, True), evaluate=False) if pieces else otherwise


def _called(call: Call, reading: Reading) -> sympy.Expr:
    if call.function in _FUNCTIONS:
        return _FUNCTIONS[call.function](*(convert(arg, reading) for arg in call.args))
    return convert(inlined(call), reading)


# SymPy to trees


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How symbols, numbers and whole parts are written.

    leaves   what a symbol stands for; its place here is its place in a product
    forms    parts that are written as they were in the definition
    numbers  fractions that are written as they were in the definition
    decimal  whether other fractions are written as decimals where that is exact
    kind     the place of a leaf among the factors of a product
    """

    leaves: Mapping[sympy.Symbol, Expr]
    forms: Mapping[sympy.Expr, Expr] = field(default_factory=dict)
    numbers: Mapping[Fraction, Number] = field(default_factory=dict)
    decimal: bool = False
    kind: Callable[[Expr], int] = kind_of_factor
    ranks: dict[sympy.Symbol, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranks", {symbol: k for k, symbol in enumerate(self.leaves)})


def from_sympy(expr: sympy.Expr) -> Expr:
    """The tree of a SymPy expression in readable order.

    Positive terms first, higher powers before lower ones; in a product the number first, then names, functions and
    brackets; negative powers under a fraction bar, exp(-z) kept.  Raises DeriveError, with its name, for anything the
    grammar cannot express.
    """
    symbols = sorted(expr.free_symbols, key=lambda symbol: _natural(symbol.name))
    return write(expr, Vocabulary({symbol: Name(symbol.name) for symbol in symbols}))


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """A sorting key that puts w2 before w10."""
    spaced = "".join(c if c.isdigit() else f" {c} " for c in name).split()
    return tuple((int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in spaced)


_NAMES: dict[type[sympy.Basic], str] = {
    sympy.exp: "exp",
    sympy.log: "ln",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.erf: "erf",
    sympy.tanh: "tanh",
    sympy.Abs: "abs",
    sympy.Max: "max",
    sympy.Min: "min",
}
_SIGNS: dict[type[sympy.Basic], Relation] = {
    sympy.StrictLessThan: "<",
    sympy.LessThan: "<=",
    sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: ">=",
    sympy.Equality: "==",
}


def write(expr: sympy.Expr, words: Vocabulary) -> Expr:
    if expr in words.forms:
        return words.forms[expr]
    if expr.is_Symbol:
        return words.leaves[expr]
    if expr.is_Add:
        return _written_sum(expr, words)
    if expr.is_Rational or expr.is_Mul:
        return _written_product(expr, words)
    if expr.is_Pow:
        under_bar = expr.exp.could_extract_minus_sign()
        return _written_product(expr, words) if under_bar else _written_power(expr, words)
    if expr is sympy.E:
        return Call("exp", (ONE,))
    if expr is sympy.pi:
        return PI
    if expr.func in _NAMES:
        args = sorted(expr.args, key=lambda arg: not arg.is_Rational)
        return Call(_NAMES[expr.func], tuple(write(arg, words) for arg in args))
    if isinstance(expr, sympy.Piecewise):
        return _written_cases(expr, words)
    if expr in (sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I):
        raise DeriveError("a formula is not defined for real numbers (a division by zero or a root of a negative)")
    raise DeriveError(f'SymPy\'s "{expr.func.__name__}" cannot be written as a formula')


def _written_sum(expr: sympy.Expr, words: Vocabulary) -> Expr:
    if abs(_common_factor(expr, words)) != 1:
        return _written_product(expr, words)
    terms = sorted(expr.args, key=lambda term: _place_of_term(term, words))
    return add(*(_written_term(term, words) for term in terms))


def _written_term(term: sympy.Expr, words: Vocabulary) -> Expr:
    return Negative(write(-term, words)) if _is_negative(term) else write(term, words)


def _is_negative(term: sympy.Expr) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)


def _common_factor(expr: sympy.Expr, words: Vocabulary) -> sympy.Rational:
    """The c of a sum whose terms are all c or −c times something without a number (−c: all of them); else 1."""
    factors = [term.as_coeff_Mul()[0] for term in expr.args]
    size = abs(factors[0])
    if expr in words.forms or any(not factor.is_Rational or abs(factor) != size for factor in factors):
        return sympy.Integer(1)
    return -size if all(factor < 0 for factor in factors) else size


def _written_product(expr: sympy.Expr, words: Vocabulary) -> Expr:
    factor, above, below = sympy.Integer(1), [], []
    for part in sympy.Mul.make_args(_sides_alike(expr, words)):
        if part.is_Rational:
            factor *= part
        elif part.is_Pow and part.exp.could_extract_minus_sign():
            below.append(part.base ** (-part.exp))
        elif part.is_Add:
            common = _common_factor(part, words)
            factor *= common
            above.append(part if common == 1 else sympy.Add(*(term / common for term in part.args)))
        else:
            above.append(part)
    whole = _fraction(abs(Fraction(factor.p, factor.q)), _in_order(above, words), _in_order(below, words), words)
    return Negative(whole) if factor < 0 else whole


def _sides_alike(expr: sympy.Expr, words: Vocabulary) -> sympy.Expr:
    """(b - a)*(a - b)/c as -(a - b)^2/c where a - b is how it was written."""
    turned = [part for part in sympy.Mul.make_args(expr) if part.is_Add and -part in words.forms]
    bases = {part.as_base_exp()[0] for part in sympy.Mul.make_args(expr)} if turned else set()
    for part in turned:
        if -part in bases:
            expr = sympy.Mul(-1, *(-part if other == part else other for other in expr.args))
    return expr


def _in_order(factors: list[sympy.Expr], words: Vocabulary) -> list[Expr]:
    if len(factors) > 1:
        factors = sorted(factors, key=lambda factor: _place_of_factor(factor, words))
    return [write(factor, words) for factor in factors]


def _fraction(factor: Fraction, above: list[Expr], below: list[Expr], words: Vocabulary) -> Expr:
    front: Expr = _written_number(factor, words)
    under: Expr = ONE
    if isinstance(front, Quotient) and (below or factor.numerator == 1):
        front, under = number(factor.numerator), number(factor.denominator)
    top, bottom = product(front, *above), product(under, *below)
    return top if bottom == ONE else Quotient(top, bottom)


def _written_number(value: Fraction, words: Vocabulary) -> Expr:
    if value in words.numbers:
        return words.numbers[value]
    if words.decimal and value.denominator != 1:
        for places in range(1, 13):
            if (value * 10**places).denominator == 1:
                digits = str(int(value * 10**places)).rjust(places + 1, "0")
                return number(f"{digits[:-places]}.{digits[-places:]}")
    return fraction(value)


def _written_power(power: sympy.Expr, words: Vocabulary) -> Expr:
    base = write(power.base, words)
    return Call("sqrt", (base,)) if power.exp == sympy.Rational(1, 2) else Power(base, write(power.exp, words))


def _written_cases(cases: sympy.Piecewise, words: Vocabulary) -> Expr:
    *pieces, (otherwise, last) = cases.args
    if last != sympy.true or any(type(test) not in _SIGNS for _, test in pieces):
        raise DeriveError("these cases cannot be written as a formula: each needs one comparison and the last none")
    return Cases(
        tuple(
            (write(value, words), Condition(write(test.lhs, words), _SIGNS[type(test)], write(test.rhs, words)))
            for value, test in pieces
        ),
        write(otherwise, words),
    )


_Place = tuple[int, int, tuple[int, ...], object]


def _kind(factor: sympy.Expr, words: Vocabulary) -> int:
    base, exponent = (factor.base, factor.exp) if factor.is_Pow else (factor, sympy.Integer(1))
    if not exponent.is_number:
        return 2
    if base.is_Symbol:
        return words.kind(words.leaves[base])
    return 4 if base.is_Add else 5


def _place_of_factor(factor: sympy.Expr, words: Vocabulary) -> _Place:
    return (_kind(factor, words), 0, _symbol_ranks(factor, words), sympy.default_sort_key(factor))


def _place_of_term(term: sympy.Expr, words: Vocabulary) -> _Place:
    """Positive terms first; then powers of names by falling degree, numbers, everything else."""
    kind, degree = (1, 0) if term.is_Rational else (2, 0)
    powers = [factor.as_base_exp() for factor in sympy.Mul.make_args(term.as_coeff_Mul()[1])]
    if kind == 2 and all(_is_name(base, words) and exponent.is_Integer and exponent > 0 for base, exponent in powers):
        kind, degree = 0, -sum(int(exponent) for _, exponent in powers)
    return (3 * _is_negative(term) + kind, degree, _symbol_ranks(term, words), sympy.default_sort_key(term))


def _is_name(base: sympy.Expr, words: Vocabulary) -> bool:
    return bool(base.is_Symbol) and isinstance(words.leaves[base], Name)


def _symbol_ranks(expr: sympy.Expr, words: Vocabulary) -> tuple[int, ...]:
    return tuple(sorted(words.ranks[symbol] for symbol in expr.free_symbols))
