"""What printed examples and plausible slips taught: names, aliases, digits and conventions at the edges."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

import numpy as np
import pytest

from derive import load
from derive.check.model import Marking, Sheet, Verdict, Written
from derive.check.quantities import Quantities
from derive.check.verdicts import judge
from derive.check.written import read_number
from derive.derivation.names import UnknownQuantity
from derive.problem.file import from_dict
from derive.worked import WorkedExample

TWO_TWO_ONE = "backprop-2-2-1"
BATCH: dict[str, Any] = {
    "inputs": [[1, 2], [3, 1]], "targets": [[1], [0]], "reduction": "sum",
    "layers": [
        {"neurons": 2, "activation": "sigmoid", "weights": [["0.1", "0.3"], ["-0.2", "0.4"]], "bias": ["0.1", "0.2"]},
        {"neurons": 1, "activation": "sigmoid", "weights": [["0.5", "-0.6"]], "bias": ["0.3"]},
    ],
    "update": {"learning_rate": Decimal("0.2")},
}  # fmt: skip


def _decimals(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _decimals(each) if key in ("weights", "bias", "layers") else each for key, each in value.items()}
    if isinstance(value, list):
        return [_decimals(each) for each in value]
    return Decimal(value) if isinstance(value, str) and value.lstrip("-")[:1].isdigit() else value


def batch() -> WorkedExample:
    return WorkedExample(from_dict(_decimals(BATCH)))


def judged(example: WorkedExample, answers: dict[str, str], **marking: Any) -> dict[str, Verdict]:
    written = {}
    for quantity, text in answers.items():
        number = read_number(text, decimal_comma=False)
        assert number is not None
        written[quantity] = Written(text, *number)
    verdicts = judge(example, [Sheet("S", written)], list(answers), Marking(**marking))
    return {verdict.quantity: verdict for verdict in verdicts}


def ids(verdict: Verdict) -> list[str]:
    found = verdict.mistake
    return [each.id for each in (found, *found.others)] if found else []


def test_a_number_cut_down_to_zero_may_stand_for_nearly_a_unit() -> None:
    """dE/db1 = 0.0107… is 0.01 when cut, its parts 0.00: what follows from them may be as much as the parts allow."""
    example = load(TWO_TWO_ONE)
    names = ("dE/dout_h1", "dout_h1/dnet_h1", "dE/dnet_h1", "dE/dw1", "w1_new")
    values = {name: Decimal(repr(example.value(name))) for name in names}
    cut = {name: str(value.quantize(Decimal("0.01"), rounding=ROUND_DOWN)) for name, value in values.items()}
    assert {verdict.status for verdict in judged(example, cut).values()} <= {"correct", "rounded"}


def test_a_sample_that_is_named_once_is_meant_on_both_sides() -> None:
    found = Quantities(batch())
    assert found.asked("dout_o1/dnet_o1[2]", "test") == "dout_o1[2]/dnet_o1[2]"
    assert found.asked("dE/dnet_o1[2]", "test") == "dE/dnet_o1[2]"


def test_a_slope_of_no_sample_is_no_quantity_of_a_batch() -> None:
    with pytest.raises(UnknownQuantity, match="dE/dnet_o1"):
        batch().find("dE/dnet_o1")


def test_the_gradient_of_a_bias_follows_from_the_delta_that_was_written() -> None:
    answers = {"dE/dout_o1": "0.74137", "dout_o1/dnet_o1": "0.18682", "dE/dnet_o1": "0.74137", "dE/db2": "0.74137"}
    found = judged(load(TWO_TWO_ONE), answers)
    assert [verdict.status for verdict in found.values()] == ["correct", "correct", "wrong", "follow-through"]


@pytest.mark.parametrize(("text", "status"), [("0.291027924", "wrong"), ("0.291027774", "correct")])
def test_nine_digits_are_single_precision_only_where_it_has_that_number(text: str, status: str) -> None:
    assert judged(load("mazur-2-2-2"), {"E_new": text})["E_new"].status == status


def test_nine_digits_of_single_precision_are_accepted() -> None:
    single = np.float32(np.float32(load("mazur-2-2-2").value("E_new")) * np.float32(1 + 2e-7))
    assert judged(load("mazur-2-2-2"), {"E_new": f"{single:.9f}"})["E_new"].status == "rounded"


def test_any_suggestion_may_be_the_convention_that_is_accepted() -> None:
    example = load(TWO_TWO_ONE)
    plain = judged(example, {"dE/dw5": "-0.08217"})["dE/dw5"]
    assert plain.mistake is not None
    conventions = [each.id for each in (plain.mistake, *plain.mistake.others) if each.convention]
    assert plain.status == "wrong"
    assert conventions
    for convention in conventions:
        assert judged(example, {"dE/dw5": "-0.08217"}, accept_conventions=(convention,))["dE/dw5"].marks == 1


def test_the_loss_before_the_update_is_that_number_only() -> None:
    found = judged(load("mazur-2-2-2"), {"E": "0.298371109", "E_new": "0.291027924"})["E_new"]
    assert "before-the-update" not in ids(found)
    assert "before-the-update" in ids(judged(load("mazur-2-2-2"), {"E_new": "0.298371109"})["E_new"])


def test_no_mistake_is_said_to_be_at_a_number_that_was_right() -> None:
    example = load(TWO_TWO_ONE)
    without_bias = "0.07079"
    first = judged(example, {"dE/dw5": without_bias})["dE/dw5"].mistake
    assert first is not None
    assert (first.id, first.step) == ("bias-left-out", "net_h1")
    found = judged(example, {"net_h1": "0.3775", "dE/dw5": without_bias})["dE/dw5"].mistake
    assert found is None or all(each.step != "net_h1" for each in (found, *found.others))


@pytest.mark.parametrize(("quantity", "text", "expected"), [
    ("dE/dw1", "0.00067", "0.00066840"), ("dE/dw5", "0.0822", "0.082167"), ("net_h1", "0.38", "0.37750"),
    ("out_h1", "0.59326999", "0.59326999"), ("dE/dw5", "0.0821670406", "0.0821670406"),
])  # fmt: skip
def test_the_right_number_has_the_digits_of_the_answer(quantity: str, text: str, expected: str) -> None:
    assert judged(load(TWO_TWO_ONE), {quantity: text})[quantity].expected == expected


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1e20", "1e21", "1e50", "1e100", "-1e100", "1e299", "1e308"])
def test_giant_numbers_are_wrong(text: str) -> None:
    assert judged(load(TWO_TWO_ONE), {"dE/dw5": text})["dE/dw5"].status == "wrong"


@pytest.mark.parametrize(("quantity", "text", "mistake"), [
    ("dE/dw5", "0.00692", "wrong-input"), ("dE/dw5", "0.73177", "sum-for-product"),
    ("net_h1", "0.350150", "product-for-sum"), ("w5_new", "0.40000", "not-updated"),
])  # fmt: skip
def test_the_slip_is_named_first(quantity: str, text: str, mistake: str) -> None:
    """The input for the hidden output, δ plus what comes in, the products multiplied, the old weight."""
    assert ids(judged(load(TWO_TWO_ONE), {quantity: text})[quantity])[0] == mistake


def test_the_delta_of_the_neuron_beside() -> None:
    delta_o2, out_h1 = -0.0380982366, 0.5932699921
    found = judged(load("mazur-2-2-2"), {"dE/dw5": f"{delta_o2 * out_h1:.5f}"})["dE/dw5"]
    assert "wrong-delta" in ids(found)


@pytest.mark.parametrize(("text", "status"), [("-1.11133055", "rounded"), ("-1.11133155", "wrong")])
def test_nine_digits_within_the_last_bits_of_single_precision(text: str, status: str) -> None:
    example = WorkedExample(from_dict({"kind": "activation", "activation": "selu", "at": [-1]}))
    assert judged(example, {"f(-1)": text})["f(-1)"].status == status
