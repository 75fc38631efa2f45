"""The table of the lecture notes: everything is judged, and judged rightly."""

from __future__ import annotations

from typing import get_args

import pytest

from derive.notes.claims import CHECKS, claims
from derive.notes.compare import Finding, Printed, Verdict, data, examples, findings, judge
from derive.notes.table import notes_lines
from derive.problem.file import find
from derive.worked import WorkedExample

VERDICTS = get_args(Verdict)
SAME, ROUNDED, SLIP = VERDICTS


@pytest.fixture(scope="module")
def found() -> dict[str, list[Finding]]:
    return {example.title: findings(example) for example in examples()}


def by_name(list_of: list[Finding]) -> dict[str, Finding]:
    return {finding.printed.text: finding for finding in list_of}


def test_nothing_is_left_without_a_verdict(found: dict[str, list[Finding]]) -> None:
    every = [finding for of_one in found.values() for finding in of_one]
    assert len(every) == sum(len(entry["numbers"]) for entry in data("numbers.toml")["examples"]) > 40
    assert all(finding.verdict in VERDICTS for finding in every)
    assert all(finding.ours for finding in every)
    for finding in every:
        assert (finding.verdict == SAME) == (finding.ours == finding.printed.digits)
        assert finding.verdict == SAME or finding.reason


@pytest.mark.parametrize(
    ("title", "quantity", "verdict", "carried"),
    [
        ("A neuron with inputs 2 and 3", "out_o1", SAME, ()),
        ("The perceptron that lets a student pass", "net[1]", SAME, ()),
        ("The 2-2-1 network, forward", "out_h2", SAME, ()),
        ("The 2-2-1 network, forward", "out_o1", ROUNDED, ("net_o1",)),
        ("The 2-2-1 network, forward", "E", SAME, ()),
        ("The 2-2-1 network, backward", "dE/dout_o1", ROUNDED, ("out_o1",)),
        ("The 2-2-1 network, backward", "dE/dw5", ROUNDED, ("dout_o1/dnet_o1",)),
        ("The 2-2-1 network, backward", "dE/dw6", SAME, ()),
        ("The 2-2-1 network, backward", "w1_new", SAME, ()),
        ("One step of gradient descent", "w_new", SAME, ()),
        ("Epochs of 1000 samples in batches of 100", "iterations", SAME, ()),
    ],
)
def test_known_numbers_are_judged_rightly(
    found: dict[str, list[Finding]], title: str, quantity: str, verdict: Verdict, carried: tuple[str, ...]
) -> None:
    finding = by_name(found[title])[quantity]
    assert (finding.verdict, finding.carried) == (verdict, carried)


@pytest.mark.parametrize(
    ("quantity", "digits", "verdict", "reason"),
    [
        ("out_o1", "0.75137", SAME, ""),
        ("out_o1", "0.7514", SAME, ""),
        ("out_o1", "0.75136", ROUNDED, "rounded to 4 decimals"),
        ("out_o1", "0.7513", SLIP, "cut off"),
        ("out_o1", "0.75", SAME, ""),
        ("out_o1", "0.85137", SLIP, "It is 0.7513651 to 7 decimals"),
        ("out_h1", "0.5932", SLIP, "cut off"),
        ("net_h1", "0.38", SAME, ""),
        ("net_h1", "0.37", SLIP, "cut off"),
        ("w5_new", "0.35892", SAME, ""),
        ("w5_new", "0.36", SAME, ""),
        ("w5_new", "0.41", SLIP, "It is"),
    ],
)
def test_any_number_is_judged(quantity: str, digits: str, verdict: Verdict, reason: str) -> None:
    finding = judge(WorkedExample(find("backprop-2-2-1")), Printed(quantity, True, digits), {})
    assert finding.verdict == verdict
    assert reason in finding.reason


def test_every_claim_is_judged_by_a_check_of_the_table() -> None:
    entries = data("claims.toml")["claims"]
    assert {entry["check"] for entry in entries} == set(CHECKS)
    judged = list(claims())
    assert len(judged) == len(entries) >= 20
    assert all(claim.ours for claim in judged)


def test_a_slip_has_a_reason_and_what_is_right_needs_none() -> None:
    for claim in claims():
        assert (claim.verdict == SLIP) == bool(claim.reason), claim.says


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("σ′ = σ(1 − σ)", SAME),
        ("tanh squashes to [−1, 1]", SLIP),
        ("tanh puts numbers between 0 and 1", SLIP),
        ("3×1 times a batch 5×3", SLIP),
        ("1×3 times weights 3×1", SAME),
        ("9th neuron", SLIP),
        ("b₁", SLIP),
        ("mean squared error", SLIP),
        ("CrossEntropyLoss", SLIP),
        ("W₂W₁X + (W₂B₁ + B₂)", SAME),
    ],
)
def test_known_claims_are_judged_rightly(words: str, verdict: Verdict) -> None:
    (claim,) = [claim for claim in claims() if words in claim.says]
    assert claim.verdict == verdict


@pytest.mark.parametrize(
    ("entry", "right"),
    [
        ({"check": "formula", "printed": "1/(1 + exp(-z))", "right": "sigmoid(z)", "at": {"z": 0}}, True),
        ({"check": "formula", "printed": "2*z", "right": "z^2", "at": {"z": 3}}, False),
        ({"check": "range", "activation": "tanh", "printed": "(-1, 1)"}, True),
        ({"check": "shapes", "shapes": [[5, 3], [3, 1]], "gives": [5, 1]}, True),
        ({"check": "shapes", "shapes": [[5, 3], [3, 1]], "gives": [1, 5]}, False),
        ({"check": "largest", "outputs": [0.2, 0.5, 0.3], "place": 2}, True),
        ({"check": "sum", "outputs": [0.2, 0.5, 0.3], "total": 1}, True),
        ({"check": "names", "printed": "w*x + b", "known": ["w", "x", "b"]}, True),
        ({"check": "readable", "printed": "max(0, z)"}, True),
    ],
)
def test_checks_can_say_both(entry: dict[str, object], right: bool) -> None:
    assert CHECKS[str(entry["check"])](entry).right == right


def test_a_formula_that_is_neither_proved_nor_refuted_is_not_passed_over() -> None:
    entry = {"says": "z = z²", "printed": "z", "right": "z^2", "at": {"z": 1}}
    with pytest.raises(AssertionError, match="neither"):
        CHECKS["formula"](entry)


def test_the_tables_hold_everything() -> None:
    text = "\n".join(notes_lines())
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    headers = 3
    numbers = sum(len(entry["numbers"]) + 1 for entry in data("numbers.toml")["examples"])
    programs = sum(len(entry["quantities"]) + 1 for entry in data("numbers.toml")["programs"])
    assert len(rows) == headers + numbers + len(data("claims.toml")["claims"]) + programs
    judged = sum("| same" in row or "| a slip" in row for row in rows)
    assert judged == numbers - len(data("numbers.toml")["examples"]) + len(data("claims.toml")["claims"])
