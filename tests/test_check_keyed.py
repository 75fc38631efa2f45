"""A class as JSON, JSON lines or TOML gives the sheets that the same class gives as a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import derive
from derive.check.answers import AnswerFile, read_answers
from derive.check.model import Sheet, Unreadable
from derive.check.quantities import Quantities
from derive.check.tables import Source
from derive.cli import cli
from derive.errors import DeriveError

Class = dict[str, dict[str, str]]
ANN_AND_BOB: Class = {"Ann": {"net_h1": "0.3770", "dE/dw5": "8.22e-2"}, "Bób": {"net_h1": "0.38", "dE/dw5": "1/12"}}


@cache
def quantities() -> Quantities:
    return Quantities(derive.load("backprop-2-2-1"))


def read(path: Path, content: str | bytes) -> tuple[list[Sheet], list[str]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    file: AnswerFile = read_answers(Source(str(path)), quantities())
    return list(file.sheets()), list(file.notes.lines())


def texts(sheets: list[Sheet]) -> Class:
    return {sheet.student: {name: answer.text for name, answer in sheet.answers.items()} for sheet in sheets}


def _toml(answers: dict[str, str]) -> str:
    return "".join(f'"{name}" = "{text}"\n' for name, text in answers.items())


FORMS: dict[str, tuple[str, Callable[[Class], str]]] = {
    "list": ("json", lambda many: json.dumps([{"student": who, **answers} for who, answers in many.items()])),
    "nested": ("json", lambda many: json.dumps([{"name": who, "answers": each} for who, each in many.items()])),
    "by student": ("json", json.dumps),
    "under a word": ("json", lambda many: json.dumps({"title": "A", "students": many})),
    "rows": ("json", lambda many: json.dumps([
        {"student": who, "quantity": name, "answer": text, "marks": 1}
        for who, answers in many.items() for name, text in answers.items()
    ])),
    "rows of one": ("json", lambda many: json.dumps(
        {who: [{"question": name, "value": text} for name, text in each.items()] for who, each in many.items()}
    )),
    "lines": ("jsonl", lambda many: "\n".join(json.dumps({"student": who} | each) for who, each in many.items())),
    "lines called json": ("json", lambda many: "\n".join(
        json.dumps({"student": who, "answers": each}, ensure_ascii=False) for who, each in many.items()
    )),
    "rows as lines": ("ndjson", lambda many: "\r\n".join(
        json.dumps({"id": who, "item": name, "response": text})
        for name in next(iter(many.values())) for who, each in many.items() for text in [each[name]]
    )),
    "list without a suffix": ("", lambda many: json.dumps([{"student": who} | each for who, each in many.items()])),
    "tables": ("toml", lambda many: "".join(f'["{who}"]\n{_toml(each)}' for who, each in many.items())),
    "array of tables": ("toml", lambda many: "".join(
        f'[[students]]\nname = "{who}"\n{_toml(each)}' for who, each in many.items()
    )),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_class_is_read_in_every_form(form: str, tmp_path: Path) -> None:
    suffix, write = FORMS[form]
    sheets, notes = read(tmp_path / (f"class.{suffix}" if suffix else "class"), write(ANN_AND_BOB))
    assert texts(sheets) == ANN_AND_BOB
    assert notes == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_in_front_of_the_text_do_no_harm(encoding: str, tmp_path: Path) -> None:
    for form in ("list", "lines", "lines called json"):
        suffix, write = FORMS[form]
        assert texts(read(tmp_path / f"class.{suffix}", write(ANN_AND_BOB).encode(encoding))[0]) == ANN_AND_BOB


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    sheets, _ = read(tmp_path / "a.json", '[{"student": 17, "net_h1": 0.3770, "dE/dw5": 8.220E-2}]')
    assert texts(sheets) == {"17": {"net_h1": "0.3770", "dE/dw5": "8.220E-2"}}


def test_a_quantity_that_is_there_twice_is_not_the_last_one(tmp_path: Path) -> None:
    sheets, notes = read(tmp_path / "a.json", '{"Ann": {"net_h1": "0.3", "net_h1": "0.4"}}')
    answer = sheets[0].answers["net_h1"]
    assert isinstance(answer, Unreadable)
    assert "0.3 and 0.4" in answer.why
    assert notes == [f"{tmp_path / 'a.json'}: Ann answers net_h1 twice"]


BROKEN = [
    # a class with something that is no answer between two students
    ("json", '[{"student": "Ann", "net_h1": 1}, 5, {"student": "Bob", "net_h1": 1}]', "(no name, entry 2)"),
    ("json", '[{"student": "Ann", "net_h1": 1}, {"net_h1": [1]}, {"student": "Bob", "net_h1": 1}]',
     "(no name, entry 2)"),
    ("jsonl", '{"student": "Ann", "net_h1": 1}\n{"student": \n\n{"student": "Bob", "net_h1": 1}', "(no name, line 2)"),
    ("jsonl", '{"student": "Ann", "net_h1": 1}\n' + "[" * 100_000 + '\n{"student": "Bob", "net_h1": 1}',
     "(no name, line 2)"),
    ("json", '{"students": {"Ann": {"net_h1": 1}, "Cid": 5, "Bob": {"net_h1": 1}}}', "Cid"),
    ("json", '{"Ann": {"net_h1": 1}, "Cid": {"net_h1": {"value": 1}}, "Bob": {"net_h1": 1}}', "Cid"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "content", "nobody"), BROKEN)
def test_a_broken_entry_is_unreadable_and_stops_nothing(suffix: str, content: str, nobody: str, tmp_path: Path) -> None:
    sheets, _ = read(tmp_path / f"class.{suffix}", content)
    assert [sheet.student for sheet in sheets] == ["Ann", nobody, "Bob"]
    assert [isinstance(sheet.answers["net_h1"], Unreadable) for sheet in sheets] == [False, True, False]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "an empty list"), ("[1, [2]]", "a list without objects"), ('"net_h1"', "one value"),
        ('[{"student": "Ann", "net_h1": 1},', "not JSON"), ('{"net_h1": 1, "w5": {"value": 2}}', '"w5" holds a list'),
    ],
)  # fmt: skip
def test_what_is_no_class_is_refused_with_what_would_be_one(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DeriveError, match="accepted: ") as error:
        read(tmp_path / "a.json", content)
    assert message in str(error.value)


HOSTILE = [
    {"student": "\ud800\x00../../etc/passwd", "dE/dw5": "0.0822", "net_h1": "\ud83d"},
    {"student": "../x", "dE/dw5": "=cmd|' /C calc'!A0", "net_h1": "\x00"},
    {"student": "CON", "dE/dw5": "9" * 1_000_000, "net_h1": "1e999999999"},
    {"student": "a" * 300, "variant": "<b>", "dE/dw5": 1e300, "net_h1": True},
    {"student": "", "dE/dw5": None, "net_h1": "0.3775"},
    {"student": "\\input{x}", "dE/dw5": "\\immediate\\write18{id}", "net_h1": "<script>"},
]


@pytest.mark.parametrize("pages", ["markdown", "latex", "html", "text"])
@pytest.mark.parametrize("lines", [False, True])
def test_hostile_json_ends_in_files_that_can_be_read(lines: bool, pages: str, tmp_path: Path) -> None:
    path = tmp_path / ("class.jsonl" if lines else "class.json")
    path.write_text("\n".join(map(json.dumps, HOSTILE)) if lines else json.dumps(HOSTILE))
    graded = tmp_path / "graded"
    result = CliRunner().invoke(cli, ["check", "backprop-2-2-1", str(path), "-o", str(graded), "--pages", pages])
    assert result.exit_code == 1, result.output
    written = [found for found in graded.rglob("*") if found.is_file()]
    assert len([found for found in written if found.parent.name == "students"]) == len(HOSTILE)
    for found in written:
        text = found.read_text(encoding="utf-8")
        assert not set(text) & set("\0\x07\x1b")
        assert len(text) < 100_000
        assert "<script>" not in text or pages in ("latex", "text") or found.suffix in (".csv", ".jsonl")
    assert sorted(tmp_path.iterdir()) == sorted([path, graded])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["student", "quantity", "answer", "answers", "students", "net_h1", "x"]), inner),
    max_leaves=12,
)


@pytest.fixture
def factory(tmp_path_factory: pytest.TempPathFactory) -> pytest.TempPathFactory:
    return tmp_path_factory


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES, st.booleans())
def test_any_json_gives_sheets_or_an_error(factory: pytest.TempPathFactory, value: object, lines: bool) -> None:
    path = factory.getbasetemp() / ("any.jsonl" if lines else "any.json")
    try:
        sheets, _ = read(path, json.dumps(value))
    except DeriveError:
        return
    for sheet in sheets:
        assert sheet.student
        assert all(answer.text.isprintable() for answer in sheet.answers.values())
