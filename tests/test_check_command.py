"""`derive check`: from a problem and a file of answers to verdicts, reports and an exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from derive.check.answers import read_answers
from derive.check.bundled import bundled_answers
from derive.check.model import Marking
from derive.check.own import Own, of_examples
from derive.check.program import Program
from derive.check.quantities import Quantities
from derive.check.tables import Source
from derive.cli import cli
from derive.errors import DeriveError
from derive.problem.file import find, loads
from derive.problem.model import Problem
from derive.reports.batch import Batch, OwnSheets
from derive.worked import WorkedExample

ROOT = Path(__file__).resolve().parent.parent
PROBLEM = "backprop-2-2-1"
CLASS = (
    "student,net_h1,dE/dw5,w5_new,dE/dw1\n"
    "Ann,0.3775,0.0822,0.3589,0.0007\n"
    "Bob,0.3775,0.1385,0.3308,\n"
    "Cid,0.3775,what?,0.3589,0.0007\n"
)


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["check", *arguments], input=stdin)


def class_file(folder: Path, text: str = CLASS) -> str:
    (folder / "class.csv").write_text(text, encoding="utf-8")
    return str(folder / "class.csv")


def verdicts(*arguments: str) -> dict[tuple[str, str], dict[str, object]]:
    result = run(*arguments, "--format", "json")
    assert result.exit_code in (0, 1), result.output
    return {(entry["student"], entry["quantity"]): entry for entry in json.loads(result.stdout)}


def test_every_expected_answer_has_a_verdict(tmp_path: Path) -> None:
    found = verdicts(PROBLEM, class_file(tmp_path))
    quantities = ["net_h1", "dE/dw5", "w5_new", "dE/dw1"]
    assert list(found) == [(student, name) for student in ("Ann", "Bob", "Cid") for name in quantities]
    status = {key: entry["status"] for key, entry in found.items()}
    assert status["Ann", "net_h1"] == "correct"
    assert status["Ann", "dE/dw5"] in ("correct", "rounded")
    assert status["Bob", "dE/dw5"] == "wrong"
    assert status["Bob", "w5_new"] == "follow-through"
    assert status["Bob", "dE/dw1"] == "blank"
    assert status["Cid", "dE/dw5"] == "unreadable"
    assert found["Ann", "dE/dw5"]["marks"] == 1
    assert found["Bob", "dE/dw5"]["marks"] == 0
    assert found["Cid", "dE/dw5"]["marks"] is None
    assert "column" in str(found["Cid", "dE/dw5"]["note"])


def test_the_fields_are_those_of_the_format(tmp_path: Path) -> None:
    entry = verdicts(PROBLEM, class_file(tmp_path))["Ann", "dE/dw5"]
    assert list(entry)[:8] == ["student", "quantity", "answer", "status", "expected", "accepted", "mistake", "marks"]
    assert entry["answer"] == "0.0822"


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ('"dE/dw5" = "0.0822"\n', 0), ('"dE/dw5" = "0.0821"\n', 0), ('"dE/dw5" = "0.0922"\n', 1),
        ('"dE/dw5" = ""\n', 1), ('"dE/dw5" = "?!"\n', 1),
        ('"dE/dw55" = "0.08"\n', 2), ('dE/dw5 = 0.08\n', 2), ("", 2),
    ],
)  # fmt: skip
def test_the_exit_code_says_what_was_found(answers: str, code: int, tmp_path: Path) -> None:
    path = tmp_path / "ann.toml"
    path.write_text(answers, encoding="utf-8")
    result = run(PROBLEM, str(path))
    assert result.exit_code == code, result.output
    assert (result.stdout == "") == (code == 2)
    assert "Traceback" not in result.stderr


def test_standard_input_and_json_lines(tmp_path: Path) -> None:
    whole = run(PROBLEM, class_file(tmp_path), "--format", "json")
    lines = run(PROBLEM, "-", "--format", "jsonl", stdin=CLASS)
    assert [json.loads(line) for line in lines.stdout.splitlines()] == json.loads(whole.stdout)


def test_the_gradebook(tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(run(PROBLEM, class_file(tmp_path), "--format", "csv").stdout)))
    assert rows[0] == ["student", "marks", "out of", "to decide", "net_h1", "dE/dw5", "w5_new", "dE/dw1", "first error"]
    assert rows[2][:4] == ["Bob", "2", "4", "0"]
    assert rows[2][-1] == "dE/dw5"
    assert rows[3][3] == "1"
    assert rows[3][5] == "?"


def test_text_for_one_a_few_and_a_class(tmp_path: Path) -> None:
    one = run(PROBLEM, class_file(tmp_path, "\n".join(CLASS.splitlines()[::2]) + "\n"))
    assert "How it is worked out" in one.stdout
    few = run(PROBLEM, class_file(tmp_path))
    assert few.stdout.count("Right answer") == 3
    many = run(PROBLEM, class_file(tmp_path, CLASS + "Dan,1,1,1,1\nEve,1,1,1,1\n"))
    assert "Class report" in many.stdout
    assert "5 students, 20 answers" in many.stdout
    assert "# Class report" in run(PROBLEM, class_file(tmp_path, CLASS + "D,1,1,1,1\nE,1,1,1,1\n"), "--format",
                                   "markdown").stdout  # fmt: skip


def test_messages_go_to_standard_error(tmp_path: Path) -> None:
    path = class_file(tmp_path, "student,net_h1,email\nAnn,0,3775\n")
    result = run(PROBLEM, path, "--format", "json")
    assert json.loads(result.stdout)
    assert '"email" is no quantity' not in result.stdout
    path = class_file(tmp_path, 'student,net_h1,foo\nAnn,"0,3775",1\n')
    result = run(PROBLEM, path, "--format", "json")
    assert '"foo" is no quantity' in result.stderr
    assert "--decimal-comma" in result.stderr
    assert run(PROBLEM, path, "--decimal-comma").exit_code == 0


def test_what_is_asked(tmp_path: Path) -> None:
    path = class_file(tmp_path)
    found = verdicts(PROBLEM, path, "--ask", "w1+", "--ask", "∂E/∂w5")
    assert list(found)[:2] == [("Ann", "w1_new"), ("Ann", "dE/dw5")]
    assert found["Ann", "w1_new"]["status"] == "blank"
    mine = tmp_path / "mine.toml"
    text = (ROOT / "derive/problems/backprop-2-2-1.toml").read_text(encoding="utf-8")
    mine.write_text('ask = ["dE_dw5", "w5+"]\n' + text, encoding="utf-8")
    assert list(verdicts(str(mine), path))[:3] == [("Ann", "dE/dw5"), ("Ann", "w5_new"), ("Bob", "dE/dw5")]
    mine.write_text('ask = ["dE_dw5", "w77"]\n' + text, encoding="utf-8")
    refused = run(str(mine), path)
    assert refused.exit_code == 2
    assert "ask[2]" in refused.stderr


def test_marking(tmp_path: Path) -> None:
    path = class_file(tmp_path)
    assert verdicts(PROBLEM, path, "--follow-through", "0.5")["Bob", "w5_new"]["marks"] == 0.5
    strict = verdicts(PROBLEM, path, "--require-decimals", "5")
    assert strict["Ann", "dE/dw5"]["marks"] == 0
    assert "decimals" in str(strict["Ann", "dE/dw5"]["note"])
    assert run(PROBLEM, path, "--ask", "net_h1").exit_code == 0
    assert run(PROBLEM, path, "--ask", "net_h1", "--require-decimals", "5").exit_code == 1


def test_a_convention_gets_marks_where_it_is_accepted(tmp_path: Path) -> None:
    path = class_file(tmp_path, "student,dE/dw5\nAnn,0.16433\n")
    found = verdicts(PROBLEM, path)["Ann", "dE/dw5"]
    assert (found["status"], found["marks"]) == ("wrong", 0)
    result = run(PROBLEM, path, "--accept-convention", "all")
    assert result.exit_code == 0, result.output
    assert "convention" in result.stdout


def test_a_roster(tmp_path: Path) -> None:
    (tmp_path / "roster.txt").write_text("Ann\nBob\nZoe\n", encoding="utf-8")
    result = run(PROBLEM, class_file(tmp_path), "--roster", str(tmp_path / "roster.txt"), "--format", "jsonl")
    zoe = [entry for entry in map(json.loads, result.stdout.splitlines()) if entry["student"] == "Zoe"]
    assert [entry["status"] for entry in zoe] == ["blank"] * 4
    assert "Cid is not on the roster" in result.stderr
    assert "Zoe is on the roster" in result.stderr


@pytest.mark.parametrize("format", ["markdown", "html", "latex", "text"])
def test_a_folder(format: str, tmp_path: Path) -> None:
    path = class_file(tmp_path)
    out = tmp_path / "out"
    result = run(PROBLEM, path, "-o", str(out), "--pages", format)
    assert result.exit_code == 1, result.output
    lines = (out / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == list(verdicts(PROBLEM, path).values())
    assert len(list((out / "students").iterdir())) == 3
    assert "Bob" in (out / "gradebook.csv").read_text(encoding="utf-8")
    assert next(out.glob("report.*")).read_text(encoding="utf-8")
    again = run(PROBLEM, path, "-o", str(out), "--pages", format)
    assert again.stdout == result.stdout


def test_everyone_against_their_own_sheet(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'inputs = [0.5]\n[[layers]]\nneurons = 1\nactivation = "linear"\nweights = [[2]]\n', encoding="utf-8"
    )
    example = WorkedExample(find(str(tmp_path / "mine.toml")))
    quantities = Quantities(example)
    path = class_file(tmp_path, "student,variant,net_o1\nAnn,3,1.5\nBob,,2\nCid,9,1\nDan,,1\n")

    def problem_of(variant: str) -> Problem:
        if not variant.isdecimal() or int(variant) > 8:
            raise DeriveError(f"{variant} is no variant")
        text = f'inputs = [0.5]\n[[layers]]\nneurons = 1\nactivation = "linear"\nweights = [[{variant}]]\n'
        return loads(text)

    file = read_answers(Source(path), quantities)

    def numbers_of(program: Program, variants: Sequence[str]) -> Own:
        return of_examples(program, [WorkedExample(problem_of(variant)) for variant in variants])

    batch = Batch(example, file, Marking(), OwnSheets(example, problem_of, numbers_of, {"Bob": "4"}))
    found = {each[0].student: each[0] for each in batch.judged(batch.sheets())}
    assert [(name, verdict.status, verdict.variant) for name, verdict in found.items()] == [
        ("Ann", "correct", "3"), ("Bob", "correct", "4"), ("Cid", "unreadable", "9"), ("Dan", "unreadable", ""),
    ]  # fmt: skip
    assert found["Cid"].marks is None
    assert "Cid: 9 is no variant" in "\n".join(file.notes.lines())
    assert batch.example_of("9") is example


def test_regrading(tmp_path: Path) -> None:
    path = class_file(tmp_path)
    old = tmp_path / "old.jsonl"
    old.write_text(run(PROBLEM, path, "--format", "jsonl").stdout, encoding="utf-8")
    assert "No marks change." in run(PROBLEM, path, "--regrade", str(old)).stdout
    result = run(PROBLEM, path, "--regrade", str(old), "--follow-through", "0")
    assert "1 answer of 1 student get" in " ".join(result.stdout.split())
    changes = json.loads(
        run(PROBLEM, path, "--regrade", str(old), "--follow-through", "0", "--format", "json").stdout
    )
    assert [(entry["student"], entry["quantity"], entry["before"], entry["after"]) for entry in changes] == [
        ("Bob", "w5_new", "1", "0")
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("backprop-2-2-1 no-such.csv", "notes"),
        ("backprop-2-2-1 nots", 'did you mean "notes"'),
        ("no-such-problem notes", "no-such-problem"),
        ("- -", "standard input"),
        ("backprop-2-2-1 .", "folder"),
        ("backprop-2-2-1 notes --ask foo", "--ask"),
        ("backprop-2-2-1 notes --follow-through 2", "0<=x<=1"),
        ("backprop-2-2-1 notes --require-decimals -1", "--require-decimals"),
        ("backprop-2-2-1 notes --regrade no-such.jsonl", "no-such.jsonl"),
        ("backprop-2-2-1 notes --roster no-such.txt", "no-such.txt"),
        ("backprop-2-2-1 notes --format yaml", "jsonl"),
        ("backprop-2-2-1 notes --accept-convention target-minus-outptu", "target-minus-output"),
    ],
)
def test_what_cannot_be_used_is_refused(
    arguments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments.split())
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("problem", "answers"),
    [(problem, name) for problem, names in bundled_answers().items() for name in names if problem != "mazur-2-2-2"],
)
def test_the_numbers_of_notes_and_published_examples_are_right(problem: str, answers: str) -> None:
    result = run(problem, answers, "--format", "json")
    assert result.exit_code == 0, result.output
    assert {entry["status"] for entry in json.loads(result.stdout)} <= {"correct", "rounded"}


def test_the_slip_of_a_published_example_is_found_and_named() -> None:
    found = verdicts("mazur-2-2-2", "published")
    wrong = {quantity: entry for (_, quantity), entry in found.items() if entry["marks"] != 1}
    assert list(wrong) == ["E_new"]
    mistake = wrong["E_new"]["mistake"]
    assert isinstance(mistake, dict)
    assert mistake["id"] == "updated-weight-used-early"


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    """A process that is stopped in the middle leaves no half files; started again it writes what it would have."""
    rows = "".join(f"Student {number},0.3775,0.0822,0.3589,0.0007\n" for number in range(120))
    path = class_file(tmp_path, "student,net_h1,dE/dw5,w5_new,dE/dw1\n" + rows)
    command = [sys.executable, "-m", "derive", "check", PROBLEM, path, "-o"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen([*command, str(tmp_path / "out")], stdout=subprocess.DEVNULL, env=environment)
    until = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < until and not list((tmp_path / "out").glob("students/*20.md")):
        time.sleep(0.005)
    running.kill()
    running.wait()
    done = subprocess.run([*command, str(tmp_path / "out")], capture_output=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "verdicts.jsonl").read_text(encoding="utf-8").count("\n") == 480
    assert len(list((tmp_path / "out" / "students").glob("*.md"))) == 120
    assert not list((tmp_path / "out").glob(".unfinished*"))
