"""Enclosures hold the true value (mpmath at 60 digits is the witness) and are no wider than the digits asked for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import mpmath
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from derive.errors import DeriveError
from derive.numbers.exact import (
    EXACT_BITS,
    Arithmetic,
    Interval,
    NotEnoughDigits,
    Real,
    Undefined,
    bounds,
    compare,
    exact_root,
)

F = Fraction
A = Arithmetic(30)
INFINITY = Decimal("Infinity")
MP = mpmath.mp.clone()
MP.dps = 60


def span(lo: str | int, hi: str | int) -> Interval:
    return Interval(Decimal(lo), Decimal(hi))


def true(end: Fraction | Decimal) -> Any:
    return MP.mpf(end.numerator) / end.denominator if isinstance(end, Fraction) else MP.mpf(str(end))


def holds(value: Real, witness: Any) -> bool:
    """Whether the enclosure holds the witness, but for the rounding of the witness itself."""
    low, high = map(true, bounds(value))
    slack = MP.mpf("1e-40") * (1 + abs(witness))
    return bool(low - slack <= witness <= high + slack)


EXACT: list[tuple[Callable[[], Real], Fraction]] = [
    (lambda: A.exp(F(0)), F(1)),
    (lambda: A.ln(F(1)), F(0)),
    (lambda: A.sqrt(F(9, 16)), F(3, 4)),
    (lambda: A.sqrt(F(0)), F(0)),
    (lambda: A.sin(F(0)), F(0)),
    (lambda: A.cos(F(0)), F(1)),
    (lambda: A.erf(F(0)), F(0)),
    (lambda: A.abs(F(-2, 3)), F(2, 3)),
    (lambda: A.max(F(0), F(-1, 2), F(1, 3)), F(1, 3)),
    (lambda: A.min(F(0), F(-1, 2), F(1, 3)), F(-1, 2)),
    (lambda: A.max(F(0), A.negate(A.exp(F(1)))), F(0)),
    (lambda: A.min(F(0), A.exp(F(1))), F(0)),
    (lambda: A.add(F(1, 10), F(2, 10)), F(3, 10)),
    (lambda: A.subtract(F(1, 10), F(1, 10)), F(0)),
    (lambda: A.multiply(F(0), A.exp(F(3))), F(0)),
    (lambda: A.multiply(A.exp(F(3)), F(0)), F(0)),
    (lambda: A.multiply(span(0, 0), span(1, "Infinity")), F(0)),
    (lambda: A.divide(F(0), A.exp(F(3))), F(0)),
    (lambda: A.divide(F(1), F(3)), F(1, 3)),
    (lambda: A.power(F(-2, 3), F(3)), F(-8, 27)),
    (lambda: A.power(F(-2, 3), F(-2)), F(9, 4)),
    (lambda: A.power(F(0), F(0)), F(1)),
    (lambda: A.power(F(0), F(1, 3)), F(0)),
    (lambda: A.power(F(0), A.exp(F(1))), F(0)),
    (lambda: A.power(A.exp(F(1)), F(0)), F(1)),
    (lambda: A.power(F(1), A.exp(F(1))), F(1)),
    (lambda: A.power(F(-1), F(10**30 + 1)), F(-1)),
    (lambda: A.power(F(27, 8), F(2, 3)), F(9, 4)),
    (lambda: A.power(F(4), F(-1, 2)), F(1, 2)),
    (lambda: A.softmax(F(7, 3), [F(7, 3), F(7, 3)]), F(1, 3)),
    (lambda: A.softmax(F(1, 7), []), F(1)),
]


@pytest.mark.parametrize(("compute", "expected"), EXACT)
def test_stays_exact(compute: Callable[[], Real], expected: Fraction) -> None:
    found = compute()
    assert isinstance(found, Fraction)
    assert found == expected


UNDEFINED: list[Callable[[], Real]] = [
    lambda: A.ln(F(0)),
    lambda: A.ln(F(-1)),
    lambda: A.ln(span(-2, 0)),
    lambda: A.sqrt(F(-1, 9)),
    lambda: A.sqrt(span(-2, -1)),
    lambda: A.divide(F(1), F(0)),
    lambda: A.divide(F(0), F(0)),
    lambda: A.divide(span(1, 2), span(0, 0)),
    lambda: A.power(F(0), F(-1)),
    lambda: A.power(F(0), F(-1, 2)),
    lambda: A.power(F(-8), F(1, 3)),
    lambda: A.power(span(-2, -1), F(1, 2)),
    lambda: A.power(F(-2), A.exp(F(1))),
    lambda: A.subtract(A.exp(F(10**20)), A.exp(F(10**20))),
]


@pytest.mark.parametrize("compute", UNDEFINED)
def test_undefined(compute: Callable[[], Real]) -> None:
    with pytest.raises(Undefined):
        compute()


UNDECIDED: list[Callable[[], object]] = [
    lambda: A.divide(F(1), span(-1, 1)),
    lambda: A.divide(F(1), span(0, 1)),
    lambda: A.power(span(-1, 1), F(-2)),
    lambda: A.ln(span(0, 1)),
    lambda: A.ln(span(-1, 1)),
    lambda: A.sqrt(span(-1, 1)),
    lambda: A.power(span(-1, 1), F(1, 3)),
    lambda: A.power(F(0), span(-1, 1)),
    lambda: compare(span(0, 2), span(1, 3)),
    lambda: compare(span(0, 1), F(1)),
]


@pytest.mark.parametrize("compute", UNDECIDED)
def test_undecided(compute: Callable[[], object]) -> None:
    with pytest.raises(NotEnoughDigits):
        compute()


def test_messages_say_what_was_found() -> None:
    with pytest.raises(Undefined, match=r"ln: found -1/2; accepted: a value above 0"):
        A.ln(F(-1, 2))
    with pytest.raises(Undefined, match=r"sqrt: found about -3\.33333E\+399; accepted: 0 and above"):
        A.sqrt(F(-(10**400), 3))
    with pytest.raises(Undefined, match=r"\(-8\)\^\(1/3\) is not a real number"):
        A.power(F(-8), F(1, 3))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (F(1), F(2), -1),
        (F(1, 3), F(2, 6), 0),
        (span(2, 3), span(0, 1), 1),
        (span(1, 1), F(1), 0),
        (F(1), span(2, 3), -1),
    ],
)
def test_compare(a: Real, b: Real, expected: int) -> None:
    assert compare(a, b) == A.compare(a, b) == expected


@pytest.mark.parametrize(
    ("a", "b", "largest", "smallest"),
    [
        (span(0, 2), span(1, 3), span(1, 3), span(0, 2)),
        (span(0, 3), span(1, 2), span(1, 3), span(0, 2)),
        (span(0, 2), F(1), span(1, 2), span(0, 1)),
        (F(2), span(0, 2), F(2), span(0, 2)),
    ],
)
def test_largest_and_smallest_of_overlapping_values(a: Real, b: Real, largest: Real, smallest: Real) -> None:
    assert A.max(a, b) == A.max(b, a) == largest
    assert A.min(a, b) == A.min(b, a) == smallest


def test_large_rationals_become_intervals() -> None:
    at_limit = F(2) ** (EXACT_BITS - 1)
    assert A.multiply(at_limit, F(1)) == at_limit
    assert isinstance(A.multiply(at_limit, F(2)), Interval)
    assert isinstance(A.add(F(1) / at_limit, F(1, 3)), Interval)
    power = A.power(F(3, 2), F(10**6))
    assert isinstance(power, Interval)
    assert holds(A.ln(power), 10**6 * MP.log(MP.mpf(3) / 2))


def test_numbers_beyond_every_double() -> None:
    huge, tiny = A.exp(F(10**30)), A.exp(F(-(10**30)))
    assert isinstance(huge, Interval)
    assert huge.lo > Decimal("1e1000000000")
    assert huge.hi == INFINITY
    assert isinstance(tiny, Interval)
    assert tiny.lo == 0 < tiny.hi < Decimal("1e-1000000000")
    saturated = A.divide(F(1), A.add(F(1), huge))
    assert isinstance(saturated, Interval)
    assert saturated.lo == 0 < saturated.hi < Decimal("1e-1000000000")
    assert compare(A.exp(F(10**15)), F(10**400)) == 1
    assert A.subtract(span("-Infinity", "Infinity"), huge) == span("-Infinity", "Infinity")


ENDS = [-INFINITY, Decimal(-3), Decimal(-1), Decimal(0), Decimal(2), Decimal(5), INFINITY]
PAIRS = itertools.combinations_with_replacement(ENDS, 2)
SPANS = [Interval(lo, hi) for lo, hi in PAIRS if lo != INFINITY and hi != -INFINITY]


def times(a: Decimal, b: Decimal) -> Decimal:
    return a * b if a and b else Decimal(0)


@pytest.mark.parametrize("a", SPANS)
def test_product_has_the_ends_of_all_four_products(a: Interval) -> None:
    for b in SPANS:
        products = [times(x, y) for x in bounds(a) for y in bounds(b)]  # type: ignore[arg-type]
        assert bounds(A.multiply(a, b)) == (min(products), max(products)), b


@pytest.mark.parametrize("a", SPANS)
def test_quotient_has_the_ends_of_the_product_with_the_reciprocal(a: Interval) -> None:
    for b in SPANS:
        if b.lo <= 0 <= b.hi:
            continue
        inverse = [Decimal(0) if end.is_infinite() else 1 / Decimal(end) for end in (b.lo, b.hi)]
        quotients = [times(x, y) for x in (a.lo, a.hi) for y in inverse]
        lo, hi = bounds(A.divide(a, b))
        for found, expected in ((lo, min(quotients)), (hi, max(quotients))):
            assert found == expected or abs(found - expected) < Decimal("1e-25"), b  # type: ignore[operator]


@pytest.mark.parametrize("base", [(-3, -1), (-3, 2), (-2, 3), (0, 2), (2, 3)])
@pytest.mark.parametrize("n", range(5))
def test_integer_power_of_an_interval(base: tuple[int, int], n: int) -> None:
    ends = [end**n for end in base] + ([0] if base[0] < 0 < base[1] and n > 0 and n % 2 == 0 else [])
    assert bounds(A.power(span(*base), F(n))) == (min(ends), max(ends))


@given(st.integers(0, 10**40), st.integers(1, 10**40), st.integers(2, 7))
def test_exact_root(top: int, bottom: int, n: int) -> None:
    root = F(top, bottom)
    assert exact_root(root**n, n) == root
    if top:
        assert exact_root(root**n + F(1, bottom**n), n) is None


def test_function_dispatch() -> None:
    for name in ("exp", "ln", "log", "sqrt", "abs", "sin", "cos", "erf"):
        witness = {"ln": "log", "abs": "fabs"}.get(name, name)
        assert holds(A.function(name, [F(2, 3)]), getattr(MP, witness)(MP.mpf(2) / 3)), name
    assert A.function("max", [F(1), F(3), F(2)]) == 3
    assert A.function("min", [F(2)]) == 2
    for name, args in (("exp", [F(1), F(2)]), ("max", []), ("tan", [F(1)])):
        with pytest.raises(DeriveError, match=rf"found {name} of {len(args)} values; accepted: exp, ln"):
            A.function(name, args)


def test_digits_at_least_two() -> None:
    with pytest.raises(ValueError, match="digits"):
        Arithmetic(1)


# Properties

Step = Callable[[Arithmetic, Real, Real], Real]
STEPS: dict[str, tuple[Step, Callable[[Any, Any], Any]]] = {
    "add": (lambda k, a, b: k.add(a, b), lambda a, b: a + b),
    "subtract": (lambda k, a, b: k.subtract(a, b), lambda a, b: a - b),
    "multiply": (lambda k, a, b: k.multiply(a, b), lambda a, b: a * b),
    "divide": (lambda k, a, b: k.divide(a, b), lambda a, b: a / b),
    "power": (lambda k, a, b: k.power(a, b), lambda a, b: MP.power(a, b)),
    "square": (lambda k, a, _: k.power(a, F(2)), lambda a, _: a * a),
    "cube": (lambda k, a, _: k.power(a, F(-3)), lambda a, _: 1 / a**3),
    "exp": (lambda k, a, _: k.exp(a), lambda a, _: MP.exp(a)),
    "ln": (lambda k, a, _: k.ln(a), lambda a, _: MP.log(a)),
    "sqrt": (lambda k, a, _: k.sqrt(a), lambda a, _: MP.sqrt(a)),
    "abs": (lambda k, a, _: k.abs(a), lambda a, _: abs(a)),
    "max": (lambda k, a, b: k.max(a, b), lambda a, b: max(a, b)),
    "min": (lambda k, a, b: k.min(a, b), lambda a, b: min(a, b)),
    "sin": (lambda k, a, _: k.sin(a), lambda a, _: MP.sin(a)),
    "cos": (lambda k, a, _: k.cos(a), lambda a, _: MP.cos(a)),
    "erf": (lambda k, a, _: k.erf(a), lambda a, _: MP.erf(a)),
    "softmax": (lambda k, a, b: k.softmax(a, [b, F(1)]), lambda a, b: MP.exp(a) / (MP.exp(a) + MP.exp(b) + MP.e)),
}
DECIMALS = st.builds(F, st.integers(-3000, 3000), st.sampled_from([1, 3, 7, 10, 100, 1000]))
NAMES = sorted(STEPS)
PROGRAMS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([6, 12, 25]), st.lists(DECIMALS, min_size=2, max_size=4), PROGRAMS)
def test_every_step_of_a_random_calculation_holds_the_true_value(
    digits: int, start: list[Fraction], program: list[tuple[str, int, int]]
) -> None:
    arithmetic = Arithmetic(digits)
    found: list[Real] = list(start)
    witness = [true(value) for value in start]
    for name, i, j in program:
        step, reference = STEPS[name]
        i, j = i % len(found), j % len(found)
        try:
            value = step(arithmetic, found[i], found[j])
        except (Undefined, NotEnoughDigits):
            continue
        expected = reference(witness[i], witness[j])
        assert holds(value, expected), (name, found[i], found[j], value, expected)
        if expected == 0 or 1e-6 < abs(expected) < 1e6:
            found.append(value)
            witness.append(expected)


@settings(max_examples=300, deadline=None)
@given(st.integers(5, 50), st.sampled_from(NAMES), DECIMALS, DECIMALS)
def test_one_step_costs_hardly_a_digit(digits: int, name: str, a: Fraction, b: Fraction) -> None:
    a, b = (value / 300 for value in (a, b))
    step, reference = STEPS[name]
    try:
        value = step(Arithmetic(digits), a, b)
    except (Undefined, NotEnoughDigits):
        reject()
    lo, hi = bounds(value)
    size = max(1, abs(reference(true(a), true(b))))
    assert F(hi) - F(lo) <= F(int(size) + 1) * F(100 * (1 + abs(b)), 10**digits), (name, a, b)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([10, 30]), st.integers(-400, 400), st.integers(1, 999), st.sampled_from(["exp", "ln", "sqrt"]))
def test_small_and_large_results_keep_their_digits(digits: int, scale: int, mantissa: int, name: str) -> None:
    value = F(mantissa, 7) * F(10) ** scale if name != "exp" else F(scale * 100 + mantissa, 7)
    assume(value not in (0, 1))
    lo, hi = bounds(Arithmetic(digits).function(name, [value]))
    relative = F(hi - lo) / abs(F(lo)) if lo != hi else F(0)  # type: ignore[operator]
    assert relative <= F(10) ** (5 - digits), (name, value)


@pytest.mark.parametrize(
    ("name", "at"),
    list(itertools.product(["sin", "cos", "erf"], ["1e-30", "1e-4000", "3.14159265358979323846", "1e25", "-1e900"])),
)
def test_mpmath_functions_at_far_arguments(name: str, at: str) -> None:
    fine = mpmath.mp.clone()
    fine.dps = 1000
    lo, hi = bounds(A.function(name, [F(at)]))
    witness = getattr(fine, name)(fine.mpf(at))
    assert fine.mpf(str(Decimal(str(lo)))) <= witness <= fine.mpf(str(Decimal(str(hi))))
    if abs(F(at)) < 10:
        assert abs(F(hi) - F(lo)) <= F(10) ** -28 * max(abs(F(lo)), abs(F(hi)), F(at))


def test_sin_of_a_wide_interval_is_within_one() -> None:
    assert A.sin(span(-50, 50)) == A.cos(span("-Infinity", 0)) == span(-1, 1)
    assert A.sin(A.exp(F(10**30))) == span(-1, 1)
    assert A.erf(span("-Infinity", "Infinity")) == span(-1, 1)


def test_wider_arguments_give_wider_results() -> None:
    for name in ("exp", "ln", "sqrt", "abs", "sin", "cos", "erf"):
        lo, hi = bounds(A.function(name, [span("0.3", "0.4")]))
        apply = getattr(math, {"ln": "log", "abs": "fabs"}.get(name, name))
        ends = sorted((apply(0.3), apply(0.4)))
        assert float(lo) <= ends[0] + 1e-15, name
        assert float(hi) >= ends[1] - 1e-15, name
