from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from derive.cli import cli
from derive.worksheet.good_numbers import NAMES
from derive.worksheet.manifest import entries_of
from derive.worksheet.plan import Plan, Style
from derive.worksheet.press import Entry, Press
from derive.worksheet.run import run
from derive.worksheet.source import read_source
from worksheets import EXPRESSION

SHEETS = 1000 if os.environ.get("CI") else 60
OTHERS = 12
ASK = ("out_h1", "out_o1", "E", "dE/dw5", "dE/dw1", "w1_new")


def _keys(plan: Plan, folder: Path) -> list[tuple[str, str, Mapping[str, str]]]:
    """(variant, student, answers by quantity) of every sheet of a folder."""
    entries = entries_of(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
    made = Press(Plan(plan.sources, plan.seed, plan.ask, plan.allow, Style(format="json"))).make(entries)
    return [
        (sheet.variant, entry.student, json.loads(sheet.key)["problems"][0]["answers"])
        for sheet, entry in zip(made, entries, strict=True)
    ]


def _write(path: Path, rows: Sequence[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def _verdicts(answers: Path, folder: Path, *more: str) -> tuple[int, list[dict[str, Any]]]:
    arguments = ["check", "backprop-2-2-1", str(answers), "--variants", str(folder), "--format", "jsonl", *more]
    result = CliRunner().invoke(cli, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    folder = tmp_path_factory.mktemp("class") / "sheets"
    plan = Plan((read_source("backprop-2-2-1"),), seed=2026, ask=ASK, style=Style(bundle=True))
    run(plan, folder, SHEETS, tuple(f"Student {place}" for place in range(SHEETS)))
    return plan, folder


def test_every_answer_of_every_key_is_correct_for_its_own_sheet(sheets: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, folder = sheets
    keys = _keys(plan, folder)
    template = (folder / "answers.csv").read_text(encoding="utf-8").splitlines()[0]
    rows = [tuple(template.split(",")), *((student, variant, *answers.values()) for variant, student, answers in keys)]
    assert rows[0] == ("student", "variant", *ASK)
    code, verdicts = _verdicts(_write(tmp_path / "answers.csv", rows), folder)
    assert len(verdicts) == SHEETS * len(ASK)
    assert {verdict["status"] for verdict in verdicts} == {"correct"}
    shown = {(variant, name): Decimal(value) for variant, _, answers in keys for name, value in answers.items()}
    for each in verdicts:
        value = shown[each["variant"], each["quantity"]]
        assert abs(Decimal(each["expected"]) - value) <= Decimal("0.000005")
        assert Decimal(each["answer"]) == value
    assert code == 0


def test_the_answer_of_another_sheet_is_not_correct_except_where_it_is_the_same(
    sheets: tuple[Plan, Path], tmp_path: Path
) -> None:
    plan, folder = sheets
    keys = _keys(plan, folder)[:OTHERS]
    rows = [("student", "quantity", "answer")]
    rows += [
        (student, name, keys[(place + 1) % OTHERS][2][name])
        for place, (_, student, _) in enumerate(keys)
        for name in ("out_o1", "dE/dw5", "w1_new")
    ]
    own = {(student, name): value for _, student, answers in keys for name, value in answers.items()}
    _, verdicts = _verdicts(_write(tmp_path / "answers.csv", rows), folder, "--follow-through", "0")
    given = [each for each in verdicts if each["answer"] and each["student"] in {student for _, student, _ in keys}]
    assert len(given) == OTHERS * 3
    for verdict in given:
        same = verdict["answer"] == own[verdict["student"], verdict["quantity"]]
        assert (verdict["status"] == "correct") == same, verdict
        assert verdict["marks"] == 1 or not same
    assert sum(verdict["status"] == "wrong" for verdict in given) > len(given) / 2


def test_a_sheet_is_found_by_its_id_or_by_its_student(sheets: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, folder = sheets
    (first, name, answers), (second, *_) = _keys(plan, folder)[:2]
    value = answers["dE/dw5"]
    rows = [("student", "variant", "dE/dw5"), (name, "", value), ("Somebody", first, value), ("Another", second, value)]
    _, verdicts = _verdicts(_write(tmp_path / "answers.csv", rows), folder, "--ask", "dE/dw5")
    assert [each["status"] for each in verdicts[:2]] == ["correct", "correct"]
    assert verdicts[2]["status"] != "correct"


def test_an_unknown_sheet_waits_for_a_person_and_stops_nobody(sheets: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, folder = sheets
    variant, student, answers = _keys(plan, folder)[5]
    rows = [("student", "variant", "E"), ("Nobody", "XXXX-1-00000", "0.1"), (student, variant, answers["E"])]
    _, verdicts = _verdicts(_write(tmp_path / "answers.csv", rows), folder, "--ask", "E")
    assert [each["status"] for each in verdicts] == ["unreadable", "correct"]
    assert verdicts[0]["marks"] is None


def test_of_several_problems_on_a_sheet_each_is_checked_against_its_own(tmp_path: Path) -> None:
    """And what the sheets ask for counts, not what the problem file asks."""
    other = tmp_path / "other.toml"
    other.write_text(EXPRESSION.replace("output", 'ask = ["q", "f"]\noutput', 1), encoding="utf-8")
    plan = Plan((read_source("backprop-2-2-1"), read_source(str(other))), ask=("dE/dw5", "f"), allow=tuple(NAMES))
    run(plan, tmp_path / "sheets", 3)
    entries = entries_of(json.loads((tmp_path / "sheets" / "manifest.json").read_text(encoding="utf-8")))
    keys = [json.loads(sheet.key) for sheet in Press(replace(plan, style=Style(format="json"))).make(entries)]
    for part, (problem, name) in enumerate((("backprop-2-2-1", "dE/dw5"), (str(other), "f"))):
        rows = [("student", "variant", name)]
        rows += [(key["variant"], key["variant"], key["problems"][part]["answers"][name]) for key in keys]
        answers = _write(tmp_path / f"{part}.csv", rows)
        assert (tmp_path / "sheets" / f"answers-{part + 1}.csv").read_text().startswith(",".join(rows[0]))
        arguments = ["check", problem, str(answers), "--variants", str(tmp_path / "sheets"), "--format", "jsonl"]
        result = CliRunner().invoke(cli, arguments)
        verdicts = [json.loads(line) for line in result.stdout.splitlines()]
        assert [verdict["status"] for verdict in verdicts] == ["correct"] * 3, result.output
    arguments[1] = "neuron-3.1"
    assert "accepted: one problem of the sheets, backprop-2-2-1 or" in CliRunner().invoke(cli, arguments).output


def test_a_notebook_hands_in_what_the_checker_reads(sheets: tuple[Plan, Path], tmp_path: Path) -> None:
    """The last cell of a notebook, run as it stands."""
    import nbformat
    from nbclient import NotebookClient

    plan, folder = sheets
    entry = Entry(entries_of(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))[3].place, "Student 3")
    made = Press(Plan(plan.sources, plan.seed, ASK, (), Style(format="notebook")), named=True).make([entry])[0]
    text = f'{{"cells": [{made.sheet}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}'
    page = nbformat.reads(text, 4)  # type: ignore[no-untyped-call]
    answers = _keys(plan, folder)[3][2]
    for cell in page.cells:
        for name, value in answers.items():
            cell.source = cell.source.replace(f'answers["{name}"] = ""', f'answers["{name}"] = "{value}"')
    NotebookClient(page, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    code, verdicts = _verdicts(tmp_path / f"answers-{made.variant}.csv", folder)
    assert [each["status"] for each in verdicts] == ["correct"] * len(ASK)
    assert code == 0
