"""Numbers that are right: rationals while they can be, else intervals that surely hold the true value.

An operation on exactly known values stays a `Fraction`.  Everything else is an `Interval` whose ends are rounded
outward, so that a digit that both ends agree on is a digit of the true value.  Where an interval is too wide to decide
(which side of a kink? is the divisor zero?) `NotEnoughDigits` asks the caller to repeat the work with more digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from math import isqrt
from typing import cast

from derive.errors import DeriveError

EXACT_BITS = 4096
"""A rational whose numerator or denominator has more bits is carried on as an interval."""

ZERO = Fraction(0)
ONE = Fraction(1)

_NOTHING = Decimal(0)
_UNIT = Decimal(1)
_GUARD = 15  # digits asked of mpmath beyond those wanted, ...
_TRUSTED = 10  # ... and how many of them are relied on
_STEEP = (  # exp of more than the first is beyond the second, and only known to be
    (Decimal(10_000_000_000), Decimal("1e4000000000"), Decimal("1e-4000000000")),
    (Decimal(1_000_000), Decimal("1e400000"), Decimal("1e-400000")),
)
_INFINITY = Decimal("Infinity")
_FAR = 1000  # sin and cos from 10^1000 on are only known to lie in -1 … 1
_SATURATED = Decimal("1E7")  # 1 − erf there is below 10^(−4·10^13)


class Undefined(DeriveError):
    """The value does not exist as a real number, or is too large: no number of digits helps."""


class NotEnoughDigits(Exception):
    """The enclosures are too wide to decide: repeat with more digits.  Never meant for the user."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A real number known to lie in lo … hi; lo <= hi, lo may be -Infinity and hi Infinity, never NaN."""

    lo: Decimal
    hi: Decimal


Real = Fraction | Interval


def bounds(value: Real) -> tuple[Fraction | Decimal, Fraction | Decimal]:
    """A lower and an upper bound of the value; twice the value itself when it is exactly known."""
    return (value.lo, value.hi) if isinstance(value, Interval) else (value, value)


def compare(a: Real, b: Real) -> int:
    """-1, 0 or 1 as a is below, equal to or above b.  Raises NotEnoughDigits when the enclosures overlap."""
    a_lo, a_hi = bounds(a)
    b_lo, b_hi = bounds(b)
    if a_hi < b_lo:
        return -1
    if a_lo > b_hi:
        return 1
    if a_lo == a_hi == b_lo == b_hi:
        return 0
    raise NotEnoughDigits


class Arithmetic:
    """Operations on reals, with intervals of `digits` significant digits (2 and more).

    Every operation raises Undefined where the result is not a real number, and NotEnoughDigits where that is
    undecided.  An `Arithmetic` holds no state but its decimal contexts: make one and share it.
    """

    def __init__(self, digits: int) -> None:
        if digits < 2:
            raise ValueError(f"digits: found {digits}; accepted: 2 and more")
        self.digits = digits
        self._down, self._up, self._near = (
            Context(prec=digits, rounding=rounding, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
            for rounding in (ROUND_FLOOR, ROUND_CEILING, ROUND_HALF_EVEN)
        )
        self._slack = Decimal(1).scaleb(-digits - _TRUSTED, self._near)
        self._one_value: dict[str, Callable[[Real], Real]] = {
            "exp": self.exp,
            "ln": self.ln,
            "log": self.ln,
            "sqrt": self.sqrt,
            "abs": self.abs,
            "sin": self.sin,
            "cos": self.cos,
            "erf": self.erf,
        }
        self._many_values: dict[str, Callable[..., Real]] = {"max": self.max, "min": self.min}

    def function(self, name: str, args: Sequence[Real]) -> Real:
        """The function of that name: exp ln log sqrt abs sin cos erf of one value, max min of one or more; pi."""
        if name in self._one_value and len(args) == 1:
            return self._one_value[name](args[0])
        if name in self._many_values and args:
            return self._many_values[name](*args)
        if name == "pi" and not args:
            return self.pi()
        accepted = f"{', '.join(self._one_value)} of one value, {', '.join(self._many_values)} of one or more"
        raise DeriveError(f"function: found {name} of {len(args)} values; accepted: {accepted}")

    def interval(self, value: Real) -> Interval:
        """The tightest enclosure of an exactly known value; an interval as it stands."""
        if isinstance(value, Interval):
            return value
        top, bottom = Decimal(value.numerator), Decimal(value.denominator)
        return Interval(self._down.divide(top, bottom), self._up.divide(top, bottom))

    def compare(self, a: Real, b: Real) -> int:
        return compare(a, b)

    # The four operations and powers

    def add(self, a: Real, b: Real) -> Real:
        if not isinstance(a, Interval):
            if not isinstance(b, Interval):
                return self._exact(a + b)
            a, b = b, a
        if not isinstance(b, Interval):
            if not b:
                return a
            b = self.interval(b)
        lo, hi = self._down.add(a.lo, b.lo), self._up.add(a.hi, b.hi)
        if lo.is_infinite() and hi.is_infinite() and not (_boundless(a) or _boundless(b)):
            raise Undefined("a difference of two values beyond 10^(10^18): too large to evaluate")
        return Interval(lo, hi)

    def subtract(self, a: Real, b: Real) -> Real:
        return self.add(a, self.negate(b))

    def negate(self, value: Real) -> Real:
        if isinstance(value, Interval):
            return Interval(value.hi.copy_negate(), value.lo.copy_negate())
        return -value

    def multiply(self, a: Real, b: Real) -> Real:
        if not isinstance(a, Interval):
            if not isinstance(b, Interval):
                return self._exact(a * b)
            a, b = b, a
        if not isinstance(b, Interval):
            if not b:
                return ZERO
            if b == 1:
                return a
            b = self.interval(b)
        return self._product(a, b)

    def divide(self, a: Real, b: Real) -> Real:
        if b == 1:
            return a
        lo, hi = bounds(b)
        if not lo and not hi:
            raise Undefined("division by zero")
        if lo <= 0 <= hi:
            raise NotEnoughDigits
        if isinstance(a, Interval) or isinstance(b, Interval):
            return ZERO if a == 0 else self._quotient(self.interval(a), self.interval(b))
        return self._exact(a / b)

    def power(self, base: Real, exponent: Real) -> Real:
        """base^exponent; 0^0 is 1, and a negative base has integer powers only."""
        if not isinstance(exponent, Interval):
            top, bottom = exponent.numerator, exponent.denominator
            if bottom == 1:
                return self._integer_power(base, top)
            root = None if isinstance(base, Interval) else exact_root(base, bottom)
            if root is not None:
                return self._integer_power(root, top)
            if bottom == 2 and top == 1:
                return self.sqrt(base)
        if base == 1:
            return ONE
        sign = compare(base, ZERO)
        if sign < 0 or (sign == 0 and compare(exponent, ZERO) <= 0):
            raise Undefined(f"({_short(base)})^({_short(exponent)}) is not a real number")
        return self.exp(self.multiply(exponent, self.ln(base))) if sign else ZERO

    # Functions

    def exp(self, value: Real) -> Real:
        if value == 0:
            return ONE
        ends = self.interval(value)
        for steep, huge, tiny in _STEEP:
            if ends.lo > steep:
                return Interval(huge, _INFINITY)
            if ends.hi < -steep:
                return Interval(_NOTHING, tiny)
        return self._increasing(self._near.exp, ends, least=_NOTHING)

    def ln(self, value: Real) -> Real:
        lo, hi = bounds(value)
        if hi <= 0:
            raise Undefined(f"ln: found {_short(value)}; accepted: a value above 0")
        if lo <= 0:
            raise NotEnoughDigits
        return ZERO if value == 1 else self._increasing(self._near.ln, self.interval(value))

    def sqrt(self, value: Real) -> Real:
        lo, hi = bounds(value)
        if hi < 0:
            raise Undefined(f"sqrt: found {_short(value)}; accepted: 0 and above")
        if lo < 0:
            raise NotEnoughDigits
        root = None if isinstance(value, Interval) else exact_root(value, 2)
        return self._increasing(self._near.sqrt, self.interval(value), least=_NOTHING) if root is None else root

    def abs(self, value: Real) -> Real:
        if not isinstance(value, Interval):
            return abs(value)
        if value.lo >= _NOTHING:
            return value
        if value.hi <= _NOTHING:
            return self.negate(value)
        return Interval(_NOTHING, max(value.lo.copy_negate(), value.hi))

    def max(self, first: Real, *others: Real) -> Real:
        """The largest value: it stays exact where it is decided to be an exact one."""
        for other in others:
            first = self._larger(first, other)
        return first

    def min(self, first: Real, *others: Real) -> Real:
        return self.negate(self.max(self.negate(first), *map(self.negate, others)))

    def sin(self, value: Real) -> Real:
        return ZERO if value == 0 else self._wave("mpf_sin", self.interval(value))

    def cos(self, value: Real) -> Real:
        return ONE if value == 0 else self._wave("mpf_cos", self.interval(value))

    def erf(self, value: Real) -> Real:
        if value == 0:
            return ZERO
        ends = self.interval(value)
        return Interval(self._erf(ends.lo).lo, self._erf(ends.hi).hi)

    def pi(self) -> Interval:
        value = _pi(self.digits + _GUARD)
        return Interval(self._down.subtract(value, self._slack), self._up.add(value, self._slack))

    def softmax(self, own: Real, others: Sequence[Real]) -> Real:
        """exp(own)/Σ_j exp(z_j) over own and the others, as 1/(1 + Σ_others exp(z_j − own)).

        `others` leaves `own` out; n equal exact values give exactly 1/n.
        """
        total: Real = ONE
        for other in others:
            total = self.add(total, self.exp(self.subtract(other, own)))
        return self.divide(ONE, total)

    # How they are done

    def _exact(self, value: Fraction) -> Real:
        if value.numerator.bit_length() <= EXACT_BITS and value.denominator.bit_length() <= EXACT_BITS:
            return value
        return self.interval(value)

    def _product(self, a: Interval, b: Interval) -> Real:
        """Two multiplications where the signs are known; four only when both factors straddle zero."""
        down, up = self._down.multiply, self._up.multiply
        if a.lo < _NOTHING < a.hi and b.lo < _NOTHING < b.hi:
            return Interval(min(down(a.lo, b.hi), down(a.hi, b.lo)), max(up(a.lo, b.lo), up(a.hi, b.hi)))
        if not (a.lo or a.hi) or not (b.lo or b.hi):
            return ZERO
        if a.lo < _NOTHING < a.hi:
            a, b = b, a
        if a.lo >= _NOTHING:
            lo = down(a.lo if b.lo >= _NOTHING else a.hi, b.lo)
            return Interval(lo, up(a.lo if b.hi <= _NOTHING else a.hi, b.hi))
        lo = down(a.hi if b.hi <= _NOTHING else a.lo, b.hi)
        return Interval(lo, up(a.hi if b.lo >= _NOTHING else a.lo, b.lo))

    def _quotient(self, a: Interval, b: Interval) -> Interval:
        """a/b for b without zero."""
        down, up = self._down.divide, self._up.divide
        if b.lo > _NOTHING:
            lo = down(a.lo, b.hi if a.lo >= _NOTHING else b.lo)
            return Interval(lo, up(a.hi, b.lo if a.hi >= _NOTHING else b.hi))
        lo = down(a.hi, b.hi if a.hi >= _NOTHING else b.lo)
        return Interval(lo, up(a.lo, b.lo if a.lo >= _NOTHING else b.hi))

    def _integer_power(self, base: Real, n: int) -> Real:
        if n == 0 or base == 1:
            return ONE
        if not isinstance(base, Interval):
            if base == -1:
                return ONE if n % 2 == 0 else base
            if not base and n < 0:
                raise Undefined("division by zero")
            bits = max(base.numerator.bit_length(), base.denominator.bit_length())
            if (bits - 1) * abs(n) <= EXACT_BITS:
                return self._exact(base**n)
        if n < 0:
            return self.divide(ONE, self._integer_power(base, -n))
        x = cast(Interval, self.abs(self.interval(base))) if n % 2 == 0 else self.interval(base)
        lo = _repeated(self._down if x.lo >= _NOTHING else self._up, x.lo, n)
        return Interval(lo, _repeated(self._up if x.hi >= _NOTHING else self._down, x.hi, n))

    def _increasing(self, apply: Callable[[Decimal], Decimal], x: Interval, least: Decimal | None = None) -> Interval:
        """An increasing function that `apply` rounds to nearest: one unit wider on both sides, not below `least`."""
        low = apply(x.lo)
        high = low if x.lo == x.hi else apply(x.hi)
        lo = self._near.next_minus(low)
        return Interval(lo if least is None else max(lo, least), self._near.next_plus(high))

    def _larger(self, a: Real, b: Real) -> Real:
        a_lo, a_hi = bounds(a)
        b_lo, b_hi = bounds(b)
        if a_lo >= b_hi:
            return a
        if b_lo >= a_hi:
            return b
        x, y = self.interval(a), self.interval(b)
        return Interval(max(x.lo, y.lo), max(x.hi, y.hi))

    def _wave(self, name: str, x: Interval) -> Interval:
        """The sine or cosine of the middle, and as far to both sides as the argument: neither is steeper than 1."""
        if x.lo.is_infinite() or x.hi.is_infinite() or max(x.lo.adjusted(), x.hi.adjusted()) > _FAR:
            return Interval(-_UNIT, _UNIT)
        middle = self._near.divide(self._near.add(x.lo, x.hi), Decimal(2))
        radius = max(self._up.subtract(x.hi, middle), self._up.subtract(middle, x.lo))
        value = _mpmath(name, middle, self.digits + _GUARD + max(0, middle.adjusted()))
        scale = min(_UNIT, middle.copy_abs()) if name == "mpf_sin" else _UNIT
        return self._around(value, self._up.add(radius, self._up.multiply(scale, self._slack)))

    def _erf(self, x: Decimal) -> Interval:
        if x.copy_abs() >= _SATURATED:
            return self._around(_UNIT.copy_sign(x), self._slack)
        value = _mpmath("mpf_erf", x, self.digits + _GUARD)
        return self._around(value, self._up.multiply(value.copy_abs(), self._slack))

    def _around(self, value: Decimal, radius: Decimal) -> Interval:
        """The enclosure value ± radius, kept within -1 … 1."""
        lo, hi = self._down.subtract(value, radius), self._up.add(value, radius)
        return Interval(max(lo, -_UNIT), min(hi, _UNIT))


def exact_root(value: Fraction, n: int) -> Fraction | None:
    """The n-th root (n >= 2) of a rational at or above 0 when it is rational itself, else None."""
    if value < 0:
        return None
    top, bottom = (_integer_root(part, n) for part in (value.numerator, value.denominator))
    return None if top is None or bottom is None else Fraction(top, bottom)


def _integer_root(value: int, n: int) -> int | None:
    """The exact n-th root of value >= 0, or None; Newton's method from above."""
    if value < 2 or n >= value.bit_length():
        return value if value < 2 else None
    if n == 2:
        root = isqrt(value)
    else:
        root, smaller = value, 1 << (-(-value.bit_length() // n))
        while smaller < root:
            root, smaller = smaller, ((n - 1) * smaller + value // smaller ** (n - 1)) // n
    return root if root**n == value else None


def _repeated(context: Context, value: Decimal, n: int) -> Decimal:
    """The power n >= 1 of |value|, rounded in every step as `context` does, with the sign of value^n."""
    negative = n % 2 == 1 and value < _NOTHING
    square, result = value.copy_abs(), _UNIT
    while n:
        if n & 1:
            result = context.multiply(result, square)
        n >>= 1
        if n:
            square = context.multiply(square, square)
    return result.copy_negate() if negative else result


def _mpmath(name: str, at: Decimal, digits: int) -> Decimal:
    """sin, cos or erf by its name in mpmath.libmp, right to nearly `digits` significant digits."""
    from mpmath import libmp

    precision = libmp.dps_to_prec(digits)
    value = getattr(libmp, name)(libmp.from_str(str(at), precision, "n"), precision, "n")
    return Decimal(libmp.to_str(value, digits))


def _pi(digits: int) -> Decimal:
    from mpmath import libmp

    return Decimal(libmp.to_str(libmp.mpf_pi(libmp.dps_to_prec(digits), "n"), digits))


def _boundless(value: Interval) -> bool:
    return value.lo.is_infinite() and value.hi.is_infinite()


def _short(value: Real) -> str:
    """For messages: a short rational as it stands, anything else to six digits."""
    if isinstance(value, Interval):
        return f"about {value.lo:.6g}"
    if value.numerator.bit_length() + value.denominator.bit_length() <= 80:
        return str(value)
    return f"about {Context(prec=6).divide(Decimal(value.numerator), Decimal(value.denominator))}"
