from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.cli import cli
from derive.errors import DeriveError
from derive.worked import WorkedExample
from derive.worksheet.plan import Plan, Style
from derive.worksheet.press import Entry, Press
from derive.worksheet.roster import file_stem, read_roster
from derive.worksheet.run import find, run
from derive.worksheet.source import read_source
from derive.worksheet.variants import space_of
from derive.worksheet.workers import Workers
from derive.worksheet.writing import whole
from renderers import katex_check, latex_compiles, math_in_markdown, need_katex, need_latexmk
from worksheets import EXPRESSION, SMALL, contents, worksheet
from worksheets import plan as plan_of

# --- variants ------------------------------------------------------------------------------------------------------


def test_the_narrower_rule_wins_and_values_are_exact_decimals() -> None:
    space = space_of(plan_of(SMALL).sources)
    choices = {entry.name: [choice.written for choice in entry.choices] for entry in space.varied}
    assert choices["w1"] == ["0.35", "0.45"]
    assert choices["w2"][0] == "-0.9"
    assert choices["w2"][9] == "0.0"
    assert choices["x1"] == choices["x2"] == ["0.2", "0.5", "-0.3"]
    assert "y" not in choices
    assert "b1" not in choices
    assert space.size == 2 * 19**5 * 3**2


def test_no_two_sheets_are_alike(tmp_path: Path) -> None:
    run(plan_of(EXPRESSION, allow=("zero", "mistake", "tie", "small"), format="json"), tmp_path, 38)
    sheets = [json.loads(path.read_text()) for path in tmp_path.glob("*.json") if path.name != "manifest.json"]
    assert len({json.dumps(sheet["problems"]) for sheet in sheets}) == 38


def test_more_sheets_than_variants_are_refused() -> None:
    with pytest.raises(DeriveError, match="there are 38 variants; accepted: at most 38"):
        find(plan_of(EXPRESSION), 39, Workers())


def test_too_few_fit_variants_are_refused_with_the_rule_and_what_to_change() -> None:
    with pytest.raises(DeriveError, match=r"of 38 variants are fit(.|\n)*because(.|\n)*--allow"):
        find(plan_of(EXPRESSION), 38, Workers())


def test_ids_stay_when_words_change_and_not_when_numbers_do() -> None:
    spelt = SMALL.replace("inputs =", 'ask = ["E"]\ntitle = "Another"\ninputs =', 1)
    spelt += '[sheet]\ncourse = "C"\npoints = { E = 2 }\n'
    assert plan_of(SMALL).space.fingerprint == plan_of(spelt).space.fingerprint
    for old, new in (("0.7", "0.8"), ("decimals = 6", "decimals = 5"), ('"tanh"', '"relu"'), ("0.1 }", "0.05 }")):
        assert plan_of(SMALL).space.fingerprint != plan_of(SMALL.replace(old, new)).space.fingerprint


# --- the same numbers everywhere -----------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(0, 10**6))
def test_answers_are_those_of_the_worked_example(seed: int, place: int) -> None:
    plan = plan_of(SMALL, seed=seed, format="json")
    key = json.loads(Press(plan).make([Entry(place)])[0].key)["problems"][0]
    space = plan.space
    example = WorkedExample(space.problem(0, space.picks(space.stream(seed).at(place))))
    assert key["answers"] == {name: example.shown(name) for name in plan.asked[0]}
    given = {name: example.problem.given[name].written for name in example.problem.given}
    assert key["given"] == given | {"eta": "0.1"}


@pytest.mark.parametrize("format", ["markdown", "latex"])
def test_a_key_holds_the_answers_and_a_sheet_does_not(format: str) -> None:
    plan = plan_of(SMALL, format=format, ask=("dE/dw1", "w1_new", "out_o1"))
    made = Press(plan).make([Entry(place) for place in range(40)])
    data = Press(plan_of(SMALL, format="json", ask=plan.ask)).make([Entry(place) for place in range(40)])
    answers = [json.loads(entry.key) for entry in data]
    for entry, wanted in zip(made, answers, strict=True):
        for value in wanted["problems"][0]["answers"].values():
            assert value in entry.key
            assert value not in entry.sheet


def test_a_batch_of_sheets_is_each_sheet_alone() -> None:
    plan = plan_of(SMALL, level="full")
    together = Press(plan).make([Entry(place) for place in range(25)])
    for place in (0, 7, 24):
        assert Press(plan).make([Entry(place)])[0] == together[place]


@pytest.mark.parametrize(("level", "dialect"), [("bare", "dollar"), ("scaffold", "github"), ("full", "github")])
def test_katex_takes_every_formula_of_a_sheet_and_its_key(level: str, dialect: str) -> None:
    need_katex()
    made = Press(plan_of(SMALL, EXPRESSION, level=level, dialect=dialect)).make([Entry(3)])[0]
    formulas = math_in_markdown(made.sheet) + math_in_markdown(made.key)
    assert len(formulas) > 10
    assert katex_check(formulas) == []


@pytest.mark.parametrize("level", ["bare", "scaffold"])
def test_latex_compiles_and_a_bare_sheet_is_one_page(level: str, tmp_path: Path) -> None:
    need_latexmk()
    style = Style(format="latex", level=level, course="50 % & more", key="none")
    plan = Plan((read_source("backprop-2-2-1"),), style=style)
    made = Press(plan, named=True).make([Entry(3, "Zoë O'Neil_{$}")])[0]
    report = latex_compiles(whole(plan, made)[file_stem(made.student, made.variant) + ".tex"].decode(), tmp_path)
    assert (report.errors, report.overfull) == ((), ())
    assert report.pdf is not None
    if level == "bare":
        assert "(1 page," in report.pdf.with_suffix(".log").read_text(encoding="latin-1").replace("\n", "")


@pytest.mark.parametrize("format", ["markdown", "latex", "html", "pdf-typst"])
def test_a_worked_sheet_says_what_the_mark_of_a_line_means(format: str) -> None:
    sheet = Press(plan_of(SMALL, format=format, level="full")).make([Entry(3)])[0].sheet
    assert "give a last digit other than the one printed" in " ".join(sheet.replace("\\", "").split())
    asked = Press(plan_of(SMALL, format=format, level="scaffold")).make([Entry(3)])[0].sheet
    assert "give a last digit" not in asked


# --- rosters -------------------------------------------------------------------------------------------------------

ROSTERS = {
    "student\nAda\nBob\n": ("Ada", "Bob"),
    "\ufeffName;Group\nZoë;1\n\nŁukasz;2\n": ("Zoë", "Łukasz"),
    "Last name,First name,Id\nLovelace,Ada,1\n": ("Ada Lovelace",),
    "Name;Vorname\nMüller;Anna\nMüller;Ben\n": ("Anna Müller", "Ben Müller"),
    "Nachname;Vorname\nMüller;Anna\n": ("Anna Müller",),
    "Name,First name,Last name\nAda L.,Ada,Lovelace\n": ("Ada L.",),
    "Ada\nBob": ("Ada", "Bob"),
    'name\n"Smith, J."\n': ("Smith, J.",),
}


@pytest.mark.parametrize("text", ROSTERS)
def test_rosters_are_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(text, encoding="utf-8")
    assert read_roster(str(tmp_path / "r.csv")) == ROSTERS[text]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "no students"), (b"student\n", "no students"), (b"a,b\n1,2\n", 'the columns "a", "b"'),
        (b"student\nAda\nAda\n", "twice"), (b"student\n\xff\xfe\n", "not UTF-8"), (b'student\n"Ada\n', "not CSV"),
        (b"student\nA\x1b[2Jb\n", "is no name"),
    ],
)  # fmt: skip
def test_rosters_with_mistakes_are_refused(content: bytes, found: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(content)
    with pytest.raises(DeriveError, match=re.escape(found)):
        read_roster(str(tmp_path / "r.csv"))


@given(st.text(max_size=80))
def test_file_names_are_safe(name: str) -> None:
    stem = file_stem(name, "QJNM-1-00001")
    words = stem.removesuffix("QJNM-1-00001")
    assert stem == words + "QJNM-1-00001"
    assert not words or re.fullmatch(r"(\w|[^\x00-\x7f])+(-(\w|[^\x00-\x7f])+)*-", words)
    assert not set(words) & set("/\\:*?\"<>|. \n\t\0")
    assert len(f".derive-4194304-{stem}.ipynb.tmp".encode()) < 200


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Łukasz Żółć", "lukasz-zolc"), ("Jürgen Groß", "jurgen-gross"), ("Søren Æbelø", "soren-aebelo"),
        ("O’Brien, Jr.", "o-brien-jr"), ("İpek Işık", "ipek-isik"), ("Ελένη", "ελένη"), ("李小龙", "李小龙"),
        ("Юрий", "юрий"), ("../../etc/passwd", "etc-passwd"), ("🙂", ""), ("-", ""), ("con", "con"),
    ],
)  # fmt: skip
def test_names_of_files_keep_the_letters_of_names(name: str, words: str) -> None:
    assert file_stem(name, "QJNM-1-00001") == (f"{words}-QJNM-1-00001" if words else "QJNM-1-00001")


def test_names_are_escaped() -> None:
    for format in ("markdown", "latex", "json"):
        sheet = Press(plan_of(SMALL, format=format), named=True).make([Entry(0, r'<b>\input{x}|`"$')])[0].sheet
        assert "<b>" not in sheet or format != "markdown"
        assert r"\input{x}" not in sheet or format == "json"
        if format == "json":
            assert json.loads(sheet)["student"] == r'<b>\input{x}|`"$'


# --- the command ---------------------------------------------------------------------------------------------------


def test_a_sheet_is_made_again_from_its_id(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(SMALL)
    assert worksheet(tmp_path / "p.toml", "-n", 2, "--seed", 7, "-o", tmp_path / "a").exit_code == 0
    for path in (tmp_path / "a").glob("*.md"):
        printed = worksheet(tmp_path / "p.toml", "--variant", path.stem)
        assert printed.exit_code == 0
        assert printed.stdout_bytes == path.read_bytes()
        assert worksheet(tmp_path / "p.toml", "--variant", path.stem.lower(), "-o", tmp_path / "b").exit_code == 0
    before, after = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert after == {name: before[name] for name in after}
    assert len(after) == 6


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), "Missing argument"),
        (("initializer-he",), "no worksheets for a problem of the kind"),
        (("network-2-5-1",), "nothing has a number"),
        (("linear-2-3-2",), "nothing varies, so all sheets would be alike"),
        (("three-inputs-5-samples",), "accepted"),
        (("backprop-2-2-1", "-n", 3), "several sheets need --output"),
        (("backprop-2-2-1", "--ask", "dE/dw99"), "no quantity of this problem"),
        (("backprop-2-2-1", "--ask", "x1"), "is given"),
        (("backprop-2-2-1", "perceptron-and", "--ask", "dE/dw99"), "a quantity of none of the problems"),
        (("backprop-2-2-1", "--allow", "ties"), "accepted: saturated"),
        (("backprop-2-2-1", "--variant", "nonsense"), "no id of a sheet"),
        (("backprop-2-2-1", "--variant", "QJNM-2026-0042K"), "belongs to another problem"),
        (("backprop-2-2-1", "--roster", "/nowhere.csv", "-o", "x"), "cannot be read"),
        (("--verify", "/nowhere"), "no manifest.json there"),
        (("nothing-of-this-name",), "no such file"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[object, ...], found: str) -> None:
    result = worksheet(*arguments)
    assert result.exit_code == 2
    assert found in result.output


def test_verify_ends_with_1_when_a_file_differs(tmp_path: Path) -> None:
    run(plan_of(SMALL), tmp_path, 2)
    assert worksheet("--verify", tmp_path).exit_code == 0
    victim = next(tmp_path.glob("*.md"))
    victim.write_text("changed")
    result = worksheet("--verify", tmp_path)
    assert result.exit_code == 1
    assert f"{victim.name}: was changed" in result.output


def test_every_key_is_correct_for_its_own_variant_and_no_other(tmp_path: Path) -> None:
    plan = plan_of(SMALL, format="json", ask=("dE/dw1", "out_o1"))
    (tmp_path / "p.toml").write_text(SMALL)
    sheets = tmp_path / "sheets"
    run(plan, sheets, 6, tuple(f"student {place}" for place in range(6)))
    keys = [json.loads(path.read_text()) for path in sorted(sheets.glob("keys/*.json"))]
    for shift in (0, 1):
        lines = ["student,variant,dE/dw1,out_o1"]
        for place, key in enumerate(keys):
            answers = keys[(place + shift) % len(keys)]["problems"][0]["answers"]
            lines.append(f"{key['student']},{key['variant']},{answers['dE/dw1']},{answers['out_o1']}")
        (tmp_path / "a.csv").write_text("\n".join(lines))
        result = CliRunner().invoke(
            cli,
            [
                "check",
                str(tmp_path / "p.toml"),
                str(tmp_path / "a.csv"),
                "--variants",
                str(sheets),
                "--format",
                "jsonl",
            ],
        )
        verdicts = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
        assert len(verdicts) == 12
        assert {verdict["status"] == "correct" for verdict in verdicts} == {shift == 0}


def test_the_command_offers_what_there_is() -> None:
    from derive.commands import worksheet
    from derive.worksheet import plan

    assert (plan.LEVELS, plan.KEYS) == (worksheet.LEVELS, worksheet.KEYS)
