"""The judge of numbers: honest rounding, follow-through, mistakes, conventions, and answers that mean no good."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from students import MODES, SHAPES, Follower, Network, Rounding, Student, network

from derive import load
from derive.check.mistakes import mutants
from derive.check.model import Blank, Marking, Mutant, Sheet, Unreadable, Verdict, Written
from derive.check.verdicts import Judge, honest_range, judge
from derive.formula.expression import Name, Negative, Product, Quotient, Sum, number
from derive.problem.file import from_dict
from derive.worked import WorkedExample

ASKED = (
    "net_h1", "out_h1", "net_o1", "out_o1", "E", "dE/dout_o1", "dout_o1/dnet_o1", "dE/dnet_o1", "dE/dw5", "dE/dw1",
    "w5_new", "w1_new",
)  # fmt: skip


def written(text: str) -> Written:
    """A plain decimal as the reader of answers passes it on."""
    plain, _, power = text.partition("e")
    digits = plain.lstrip("-").replace(".", "").lstrip("0")
    return Written(text, Fraction(text), len(plain.partition(".")[2]) - int(power or 0), len(digits))


def none(_: WorkedExample, __: Sequence[str]) -> list[Mutant]:
    return []


def sheet(answers: dict[str, str], student: str = "s") -> Sheet:
    return Sheet(student, {name: written(text) for name, text in answers.items()})


def verdicts(
    example: WorkedExample, answers: dict[str, str], marking: Marking | None = None, expected: Sequence[str] = ()
) -> dict[str, Verdict]:
    found = judge(example, [sheet(answers)], expected or list(answers), marking or Marking(), mutants=mutants)
    return {verdict.quantity: verdict for verdict in found}


@pytest.fixture(scope="module")
def example() -> WorkedExample:
    return load("backprop-2-2-1")


def shown(example: WorkedExample, names: Sequence[str] = ASKED) -> dict[str, str]:
    return {name: example.shown(name) or "" for name in names}


# -- honest rounding


ACTIVATIONS = ("sigmoid", "tanh", "relu")


def _networks(count: int, seed: int) -> Iterator[tuple[random.Random, Network]]:
    rng = random.Random(seed)
    for place in range(count):
        shape = SHAPES[place % len(SHAPES)]
        last = ["sigmoid", "softmax"] if shape[-1] > 1 else ["sigmoid", "tanh"]
        kinds = (*(rng.choice(ACTIVATIONS) for _ in shape[2:]), rng.choice(last))
        yield rng, network(rng, shape, kinds)


ROUNDINGS = (("decimals", 2), ("decimals", 3), ("decimals", 4), ("decimals", 5), ("significant", 3), ("significant", 4))


def _honest(rng: random.Random, net: Network, *, trims: bool) -> Iterator[tuple[str, dict[str, str]]]:
    for kind, digits in ROUNDINGS:
        places = digits if kind == "decimals" else None
        rounding = Rounding(places, digits if places is None else None, rng.choice(MODES), trims)
        try:
            answers = Student(net, rounding, rng, regroups=rng.random() < 0.7).answers()
        except ZeroDivisionError:  # a softmax whose powers all round to zero
            continue
        yield f"{kind} {digits} {rounding.mode}", answers


@pytest.mark.parametrize("seed", range(7))
def test_nobody_who_rounds_honestly_is_wrong(seed: int) -> None:
    for rng, net in _networks(4, seed):
        sheets = list(_honest(rng, net, trims=rng.random() < 0.3))
        worked = WorkedExample(from_dict(net.problem()))
        names = list(sheets[0][1])
        gradient = rng.choice([name for name in names if name.startswith("dE/dw")])
        for asked in (names, [gradient], [rng.choice([name for name in names if name.endswith("_new")])]):
            class_ = [sheet({name: answers[name] for name in asked}, student) for student, answers in sheets]
            for verdict in judge(worked, class_, asked, Marking(), mutants=none):
                assert verdict.status in ("correct", "rounded"), (net.sizes, net.activations, verdict)


def test_two_decimals_with_zeros_left_out_are_not_read_as_one_digit() -> None:
    given = {"inputs": [[Decimal("0.5"), Decimal("0.1")]], "targets": [[Decimal("0.3")]], "layers": [
        {"neurons": ["h1", "h2"], "activation": "relu", "bias": [Decimal("0.42"), Decimal("0.14")],
         "weights": [[Decimal("-0.43"), Decimal("-0.55")], [Decimal("0.26"), Decimal("0.30")]]},
        {"neurons": ["o1"], "activation": "sigmoid", "bias": [Decimal("-0.02")],
         "weights": [[Decimal("-0.8"), Decimal("-0.89")]]},
    ]}  # fmt: skip
    answers = {
        "net_h1": "0.14", "out_h1": "0.14", "net_h2": "0.3", "out_h2": "0.3", "net_o1": "-0.4", "out_o1": "0.4",
        "dE/dnet_o1": "0.02", "E": "0", "dE/dw5": "0", "dE/dw6": "0.01", "dE/dnet_h1": "-0.02", "dE/dw1": "-0.01",
        "dE/dw2": "-0", "dE/dnet_h2": "-0.02", "dE/dw3": "-0.01", "dE/dw4": "-0",
    }  # fmt: skip
    found = verdicts(WorkedExample(from_dict(given | {"loss": "half-squared-error"})), answers)
    assert found["net_h1"].status == "rounded"


def test_an_honest_range_is_tight(example: WorkedExample) -> None:
    low, high = honest_range(example, "dE/dw5", decimals=4) or (0, 0)
    assert low <= Fraction("0.0822") <= high
    assert high - low <= Fraction("0.0010")
    fine = honest_range(example, "dE/dw5", significant=6) or (0, 0)
    assert fine[1] - fine[0] < (high - low) / 20


def test_what_cannot_be_reached_is_wrong(example: WorkedExample) -> None:
    for text in ("0.0800", "0.0850", "0.08", "0.0830"):
        found = verdicts(example, shown(example) | {"dE/dw5": text})["dE/dw5"]
        assert (found.status == "wrong") == (text != "0.08"), found


@pytest.mark.parametrize(("text", "status"), [("0.59327", "correct"), ("0.593", "correct"), ("0.5932", "rounded"),
                                              ("0.6", "correct"), ("0.5", "wrong"), ("1", "wrong"), ("0", "wrong"),
                                              ("0.59", "correct"), ("0.58", "wrong")])  # fmt: skip
def test_one_number(example: WorkedExample, text: str, status: str) -> None:
    assert verdicts(example, {"out_h1": text})["out_h1"].status == status


def test_an_exact_tie_is_right_both_ways() -> None:
    worked = load("backprop-2-2-1")
    for text in ("0.377", "0.378"):
        assert verdicts(worked, {"net_h1": text})["net_h1"].status == "correct", text


def test_a_fraction_is_compared_exactly(example: WorkedExample) -> None:
    for value, status in ((Fraction(151, 400), "correct"), (Fraction(3, 8), "wrong")):
        answers = {"net_h1": Written(str(value), value)}
        (found,) = judge(example, [Sheet("s", answers)], ["net_h1"], Marking(), mutants=none)
        assert found.status == status


# -- follow-through


def test_the_first_wrong_step_is_wrong_and_the_rest_follows(example: WorkedExample) -> None:
    given = {name: float(value.value) for name, value in example.problem.given.items()} | {"eta": 0.5}
    wrong = Sum((Name("w5"), Name("out_h1")))
    definitions = {"net_o1": Sum((wrong, Name("b2")))}
    student = Follower(
        lambda name: definitions.get(name, example.derivation.quantity(name).definition), given,
        Rounding(5, None, MODES[0]),
    )  # fmt: skip
    found = verdicts(example, {name: student.text(name) for name in ASKED})
    assert [name for name in ASKED if found[name].status == "wrong"] == ["net_o1"]
    assert [name for name in ASKED if found[name].status == "follow-through"] == [
        "out_o1", "E", "dE/dout_o1", "dout_o1/dnet_o1", "dE/dnet_o1", "dE/dw5", "dE/dw1", "w5_new", "w1_new",
    ]  # fmt: skip


def test_what_does_not_hang_on_a_wrong_answer_does_not_follow_from_it(example: WorkedExample) -> None:
    asked = ("out_h1", "out_o1", "E", "w4_new")
    slipped = sheet({"out_h1": "0.3605", "out_o1": "0.7222", "E": "0.2536", "w4_new": "0.2992"}, "slipped")
    rounding = sheet({"out_h1": "0.5933", "out_o1": "0.7514", "E": "0.2749", "w4_new": "0.3992"}, "rounding")
    found = judge(example, [slipped, rounding], asked, Marking(), mutants=mutants)
    assert [each.status for each in found if each.student == "rounding"] == ["correct", "correct", "rounded", "wrong"]


def test_a_student_is_judged_in_a_class_as_alone(example: WorkedExample) -> None:
    rng = random.Random(11)
    given = {name: float(each.value) for name, each in example.problem.given.items()} | {"eta": 0.5}
    sheets = []
    for place in range(40):
        rounding = Rounding(rng.choice((3, 4, 5)), None, rng.choice(MODES))
        follower = Follower(lambda name: example.derivation.quantity(name).definition, given, rounding)
        answers = {name: follower.text(name) for name in ASKED}
        for name in rng.sample(ASKED, rng.choice((0, 1, 2))):
            answers[name] = f"{float(answers[name]) * rng.choice((-1, 0.5, 1.01, 2)):.4f}"
        sheets.append(sheet(answers, str(place)))
    judged = Judge(example, ASKED, Marking(), mutants)
    together = list(judged.verdicts(sheets))
    assert [verdict for each in sheets for verdict in judged.verdicts([each])] == together


def test_follow_through_gets_the_marks_asked_for(example: WorkedExample) -> None:
    answers = {"dE/dw5": "0.50000", "w5_new": "0.15000"}
    found = verdicts(example, answers, Marking(follow_through=0.5))
    assert (found["dE/dw5"].marks, found["w5_new"].status, found["w5_new"].marks) == (0, "follow-through", 0.5)


def test_a_typing_error_does_not_take_the_rest_with_it(example: WorkedExample) -> None:
    found = verdicts(example, shown(example) | {"out_h1": "0.53927"})
    assert [name for name, verdict in found.items() if verdict.status != "correct"] == ["out_h1"]
    assert found["out_h1"].mistake is not None
    assert found["out_h1"].mistake.id == "digits-transposed"


@pytest.mark.parametrize("earlier", [{"out_o1": "1.00000"}, {"dE/dnet_o1": "0.00000"}])
def test_a_degenerate_answer_earns_nothing_later(example: WorkedExample, earlier: dict[str, str]) -> None:
    answers = {**earlier, "dE/dw5": "0.00000", "w5_new": "0.40000"}
    found = verdicts(example, answers)
    for name in ("dE/dw5", "w5_new"):
        assert (found[name].status, found[name].marks) == ("follow-through", 0), found[name]
        assert "trivial" in found[name].note


# -- mistakes and conventions


@pytest.mark.parametrize(
    ("quantity", "text", "identity"),
    [
        ("dE/dw5", "-0.08217", "sign-lost"),
        ("dE/dw5", "0.8217", "decimal-point-slipped"),
        ("out_h1", "0.59688", "another-quantity"),
        ("w5_new", "0.44108", "ascent-for-descent"),
    ],
)
def test_a_mistake_is_named(example: WorkedExample, quantity: str, text: str, identity: str) -> None:
    verdict = verdicts(example, {quantity: text})[quantity]
    assert verdict.status == "wrong"
    assert verdict.mistake is not None
    assert identity in {verdict.mistake.id, *(other.id for other in verdict.mistake.others)}, verdict.mistake
    assert verdict.mistake.message.startswith("One of: ") == bool(verdict.mistake.others)


def _twice(_: WorkedExample, __: Sequence[str]) -> list[Mutant]:
    double = Product((number(2), Name("dE/dnet_o1"), Name("out_h1")))
    no_half = Sum((Name("y"), Negative(Name("out_o1"))))
    return [
        Mutant("no-half", "The ½ is left out.", "dE/dw5", {"dE/dw5": double}, convention=True),
        Mutant("output-halved", "The output was halved.", "out_o1", {"out_o1": Quotient(no_half, number(2))}),
    ]


def test_a_convention_can_be_accepted(example: WorkedExample) -> None:
    answers = sheet({"dE/dw5": "0.16434"})
    (found,) = judge(example, [answers], ["dE/dw5"], Marking(), mutants=_twice)
    assert (found.status, found.marks, found.mistake and found.mistake.convention) == ("wrong", 0, True)
    for accepted in ("no-half", "all"):
        marking = Marking(accept_conventions=(accepted,))
        (found,) = judge(example, [answers], ["dE/dw5"], marking, mutants=_twice)
        assert (found.status, found.marks) == ("correct", 1)
        assert "convention" in found.note


def test_a_mistake_that_other_right_answers_contradict_is_not_named(example: WorkedExample) -> None:
    answers = {"out_o1": "0.7514", "dE/dw5": "0.0822", "w5_new": "0.3178"}
    found = verdicts(example, answers, Marking(accept_conventions=("all",)))["w5_new"]
    assert (found.status, found.mistake.id if found.mistake else "") == ("wrong", "rate-left-out")
    alone = verdicts(example, {"w5_new": "0.3178"}, Marking(accept_conventions=("all",)))["w5_new"]
    assert alone.status == "correct"
    turned = verdicts(example, {"w5_new": "0.4411", "w1_new": "0.1497"})["w5_new"].mistake
    assert turned is not None
    assert "w1" not in turned.message


def test_requirements_of_form_are_separate(example: WorkedExample) -> None:
    found = verdicts(example, {"out_h1": "0.593"}, Marking(require_decimals=4))["out_h1"]
    assert (found.status, found.marks) == ("correct", 0)
    assert "3 decimals; asked for are 4" in found.note


# -- every answer gets a verdict


def test_one_verdict_for_each_expected_answer(example: WorkedExample) -> None:
    sheets = [
        Sheet("empty", {}),
        Sheet("odd", {"out_h1": Unreadable("?", "not a number"), "E": Blank()}),
        sheet({"out_h1": "0.593"}, "one"),
    ]
    found = list(judge(example, sheets, ASKED, Marking(), mutants=none))
    assert [(verdict.student, verdict.quantity) for verdict in found] == [
        (each.student, name) for each in sheets for name in ASKED
    ]
    assert found[len(ASKED) + 1].status == "unreadable"
    assert found[len(ASKED) + 1].marks is None
    assert found[0].status == "blank"


GIANT = (
    "1e400", "0e9", "1e1", "1" + "0" * 400, "-1" + "0" * 400, "0." + "0" * 400 + "1", "9" * 300 + "." + "9" * 300,
    "-0.000", "0.0",
)  # fmt: skip


@pytest.mark.parametrize("text", GIANT, ids=lambda text: text[:12])
def test_giant_numbers_are_wrong_and_cost_little(example: WorkedExample, text: str) -> None:
    verdicts(example, {"out_h1": "0.5"})
    answers = dict.fromkeys(ASKED, text)
    started = time.process_time()
    found = verdicts(example, answers)
    assert time.process_time() - started < 2
    assert found["out_h1"].status == "wrong"
    assert found["w1_new"].marks == 0 or text in ("-0.000", "0.0", "0e9")
