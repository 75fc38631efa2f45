"""A class with a sheet each: what the keys say is right, what the neighbour's key says is not."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby
from pathlib import Path

import pytest

from derive.check.mistakes import mutants
from derive.check.model import Marking, Sheet, Verdict, Written
from derive.check.verdicts import Judge, judge
from derive.errors import DeriveError
from derive.worked import WorkedExample
from derive.worksheet.lookup import example_of, numbers_of, problem_of, variants_of
from derive.worksheet.plan import Plan, Style
from derive.worksheet.run import run
from derive.worksheet.source import read_source
from worksheets import SMALL
from worksheets import plan as plan_of

MARKING = Marking()


def _class(folder: Path, plan: Plan, count: int) -> tuple[Judge, list[str]]:
    run(plan, folder, count)
    return Judge(example_of(folder), plan.asked[0], MARKING), list(variants_of(folder).values())


def _written(text: str) -> Written:
    """A plain decimal as the reader of answers passes it on."""
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    return Written(text, Fraction(text), len(text.partition(".")[2]), len(digits))


def _sheet(variant: str, texts: dict[str, str]) -> Sheet:
    return Sheet(variant, {name: _written(text) for name, text in texts.items()}, variant)


def _by_sheet(verdicts: list[Verdict]) -> list[list[Verdict]]:
    return [list(found) for _, found in groupby(verdicts, key=lambda verdict: verdict.variant)]


def test_every_answer_of_a_thousand_keys_is_right_and_that_of_the_neighbour_is_not(tmp_path: Path) -> None:
    plan = Plan((read_source("backprop-2-2-1", {}),), 7, style=Style(bundle=True, key="none"))
    judged, variants = _class(tmp_path, plan, 1000)
    own = numbers_of(tmp_path, judged.program, variants)
    keys = [{name: own.texts[name][place] for name in plan.asked[0]} for place in range(len(variants))]
    sheets = [_sheet(variant, key) for variant, key in zip(variants, keys, strict=True)]
    assert {verdict.status for verdict in judged.verdicts(sheets, own)} == {"correct"}
    asked = ("dE/dw5", "w1_new")
    swapped = [
        _sheet(variant, {name: keys[place - 1][name] for name in asked}) for place, variant in enumerate(variants[:100])
    ]
    some = Judge(example_of(tmp_path), asked, MARKING)
    theirs = numbers_of(tmp_path, some.program, variants[:100])
    for verdict in some.verdicts(swapped, theirs):
        near = abs(float(verdict.answer) - float(verdict.expected)) < 2e-4
        assert near or verdict.status == "wrong", verdict


@pytest.mark.parametrize("carry", ["full", "displayed"])
def test_sheets_judged_together_are_judged_as_each_alone(carry: str, tmp_path: Path) -> None:
    text = SMALL.replace("decimals = 6", f'decimals = 6\ncarry = "{carry}"')
    plan = plan_of(text, allow=("mistake", "tie", "small"))
    judged, variants = _class(tmp_path, plan, 5)
    own = numbers_of(tmp_path, judged.program, variants)
    sheets = []
    for place, variant in enumerate(variants):
        key = {name: own.texts[name][place] for name in plan.asked[0]}
        changed = list(key)[place * 3 % len(key)]
        plain = key[changed].lstrip("-")
        key[changed] = ("0.5", plain, f"-{plain}", "0.123456", f"{plain}9")[place]
        if place == 2:
            key = {name: text[:-3] for name, text in key.items()}
        sheets.append(_sheet(variant, key))
    known = mutants(example_of(tmp_path), plan.asked[0])
    together = _by_sheet(list(judged.verdicts(sheets, own)))
    for sheet, verdicts in zip(sheets, together, strict=True):
        example = WorkedExample(problem_of(tmp_path, sheet.variant))
        assert verdicts == list(judge(example, [sheet], plan.asked[0], MARKING, mutants=lambda *_: known))


def test_what_is_asked_after_two_updates_has_its_own_numbers_too(tmp_path: Path) -> None:
    plan = plan_of(SMALL, allow=("mistake",))
    run(plan, tmp_path, 3)
    variants = list(variants_of(tmp_path).values())
    judged = Judge(example_of(tmp_path), ("w5@2", "E@1"), MARKING)
    own = numbers_of(tmp_path, judged.program, variants)
    for place, variant in enumerate(variants):
        example = WorkedExample(problem_of(tmp_path, variant))
        for quantity, key in judged.program.asked.items():
            name, step = judged.program.names.place(key)
            assert own.value(key, place) == pytest.approx(example.values_after(step).double(name), rel=1e-12)
            assert own.texts[quantity][place] == example.shown(quantity)


@pytest.mark.parametrize(
    ("name", "vary"),
    [
        ("mse-3", "o1 = { from = 0.1, to = 0.9, step = 0.1 }\nt2 = { from = 0.15, to = 0.95, step = 0.1 }"),
        ("huber", "o1 = { from = 1, to = 4, step = 0.1 }\no2 = { from = 0.05, to = 3.05, step = 0.1 }"),
        ("softmax-cross-entropy", "z1 = { from = 0.1, to = 0.9, step = 0.1 }\nz2 = { choose = [1, 2, 3] }"),
        ("momentum-steps", "w = { from = 0.1, to = 0.9, step = 0.1 }"),
    ],
)
def test_losses_and_optimizers_vary_too(name: str, vary: str, tmp_path: Path) -> None:
    text = read_source(name, {}).text.partition("[vary]")[0] + f"[vary]\n{vary}\n"
    plan = plan_of(text, allow=("mistake", "small", "tie", "zero"))
    judged, variants = _class(tmp_path, plan, 4)
    own = numbers_of(tmp_path, judged.program, variants)
    for place, variant in enumerate(variants):
        example = WorkedExample(problem_of(tmp_path, variant))
        assert {q: own.texts[q][place] for q in plan.asked[0]} == {q: example.shown(q) for q in plan.asked[0]}


@pytest.mark.parametrize(
    ("name", "vary", "words"),
    [
        ("epochs-1000", "batch = { choose = [100, 300] }", "accepted: numbers that always leave 0"),
        ("softmax-cross-entropy", "t1 = { choose = [0, 1] }", "accepted: the predictions"),
    ],
)
def test_what_decides_the_derivation_does_not_vary(name: str, vary: str, words: str) -> None:
    text = read_source(name, {}).text.partition("[vary]")[0] + f"[vary]\n{vary}\n"
    with pytest.raises(DeriveError, match=words):
        _ = plan_of(text).space
