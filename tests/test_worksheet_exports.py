from __future__ import annotations

import html
import io
import json
import re
import sys
import zipfile
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import nbformat
import numpy as np
import pytest
from click.testing import CliRunner

from derive.check.model import Marking, Sheet, Written
from derive.check.verdicts import honest_range, judge
from derive.cli import cli
from derive.errors import DeriveError
from derive.numbers.rounding import Rounding
from derive.worked import WorkedExample
from derive.worksheet.plan import Plan, Style
from derive.worksheet.press import Entry, Made, Press
from derive.worksheet.run import run, verify
from derive.worksheet.values import Table
from derive.worksheet.windows import Window, Windows
from derive.worksheet.workers import Workers
from derive.worksheet.writing import Bundles, bundle_names, whole
from renderers import katex_check, math_in_markdown, need_katex
from worksheets import EXPRESSION, SMALL, contents
from worksheets import plan as plan_of

NASTY = ("<b>x</b>", "]]>", "{1:SA:=x}", '"q" \\alpha $y$ & @@PLUGINFILE@@ ](@FIGURES@/x)', "%100% # ~= `c` *a*")
ASK = ("out_o1", "dE/dw1", "dE/dw5", "w1_new")
HALF, FOUR = Decimal("0.5"), Decimal("0.0001")
ENTRIES = tuple(Entry(place, name) for place, name in zip((1, 5, 9, 14, 17), NASTY, strict=True))


@cache
def _made(format: str, *texts: str, **words: Any) -> tuple[Plan, tuple[Made, ...]]:
    ask = (*ASK, "f") if len(texts) > 1 else ASK
    plan = plan_of(*(texts or (SMALL,)), format=format, **{"ask": ask, **words})
    return plan, tuple(Press(plan, named=True).make(ENTRIES))


@cache
def _keys(*texts: str) -> list[dict[str, str]]:
    """The answers of each sheet by number of the question, from the format for programs."""
    made = _made("json", *texts)[1]
    keys = [json.loads(sheet.key)["problems"] for sheet in made]
    return [
        {str(place): value for place, value in enumerate((v for part in key for v in part["answers"].values()), 1)}
        for key in keys
    ]


def _bundle(plan: Plan, made: tuple[Made, ...]) -> bytes:
    """The one file of a class."""
    pieces: list[bytes] = []
    bundles = Bundles(plan, dict.fromkeys(bundle_names(plan), pieces.append))
    bundles.add(made)
    bundles.close()
    return b"".join(pieces)


# --- what is accepted ----------------------------------------------------------------------------------------------


def _windows(plan: Plan, entry: Entry) -> dict[str, tuple[WorkedExample, tuple[Any, Any]]]:
    """What honest rounding reaches, one variant and one quantity at a time."""
    space = plan.space
    example = WorkedExample(space.problem(0, space.picks(space.stream(plan.seed).at(entry.place))))
    found = {}
    for name in plan.asked[0]:
        reached = honest_range(example, name, decimals=6)
        assert reached is not None
        found[name] = (example, reached)
    return found


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def _moodle_bounds(text: str) -> list[tuple[Decimal, Decimal]]:
    fields = re.findall(r"\{\d+:NUMERICAL:=(-?[\d.e+-]+?):([\d.]+)\}", text)
    numbers = [(Decimal(answer), Decimal(tolerance)) for answer, tolerance in fields]
    return [(answer - tolerance, answer + tolerance) for answer, tolerance in numbers]


def _accepted(example: WorkedExample, name: str, numbers: list[Decimal]) -> list[bool]:
    """Whether the checker takes each of these numbers for right, written with six decimals."""
    texts = [format(number, ".6f") for number in numbers]
    sheets = [Sheet(text, {name: Written(text, Fraction(text), 6, 6)}) for text in texts]
    return [verdict.status in ("correct", "rounded") for verdict in judge(example, sheets, [name], Marking())]


def test_moodle_accepts_whatever_honest_rounding_reaches_and_little_more() -> None:
    plan, made = _made("moodle")
    unit = Decimal("0.000001")
    for entry, sheet, key in zip(ENTRIES, made, _keys(), strict=True):
        bounds = _moodle_bounds(sheet.sheet)
        assert len(bounds) == len(plan.asked[0])
        for (low, high), shown, (_, (least, most)) in zip(
            bounds, key.values(), _windows(plan, entry).values(), strict=True
        ):
            answer, least, most = Decimal(shown), _decimal(least), _decimal(most)
            assert low < least <= answer <= most < high
            reach = max(answer - least, most - answer)
            assert (high - low) / 2 <= reach + unit * Decimal("2.6")


def _inside(bounds: tuple[Decimal, Decimal], number: Decimal) -> bool:
    return bounds[0] <= number <= bounds[1]


@pytest.mark.parametrize("format", ["moodle", "qti"])
def test_every_bound_is_probed_just_inside_and_just_outside(format: str) -> None:
    """Of the numbers with the digits of the page the platform accepts all that the checker does.

    An answer near 1 is left out: the checker reads its digits as significant ones too, which are fewer decimals on the
    way, and the report says that a platform does not.
    """
    plan, made = _made(format, canvas="new", ask=("dE/dw1", "dE/dw5", "w1_new"))
    for entry, quiz in list(zip(ENTRIES, _exported(plan, made), strict=True))[:2]:
        for (name, (example, _)), ends in zip(_windows(plan, entry).items(), quiz, strict=True):
            unit = Decimal("0.000001")
            numbers = [ends[0] + unit * (place + HALF) for place in (-2, -1, 0, 1)]
            numbers += [ends[1] + unit * (place + HALF) for place in (-2, -1, 0, 1)]
            accepted = _accepted(example, name, numbers)
            inside = [_inside(ends, number) for number in numbers]
            assert inside == [False, False, True, True, True, True, False, False]
            assert not [number for number, mine, its in zip(numbers, accepted, inside, strict=True) if mine and not its]
            if format == "qti":
                assert (accepted[2], accepted[5]) == (True, True)
            else:
                assert accepted[2] or accepted[5]


def _exported(plan: Plan, made: tuple[Made, ...]) -> list[list[tuple[Decimal, Decimal]]]:
    """From where to where each answer of each sheet is accepted."""
    if plan.style.format == "moodle":
        return [_moodle_bounds(sheet.sheet) for sheet in made]
    return [_qti_bounds(quiz) for quiz in _quizzes(plan, made)]


@pytest.mark.parametrize("words", [{"format": "moodle"}, {"format": "qti", "canvas": "new"}, {"format": "qti"}])
def test_students_who_round_every_step_are_accepted(words: dict[str, str]) -> None:
    """They carry on as many decimals as the page shows, or more, and write those; a witness that knows no intervals."""
    plan, made = _made(**words)
    space = plan.space
    for entry, bounds in zip(ENTRIES, _exported(plan, made), strict=True):
        problem = space.problem(0, space.picks(space.stream(plan.seed).at(entry.place)))
        for decimals in (6, 7, 9):
            student = WorkedExample(replace(problem, rounding=Rounding(decimals=decimals, carry="displayed")))
            for name, ends in zip(plan.asked[0], bounds, strict=True):
                written = Decimal(student.shown(name) or "")
                assert _inside(ends, written), (entry, name, decimals)
                if words == {"format": "qti"}:
                    typed = written.quantize(Decimal("0.000001"))
                    assert all(_inside(ends, typed.quantize(FOUR, mode)) for mode in (ROUND_DOWN, ROUND_HALF_UP))


def test_classic_quizzes_of_canvas_accept_an_honest_number_cut_or_rounded_to_four_decimals() -> None:
    window = Window(Decimal("0.08217"), Decimal("0.00001"), -2, 1)
    assert window.interval("new") == (Decimal("0.082145"), Decimal("0.082185"))
    assert window.interval("classic") == (Decimal("0.0821"), Decimal("0.0822"))
    assert window.interval("moodle") == (Decimal("0.082145"), Decimal("0.082195"))
    assert Window(Decimal("0.00003"), Decimal("0.00001"), 0, 0).interval("classic")[0] == 0
    coarse = Window(Decimal("0.82"), Decimal("0.01"), 0, 1)
    assert coarse.interval("classic") == coarse.interval("new")


BATCH = """
inputs = [[0.5, -0.3], [0.2, 0.4]]
targets = [[1, 0], [0, 1]]
loss = "cross-entropy"
[[layers]]
neurons = 2
activation = "relu"
weights = [[0.4, 0.6], [-0.2, 0.1]]
bias = [0.1, -0.1]
[[layers]]
neurons = 2
activation = "softmax"
weights = [[0.7, -0.5], [0.2, 0.3]]
[update]
learning_rate = 0.1
optimizer = "adam"
[rounding]
ROUNDING
[vary]
weights = { from = -0.9, to = 0.9, step = 0.1 }
"""


@pytest.mark.parametrize("rounding", [{"decimals": 4}, {"significant": 4}])
@pytest.mark.parametrize("text", [BATCH, SMALL.replace("decimals = 6", "ROUNDING")])
def test_a_window_of_many_variants_holds_that_of_each(text: str, rounding: dict[str, int]) -> None:
    kind, digits = next(iter(rounding.items()))
    plan = plan_of(text.replace("ROUNDING", f"{kind} = {digits}"), ask=("E", "dE/dw1", "dE/dw5", "w5_new"))
    table = Table(plan.space, 0, plan.examples[0], plan.space.drawn(0, range(4)))
    windows = Windows(table, plan.examples[0], plan.asked[0])
    bounded = 0
    for name in plan.asked[0]:
        for row, window in enumerate(windows.of(name)):
            with np.errstate(all="ignore"):
                reached = honest_range(table.example(row), name, **rounding)
            if reached is None or not window.bounded:
                assert reached is None or reached[1] - reached[0] > 100 * window.unit
                continue
            bounded += 1
            least, most = map(_decimal, reached)
            half = window.unit * HALF
            assert window.low <= least + half
            assert window.high >= most - half
            assert abs(window.low - least) <= 3 * window.unit + (most - least)
            assert str(window.answer) == str(Decimal(table.texts(name)[row]))
    assert bounded > 8


# --- Moodle --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cloze", "numerical"])
def test_moodle_is_xml_with_the_answers_of_the_key(kind: str) -> None:
    plan, made = _made("moodle", SMALL, EXPRESSION, moodle=kind)
    tree = ET.fromstring(_bundle(plan, made))
    questions = [question for question in tree.iter("question") if question.get("type") != "category"]
    assert {question.get("type") for question in questions} == {kind}
    found = [answer for question in questions for answer in _moodle_answers(question)]
    assert found == [Decimal(value) for key in _keys(SMALL, EXPRESSION) for value in key.values()]
    names = [question.findtext("name/text") or "" for question in questions]
    assert len(set(names)) == len(names)
    assert [name for name in names if name.startswith(made[0].variant)]
    assert all((question.findtext("generalfeedback/text") or "").count(r"\[") for question in questions)


def _moodle_answers(question: ET.Element) -> list[Decimal]:
    if question.get("type") == "numerical":
        return [Decimal(question.findtext("answer/text") or "")]
    text = question.findtext("questiontext/text") or ""
    return [Decimal(answer) for answer in re.findall(r"\{1:NUMERICAL:=(-?[\d.]+):[\d.]+\}", text)]


def test_the_picture_of_a_moodle_question_is_that_of_the_sheet() -> None:
    plan, made = _made("moodle")
    drawn = _made("markdown")[1]
    for tree, sheet in zip(ET.fromstring(_bundle(plan, made)).iter("questiontext"), drawn, strict=True):
        (picture,) = tree.iter("file")
        assert f"@@PLUGINFILE@@/{picture.get('name')}" in (tree.findtext("text") or "")
        assert b64decode(picture.text or "").decode() == next(iter(sheet.figures.values()))


def test_names_are_harmless_in_moodle() -> None:
    plan, made = _made("moodle")
    for question, name in zip(ET.fromstring(_bundle(plan, made)).iter("questiontext"), NASTY, strict=True):
        text = question.findtext("text") or ""
        page = ET.fromstring(f"<page>{text}</page>")
        assert " ".join(name.split()) in "".join(page.itertext())
        assert len(re.findall(r"\{\d*:[A-Z]", text)) == len(plan.asked[0])
        assert text.count("@@") == 2
        assert "<b>x" not in text


@pytest.mark.parametrize("words", [{}, {"level": "scaffold", "language": "de"}])
def test_katex_takes_the_formulas_of_moodle(words: dict[str, str]) -> None:
    need_katex()
    text = _made("moodle", **words)[1][0].sheet
    formulas = [
        (html.unescape(formula), mark == "[") for mark, formula in re.findall(r"\\([(\[])(.*?)\\[)\]]", text, re.DOTALL)
    ]
    assert len(formulas) > 20
    assert katex_check(formulas) == []


def test_a_german_sheet_shows_commas_and_tells_moodle_points() -> None:
    german, english = (_made("moodle", language=language)[1][0].sheet for language in ("de", "en"))
    assert _moodle_bounds(german) == _moodle_bounds(english)
    assert "{,}" in german
    assert "Gegeben" in german
    formulas = re.findall(r"\\\((.*?)\\\)", german)
    assert not [formula for formula in formulas if re.search(r"\d\.\d", formula)]


# --- Canvas --------------------------------------------------------------------------------------------------------


@cache
def _archive(*texts: str, **words: str) -> bytes:
    return _bundle(*_made("qti", *texts, **words))


def _quizzes(plan: Plan, made: tuple[Made, ...]) -> list[ET.Element]:
    with zipfile.ZipFile(io.BytesIO(_bundle(plan, made))) as file:
        names = [name for name in file.namelist() if re.search(r"/text2qti_assessment_\w+\.xml$", name)]
        return [_plain(file.read(name)) for name in names]


def _plain(content: bytes) -> ET.Element:
    """A tree without namespaces."""
    return ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", content))


def _qti_bounds(quiz: ET.Element) -> list[tuple[Decimal, Decimal]]:
    return [
        (Decimal(where.findtext("vargte") or ""), Decimal(where.findtext("varlte") or ""))
        for where in quiz.iter("conditionvar")
        if where.find("vargte") is not None
    ]


def test_canvas_gets_a_quiz_for_each_sheet_with_the_answers_of_the_key() -> None:
    plan, made = _made("qti", SMALL, EXPRESSION)
    quizzes = _quizzes(plan, made)
    assert len(quizzes) == len(made)
    for quiz, sheet, key, name in zip(quizzes, made, _keys(SMALL, EXPRESSION), NASTY, strict=True):
        bounds = _qti_bounds(quiz)
        assert len(bounds) == len(key)
        assert all(low <= Decimal(shown) <= high for (low, high), shown in zip(bounds, key.values(), strict=True))
        title = next(quiz.iter("assessment")).get("title") or ""
        assert sheet.variant in title
        assert title.endswith(" ".join(name.split()))


def test_the_archive_for_canvas_is_whole() -> None:
    """Every file is in the manifest once, and no two questions have an identifier in common: Canvas would mix them."""
    with zipfile.ZipFile(io.BytesIO(_archive())) as file:
        manifest = _plain(file.read("imsmanifest.xml"))
        listed = Counter(entry.get("href") for entry in manifest.iter("file"))
        assert listed == Counter(name for name in file.namelist() if name != "imsmanifest.xml")
        trees = [_plain(file.read(name)) for name in file.namelist() if name.endswith(".xml")]
        pictures = [file.read(name).decode() for name in file.namelist() if name.startswith("images/")]
    assert pictures == [next(iter(sheet.figures.values())) for sheet in _made("markdown")[1]]
    items = Counter(item.get("ident") for tree in trees for item in tree.iter("item"))
    assert len(items) == len(ENTRIES) * (len(_made("qti")[0].asked[0]) + 1)
    assert set(items.values()) == {1}


def test_names_are_harmless_in_canvas() -> None:
    for quiz, name in zip(_quizzes(*_made("qti")), NASTY, strict=True):
        text = next(quiz.iter("mattext")).text or ""
        assert "<b>" not in text
        assert "<code>" not in text
        assert text.count("<img") == text.count("equation_image\"") + 1
        assert ("$y$" in text) == ("$y$" in name)


def test_without_text2qti_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    for name in ("text2qti", "text2qti.config"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("derive.worksheet.manifest.version", missing)
    for make in (lambda: _bundle(*_made("qti")), lambda: run(plan_of(SMALL, format="qti", bundle=True), tmp_path, 1)):
        with pytest.raises(DeriveError, match=r'pip install "derive-nn\[qti\]"'):
            make()


# --- notebooks -----------------------------------------------------------------------------------------------------


def _notebook(content: bytes) -> Any:
    return nbformat.reads(content.decode(), 4)  # type: ignore[no-untyped-call]


def _notebooks(*texts: str, **words: str) -> list[tuple[Any, Any]]:
    """The notebook of each sheet with that of its key."""
    plan, made = _made("notebook", *texts, **words)
    found = []
    for sheet in made:
        files = whole(plan, sheet)
        pages = [_notebook(files[name]) for name in sorted(files, key=lambda name: "/" in name)]
        for page in pages:
            nbformat.validate(page)
        found.append((pages[0], pages[1]))
    return found


def test_notebooks_are_valid_and_ask_what_the_key_answers() -> None:
    for (sheet, key), wanted in zip(_notebooks(SMALL, EXPRESSION), _keys(SMALL, EXPRESSION), strict=True):
        asked = [cell.source for cell in sheet.cells if re.match(r'answers_\d\["', cell.source)]
        answers = re.findall(r'": "([^"]*)",', "".join(cell.source for cell in key.cells if cell.cell_type == "code"))
        assert len(asked) == len(wanted)
        assert answers == list(wanted.values())
        assert not any(value in cell.source for cell in sheet.cells for value in wanted.values() if len(value) > 5)


def test_the_page_in_a_notebook_is_that_in_markdown() -> None:
    pages = _made("markdown", dialect="dollar")[1]
    for (_, key), page in zip(_notebooks(), pages, strict=True):
        assert key.cells[0].source == page.key.strip("\n")


def test_katex_takes_the_formulas_of_a_notebook() -> None:
    need_katex()
    sheet, key = _notebooks(level="scaffold")[3]
    formulas = [math for cell in (*sheet.cells, *key.cells) for math in math_in_markdown(cell.source)]
    assert len(formulas) > 20
    assert katex_check(formulas) == []


def test_a_notebook_runs_and_saves_answers_that_are_right(tmp_path: Path) -> None:
    from nbclient import NotebookClient

    plan, made = _made("notebook")
    place = 3
    sheet = _notebooks()[place][0]
    for cell in sheet.cells:
        asked = re.match(r'answers\["(.*?)"\] = ""', cell.source)
        if asked:
            answer = _keys()[place][str(plan.asked[0].index(asked[1]) + 1)]
            cell.source = cell.source.replace('= ""', f'= "{answer}"')
    NotebookClient(sheet, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    lines = (tmp_path / f"answers-{made[place].variant}.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(plan.asked[0])
    assert made[place].variant in lines[1]


# --- a run ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["notebook", "moodle", "qti"])
def test_an_export_is_the_same_bytes_whoever_makes_it(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joblib = pytest.importorskip("joblib")
    monkeypatch.setattr("derive.worksheet.run.BATCH", 2)
    allowed = ("mistake",)
    plan = plan_of(SMALL, format=format, bundle=format != "notebook", ask=("dE/dw5", "w1_new"), allow=allowed)
    run(plan, tmp_path / "a", 4, NASTY[:4])
    with joblib.parallel_config(backend="threading"):
        run(plan, tmp_path / "b", 4, NASTY[:4], Workers(jobs=2))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert verify(tmp_path / "a") == []
    assert run(plan, tmp_path / "a", 4, NASTY[:4]).new_files == 0


def test_the_report_says_what_a_platform_accepts_otherwise(tmp_path: Path) -> None:
    plan = plan_of(SMALL, format="moodle", bundle=True, ask=("dE/dw5",))
    run(plan, tmp_path, 6)
    text = (tmp_path / "platform.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+) \| dE/dw5 \| (\S+) \| (\S+) to (\S+) \| (\S+) to (\S+) \|$", text, re.MULTILINE)
    sheets = (tmp_path / "sheets.xml").read_text(encoding="utf-8")
    for variant, answer, low, high, least, most in rows:
        assert Decimal(least) < Decimal(low) <= Decimal(answer) <= Decimal(high) < Decimal(most)
        assert variant in sheets
        assert (Decimal(least), Decimal(most)) in _moodle_bounds(sheets)
    assert rows
    assert "follow-through" in text


def test_a_worked_sheet_is_not_exported() -> None:
    with pytest.raises(DeriveError, match="accepted with --format moodle: bare or scaffold"):
        Style(format="moodle", level="full")


def test_the_command_writes_one_file_for_a_platform(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    arguments = ["worksheet", "backprop-2-2-1", "-n", "2", "--ask", "dE/dw5", "--format", "moodle", "-o", str(folder)]
    result = CliRunner().invoke(cli, arguments)
    assert (result.exit_code, result.exception) == (0, None)
    assert {path.name for path in folder.iterdir()} == {"answers.csv", "manifest.json", "platform.md", "sheets.xml"}
