"""People who compute by hand, each in a manner of their own, are never marked wrong; what nobody reaches is."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import suppress
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import hands
import numpy as np
import pytest
from hands import Hand, Keeps, Task, manner, task
from hypothesis import given
from hypothesis import strategies as st

from derive import load
from derive.check.model import Marking, Mutant, Sheet, Verdict, Written
from derive.check.precision import Grid, Precision
from derive.check.verdicts import judge
from derive.check.written import read_number
from derive.errors import DeriveError
from derive.problem.file import from_dict
from derive.worked import WorkedExample

HONEST = ("correct", "rounded")


def written(text: str) -> Written:
    number = read_number(text, decimal_comma=False)
    assert number is not None, text
    return Written(text, *number)


def none(_: object, __: object) -> list[Mutant]:
    return []


def judged(example: WorkedExample, sheets: list[dict[str, str]], asked: list[str]) -> Iterator[Verdict]:
    made = [Sheet(str(place), {name: written(each[name]) for name in asked}) for place, each in enumerate(sheets)]
    return judge(example, made, asked, Marking(), mutants=none)


def status(example: WorkedExample, **answers: str) -> list[str]:
    return [verdict.status for verdict in judged(example, [answers], list(answers))]


# -- whole sheets, one answer, a few


@pytest.mark.parametrize("loss", list(hands.ENDS))
def test_nobody_who_computes_in_another_way_is_wrong(loss: str) -> None:
    rng = random.Random(f"ways of {loss}")
    for sizes in ((2, 2, 2), (1, 2, 1), (2, 2, 2, 1)):
        if loss == "cross-entropy" and sizes[-1] == 1:
            sizes = (3, 2, 2)
        given_task = task(rng, sizes, loss)
        example = WorkedExample(from_dict(given_task.problem()))
        people = list(_people(given_task, rng, 8))
        names = [name for name in people[0][1] if _is_known(example, name)]
        for asked in (names, [rng.choice(names)], [rng.choice(names)], rng.sample(names, 3)):
            some = [(one, sheet) for one, sheet in people if len(asked) > 3 or one.forward == one.backward]
            for verdict in judged(example, [sheet for _, sheet in some], asked):
                one = some[int(verdict.student)][0]
                assert verdict.status in HONEST, (given_task, one.carries, one.forward, verdict)


def _people(given_task: Task, rng: random.Random, count: int) -> Iterator[tuple[hands.Manner, dict[str, str]]]:
    for _ in range(count):
        one = manner(rng)
        try:
            yield one, Hand(given_task, one).work()
        except (ArithmeticError, ValueError):  # a divisor or the argument of a logarithm that rounds to zero
            continue


def _is_known(example: WorkedExample, name: str) -> bool:
    try:
        return bool(example.find(name).name)
    except DeriveError:
        return False


# -- the slope of binary cross-entropy, as one quotient and as two terms


def _cut(value: float, digits: int) -> str:
    return str(Decimal(repr(round(value, 12))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_DOWN))


def _up(value: float, digits: int) -> str:
    return str(Decimal(repr(round(value, 12))).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


@pytest.mark.parametrize("digits", [2, 3, 4, 5])
@pytest.mark.parametrize("target", ["0.3", "0.9", "0.05", "0.62"])
def test_the_slope_of_binary_cross_entropy_in_both_forms(target: str, digits: int) -> None:
    example = WorkedExample(from_dict({
        "inputs": [[Decimal("0.7")]], "targets": [[Decimal(target)]], "loss": "binary-cross-entropy",
        "layers": [{"neurons": ["o"], "activation": "sigmoid", "weight_names": [["w"]], "weights": [[Decimal("0.9")]]}],
    }))  # fmt: skip
    (out_name,) = (name for name in ("out_o", "o") if _is_known(example, name))
    for keep in (_up, _cut):
        t, out = float(target), float(keep(1 / (1 + math.exp(-0.63)), digits))
        first, rest = float(keep(t / out, digits)), float(keep((1 - t) / (1 - out), digits))
        one = keep((out - t) / float(keep(out * (1 - out), digits)), digits)
        for slope in (one, keep(-first + rest, digits), keep(-(first - rest), digits)):
            answers = {out_name: keep(out, digits), f"dE/d{out_name}": slope}
            for asked in (list(answers), [f"dE/d{out_name}"]):
                for verdict in judged(example, [answers], asked):
                    assert verdict.status in HONEST, (keep, verdict)


# -- divisors


class Adam:
    """Two updates with given gradients, every intermediate result rounded."""

    def __init__(self, keeps: Keeps, second: Keeps) -> None:
        self._keeps, self._second = keeps, second

    def weight(self, weight: float, gradients: tuple[float, ...], rate: float) -> str:
        m = v = 0.0
        for step, gradient in enumerate(gradients, 1):
            m = self._of(0.9 * m + self._of(0.1 * gradient))
            v = self._fine(0.999 * v + self._fine(0.001 * gradient * gradient))
            m_hat, v_hat = self._of(m / self._of(1 - 0.9**step)), self._fine(v / (1 - 0.999**step))
            weight = self._of(weight - self._of(rate * m_hat / self._fine(math.sqrt(v_hat) + 1e-8)))
        return self._keeps.text(weight)

    def _of(self, value: float) -> float:
        return float(self._keeps.number(value))

    def _fine(self, value: float) -> float:
        return float(self._second.number(value))


def test_who_computes_adam_by_hand_is_right_and_who_leaves_out_a_step_is_not() -> None:
    example = load("adam-two-gradients")
    texts = []
    for digits in (3, 4, 5, 6):
        for mode in (hands.UP, hands.CUT, hands.EVEN):
            for more in (0, 1, 2, 3, 4, 6):
                for second in (Keeps(digits + more, mode=mode), Keeps(digits, significant=True, mode=mode)):
                    with suppress(ZeroDivisionError):
                        texts.append(Adam(Keeps(digits, mode=mode), second).weight(0.5, (0.4, 0.3), 0.1))
    assert len(texts) > 100
    for verdict in judged(example, [{"w@2": text} for text in texts], ["w@2"]):
        assert verdict.status in HONEST, verdict
    wrong = ("0.40000", "0.50000", "0.36848", "0.69826", "0.33400", "-0.30174", "100.00000")
    for verdict in judged(example, [{"w@2": text} for text in wrong], ["w@2"]):
        assert verdict.status == "wrong", verdict


@pytest.mark.parametrize(("digits", "low", "high"), [(4, "0.2096", "0.3209"), (5, "0.29974", "0.30198")])
def test_one_term_of_a_divisor_may_vanish(digits: int, low: str, high: str) -> None:
    """The lowest and highest weight that 6,000 people reach who round as they like, the mean square not to zero."""
    assert len(low.partition(".")[2]) == digits
    for text in (low, high):
        assert status(load("adam-two-gradients"), **{"w@2": text})[0] in HONEST, text


@pytest.mark.parametrize("text", ["0.5000", "1.0000", "-0.1000", "12.0000", "-3000.0000"])
def test_a_mean_square_that_vanishes_is_not_divided_by(text: str) -> None:
    assert status(load("adam-2-2-1"), **{"w5@1": text}) == ["wrong"]


@given(st.floats(1e-9, 1e6), st.integers(0, 8), st.booleans(), st.sampled_from([hands.UP, hands.CUT, hands.EVEN]))
def test_a_number_that_does_not_vanish_keeps_its_first_digits(
    value: float, digits: int, significant: bool, mode: str
) -> None:
    digits = max(digits, 1) if significant else digits
    grid = Grid((Precision("significant" if significant else "decimals", digits),))
    least = grid.first_digits(np.array([[value]]))[0, 0]
    for more in range(14):
        number = Keeps(digits, significant, mode).number(value, more)
        assert not number or float(number) >= least * (1 - 1e-9), (number, least)


# -- ways past an answer, and answers of two precisions


def test_a_linear_output_has_two_slopes_of_the_same_value() -> None:
    rng = random.Random(4)
    given_task = next(each for each in iter(lambda: task(rng, (2, 2, 1), "mean-squared-error"), None)
                      if each.activations[-1] == "linear")  # fmt: skip
    example = WorkedExample(from_dict(given_task.problem()))
    right = {name: float(example.shown(name) or "") for name in ("out_o1", "dE/dout_o1", "dE/dnet_o1", "dE/dw211")}
    off = right | {name: right[name] + 0.05 for name in right if name.startswith("dE")}
    for numbers, expected in ((right, HONEST), (off, ("wrong", "follow-through"))):
        answers = {name: _up(value, 4) for name, value in numbers.items() if name != "out_o1"}
        assert set(status(example, **answers)) <= set(expected), answers


@pytest.mark.parametrize("mode", [hands.UP, hands.CUT])
@pytest.mark.parametrize(("outputs", "gradients"), [(2, 4), (3, 5), (4, 6), (5, 6)])
def test_outputs_may_have_fewer_decimals_than_gradients(outputs: int, gradients: int, mode: str) -> None:
    rng = random.Random(outputs)
    given_task = task(rng, (2, 2, 1), "half-squared-error")
    example = WorkedExample(from_dict(given_task.problem()))
    keeps = Keeps(outputs, mode=mode), Keeps(gradients, mode=mode)
    one = hands.Manner(*keeps, "written", random.Random(outputs))
    sheet = Hand(given_task, one).work()
    asked = [name for name in sheet if _is_known(example, name)]
    assert {verdict.status for verdict in judged(example, [sheet], asked)} <= set(HONEST)


def test_a_lone_number_may_be_of_few_digits() -> None:
    """What a lone answer cannot tell: 0.00259 has 5 decimals, and 3 significant digits."""
    example = load("backprop-2-2-1")
    low, high = (Fraction(text) for text in next(judged(example, [{"dE/dw1": "0.00067"}], ["dE/dw1"])).accepted or ())
    assert low <= Fraction(67, 100000) <= high
    assert high - low < Fraction(8, 100000)


# -- rounded decimals written as fractions


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5933/10000", "correct"), ("5932/10000", "rounded"), ("593/1000", "correct"), ("5900/10000", "wrong")],
)
def test_a_decimal_written_as_a_fraction_is_as_exact_as_its_digits(text: str, expected: str) -> None:
    assert status(load("backprop-2-2-1"), out_h1=text) == [expected]
