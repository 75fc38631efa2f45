"""The digits shown are those of the true value: ties, carries, signs, and values that no rational holds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from itertools import islice

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import DeriveError
from derive.numbers.exact import Arithmetic, Interval, Real
from derive.numbers.rounding import Mode, Rounding, nearest_double, round_exact, round_real, show, show_real

F = Fraction
FIVE = Rounding()
EVEN = Rounding(2, mode="half-even")
WIDE = Context(prec=400)
MODES: dict[Mode, str] = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN}


def span(lo: str, hi: str) -> Interval:
    return Interval(Decimal(lo), Decimal(hi))


@pytest.mark.parametrize(
    ("value", "rounding", "text"),
    [
        ("0.3775", FIVE, "0.37750"),
        ("0", FIVE, "0.00000"),
        ("-0.000004", FIVE, "0.00000"),
        ("-0.000005", FIVE, "-0.00001"),
        ("0.000005", FIVE, "0.00001"),
        ("0.000015", Rounding(mode="half-even"), "0.00002"),
        ("0.125", Rounding(2), "0.13"),
        ("-0.125", Rounding(2), "-0.13"),
        ("0.125", EVEN, "0.12"),
        ("0.135", EVEN, "0.14"),
        ("-0.125", EVEN, "-0.12"),
        ("0.1250001", EVEN, "0.13"),
        ("9.996", Rounding(2), "10.00"),
        ("2.5", Rounding(0), "3"),
        ("-0.4", Rounding(0), "0"),
        ("12345678", Rounding(1), "12345678.0"),
        ("0.3775", Rounding(significant=4), "0.3775"),
        ("0.3775", Rounding(significant=6), "0.377500"),
        ("1200", Rounding(significant=2), "1200"),
        ("1234567", Rounding(significant=4), "1235000"),
        ("1200", Rounding(significant=4), "1200"),
        ("1200", Rounding(significant=5), "1200.0"),
        ("9.996", Rounding(significant=3), "10.0"),
        ("-9.996", Rounding(significant=3), "-10.0"),
        ("0.09996", Rounding(significant=3), "0.100"),
        ("0.00066840", Rounding(significant=4), "0.0006684"),
        ("0.0000012", Rounding(significant=2), "0.0000012"),
        ("0.00000012", Rounding(significant=2), "1.2e-07"),
        ("0.0000000012", Rounding(significant=2), "1.2e-09"),
        ("-0.0000000012", Rounding(significant=1), "-1e-09"),
        ("123e12", Rounding(significant=2), "120000000000000"),
        ("999e12", Rounding(significant=2), "1.0e+15"),
        ("1.5e300", Rounding(significant=3), "1.50e+300"),
        ("0", Rounding(significant=4), "0"),
        ("25", Rounding(significant=1), "30"),
        ("25", Rounding(significant=1, mode="half-even"), "20"),
    ],
)
def test_show(value: str, rounding: Rounding, text: str) -> None:
    assert show(F(value), rounding) == text
    assert show_real(F(value), rounding) == text
    assert show_real(span(value, value), rounding) == text
    assert F(text) == round_exact(F(value), rounding) == round_real(span(value, value), rounding)


def test_rounding_defaults_and_limits() -> None:
    assert Rounding() == Rounding(5) == Rounding(decimals=5, significant=None, carry="full", mode="half-up")
    assert Rounding(significant=4).decimals is None
    for decimals, significant in ((5, 4), (-1, None), (101, None), (None, 0), (None, 101)):
        with pytest.raises(DeriveError, match="accepted"):
            Rounding(decimals, significant)


@pytest.mark.parametrize(
    ("lo", "hi", "rounding", "text"),
    [
        ("0.377504", "0.377506", FIVE, None),
        ("0.377505", "0.377506", FIVE, "0.37751"),
        ("0.37750499", "0.377505", FIVE, None),
        ("0.37750499", "0.377505", Rounding(mode="half-even"), "0.37750"),
        ("-1e-9", "1e-9", FIVE, "0.00000"),
        ("0", "1e-400000000", FIVE, "0.00000"),
        ("0", "1e-400000000", Rounding(significant=3), None),
        ("1e-400000000", "1e-400000000", Rounding(significant=3), "1.00e-400000000"),
        ("1.2341e400000000", "1.2342e400000000", Rounding(significant=3), "1.23e+400000000"),
        ("9.9961", "10.001", Rounding(significant=3), "10.0"),
        ("1e400000000", "1e400000000", FIVE, None),
        ("1", "Infinity", FIVE, None),
        ("-Infinity", "1", Rounding(significant=3), None),
    ],
)
def test_show_real_needs_both_ends_to_agree(lo: str, hi: str, rounding: Rounding, text: str | None) -> None:
    assert show_real(span(lo, hi), rounding) == text


def test_round_real_gives_up_beyond_what_can_be_written() -> None:
    assert round_real(span("1e-400000000", "1e-400000000"), Rounding(significant=3)) is None
    assert round_real(span("0.1234", "0.1235"), Rounding(2)) == F("0.12")


@pytest.mark.parametrize(
    ("value", "double"),
    [
        (F(1, 10), 0.1),
        (F(2**53 + 1), float(2**53)),
        (F(10) ** 400, None),
        (F(1, 10**400), 0.0),
        (span("0.1", "0.1"), 0.1),
        (span("0.1", "0.1000000000000000000001"), 0.1),
        (span("0.1", "0.1001"), None),
        (span("-1e-500", "1e-500"), 0.0),
        (span("1e400000000", "1e400000000"), None),
        (span("1", "Infinity"), None),
    ],
)
def test_nearest_double(value: Real, double: float | None) -> None:
    found = nearest_double(value)
    assert found == double
    assert str(found) != "-0.0"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**9), max_value=10**9),
       st.integers(0, 9), st.sampled_from(sorted(MODES)))  # fmt: skip
def test_a_shown_value_is_near_and_shown_again_alike(value: Decimal, decimals: int, mode: Mode) -> None:
    rounding = Rounding(decimals, mode=mode)
    rounded = round_exact(F(value), rounding)
    assert abs(rounded - F(value)) <= F(1, 2 * 10**decimals)
    assert show(rounded, rounding) == show(F(value), rounding)


def independent(value: Decimal, rounding: Rounding) -> str:
    """The text by Python's decimal arithmetic; `value` lies in the range that is written out."""
    place = -(rounding.decimals or 0)
    if rounding.significant is not None:
        reduced = Context(prec=rounding.significant, rounding=MODES[rounding.mode]).plus(value)
        place = reduced.adjusted() - rounding.significant + 1
    shown = value.quantize(Decimal((0, (1,), place)), MODES[rounding.mode], WIDE)
    return f"{shown:f}" if shown else f"{abs(shown):f}"


ROUNDINGS = [Rounding(3), EVEN, Rounding(significant=3), Rounding(3, mode="half-even"), FIVE, Rounding(2)]


def affine_lines(count: int) -> Iterator[tuple[list[int], list[int], int]]:
    """Weights, inputs and bias in hundredths."""
    source = random.Random(20)
    signed = iter(source.choices(range(-99, 100), k=4 * count))
    positive = iter(source.choices(range(101), k=3 * count))
    for terms in source.choices((2, 3), k=count):
        yield list(islice(signed, terms)), list(islice(positive, terms)), next(signed)


def test_100_000_affine_lines_with_ties() -> None:
    arithmetic = Arithmetic(30)
    ties, wrong = 0, []
    hundredths = {n: F(n, 100) for n in range(-100, 101)}
    for i, (weights, inputs, bias) in enumerate(affine_lines(100_000)):
        rounding = ROUNDINGS[i % len(ROUNDINGS)]
        value: Real = hundredths[bias]
        for w, x in zip(weights, inputs, strict=True):
            value = arithmetic.add(value, arithmetic.multiply(hundredths[w], hundredths[x]))
        units = 100 * bias + sum(w * x for w, x in zip(weights, inputs, strict=True))
        if not units and rounding.significant:
            continue
        ties += rounding.decimals is not None and units * 10 ** (rounding.decimals + 1) % 10**5 == 5 * 10**4
        text = show_real(value, rounding)
        if text != independent(Decimal(units).scaleb(-4), rounding):
            wrong.append((units, rounding, text))
    assert wrong == []
    assert ties > 3000


def test_10_000_transcendental_lines() -> None:
    """σ(net), ln(1 + exp(net)) and exp(-net) against mpmath at 50 digits."""
    reference = mpmath.mp.clone()
    reference.dps = 50
    arithmetic, one = Arithmetic(25), F(1)
    wrong = []
    for i, (weights, inputs, bias) in enumerate(affine_lines(10_000)):
        net = F(100 * bias + sum(w * x for w, x in zip(weights, inputs, strict=True)), 10_000)
        grown, witness = arithmetic.exp(-net), reference.exp(-reference.mpf(net.numerator) / net.denominator)
        value, expected = [
            (grown, witness),
            (arithmetic.divide(one, arithmetic.add(one, grown)), 1 / (1 + witness)),
            (arithmetic.ln(arithmetic.add(one, grown)), reference.log(1 + witness)),
        ][i % 3]
        rounding = ROUNDINGS[i % len(ROUNDINGS)]
        text, digits = show_real(value, rounding), reference.nstr(expected, 45, strip_zeros=False)
        if text != independent(Decimal(digits), rounding) or nearest_double(value) != float(digits):
            wrong.append((net, rounding, text))
    assert wrong == []
