"""Reports on answers: pages, gradebook, JSON and what changes, from verdicts made by hand."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import derive
from derive.check.gradebook import Gradebook, as_data, as_json_line, cell, from_data, read_verdicts
from derive.check.model import Mistake, Verdict
from derive.check.phrases import say
from derive.check.written import harmless
from derive.errors import DeriveError
from derive.reports.bars import PARTS, svg_bars, text_bar, tikz_bars
from derive.reports.class_report import Tally, chart, class_blocks
from derive.reports.folder import Folder, file_name, key_of
from derive.reports.look import SUFFIXES, Format, page, style
from derive.reports.progress import NAME, Progress
from derive.reports.regrade import Regrade, regrade_blocks, write_changes
from derive.reports.streams import JsonArray, JsonLines
from derive.reports.student import StudentPages
from derive.worked import WorkedExample
from renderers import latex_compiles

NASTY = "Ann <script>alert(1)</script> & \\input{x} $y$ | `z` *b* _u_ #h"
EXPECTED = ("net_h1", "dE/dw5", "w5_new", "dE/dw1", "w1_new", "w6_new")
LEFT_OUT = Mistake("factor-left-out", "In dE/dw5 the factor out_h1 was left out.", True, (), "dE/dw5")
EARLY_USE = "One of: At dE/dnet_h1 the updated w5 was used."
EARLY = Mistake("updated-weight-used-early", EARLY_USE, False, (LEFT_OUT,), "dE/dnet_h1")
FORMATS: tuple[Format, ...] = ("text", "markdown", "latex", "html")


@cache
def example(_variant: str = "") -> WorkedExample:
    return derive.load("backprop-2-2-1")


def verdicts(student: str, slip: Mistake | None = EARLY) -> list[Verdict]:
    return [
        Verdict(student, "net_h1", "0.3775", "correct", "0.37750", ("0.3775", "0.3775"), None, 1),
        Verdict(student, "dE/dw5", "0.1385", "wrong", "0.08217", ("0.0821", "0.0823"), slip, 0, chance=0.1),
        Verdict(student, "w5_new", "0.3308", "follow-through", "0.35892", None, None, 0.5),
        Verdict(student, "dE/dw1", "", "blank", "0.00067"),
        Verdict(student, "w1_new", "=1+1|", "unreadable", "0.14967", marks=None, note="neither"),
        Verdict(student, "w6_new", "w6 - 1*dE/dw6", "undecided", "0.40867", marks=None, note="too few points"),
    ]


def right(student: str) -> list[Verdict]:
    return [Verdict(student, name, "1", "rounded", "1", ("0", "1"), None, 1.0) for name in EXPECTED]


def student_page(format: Format, student: str = NASTY, slip: Mistake | None = EARLY) -> str:
    look = style(format, example())
    return page(StudentPages(example(), look).blocks(verdicts(student, slip)), look)


# --- pages of students ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_page_says_what_is_right_and_where_it_went_wrong(format: Format) -> None:
    text = " ".join(student_page(format, "Ann").split())
    for words in ("1.5 of 6 marks", "2 answers will be read by a person", "0.1385", "0.08217", "a person to decide"):
        assert words in text
    assert "One of these gives your number" in text
    assert "right, given your own earlier answers; marks: 0.5" in text
    assert "The step where it happened" not in text  # several steps may be the one
    assert "How it is worked out" in text
    assert "neither" in text
    assert "0.59327" in text  # the derivation of dE/dw5 has out_h1 in it


def test_a_page_of_one_mistake_says_it_once() -> None:
    text = " ".join(student_page("text", "Ann", LEFT_OUT).split())
    assert "What probably happened: In ∂E/∂w5 the factor out_h1 was left out." in text
    assert text.count("left out") == 1
    assert "The step where it happened" not in text  # it is the answer itself


def test_the_step_before_is_shown_where_it_is_known() -> None:
    early = Mistake("updated-weight-used-early", "The updated weight was used.", True, (), "dE/dnet_h1")
    shown = student_page("text", "Ann", early)
    assert "The step where it happened" in shown
    assert "∂E/∂net_h1" in shown
    before = Mistake("bias-left-out", "The bias was left out.", True, (), "net_h1")
    assert "The step where it happened" not in student_page("text", "Ann", before)  # net_h1 is right


def test_the_derivation_is_that_of_the_page_of_the_problem() -> None:
    text = student_page("text", "Ann")
    equation = re.search(r" {4}∂E/∂w5 = .*\n.*≈ .*\n.*≈ 0.08217\n", text)
    assert equation
    assert equation[0] in example().text()


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # HTMLParser's
        self.found.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_names_and_answers_are_harmless_in_html() -> None:
    tags = Tags()
    tags.feed(student_page("html"))
    assert "script" not in tags.found
    assert NASTY in " ".join(tags.text.split())


def test_names_and_answers_are_harmless_in_tex() -> None:
    text = student_page("latex")
    assert r"\input{x}" not in text
    assert r"\textbackslash{}input\{x\}" in text
    assert r"\$y\$" in text
    assert r"\#h" in text


def test_names_and_answers_are_harmless_in_markdown() -> None:
    text = student_page("markdown")
    assert "<script>" not in text
    assert "`z`" not in text
    assert r"\| \`z\` \*b\* \_u\_ \#h" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


@pytest.mark.parametrize("name", ["李 明", "Ωμέγα", "\u202ereversed", "a\x00b", "🙂", "Łukasz Ähn"])
@pytest.mark.parametrize("format", FORMATS)
def test_no_name_stops_a_batch(name: str, format: Format) -> None:
    text = student_page(format, name)
    assert "\x00" not in text
    assert "\u202e" not in text
    assert text.encode("utf-8")


def test_tex_has_only_letters_that_its_fonts_have() -> None:
    assert "U+674E" in student_page("latex", "李")
    assert "李" not in student_page("latex", "李")


def test_notes_for_the_teacher_are_not_on_the_page_of_the_student() -> None:
    wide = say("notes", "wide")
    look = style("text", example())
    noted = [Verdict("Ann", "net_h1", "0.4", "rounded", "0.37750", None, None, 1, note=wide)]
    formal = [Verdict("Ann", "net_h1", "0.4", "rounded", "0.37750", None, None, 0, note="Written with 1 decimals.")]
    assert "digits" not in page(StudentPages(example(), look).blocks(noted), look)
    assert "Written with 1 decimals." in page(StudentPages(example(), look).blocks(formal), look)


# --- gradebook -----------------------------------------------------------------------------------------------------


def rows_of(students: Sequence[Sequence[Verdict]]) -> list[list[str]]:
    file = io.StringIO()
    book = Gradebook(file, EXPECTED)
    for each in students:
        book.add(each)
    return list(csv.reader(io.StringIO(file.getvalue())))


def test_the_gradebook_has_a_row_for_each_student_and_no_silent_zero() -> None:
    header, ann, bob = rows_of([verdicts("Ann"), right("Bob")])
    assert header == ["student", "marks", "out of", "to decide", *EXPECTED, "first error"]
    assert ann == ["Ann", "1.5", "6", "2", "1", "0", "0.5", "0", "?", "?", "dE/dw5"]
    assert bob == ["Bob", "6", "6", "0", *"111111", ""]


def test_what_waits_for_a_person_has_no_marks_yet() -> None:
    (_, row) = rows_of([[Verdict("Ann", "net_h1", "?", "unreadable", "1", marks=0)]])
    assert row[3:5] == ["1", "?"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"), ("+1+1", "'+1+1"), ("-1+1", "'-1+1"), ("@SUM(1)", "'@SUM(1)"), ("\t=1", "' =1"),
        (" =1", "' =1"), ("\r=1", "' =1"), ("a\nb", "a b"), ("-0.5", "-0.5"), ("+2", "+2"), ("-1e-5", "-1e-5"),
        ("Ann", "Ann"),
        ("O'Neil", "O'Neil"), ("＝1", "'＝1"), ("-", "'-"), ("", ""),
    ],
)  # fmt: skip
def test_no_cell_is_run_as_a_formula(text: str, written: str) -> None:
    assert cell(text) == written


@given(st.text(max_size=12))
@settings(max_examples=200, deadline=None)
def test_every_row_comes_back_from_the_csv(name: str) -> None:
    (_, row) = rows_of([right(name)])
    assert row[0] in (harmless(name), "'" + harmless(name))
    assert not row[0].lstrip().startswith(("=", "@"))


# --- JSON ----------------------------------------------------------------------------------------------------------


def test_json_has_the_fields_of_the_format_in_their_order() -> None:
    data = as_data(verdicts("Ann")[1])
    assert list(data)[:8] == ["student", "quantity", "answer", "status", "expected", "accepted", "mistake", "marks"]
    assert data["accepted"] == ["0.0821", "0.0823"]
    assert list(data["mistake"])[:4] == ["id", "message", "certain", "others"]
    assert data["mistake"]["certain"] is False
    assert [other["id"] for other in data["mistake"]["others"]] == ["factor-left-out"]
    assert as_data(right("Bob")[0])["marks"] == 1
    assert isinstance(as_data(right("Bob")[0])["marks"], int)


def test_json_and_json_lines_say_the_same_and_come_back() -> None:
    array, lines = JsonArray(), JsonLines()
    students = [verdicts(NASTY), right("Bob \ud83d\ude00")]
    whole = json.loads("".join(map(array.add, students)) + array.finish())
    single = [json.loads(line) for line in ("".join(map(lines.add, students)) + lines.finish()).splitlines()]
    assert whole == single
    for verdict in (verdict for each in students for verdict in each):
        assert as_json_line(verdict) == json.dumps(as_data(verdict), ensure_ascii=False)
    assert [from_data(data) for data in whole] == [verdict for each in students for verdict in each]
    empty = JsonArray()
    assert json.loads(empty.finish()) == []


def test_old_verdicts_are_read_as_lines_and_as_an_array() -> None:
    lines = [as_json_line(verdict) for verdict in verdicts("Ann")]
    assert list(read_verdicts(lines, "old")) == verdicts("Ann")
    with pytest.raises(DeriveError, match="old, line 2"):
        list(read_verdicts([lines[0], "{}"], "old"))


# --- class reports -------------------------------------------------------------------------------------------------


def tally() -> Tally:
    found = Tally(EXPECTED)
    for each in (verdicts(NASTY), verdicts("Bob", None), right("Cid")):
        found.add(each)
    return found


def test_a_class_is_counted() -> None:
    found = tally()
    assert (found.students, found.waiting, found.marks) == (3, 4, 9.0)
    assert found.parts["dE/dw5"] == {"wrong": 2, "full": 1}
    assert found.first == {"dE/dw5": 2}
    assert found.mistakes == {("dE/dw5", EARLY.message.removeprefix("One of: ")): 1}
    assert found.unnamed == {"dE/dw5": 1}


@pytest.mark.parametrize("format", FORMATS)
def test_the_report_on_a_class(format: Format) -> None:
    look = style(format, example())
    text = " ".join(page(class_blocks(tally(), look, "A <title>"), look, "").split())
    for words in ("3 students, 18 answers", "3 of 6 marks", "4 answers wait for a person", "33 ", "the updated"):
        assert words in text
    assert "<script>" not in text or format in ("text", "latex")
    assert "<title> " not in text.replace("<title>Class", "") or format in ("text", "latex")


def test_the_size_of_a_tally_does_not_grow_with_the_class() -> None:
    found = tally()
    before = len(found.to_decide)
    for number in range(200):
        found.add(verdicts(f"Student {number}"))
    assert len(found.to_decide) == 20 > before
    assert len(found.mistakes) == 1
    assert found.waiting == 4 + 400


@given(st.fixed_dictionaries({part: st.integers(0, 400) for part in PARTS}), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_bar_has_its_width_and_shows_every_part(parts: dict[str, int], ascii: bool) -> None:
    bar = text_bar(parts, 20, ascii=ascii)
    assert len(bar) == (20 if sum(parts.values()) else 0)
    assert len(set(bar)) == sum(1 for count in parts.values() if count)
    assert bar.isascii() or not ascii


def test_the_chart_is_an_svg_with_every_count() -> None:
    picture = chart(tally(), style("markdown", example()))
    assert picture.startswith("<svg")
    assert "∂E/∂w5" in picture
    assert "<title>Wrong: 2</title>" in picture
    legend = dict.fromkeys(PARTS, "<&>")
    assert "<&>" not in svg_bars([("<b>", dict.fromkeys(PARTS, 1))], legend, "<t>")


# --- folders -------------------------------------------------------------------------------------------------------


def test_the_printed_chart_has_bars_of_the_right_widths_and_breaks_into_pages() -> None:
    picture = chart(tally(), style("latex", example()))
    (row,) = [line for line in picture.splitlines() if r"$\partial E/\partial w_{5}$" in line]
    bars = re.findall(r"\(([\d.]+),\d+\) rectangle \(([\d.]+),\d+\)", picture.partition(row)[2].partition("west")[0])
    assert bars == [("0.00", "80.00"), ("80.00", "240.00")]
    assert "{1 / 3}" in picture
    parts = dict.fromkeys(PARTS, 1)
    many = tikz_bars([("x", parts)] * 80, dict.fromkeys(PARTS, "word"))
    assert many.count(r"\begin{tikzpicture}") == 3
    assert many.count("{1 / 5}") == 80
    assert many.count("word") == len(PARTS)


def test_the_printed_report_compiles_whatever_the_names_are(tmp_path: Path) -> None:
    found = tally()
    for name in ("Дмитрий Иванов", "山田 太郎", "Nguyễn", "x" * 200, "\\input{x} $ % #"):
        found.add(verdicts(name))
    look = style("latex", example())
    run = latex_compiles(page(class_blocks(found, look, "Title"), look, chart(found, look)), tmp_path)
    assert run.errors == ()
    assert run.pdf is not None


def written(folder: Path, students: Iterator[list[Verdict]], key: str = "k", format: Format = "markdown") -> int:
    progress = Progress(folder, key)
    left = (each for each in students if (each[0].student, each[0].variant) not in progress.done)
    return sum(1 for _ in Folder(folder, format, "Title", example, variants=False).write(progress, left, EXPECTED))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("format", FORMATS)
def test_a_folder_has_everything(format: Format, tmp_path: Path) -> None:
    written(tmp_path, iter([verdicts("Ann"), right("ann"), right("../../x"), right("Ann?")]), format=format)
    suffix = SUFFIXES[format]
    names = set(files(tmp_path))
    pages = {f"students/Ann{suffix}", f"students/x{suffix}"}
    assert {"gradebook.csv", "verdicts.jsonl", f"report{suffix}"} | pages <= names
    assert len([name for name in names if name.startswith("students/")]) == 4
    assert len((tmp_path / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()) == 24
    assert ("report.svg" in names) == (format == "markdown")
    assert not [name for name in names if "tmp" in name or "unfinished" in name]


class Interrupted(Exception):
    pass


def interrupted(students: list[list[Verdict]], after: int) -> Iterator[list[Verdict]]:
    yield from students[:after]
    raise Interrupted


WHOLE_BUT_FOR_ITS_END = json.dumps([as_data(verdict) for verdict in verdicts("Student 4")]).encode()


@pytest.mark.parametrize("torn", [b"", b'[{"student": "half a li', WHOLE_BUT_FOR_ITS_END, b"x" * 100_000])
def test_an_interrupted_batch_goes_on(torn: bytes, tmp_path: Path) -> None:
    students = [verdicts(f"Student {number}") for number in range(6)]
    written(tmp_path / "whole", iter(students))
    broken = tmp_path / "broken"
    with pytest.raises(Interrupted):
        written(broken, interrupted(students, 4))
    assert not (broken / "gradebook.csv").exists()
    with (broken / NAME).open("ab") as file:
        file.write(torn)
    progress = Progress(broken, "k")
    assert [student for student, _ in progress.done] == [f"Student {number}" for number in range(4)]
    left = (each for each in students if (each[0].student, "") not in progress.done)
    folder = Folder(broken, "markdown", "Title", example, variants=False)
    assert sum(1 for _ in folder.write(progress, left, EXPECTED)) == 6
    assert files(broken) == files(tmp_path / "whole")


def test_what_killed_runs_had_begun_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "students").mkdir()
    begun = [".gradebook.csv.17.tmp", ".verdicts.jsonl.9.tmp", "students/.Ann.md.3.tmp"]
    others = [".mine.tmp", "students/.notes.txt.3.tmp", "gradebook.csv.17.tmp"]
    for name in begun + others:
        (tmp_path / name).write_text("x")
    written(tmp_path, iter([right("Ann")]))
    assert set(others) <= set(files(tmp_path))
    assert not set(begun) & set(files(tmp_path))


def test_a_batch_with_other_input_begins_again(tmp_path: Path) -> None:
    students = [verdicts("Ann"), verdicts("Bob")]
    with pytest.raises(Interrupted):
        written(tmp_path, interrupted(students, 1))
    with Progress(tmp_path, "other") as progress:
        assert len(progress.done) == 0
    assert written(tmp_path, iter([right("Ann")]), key="third") == 1
    assert (tmp_path / "verdicts.jsonl").read_text(encoding="utf-8").count("rounded") == 6


def test_the_key_is_of_the_input() -> None:
    problem = derive.load("softmax-1-2-3").problem
    assert key_of(problem, "a") == key_of(derive.load("softmax-1-2-3").problem, "a")
    assert key_of(problem, "a") != key_of(problem, "b")
    assert key_of(problem) != key_of(example().problem)


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_name_is_the_name_of_a_file(name: str) -> None:
    found = file_name(name)
    assert found
    assert not set(found) & set('/\\:*?"<>|\0\n')
    assert not found.startswith(".")
    assert len(found.encode("utf-8", "replace")) < 200
    assert found.upper() not in ("CON", "NUL", "AUX", "PRN", "COM1")


# --- graded again --------------------------------------------------------------------------------------------------


def test_what_changes_is_listed_with_the_reason() -> None:
    old = [as_json_line(verdict) for each in (verdicts("Ann"), right("Bob"), right("Gone")) for verdict in each]
    new = [*verdicts("Ann", LEFT_OUT), *right("Bob"), *right("New")[:1]]
    new[2] = Verdict("Ann", "w5_new", "0.3308", "wrong", "0.35892", None, LEFT_OUT, 0)
    new[4] = Verdict("Ann", "w1_new", "0.15", "rounded", "0.14967", None, None, 1)
    changes = list(Regrade(old, "old").changes(new))
    assert [(change.student, change.quantity, change.before, change.after) for change in changes[:2]] == [
        ("Ann", "w5_new", "0.5", "0"),
        ("Ann", "w1_new", "?", "1"),
    ]
    assert "follow-through before, wrong now" in changes[0].why
    assert "left out" in changes[0].why
    assert 'the answer was "=1+1|"' in changes[1].why
    assert [change.direction for change in changes[:2]] == [-1, 0]
    assert (changes[2].student, changes[2].why) == ("New", "no verdict before")
    assert {change.student for change in changes[3:]} == {"Gone"}
    assert len(changes) == 3 + len(EXPECTED)
    look = style("text", example())
    text = page(regrade_blocks(changes, look, "T"), look)
    assert "9 answers of 3 students" in text
    assert "No marks change." in page(regrade_blocks([], look, "T"), look)
    for format in ("json", "jsonl", "csv"):
        file = io.StringIO()
        write_changes(changes, format, file)
        assert file.getvalue().count("Gone") == len(EXPECTED)
