"""Answers are read leniently about their form and strictly about their meaning."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import derive
from derive.check.answers import AnswerFile, read_answers, read_roster
from derive.check.bundled import FOLDER, answers_path, bundled_answers
from derive.check.model import Answer, Blank, Formula, Sheet, Unreadable, Written
from derive.check.phrases import say
from derive.check.quantities import Quantities
from derive.check.tables import Source
from derive.check.written import AnswerReader
from derive.errors import DeriveError
from derive.formula.grammar import write


@cache
def quantities(problem: str = "backprop-2-2-1") -> Quantities:
    return Quantities(derive.load(problem))


def answer(text: str, quantity: str = "dE/dw5", *, comma: bool = False) -> Answer:
    return AnswerReader(quantities().find, quantities().formula, comma).read(text, quantity)


# --- numbers -------------------------------------------------------------------------------------------------------

PLAIN = [
    # text, value, decimals, significant digits
    ("0.0822", "411/5000", 4, 3),
    ("  0.0822\t", "411/5000", 4, 3),
    (".5", "1/2", 1, 1),
    ("5.", "5", 0, 1),
    ("0.50", "1/2", 2, 2),
    ("1200", "1200", 0, 4),
    ("0", "0", 0, 1),
    ("0.00", "0", 2, 3),
    ("-0.5", "-1/2", 1, 1),
    ("−0.5", "-1/2", 1, 1),
    ("–0.5", "-1/2", 1, 1),
    ("- 0.5", "-1/2", 1, 1),
    ("+0.5", "1/2", 1, 1),
    ("8.22e-2", "411/5000", 4, 3),
    ("8.22E-02", "411/5000", 4, 3),
    ("1.2e2", "120", -1, 2),
    ("8.22×10^-2", "411/5000", 4, 3),
    ("8.22*10^-2", "411/5000", 4, 3),
    ("8.22*10**-2", "411/5000", 4, 3),
    ("8.22 x 10^(-2)", "411/5000", 4, 3),
    ("8.22·10⁻²", "411/5000", 4, 3),
    (r"8.22 \cdot 10^{-2}", "411/5000", 4, 3),
    (r"$8.22 \times 10^{-2}$", "411/5000", 4, 3),
    ("10^-2", "1/100", None, None),
    ("8.22%", "411/5000", 4, 3),
    ("8.22 %", "411/5000", 4, 3),
    ("3/8", "3/8", None, None),
    ("-3 / 8", "-3/8", None, None),
    ("3⁄8", "3/8", None, None),
    ("822/10000", "411/5000", 4, 3),
    ("411/5000", "411/5000", 4, 3),
    ("-5933/10000", "-5933/10000", 4, 4),
    ("0/100", "0", 2, 3),
    ("3/250", "3/250", 3, 2),
    ("6/73", "6/73", None, None),
    ("1/125", "1/125", None, None),
    ("7/25", "7/25", None, None),
    ("½", "1/2", None, None),
    ("0.333…", "333/1000", 3, 3),
    ("0.333...", "333/1000", 3, 3),
    ("≈ 0.36", "9/25", 2, 2),
    ("~0.36", "9/25", 2, 2),
    ("ca. 0.36", "9/25", 2, 2),
    ("= 0.36", "9/25", 2, 2),
    ("dE/dw5 = 0.36", "9/25", 2, 2),
    ("∂E/∂w5: 0.36", "9/25", 2, 2),
    ("dE_dw5 = 0.1385*0.593 = 0.0821", "821/10000", 4, 3),
    ('="0.08"', "2/25", 2, 1),
    ("'0.08", "2/25", 2, 1),
    ('"0.08"', "2/25", 2, 1),
    ("$0.08$", "2/25", 2, 1),
    ("1 234.5", "2469/2", 1, 5),
    ("1\u00a0234.5", "2469/2", 1, 5),
    ("1\u2009234\u202f567", "1234567", 0, 7),
    ("0.082 167", "82167/1000000", 6, 5),
    ("1,234.5", "2469/2", 1, 5),
    ("1,234,567", "1234567", 0, 7),
    ("０．０８", "2/25", 2, 1),
    ("\u202a0.08\u202c", "2/25", 2, 1),
    ("\ufeff0.08", "2/25", 2, 1),
]


@pytest.mark.parametrize(("text", "value", "decimals", "significant"), PLAIN)
def test_a_number_is_exactly_what_its_text_says(
    text: str, value: str, decimals: int | None, significant: int | None
) -> None:
    found = answer(text)
    assert isinstance(found, Written), found
    assert (found.value, found.decimals, found.significant) == (Fraction(value), decimals, significant)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0,0822", "0.0822"), (",5", "0.5"), ("8,22·10⁻²", "0.0822"), ("8,22e-2", "0.0822"), ("8,22 %", "0.0822"),
        ("1.234,5", "1234.5"), ("1 234,5", "1234.5"), ("0.0822", "0.0822"), ("1,234", "1.234"), ("-0,5", "-0.5"),
        ("1.234.567", "1234567"), ("12", "12"), ("dE/dw5 = 0,5", "0.5"), ("1.2345", "1.2345"), ("0.123", "0.123"),
    ],
)  # fmt: skip
def test_a_decimal_comma_where_the_option_says_so(text: str, value: str) -> None:
    found = answer(text, comma=True)
    assert isinstance(found, Written), found
    assert found.value == Fraction(value)


@pytest.mark.parametrize("text", ["0,0822", ",5", "1,234", "1.234,5", "8,22e-2", "0,5*out_h1", "-0,5"])
def test_a_comma_without_the_option_is_not_read_and_the_message_names_it(text: str) -> None:
    found = answer(text)
    assert isinstance(found, Unreadable)
    assert found.why == say("unreadable", "comma")
    assert "--decimal-comma" in found.why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1.234", "1234 or 1,234"),
    ],
)
def test_a_number_that_could_be_two_is_not_read(text: str, why: str) -> None:
    found = answer(text, comma=True)
    assert isinstance(found, Unreadable)
    assert why in found.why


@pytest.mark.parametrize(
    "text",
    [
        "0.08 0.09", "0.08 or 0.09", "1.2.3", "0.36 ± 0.01", "nan", "inf", "Infinity", "1e999", "1e-99999999", "1" * 70,
        "0x10", "1_000", "3/0", "0.08\x00", "0.0\u200b8", "\u202e2280.0", "٠٫٠٨", "w6 = 0.36", "dE/dw5 =", "0.08\n0.09",
        "__import__('os')", "9" * 3000, "(" * 500, "0.08;rm", "#DIV/0!", "8.22*10^(-2", "x", "1 2", "12 34", "0,08,1",
        "=SUM(A1)", "0.5e", "e-5", "1e5.5", "\ud800", "--", "%", ".", "+", "0.08 approximately",
    ],
)  # fmt: skip
def test_what_is_neither_a_number_nor_an_expression_is_said_to_be_so(text: str) -> None:
    found = answer(text)
    assert isinstance(found, Unreadable), found
    assert found.why
    assert found.text.isprintable()
    assert len(found.text) <= 200


@pytest.mark.parametrize("text", ["", " ", "-", "—", "?", "n/a", "#N/A", "\u00a0", '=""'])
def test_nothing_written_is_blank(text: str) -> None:
    assert isinstance(answer(text), Blank)


@given(st.integers(-(10**9), 10**9), st.integers(0, 12), st.sampled_from(["{}", " {} ", '="{}"', "≈ {}", "dE/dw5={}"]))
@settings(max_examples=200, deadline=None)
def test_every_decimal_is_read_with_its_digits(amount: int, places: int, form: str) -> None:
    text = format(Decimal(amount).scaleb(-places), "f")
    found = answer(form.format(text))
    assert isinstance(found, Written)
    assert found.value == Fraction(amount, 10**places)
    assert found.decimals == places
    comma = answer(form.format(text.replace(".", ",")), comma=True)
    assert isinstance(comma, Written)
    assert (comma.value, comma.decimals, comma.significant) == (found.value, places, found.significant)


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_gets_an_answer(text: str) -> None:
    for comma in (False, True):
        found = answer(text, comma=comma)
        assert isinstance(found, Written | Formula | Blank | Unreadable)
        assert found.text.isprintable()


# --- expressions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(out_o1 - y)*out_o1*(1 - out_o1)*out_h1", "(out_o1 - y)*out_o1*(1 - out_o1)*out_h1"),
        ("∂E/∂out_o1 · out_h1", "dE/dout_o1*out_h1"),
        ("dE/dw5 = delta_o1 * a_h1", "dE/dnet_o1*out_h1"),
        (r"$\frac{\partial E}{\partial out_{o1}} \cdot out_{h1}$", "dE/dout_o1*out_h1"),
    ],
)
def test_an_expression_in_any_spelling_has_canonical_names(text: str, expected: str) -> None:
    found = answer(text)
    assert isinstance(found, Formula), found
    assert write(found.expr).replace(" ", "") == expected.replace(" ", "")


def test_a_decimal_comma_in_an_expression() -> None:
    found = answer("w5 - 0,5*dE/dw5", "w5_new", comma=True)
    assert isinstance(found, Formula)
    assert "0.5" in write(found.expr)


def test_the_name_in_front_may_be_the_old_name_of_an_updated_parameter() -> None:
    assert isinstance(answer("w5 = 0.36", "w5_new"), Written)
    assert isinstance(answer("w5+ = 0.36", "w5_new"), Written)
    assert isinstance(answer("w5 = 0.36", "dE/dw5"), Unreadable)


def test_yes_and_no_answer_what_is_a_question() -> None:
    found = answer("yes", "converged")
    assert isinstance(found, Written)
    assert found.value == 1
    assert isinstance(answer("yes", "dE/dw5"), Unreadable)


# --- files ---------------------------------------------------------------------------------------------------------


def read(path: Path, ask: Sequence[str] = (), problem: str = "backprop-2-2-1", **options: object) -> AnswerFile:
    return read_answers(Source(str(path)), quantities(problem), ask, **options)  # type: ignore[arg-type]  # as given


def said(found: AnswerFile) -> tuple[list[Sheet], str]:
    """The sheets, and the notes that there are after reading them."""
    sheets = list(found.sheets())
    return sheets, "\n".join(found.notes.lines())


def texts(sheet: Sheet) -> dict[str, str]:
    return {name: found.text for name, found in sheet.answers.items()}


ANN_AND_BOB = [("Ann", {"net_h1": "0.3775", "dE/dw5": "0.0822"}), ("Bob", {"net_h1": "0.38", "dE/dw5": ""})]

SAME = {
    "long": "student,quantity,answer\nAnn,net_h1,0.3775\nAnn,dE/dw5,0.0822\nBob,net_h1,0.38\nBob,dE/dw5,\n",
    "by quantity": "student,quantity,answer\nAnn,net_h1,0.3775\nBob,net_h1,0.38\nAnn,dE/dw5,0.0822\nBob,dE/dw5,\n",
    "other headers": "Question;Value;Name\nnet_h1;0.3775;Ann\ndE_dw5;0.0822;Ann\nNet_h1;0.38;Bob\n∂E/∂w5;;Bob\n",
    "no header": "Ann,net_h1,0.3775\nAnn,dE/dw5,0.0822\nBob,net_h1,0.38\nBob,dE/dw5,\n",
    "wide": "student,net_h1,dE/dw5\nAnn,0.3775,0.0822\nBob,0.38,\n",
    "tab": "Name\tnet_h1\t∂E/∂w5\nAnn\t0.3775\t0.0822\nBob\t0.38\t\n",
    "bar": "student|net_h1|delta|dE_dw5\nAnn|0.3775||0.0822\nBob|0.38||\n",
    "semicolon": "STUDENT;net_h1;dE/dw5\r\nAnn;0.3775;0.0822\r\nBob;0.38\r\n",
    "sep": "sep=;\r\nstudent;net_h1;dE/dw5\r\nAnn;0.3775;0.0822\r\nBob;0.38;\r\n",
    "CR": "student,net_h1,dE/dw5\rAnn,0.3775,0.0822\rBob,0.38,\r",
    "trailing commas": "student,net_h1,dE/dw5,,,\nAnn,0.3775,0.0822,,,\nBob,0.38,,,,\n,,,,,\n,,,,,\n",
    "quoted": '"student","net_h1","dE/dw5"\n"Ann","0.3775","0.0822"\n"Bob","0.38",""\n',
    "spaces": " student , net_h1 , dE/dw5 \n Ann , 0.3775 , 0.0822 \n\n  Bob,0.38,  \n",
    "no name column": "Matr.,net_h1,dE/dw5\nAnn,0.3775,0.0822\nBob,0.38,\n",
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]


@pytest.mark.parametrize("form", SAME)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_form_says_the_same(form: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_bytes(SAME[form].encode(encoding))
    found = read(path)
    sheets, _ = said(found)
    assert [(sheet.student, texts(sheet)) for sheet in sheets] == ANN_AND_BOB
    assert found.expected == ("net_h1", "dE/dw5")
    assert found.students == 2


def test_latin_1_is_read_and_announced(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_bytes("student,net_h1\nAnn,1\nJürgen €,0.3775\n".encode("cp1252"))
    sheets, notes = said(read(path))
    assert sheets[1].student == "Jürgen €"
    assert "Windows-1252" in notes
    assert "line 3" in notes


def test_standard_input_is_read_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SAME["wide"].encode())))
    sheets, _ = said(read_answers(Source("-"), quantities()))
    assert [(sheet.student, texts(sheet)) for sheet in sheets] == ANN_AND_BOB


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Ann.toml", 'net_h1 = 0.3770\n"dE/dw5" = "8.22e-2"\n'),
        ("x.toml", 'student = "Ann"\n[answers]\nnet_h1 = "0.3770"\ndE_dw5 = "8.22e-2"\n'),
        ("Ann.json", '{"net_h1": 0.3770, "dE/dw5": "8.22e-2"}'),
        ("x", '{"name": "Ann", "answers": {"net_h1": 0.3770, "∂E/∂w5": "8.22e-2"}}'),
    ],
)
def test_one_student_as_toml_or_json_keeps_the_digits(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    (sheet,), _ = said(read(tmp_path / name))
    assert sheet.student == "Ann"
    assert texts(sheet) == {"net_h1": "0.3770", "dE/dw5": "8.22e-2"}


def test_variants_are_kept(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("student,variant,net_h1\nAnn,7,0.3775\nBob,9,0.4\n", encoding="utf-8")
    sheets, _ = said(read(tmp_path / "c.csv"))
    assert [sheet.variant for sheet in sheets] == ["7", "9"]


def test_what_is_odd_is_noted_and_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text(
        "student,quantity,answer\nAnn,net_h1,0.3775\nAnn,net_h1,0.37750\nBob,net_h1,1\nBob,net_h1,2\n,net_h1,3\n"
        'Cid,foo,4\nCid,net_h1,"5\nDan,net_h1,"6"\n"Eve, Dr.",net_h1,0,5\n,,\nFay,net_h1\nGus\n',
        encoding="utf-8",
    )
    sheets, notes = said(read(path))
    found = {sheet.student: sheet.answers.get("net_h1") for sheet in sheets}
    assert list(found) == ["Ann", "Bob", "(no name, line 6)", "Cid", "Dan", "Eve, Dr.", "Fay", "Gus"]
    assert found["Ann"] == Written("0.37750", Fraction(151, 400), 5, 5)
    bob = found["Bob"]
    assert isinstance(bob, Unreadable)
    assert bob.why == "answered more than once: 1 in line 4, 2 in line 5"
    assert isinstance(found["Cid"], Unreadable)
    assert found["Dan"] == Written("6", Fraction(6), 0, 1)
    assert isinstance(found["Eve, Dr."], Unreadable)
    assert isinstance(found["Fay"], Blank)
    assert '"foo" is no quantity' in notes
    assert "Bob answers net_h1 twice, in lines 4 and 5" in notes
    assert sheets[0].places["net_h1"].endswith("class.csv, line 3")


def test_a_stray_quote_swallows_nobody(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text('student,quantity,answer\nAnn,net_h1,"0.1\nBob,net_h1,0.2"\nCid,net_h1,0.3\n', encoding="utf-8")
    sheets, _ = said(read(path))
    assert [sheet.student for sheet in sheets] == ["Ann", "Bob", "Cid"]
    path.write_text('student,quantity,answer\nAnn,net_h1,"0.1\n "\nBob,net_h1,0.2\n', encoding="utf-8")
    sheets, _ = said(read(path))
    assert [texts(sheet) for sheet in sheets] == [{"net_h1": "0.1"}, {"net_h1": "0.2"}]


def test_shifted_cells_are_not_taken_for_other_answers(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("student,net_h1,net_h2\nAnn,0,3775,0,3925\nBob,0.3775,0.3925\n", encoding="utf-8")
    (ann, bob), _ = said(read(path))
    assert all(isinstance(found, Unreadable) for found in ann.answers.values())
    assert all(isinstance(found, Written) for found in bob.answers.values())


def test_a_decimal_comma_in_the_last_column_of_a_long_table(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("student,quantity,answer\nAnn,net_h1,0,3775\n", encoding="utf-8")
    (ann,), _ = said(read(path, decimal_comma=True))
    assert ann.answers["net_h1"] == Written("0,3775", Fraction(151, 400), 4, 4)


def test_what_is_asked_is_expected_and_further_answers_are_kept_behind(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("student,net_h1,out_h1,dE/dw5\nAnn,0.3775,0.5933,0.0822\n", encoding="utf-8")
    found = read(path, ask=("dE/dw5", "w5_new"))
    (ann,), _ = said(found)
    assert found.expected == ("dE/dw5", "w5_new")
    assert list(ann.answers) == ["dE/dw5", "net_h1", "out_h1"]


def test_a_roster_finds_who_is_missing_and_who_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "roster.txt").write_text("Ann\nCid\n", encoding="utf-8")
    (tmp_path / "roster.csv").write_text("id;name\n1;Ann\n2;Cid\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text(SAME["wide"], encoding="utf-8")
    assert read_roster(Source(str(tmp_path / "roster.csv"))) == ("1", "2")
    roster = read_roster(Source(str(tmp_path / "roster.txt")))
    assert roster == ("Ann", "Cid")
    sheets, notes = said(read(tmp_path / "c.csv", roster=roster))
    assert [sheet.student for sheet in sheets] == ["Ann", "Bob", "Cid"]
    assert "Bob is not on the roster" in notes
    assert "Cid is on the roster and has no answers" in notes


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\xef\xbb\xbf\n", "no rows"),
        ("a.csv", b"a,b\n1,2\n", "student,quantity,answer"),
        ("a.csv", b"student,quantity,answer\nAnn,foo,1\n", "no quantity"),
        ("a.csv", b"PK\x03\x04....", "spreadsheet"),
        ("a.xlsx", b"PK\x03\x04....", "spreadsheet"),
        ("a.pdf", b"%PDF-1.5", "PDF"),
        ("a.toml", b"dE/dw5 = 0.08\n", "TOML"),
        ("a.toml", b"[answers]\nnet_h1 = [1]\n", "list"),
        ("a.json", b"{", "JSON"),
        ("a.json", b"[1]", "list"),
        ("a.json", b"[" * 100_000, "JSON"),
        ("a.toml", b"foo = 1\n", "no quantity"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_place(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DeriveError, match=name) as error:
        said(read(tmp_path / name))
    assert message.lower() in str(error.value).lower()


def test_giant_cells_are_answers_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    giant = b"9" * 10_000_000
    name = b"x" * 1_000_000
    rows = [b"Ann," + giant, b'Bob,"' + giant[:200_000] + b'"', b"Cid,0.3775", name + b"1,1", name + b"2,2"]
    path.write_bytes(b"student,net_h1\n" + b"\n".join(rows))
    (ann, bob, cid, first, second), _ = said(read(path))
    assert first.student != second.student
    assert len(first.student) < 300
    assert isinstance(ann.answers["net_h1"], Unreadable)
    assert len(ann.answers["net_h1"].text) <= 200
    assert isinstance(bob.answers["net_h1"], Unreadable)
    assert isinstance(cid.answers["net_h1"], Written)


@given(st.lists(st.lists(st.text("ab,;\"\n\r\t0.5=-+@\x00é", max_size=8), max_size=5), max_size=8))
@settings(max_examples=120, deadline=None)
def test_any_rows_give_sheets(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    body = "\n".join(",".join(row) for row in rows)
    path.write_text("student,quantity,answer\nAnn,net_h1,0.5\n" + body, encoding="utf-8", newline="")
    sheets, _ = said(read(path))
    assert sheets[0].student == "Ann" or any(sheet.student == "Ann" for sheet in sheets)
    for sheet in sheets:
        assert sheet.student.isprintable()
        assert all(found.text.isprintable() for found in sheet.answers.values())


def test_memory_does_not_grow_with_the_class(tmp_path: Path) -> None:
    def peak(students: int) -> int:
        path = tmp_path / f"{students}.csv"
        rows = (f"student {i},0.{i % 90},0.{i * 7 % 90}\n" for i in range(students))
        path.write_text("student,net_h1,net_h2\n" + "".join(rows), encoding="utf-8")
        found = read(path)
        tracemalloc.start()
        count = sum(1 for _ in found.sheets())
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == students
        return used

    few = peak(300)
    assert peak(3000) < few * 4


# --- bundled answers -------------------------------------------------------------------------------------------------


def test_bundled_answers_are_found_by_name() -> None:
    assert answers_path("backprop-2-2-1", "notes").endswith("backprop-2-2-1.toml")
    assert answers_path("backprop-2-2-1", "-") == "-"
    with pytest.raises(DeriveError, match='did you mean "notes"'):
        answers_path("backprop-2-2-1", "note")
    with pytest.raises(DeriveError, match="no such file"):
        answers_path("mine.toml", "notes")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/*.toml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_bundled_answers_are_numbers_for_quantities_of_their_problem(path: Path) -> None:
    assert path.parent.name in bundled_answers()[path.stem]
    found = read(path, problem=path.stem)
    (sheet,), notes = said(found)
    assert notes == ""
    assert all(isinstance(number, Written) for number in sheet.answers.values())
    assert tuple(sheet.answers) == found.expected


def test_the_numbers_of_the_notes_are_those_that_the_notes_page_compares() -> None:
    import tomllib

    from derive import notes

    folder = Path(notes.__file__).parent
    examples = tomllib.loads((folder / "numbers.toml").read_text(encoding="utf-8"))["examples"]
    printed: dict[str, dict[str, str]] = {}
    for example in examples:
        if "problem" in example:
            numbers = {entry["quantity"]: entry["printed"] for entry in example["numbers"] if "quantity" in entry}
            printed.setdefault(example["problem"], {}).update(numbers)
    bundled = {}
    for path in FOLDER.glob("notes/*.toml"):
        bundled[path.stem] = tomllib.loads(path.read_text(encoding="utf-8"))["answers"]
    assert bundled == printed
