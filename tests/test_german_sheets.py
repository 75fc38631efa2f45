"""Worksheets in German hold no English, in any format, level or report beside them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from german import CALCULATION, SETTINGS, left, without_formulas, words_of

from derive.cli import cli
from derive.worksheet.plan import LEVELS, PLATFORMS, Plan, Style
from derive.worksheet.press import Entry, Press
from derive.worksheet.report import report
from derive.worksheet.source import read_source


def _latex(text: str) -> str:
    text = re.sub(r"%.*", "", text)
    text = re.sub(r"\\begin\{tikzpicture\}.*?\\end\{tikzpicture\}", " ", text, flags=re.DOTALL)
    text = text.replace(r"\hskip 1em plus 1fill", " ")
    return re.sub(r"\\(?:begin|end|label|vspace|hspace|setcounter)\{[^}]*\}|\\[A-Za-z]+", " ", text)


def _html(text: str) -> str:
    alt = " ".join(re.findall(r'(?:alt|aria-label|title)="([^"]*)"', text))
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)) + alt


def _typst(text: str) -> str:
    text = re.sub(r'\$[^$]*\$|image\.decode\(".*?(?<!\\)"|bytes\(".*?(?<!\\)"', " ", text, flags=re.DOTALL)
    return re.sub(r"#[\w.]+(?:\([^()\[\]]*\))?|\b[a-z-]+:(?: none)?|\b(?:list|image)\(", " ", text)


def _notebook(text: str) -> str:
    """The words of its cells, and the comments of those of Python."""
    found = []
    for cell in json.loads(f"[{text.rstrip().rstrip(',')}]"):
        source = "".join(cell["source"])
        is_code = cell["cell_type"] == "code"
        found.append(" ".join(re.findall("# [^\n]*", source)) if is_code else without_formulas(source))
    return re.sub(r"answers-[\w-]+\.csv", "", "\n".join(found))


def _moodle(text: str) -> str:
    text = re.sub(r"<file .*?</file>|\\[\[(].*?\\[\])]|<!\[CDATA\[|\]\]>", " ", text, flags=re.DOTALL)
    text = re.sub(r"\{[\d.]+:NUMERICAL:[^}]*\}|moodle_auto_format|\$course\$", " ", text)
    return html.unescape(re.sub(r"<[^>]*>", " ", text))


def _qti(text: str) -> str:
    quiz = json.loads(text)
    keys = re.compile(r"^(?:Text title|Text|Title|Points|Shuffle answers):(?: false)?", re.MULTILINE)
    lines = keys.sub(" ", quiz["text"])
    return f"{quiz['title']} {without_formulas(lines)}"


READ: Mapping[str, Callable[[str], str]] = {
    "markdown": without_formulas, "latex": _latex, "html": _html, "pdf-typst": _typst, "moodle": _moodle, "qti": _qti,
    "notebook": _notebook,
}  # fmt: skip


@cache
def plan(format: str, level: str = "full", **words: str) -> Plan:
    style = Style(format, level=level, language="de", lines=3, course="Kurs 3", date="1. 4.", **words)  # type: ignore[arg-type]
    return Plan((read_source("backprop-2-2-1", {}),), 3, allow=("dead", "mistake", "tie", "zero"), style=style)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("format", READ)
def test_sheets_have_no_english(format: str, level: str) -> None:
    level = "scaffold" if format in (*PLATFORMS, "notebook") and level == "full" else level
    (sheet,) = Press(plan(format, level)).make([Entry(5, "")])
    for text in filter(None, (sheet.sheet, sheet.key)):
        assert left(READ[format](text)) == []
    assert "gegeben" in words_of(READ[format](sheet.sheet))


OTHER_KINDS = (
    "perceptron-and", "tanh", "softmax-1-2-3", "epochs-1050", "adam-two-gradients", "mse-3", "expression-graph",
    "maxout-neuron", "backprop-2-2-1-matrix",
)  # fmt: skip


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_sheets_of_other_kinds_have_no_english(name: str) -> None:
    shown = CliRunner().invoke(cli, ["worksheet", name, "--lang", "de", "--level", "scaffold", "--key", "interleaved"])
    assert shown.exit_code == 0, shown.stderr
    assert left(without_formulas(shown.stdout), SETTINGS | CALCULATION) == []


def test_what_is_looked_for_is_on_an_english_sheet() -> None:
    for format, read in READ.items():
        style = replace(plan(format, "bare").style, language="en")
        (sheet,) = Press(replace(plan(format, "bare"), style=style)).make([Entry(5, "")])
        assert {"given", "learning", "loss"} <= set(left(read(sheet.sheet))), format


@pytest.mark.parametrize(("format", "canvas"), [("moodle", "classic"), ("qti", "classic"), ("qti", "new")])
def test_the_report_beside_an_export_has_no_english(format: str, canvas: str) -> None:
    of = plan(format, "bare", canvas=canvas)
    text = report(of, [Entry(5, ""), Entry(6, "")])["platform.md"].decode()
    rows = re.sub(r"\| [a-z0-9]+(?:-[a-z0-9]+)+ \||`[^`]*`|(?:Classic|New) Quizzes", "|", text)
    assert left(rows) == []
    assert not re.findall(r"\b[0-9]+\.[0-9]+", text)
    assert "Bekannte Fehler, deren Zahl angenommen wird" in text


def test_notebooks_address_the_student_as_sheets_do() -> None:
    (sheet,) = Press(plan("notebook", "bare")).make([Entry(5, "")])
    assert "Ihr Name, wie er auf der Liste steht" in sheet.sheet
    assert "dein" not in sheet.sheet


def test_a_lecturer_says_it_otherwise(tmp_path: Path) -> None:
    """What stands in cells of Python, and in quizzes, is among the sentences that a lecturer may exchange."""
    (tmp_path / "de.toml").write_text('[worksheet]\nnotebook_answer = "bitte hier"\n', encoding="utf-8")
    options = ["--lang", "de", "--format", "notebook", "--templates", str(tmp_path)]
    shown = CliRunner().invoke(cli, ["worksheet", "backprop-2-2-1", *options])
    assert "# bitte hier" in shown.stdout
    assert "Ihr Name" in shown.stdout
