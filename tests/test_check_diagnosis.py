"""How mistakes are found: for a class as for each student alone, with the chance of a coincidence, at small cost."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from students import Network, network

from derive import load
from derive.check.findings import TRUNCATED
from derive.check.mistakes import mutants
from derive.check.model import Marking, Mutant, Sheet, Verdict, Written
from derive.check.order import order_of
from derive.check.verdicts import Judge, honest_range, judge
from derive.problem.file import from_dict
from derive.worked import WorkedExample
from mistaken import Mistaken

ASKED = ("net_h1", "out_h1", "net_o1", "out_o1", "E", "dE/dnet_o1", "dE/dw5", "dE/dw1", "w5_new", "w1_new")


def written(text: str) -> Written:
    return Written(text, Fraction(text), len(text.partition(".")[2]), len(text.lstrip("-0.").replace(".", "")))


def mistaken_class(example: WorkedExample, made: Sequence[Mutant], count: int, rng: random.Random) -> list[Sheet]:
    sheets: list[Sheet] = []
    while len(sheets) < count:
        slipped, digits = Mistaken(example, [rng.choice(made)]), rng.choice((3, 4, 5))
        try:
            answers = {name: written(f"{slipped.value(name):.{digits}f}") for name in ASKED if rng.random() < 0.8}
        except (ArithmeticError, ValueError):
            continue
        sheets.append(Sheet(str(len(sheets)), answers))
    return sheets


@pytest.fixture(scope="module")
def example() -> WorkedExample:
    return load("backprop-2-2-1")


@pytest.fixture(scope="module")
def made(example: WorkedExample) -> list[Mutant]:
    return mutants(example, ASKED)


def test_a_student_gets_the_same_verdicts_alone_and_in_a_class(example: WorkedExample, made: list[Mutant]) -> None:
    sheets = mistaken_class(example, made, 30, random.Random(4))
    judged = Judge(example, ASKED, Marking(), lambda *_: made)
    together = list(judged.verdicts(sheets))
    apart = [verdict for sheet in reversed(sheets) for verdict in reversed(list(judged.verdicts([sheet])))]
    assert together == apart[::-1]
    assert sum(verdict.mistake is not None for verdict in together) > 30


def test_a_mistake_is_named_where_it_alone_gives_the_number(example: WorkedExample, made: list[Mutant]) -> None:
    """What the program finds for each mutant is what an evaluation of the trees in doubles finds."""
    judged = Judge(example, ASKED, Marking(), lambda *_: made)
    rng, named, right = random.Random(5), 0, Mistaken(example)
    for mutant in rng.sample(made, 60):
        try:
            value = Mistaken(example, [mutant]).value("w1_new")
        except (ArithmeticError, ValueError):
            continue
        if abs(value - right.value("w1_new")) < 1e-6 or not 1e-3 < abs(value) < 1e3:
            continue
        (found,) = (each for each in judged.verdicts([Sheet("s", {"w1_new": written(f"{value:.9f}")})])
                    if each.quantity == "w1_new")  # fmt: skip
        assert found.mistake is not None, mutant
        assert mutant.id in ids(found) or len(found.mistake.others) == 12, (mutant, found)
        named += 1
    assert named > 20


def ids(verdict: Verdict) -> set[str]:
    assert verdict.mistake is not None
    return {verdict.mistake.id, *(other.id for other in verdict.mistake.others)}


@pytest.mark.parametrize(("quantity", "digits"), [("dE/dw5", 3), ("dE/dw5", 5), ("out_h1", 4), ("w1_new", 4)])
def test_the_chance_is_what_random_numbers_of_that_size_meet(
    example: WorkedExample, made: list[Mutant], quantity: str, digits: int
) -> None:
    right, values = Mistaken(example).value(quantity), []
    for mutant in made:
        try:
            value = Mistaken(example, [mutant]).value(quantity)
        except (ArithmeticError, ValueError):
            continue
        if abs(value - right) > 1e-9 * (abs(value) + abs(right)):
            values.append(value)
    answer = written(f"{right * 1.3:.{digits}f}")
    size, unit, rng = abs(float(answer.value)), 10.0**-digits, random.Random(6)
    given, met = np.array(values), []
    for _ in range(20_000):
        drawn = round(rng.uniform(0.5, 1.5) * float(answer.value), digits)
        off = abs(given - drawn)
        cut = (abs(given) >= abs(drawn)) & (off < unit) & (given * drawn > 0)
        met.append(int(((off <= unit / 2) | cut).sum()))
    (found,) = judge(example, [Sheet("s", {quantity: answer})], [quantity], Marking(), mutants=lambda *_: made)
    assert found.chance is not None
    assert found.chance == pytest.approx(float(np.mean(met)), rel=0.25, abs=TRUNCATED * unit / size)


def test_a_number_without_a_last_digit_meets_nothing_by_chance(example: WorkedExample, made: list[Mutant]) -> None:
    answers = {"net_h1": Written("3/8", Fraction(3, 8))}
    (found,) = judge(example, [Sheet("s", answers)], ["net_h1"], Marking(), mutants=lambda *_: made)
    assert found.chance == 0


def test_an_updated_weight_is_there_when_it_is_used_too_early() -> None:
    parents = {"w": (), "d": ("w",), "g": ("d",), "h": ("g",), "w_new": ("w", "g"), "last": ("h",)}
    rank = order_of(parents, {"h": {"w_new"}, "d": {"w_new"}})
    assert sorted(rank, key=rank.__getitem__) == ["w", "d", "g", "w_new", "h", "last"]
    assert list(order_of(parents, {})) == list(parents)


def big() -> tuple[Network, WorkedExample]:
    net = network(random.Random(3), (6, 12, 4), ("sigmoid", "softmax"))
    return net, WorkedExample(from_dict(net.problem()))


def test_a_wrong_number_in_a_large_network_costs_little() -> None:
    net, worked = big()
    asked = [net.weight(1, 0, 0).join(("dE/d", "")), "net_h1", "E"]
    judged = Judge(worked, asked, Marking())
    right = {name: worked.value(name) or 0.0 for name in asked}
    sheets = [
        Sheet(str(place), {name: written(f"{value * (1.02 + place / 100):.4f}") for name, value in right.items()})
        for place in range(40)
    ]
    assert len(judged.diagnosis.single) > 500
    list(judged.verdicts(sheets))
    started = time.process_time()
    found = list(judged.verdicts(sheets))
    taken = time.process_time() - started
    assert sum(verdict.status == "wrong" for verdict in found) > 40
    assert taken / len(found) < 0.05


def test_what_comes_after_very_many_updates_says_that_no_mistake_was_looked_for() -> None:
    worked = load("mazur-2-2-2")
    (found,) = judge(worked, [Sheet("s", {"w5@20": written("0.9")})], ["w5@20"], Marking())
    assert (found.status, found.mistake) == ("wrong", None)
    assert "more updates" in found.note


def test_infinite_intervals_warn_nobody() -> None:
    worked = WorkedExample(from_dict({
        "kind": "expression", "given": {"x": Decimal("0.001")}, "define": {"a": "exp(1/x)", "b": "a - a*a"},
    }))  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        honest_range(worked, "b", decimals=2)
