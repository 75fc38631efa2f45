"""What SymPy is asked: derivatives of definitions, and proofs that two formulas are equal."""

from __future__ import annotations

from collections.abc import Callable, Collection
from fractions import Fraction
from functools import lru_cache

import sympy

from derive.calculus.loss_terms import LossTerms, named_terms, read_loss
from derive.calculus.pattern import Pattern, filled, kind_of_placeholder, pattern
from derive.calculus.rules import (
    KINKED,
    activation_slope,
    as_cases,
    by_rules,
    depends,
    inlined,
    piecewise,
    read_once,
    scalar_row,
    times_inner,
)
from derive.calculus.sympy_trees import Reading, Vocabulary, convert, from_sympy, to_sympy, write
from derive.catalogue.activations import BY_FUNCTION, Activation
from derive.catalogue.losses import Loss
from derive.errors import DeriveError
from derive.formula.expression import (
    ZERO,
    Call,
    Cases,
    Condition,
    Expr,
    Name,
    Number,
    Relation,
    children,
    rebuild,
    replace_names,
    subtract,
)

__all__ = [
    "activation_derivative",
    "by_rules",
    "equal",
    "from_sympy",
    "partial",
    "prove_activation",
    "prove_loss",
    "textbook",
    "to_sympy",
]

# Derivatives


def partial(definition: Expr, wrt: str) -> Expr:
    """SymPy's derivative of a definition with respect to one name, in readable order.

    Terms without the name are left out before SymPy is asked, and it is asked once per shape: w1*x1 and w7*x3 share
    the answer.  At a kink the slope of the `otherwise` piece is taken: max(0, z) gives "1 if z > 0 else 0".  Raises
    DeriveError for a function without a known derivative and for a division by zero.
    """
    if not depends(definition, wrt):
        return ZERO
    known = pattern(definition, wrt)
    return filled(partial_of_shape(known), known.parts)


@lru_cache(maxsize=4096)
def partial_of_shape(known: Pattern) -> Expr:
    """The derivative of a shape, in its placeholders."""
    return _derivative(known.shape, known.wrt, _numbers_in(known.shape))


def _numbers_in(shape: Expr) -> dict[Fraction, Number]:
    """The decimals of a shape by their size, to be written again as they were."""
    own: dict[Fraction, Number] = {}
    if isinstance(shape, Number) and shape.value.denominator != 1 and shape.written:
        own = {abs(shape.value): Number(abs(shape.value), shape.written.lstrip("-"))}
    return own | {size: written for part in children(shape) for size, written in _numbers_in(part).items()}


def _derivative(expr: Expr, wrt: str, numbers: dict[Fraction, Number]) -> Expr:
    """∂expr/∂wrt; a part that SymPy would differentiate unreadably is one symbol to it and joins by the chain rule."""
    if not depends(expr, wrt):
        return ZERO
    symbols: dict[Expr, sympy.Symbol] = {}

    def atom(part: Expr) -> sympy.Symbol | None:
        if isinstance(part, Name | Cases) or (isinstance(part, Call) and _is_apart(part)):
            return symbols.setdefault(part, sympy.Symbol(_symbol_name(part, len(symbols))))
        return None

    reading = Reading(atom)
    whole = convert(expr, reading)
    slopes = sympy.Integer(0)
    for part, symbol in list(symbols.items()):
        if part == Name(wrt):
            slopes += sympy.diff(whole, symbol)
        elif not isinstance(part, Name) and depends(part, wrt):
            slopes += sympy.diff(whole, symbol) * convert(_slope(part, wrt, numbers), reading)
    leaves = {symbol: part for part, symbol in symbols.items()}
    return write(_tidied(slopes), Vocabulary(leaves, reading.forms, numbers, bool(numbers), kind_of_placeholder))


def _symbol_name(part: Expr, k: int) -> str:
    return part.name if isinstance(part, Name) else f"@{k}"


def _is_apart(call: Call) -> bool:
    return call.function in KINKED or call.function in BY_FUNCTION


def _slope(part: Expr, wrt: str, numbers: dict[Fraction, Number]) -> Expr:
    """The derivative of cases or of the call of a kinked function or an activation."""
    if isinstance(part, Cases):
        return piecewise(part, lambda value: _derivative(value, wrt, numbers))
    if not isinstance(part, Call):
        return _derivative(part, wrt, numbers)
    if part.function in KINKED:
        return _slope(as_cases(part), wrt, numbers)
    if not scalar_row(part).derivative or any(depends(arg, wrt) for arg in part.args[1:]):
        return _slope(inlined(part), wrt, numbers)
    return times_inner(activation_slope(part), _derivative(part.args[0], wrt, numbers))


def _tidied(expr: sympy.Expr) -> sympy.Expr:
    """x^y*y/x as y*x^(y - 1), and one fraction where that is shorter and has no new brackets."""
    if any(not power.exp.is_number for power in expr.atoms(sympy.Pow)):
        expr = sympy.powsimp(expr, combine="exp")
    if not expr.is_Add or not _shares_a_denominator(expr) or not _is_small(expr, operations=60, exponent=6):
        return expr
    top, bottom = sympy.fraction(sympy.together(expr))
    joined = sympy.factor_terms(sympy.expand(top)) / bottom
    shorter = sympy.count_ops(joined) < sympy.count_ops(expr)
    return joined if shorter and joined.atoms(sympy.Add) <= expr.atoms(sympy.Add) else expr


def _shares_a_denominator(expr: sympy.Expr) -> bool:
    seen: set[sympy.Expr] = set()
    for term in expr.args:
        bases = {power.base for power in sympy.Mul.make_args(term) if power.is_Pow and power.exp.is_negative}
        if bases & seen:
            return True
        seen |= bases
    return False


def _is_small(expr: sympy.Expr, *, operations: int, exponent: int) -> bool:
    """Whether expanding stays cheap."""
    powers = (power.exp for power in expr.atoms(sympy.Pow) if power.exp.is_Rational)
    return all(abs(power) <= exponent for power in powers) and bool(sympy.count_ops(expr) <= operations)


# Proofs

MOST_BOUNDARIES = 6
_Signs = dict[sympy.Expr, int]
_HOLDS: dict[Relation, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
    "==": lambda sign: sign == 0,
}


def equal(left: Expr, right: Expr, *, positive: Collection[str] = ()) -> bool:
    """Whether SymPy proves the formulas equal for all real values of their names, off the kinks.

    Formulas given by cases are compared piece by piece, on both sides of every boundary.  The names in `positive` are
    taken to be greater than zero.  False means not proved: different, or too large to decide (over 400 operations,
    powers above 12, more than 6 boundaries at once).
    """
    difference = subtract(left, right)
    return bool(to_sympy(difference, positive=positive) == 0) or _vanishes(_opened(difference), {}, positive)


def _opened(expr: Expr) -> Expr:
    """Activations, abs, max and min written out, by cases where they have any."""
    if isinstance(expr, Call) and expr.function in KINKED:
        return rebuild(as_cases(expr), _opened)
    if isinstance(expr, Call) and expr.function in BY_FUNCTION:
        return _opened(inlined(expr))
    return rebuild(expr, _opened)


def _vanishes(expr: Expr, signs: _Signs, positive: Collection[str]) -> bool:
    """Whether the formula is zero wherever the boundaries have these signs."""
    test = _first_test(expr)
    if test is None:
        sizes = {sympy.Abs(boundary): sign * boundary for boundary, sign in signs.items()}
        return _is_zero(to_sympy(expr, positive=positive).xreplace(sizes))
    boundary, taken_out = _boundary(test, positive)
    return len(signs) <= MOST_BOUNDARIES and all(
        _vanishes(_decided(expr, test, _HOLDS[test.relation](sign * taken_out)), {**signs, boundary: sign}, positive)
        for sign in _possible_signs(boundary, signs)
    )


def _first_test(expr: Expr) -> Condition | None:
    """A comparison in the formula whose own sides have no cases in them."""
    if isinstance(expr, Cases):
        test = expr.pieces[0][1]
        return _first_test(test.left) or _first_test(test.right) or test
    return next((found for part in children(expr) if (found := _first_test(part))), None)


def _boundary(test: Condition, positive: Collection[str]) -> tuple[sympy.Expr, int]:
    """The sides of a comparison subtracted, up to a positive factor, and the sign taken out of it."""
    difference = to_sympy(subtract(test.left, test.right), positive=positive)
    if _is_small(difference, operations=400, exponent=12):
        difference = sympy.expand(difference)
    difference = difference.primitive()[1]
    return (-difference, -1) if difference.could_extract_minus_sign() else (difference, 1)


def _possible_signs(boundary: sympy.Expr, signs: _Signs) -> tuple[int, ...]:
    """The signs that a boundary can have where others have theirs; zero only where it is zero everywhere."""
    if boundary in signs:
        return (signs[boundary],)
    if boundary.is_zero or boundary.is_positive or boundary.is_negative:
        return (1 if boundary.is_positive else -1 if boundary.is_negative else 0,)
    return tuple(sign for sign in (1, -1) if _can_hold(signs | {boundary: sign}))


def _can_hold(signs: _Signs) -> bool:
    """False when two boundaries that are straight in the same single name contradict each other."""
    above: dict[sympy.Symbol, sympy.Expr] = {}
    below: dict[sympy.Symbol, sympy.Expr] = {}
    for boundary, sign in signs.items():
        for name in boundary.free_symbols if len(boundary.free_symbols) == 1 else ():
            slope = sympy.diff(boundary, name)
            if slope.is_Rational and slope != 0:
                kink = -boundary.subs(name, 0) / slope
                side, tighter = (above, sympy.Max) if sign * slope > 0 else (below, sympy.Min)
                side[name] = tighter(side.get(name, kink), kink)
    return all(above[name] < below[name] for name in above.keys() & below.keys())


def _decided(expr: Expr, test: Condition, holds: bool) -> Expr:
    """The formula where the comparison is known to hold or to fail."""
    if not isinstance(expr, Cases) or all(other != test for _, other in expr.pieces):
        return rebuild(expr, lambda part: _decided(part, test, holds))
    place = next(k for k, (_, other) in enumerate(expr.pieces) if other == test)
    value = expr.pieces[place][0]
    pieces = expr.pieces[:place] if holds else expr.pieces[:place] + expr.pieces[place + 1 :]
    otherwise = value if holds else expr.otherwise
    return _decided(Cases(pieces, otherwise) if pieces else otherwise, test, holds)


def _is_zero(difference: sympy.Expr) -> bool:
    if difference == 0:
        return True
    if not _is_small(difference, operations=400, exponent=12) or _differs_somewhere(difference):
        return False
    if sympy.expand(sympy.fraction(sympy.together(difference))[0]) == 0:
        return True
    return bool(sympy.simplify(difference) == 0)


def _differs_somewhere(difference: sympy.Expr) -> bool:
    """Whether the difference is plainly not zero at one of three points, so that no proof need be tried."""
    names = sorted(difference.free_symbols, key=lambda symbol: str(symbol.name))
    for start in (3, 7, 11):
        point = {name: sympy.Rational(start + 5 * k, 13 + 2 * k) for k, name in enumerate(names)}
        value = difference.evalf(30, subs=point)
        if value.is_Float and abs(value) > 1e-12:
            return True
    return False


# The catalogue


def textbook(row: Activation) -> Expr:
    """f'(z) in z, a = f(z) and the parameters, as the row has it; SymPy's where the row has none."""
    return read_once(row.derivative) if row.derivative else activation_derivative(row)


@lru_cache(maxsize=256)
def activation_derivative(row: Activation) -> Expr:
    """SymPy's derivative of the formula of a row, in z and the names of its parameters.

    Raises DeriveError for a vector activation: its outputs depend on every net input of the layer.
    """
    return partial(_formula(row), "z")


def _formula(row: Activation) -> Expr:
    if row.vector:
        raise DeriveError(f'"{row.name}" acts on a whole layer and has no formula in one z')
    return read_once(row.formula)


def prove_activation(row: Activation) -> bool:
    """Whether SymPy proves that the textbook derivative of a row is the derivative of its formula, off the kinks.

    The formula is put in place of a = f(z).  Raises DeriveError for a vector activation.
    """
    return equal(replace_names(textbook(row), {"a": _formula(row)}), activation_derivative(row))


def prove_loss(loss: Loss) -> bool:
    """Whether SymPy proves that the textbook derivative of a loss is its derivative with respect to one output.

    A loss in which the outputs meet is proved for two and for three outputs.  A row without a textbook derivative has
    SymPy's.
    """
    if not loss.derivative:
        return True
    if not loss.whole:
        part, slope = read_loss(loss.part), read_loss(loss.derivative)
        return equal(slope, partial(part, "o")) and all(_proved_edge(loss, *edge) for edge in loss.edges)
    return all(_proved_whole(named_terms(loss, size)) for size in (2, 3))


def _proved_whole(terms: LossTerms) -> bool:
    slope, whole = terms.slope(1), terms.whole()
    return slope is not None and equal(replace_names(slope, {terms.value: whole}), partial(whole, "o1"))


def _proved_edge(loss: Loss, target: str, slope: str) -> bool:
    part = replace_names(read_loss(loss.part), {"t": read_once(target)})
    return equal(replace_names(read_loss(slope), {"t": read_once(target)}), partial(part, "o"))
