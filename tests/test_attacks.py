"""Text from students is data: every attack ends as a verdict, cheaply, runs nothing and is shown harmlessly."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

import attacks
import derive
from derive.check.expressions import judge_formula
from derive.check.gradebook import Gradebook, as_json_line
from derive.check.model import Answer, Blank, Formula, Marking, Sheet, Unreadable, Verdict, Written
from derive.check.quantities import Quantities
from derive.check.verdicts import judge
from derive.check.written import AnswerReader
from derive.errors import DeriveError
from derive.reports.class_report import Tally, class_blocks
from derive.reports.look import Format, page, style
from derive.reports.student import StudentPages
from derive.worked import WorkedExample

ASKED = "dE/dw5"
GROUPS = ["CODE", "DUNDER", "GIANT", "SYNTAX", "UNICODE", "MARKUP", "SPREADSHEET", "NAMES"]
SOURCE = Path(derive.__file__).parent


@cache
def example() -> WorkedExample:
    return derive.load("mazur-2-2-2")


@cache
def reader() -> AnswerReader:
    quantities = Quantities(example())
    return AnswerReader(quantities.find, quantities.formula)


def outcome(text: str) -> tuple[str, str]:
    """The class of a text, and what is said of it."""
    answer: Answer = reader().read(text, ASKED)
    match answer:
        case Formula():
            verdict = judge_formula(example(), ASKED, answer)
            return verdict.status, verdict.note
        case Written():
            return "number", ""
        case Blank():
            return "blank", ""
        case Unreadable(_, why):
            return "unreadable", why


def test_there_are_enough_attacks() -> None:
    assert len(dict.fromkeys(text for _, text in attacks.TEXTS)) >= 600


@pytest.mark.parametrize("group", GROUPS)
def test_each_attack_ends_in_its_class(group: str) -> None:
    table: tuple[tuple[str, str], ...] = getattr(attacks, group)
    found = {text: outcome(text)[0] for _, text in table}
    assert found == {text: expected for expected, text in table}
    assert "correct" not in found.values()


@pytest.mark.parametrize(("expected", "trick"), attacks.TRICKS)
def test_a_trick_behind_the_right_answer_is_seen(expected: str, trick: str) -> None:
    assert outcome(attacks.RIGHT + trick)[0] == expected


@pytest.mark.parametrize(("expected", "text", "times"), attacks.REPEATED, ids=str)
def test_long_texts_are_refused_or_judged(expected: str, text: str, times: int) -> None:
    found, said = outcome(text * times)
    assert found == expected
    assert len(said) < 400


@pytest.mark.parametrize(("expected", "opening", "middle", "closing", "times"), attacks.NESTED, ids=str)
def test_deep_nesting_is_refused_or_judged(expected: str, opening: str, middle: str, closing: str, times: int) -> None:
    assert outcome(opening * times + middle + closing * times)[0] == expected


@pytest.mark.parametrize("text", attacks.NEITHER_WAY)
def test_what_may_be_read_in_two_ways_is_right_in_none(text: str) -> None:
    assert outcome(text)[0] in {"unreadable", "number", "wrong", "undecided"}


def test_no_number_among_them_is_the_right_one() -> None:
    for expected, text in attacks.READ:
        if expected == "number":
            answer = reader().read(text, ASKED)
            assert isinstance(answer, Written)
            assert abs(answer.value * 1000 - 82) > 5, text


def test_the_whole_checker_takes_no_number_among_them_for_the_right_one() -> None:
    texts = [text for expected, text in attacks.READ if expected == "number"]
    sheets = [Sheet(str(place), {ASKED: reader().read(text, ASKED)}) for place, text in enumerate(texts)]
    found = zip(texts, judge(example(), sheets, [ASKED], Marking()), strict=True)
    assert [text for text, verdict in found if verdict.status in ("correct", "rounded") or verdict.marks] == []


def test_the_tricks_called_correct_are_worth_nothing() -> None:
    """Each of them is zero, or a factor of one, wherever it has a value."""
    right = {trick for expected, trick in attacks.TRICKS if expected == "correct"}
    assert right == {
        "", " + 0", "*1", " + w5 - w5", "*(w5/w5)", " + 0/w5", " + ln(e^w5) - w5", " + ln(w5^2) - 2*ln(w5)"
    }  # fmt: skip


def test_names_are_found_or_refused() -> None:
    for _, text in attacks.TEXTS:
        try:
            found = example().find(text)
        except DeriveError as error:
            assert len(str(error)) < 600  # noqa: PT017  # most are refused
        else:
            assert re.fullmatch(r"[A-Za-z0-9_/\[\],]+", found.name), text


# --- what it costs ---------------------------------------------------------------------------------------------------

SCRIPT = """
import gc, json, resource, signal, sys, time
sys.path.insert(0, sys.argv[1])
import attacks, derive, test_attacks
from derive.errors import DeriveError

def handled(text):
    test_attacks.reader.cache_clear()
    test_attacks.outcome(text)
    try:
        test_attacks.example().find(text)
    except DeriveError:
        pass

for text in ("w5 +", "1e400*sin(erf(w5))", attacks.RIGHT, attacks.RIGHT + " + abs(w5) - w5", "2*dE/dw5", "out_h1"):
    handled(text)
modules, events = set(sys.modules), []
watched = ("exec", "compile", "import", "open", "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pickle.")
sys.addaudithook(lambda event, _: events.append(event) if event.startswith(watched) else None)
signal.alarm(60)
gc.collect()
gc.freeze()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
slow, large = [], []
for _, text in attacks.TEXTS:
    taken = []
    while len(taken) < 5 and min(taken, default=1) > 0.05:
        start = time.process_time()
        handled(text)
        taken.append(time.process_time() - start)
    if min(taken) > 0.05:
        slow.append((text[:60], min(taken)))
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([slow, grown, events, sorted(set(sys.modules) - modules)]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts in KiB on Linux only")
def test_attacks_cost_little_and_run_nothing() -> None:
    """At most 50 ms each and 50 MB for all of them; no code, file, process, socket or module is opened."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)], capture_output=True, text=True, timeout=120,
        cwd=SOURCE.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    slow, grown, events, modules = json.loads(done.stdout)
    assert slow == []
    assert grown < 50 * 1024
    assert events == []
    assert modules == []


# --- where they are shown --------------------------------------------------------------------------------------------

FORMATS: list[Format] = ["text", "markdown", "latex", "html"]


def verdicts(text: str) -> list[Verdict]:
    """A student of that name who hands it in twice."""
    status, note = outcome(text)
    said = {"number": "wrong", "blank": "blank"}.get(status, status)
    return [
        Verdict(text, quantity, text, said, text[:300], note=note, marks=None)  # type: ignore[arg-type]
        for quantity in (ASKED, "out_h1")
    ]


def shown() -> Iterator[str]:
    tables = (attacks.MARKUP, attacks.SPREADSHEET, attacks.UNICODE, attacks.CODE)
    yield from (text for table in tables for _, text in table)


@cache
def written_page(text: str, form: Format) -> str:
    look = style(form, example())
    found = verdicts(text)
    tally = Tally([ASKED, "out_h1"])
    tally.add(found)
    blocks = StudentPages(example(), look).blocks(found, derived=False)
    return page(blocks, look) + page(class_blocks(tally, look, text), look)


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(f"{tag} {name}" for name, _ in attributes)}

    def handle_comment(self, data: str) -> None:
        self.found.add(f"comment {data}")

    def handle_decl(self, declaration: str) -> None:
        self.found.add(declaration)

    def unknown_decl(self, data: str) -> None:
        self.found.add(data)


ANY_PAGE = ("0.08 wrong", "", "(", "w5", "2026")


def test_html_holds_no_tag_of_a_stranger() -> None:
    usual = {tag for text in ANY_PAGE for tag in Tags(written_page(text, "html")).found}
    for text in shown():
        assert Tags(written_page(text, "html")).found <= usual, text


LETTERS = re.compile(r"\\(?:[A-Za-z]+|.)", re.DOTALL)
ESCAPES = {r"\textbackslash", r"\textasciitilde", r"\textasciicircum", r"\&", r"\%", r"\$", r"\#", r"\_", r"\{", r"\}",
           r"\textless", r"\textgreater", r"\textbar", r"\textquotedbl", r"\texttt", r"\text", r"\ldots", r"\textgreek",
           r"\textquotesingle", r"\ensuremath"}  # fmt: skip


def test_tex_holds_no_command_of_a_stranger() -> None:
    usual = {word for text in ANY_PAGE for word in LETTERS.findall(written_page(text, "latex"))}
    dangerous = {r"\input", r"\include", r"\write", r"\immediate", r"\openout", r"\read", r"\catcode", r"\def",
                 r"\loop", r"\csname", r"\href", r"\verb", r"\newline", r"\unknown"} - usual  # fmt: skip
    for text in shown():
        found = set(LETTERS.findall(written_page(text, "latex")))
        assert not found & dangerous, text
        if "\\" in text:
            assert not {word for word in LETTERS.findall(text) if word[1:].isalpha()} & found - usual - ESCAPES, text


def test_markdown_holds_no_tag_and_no_link_of_a_stranger() -> None:
    for text in shown():
        found = written_page(text, "markdown")
        outside = re.sub(r"\\.", "", re.sub(r"(`+)(?:(?!\1).)*\1", "", found, flags=re.DOTALL))
        assert not re.search(r"<(?:script|img|svg|iframe|/td|!--|\?xml|!DOC|!\[CDATA)", outside, re.IGNORECASE), text
        assert "](javascript" not in outside, text
        assert "](http" not in outside, text


def test_every_page_is_text_that_can_be_written() -> None:
    for text in shown():
        for form in FORMATS:
            found = written_page(text, form)
            assert found.encode("utf-8")
            assert not set(found) & set("\0\x07\x1b\x85\u202e"), (form, text)


def test_the_gradebook_holds_no_formula() -> None:
    file = io.StringIO()
    book = Gradebook(file, [ASKED, "out_h1"])
    names = list(shown())
    for text in names:
        book.add(verdicts(text))
    rows = list(csv.reader(io.StringIO(file.getvalue())))
    assert len(rows) == len(names) + 1
    for row in rows[1:]:
        for cell in row:
            assert not cell.lstrip(" ").startswith(("=", "@", "\t", "\r")), row
            assert not cell.startswith(("+", "-")) or re.fullmatch(r"[-+][0-9.eE+-]+", cell), row


def test_json_lines_are_lines_of_json() -> None:
    for text in shown():
        for verdict in verdicts(text):
            line = as_json_line(verdict)
            assert "\n" not in line
            assert json.loads(line)["answer"] is not None


# --- what the package itself may use ---------------------------------------------------------------------------------

FORBIDDEN = frozenset(
    "eval exec compile __import__ sympify parse_expr parse_latex lambdify pickle cPickle cloudpickle dill marshal "
    "shelve literal_eval".split()
)
BUILTINS = frozenset(("eval", "exec", "compile", "__import__"))


def forbidden(path: Path) -> Iterator[str]:
    """The names in a module that would turn text into code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name) if name in FORBIDDEN:
                yield name
            case ast.Attribute(attr=name) if name in FORBIDDEN - BUILTINS:
                yield name
            case ast.alias(name=name):
                yield from (part for part in name.split(".") if part in FORBIDDEN)
            case ast.ImportFrom(module=str(name)):
                yield from (part for part in name.split(".") if part in FORBIDDEN)
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                yield "allow_pickle"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_module_turns_text_into_code(path: Path) -> None:
    assert list(forbidden(path)) == []


def test_the_search_for_code_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(
        "import pickle\nfrom sympy.parsing.sympy_parser import parse_expr as p\nimport sympy\n"
        "eval('1')\nsympy.sympify('1')\nimport numpy\nnumpy.load('x', allow_pickle=True)\n"
    )
    assert sorted(forbidden(path)) == ["allow_pickle", "eval", "parse_expr", "pickle", "sympify"]
