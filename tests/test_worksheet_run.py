from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from derive.errors import DeriveError
from derive.worked import WorkedExample
from derive.worksheet.lookup import problem_of, variants_of
from derive.worksheet.plan import Plan
from derive.worksheet.run import run, verify
from derive.worksheet.source import Source
from derive.worksheet.workers import Workers
from worksheets import SMALL, contents
from worksheets import plan as plan_of

# --- a run ---------------------------------------------------------------------------------------------------------


def test_a_second_run_touches_nothing_and_completes_what_is_missing(tmp_path: Path) -> None:
    plan = plan_of(SMALL)
    first = run(plan, tmp_path, 5)
    assert first.new_files == 5 * 3 + 1
    before = contents(tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert run(plan, tmp_path, 5).new_files == 0
    lost = sorted(tmp_path.glob("keys/*"))[2]
    lost.unlink()
    assert run(plan, tmp_path, 5).new_files == 1
    assert contents(tmp_path) == before
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items() if path != lost)


def test_students_at_the_end_of_the_list_get_sheets_and_the_others_keep_theirs(tmp_path: Path) -> None:
    plan = plan_of(SMALL)
    run(plan, tmp_path, 2, ("Ada", "Bob"))
    before = contents(tmp_path)
    run(plan, tmp_path, 3, ("Ada", "Bob", "Cem"))
    after = contents(tmp_path)
    assert set(after) - set(before)
    assert {name for name in before if before[name] != after[name]} == {"manifest.json", "answers.csv"}
    with pytest.raises(DeriveError, match="other sheets"):
        run(plan, tmp_path, 3, ("Bob", "Ada", "Cem"))


@pytest.mark.parametrize("bundle", [False, True])
def test_verify_names_the_file_with_a_changed_byte(bundle: bool, tmp_path: Path) -> None:
    run(plan_of(SMALL, bundle=bundle), tmp_path, 3)
    assert verify(tmp_path) == []
    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file() and path.name != "manifest.json"]
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes((content[-1] ^ 1,)))
        assert verify(tmp_path) == [(str(path.relative_to(tmp_path)), "was changed")]
        path.write_bytes(content)
    files[0].unlink()
    assert verify(tmp_path) == [(str(files[0].relative_to(tmp_path)), "is missing")]


@pytest.mark.parametrize("words", [{}, {"bundle": True, "format": "latex", "key": "interleaved"}])
def test_two_processes_write_the_same_bytes(words: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    plan = plan_of(SMALL, **words)
    for jobs in (1, 2):
        run(plan, tmp_path / str(jobs), 6, workers=Workers(jobs))
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_the_order_of_hashes_changes_no_byte(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(SMALL)
    for seed in ("1", "77"):
        _process(tmp_path, "p.toml", "-n", "3", "-o", seed, PYTHONHASHSEED=seed).check_returncode()
    assert contents(tmp_path / "1") == contents(tmp_path / "77")


def _process(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "derive", "worksheet", *arguments], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("delay", [0.02, 0.1])
def test_a_killed_run_is_completed(delay: float, tmp_path: Path) -> None:
    plan = plan_of(SMALL, bundle=delay == 0.02)
    run(plan, tmp_path / "whole", 300)
    (tmp_path / "p.toml").write_text(SMALL)
    arguments = [sys.executable, "-m", "derive", "worksheet", "p.toml", "-n", "300", "--seed", "0", "-o", "cut"]
    process = subprocess.Popen(
        [*arguments, *(["--bundle"] if plan.style.bundle else [])], cwd=tmp_path, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    while process.poll() is None and not (tmp_path / "cut" / "manifest.json").exists():
        time.sleep(0.005)
    time.sleep(delay)
    process.kill()
    process.wait()
    for path in (tmp_path / "cut").rglob("*"):
        if path.is_file() and not path.name.startswith(".") and path.name != "manifest.json":
            assert path.read_bytes() == (tmp_path / "whole" / path.relative_to(tmp_path / "cut")).read_bytes(), path
    again = Plan((Source("p.toml", SMALL, {}),), style=plan.style)
    run(again, tmp_path / "cut", 300)
    left, right = contents(tmp_path / "whole"), contents(tmp_path / "cut")
    assert {name: left[name] for name in left if name != "manifest.json"} == {
        name: right[name] for name in right if name != "manifest.json"
    }
    assert verify(tmp_path / "cut") == []


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every third file meets an error of the system while it is being put in its place."""
    plan, count = plan_of(SMALL), 0
    real = os.replace

    def failing(source: Any, target: Any) -> None:
        nonlocal count
        count += 1
        if count == 9:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(DeriveError, match="cannot be written: No space left on device"):
        run(plan, tmp_path, 5)
    assert not list(tmp_path.rglob(".*"))
    run(plan, tmp_path, 5)
    assert verify(tmp_path) == []


def test_a_folder_with_other_sheets_is_left_alone(tmp_path: Path) -> None:
    run(plan_of(SMALL), tmp_path, 2)
    before = contents(tmp_path)
    for plan, count in ((plan_of(SMALL, seed=9), 2), (plan_of(SMALL, level="full"), 2), (plan_of(SMALL), 1)):
        with pytest.raises(DeriveError, match="holds 2 other sheets"):
            run(plan, tmp_path, count)
    assert contents(tmp_path) == before


def test_a_file_of_somebody_else_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "sheets.md").write_text("my notes")
    with pytest.raises(DeriveError, match="no sheet of a run"):
        run(plan_of(SMALL, bundle=True), tmp_path, 2)
    assert (tmp_path / "sheets.md").read_text() == "my notes"


# --- lookup and answers --------------------------------------------------------------------------------------------


def test_each_student_is_found_by_variant(tmp_path: Path) -> None:
    plan = plan_of(SMALL, format="json", ask=("dE/dw5", "w1+"))
    run(plan, tmp_path, 3, ("Ada", "Bob, Jr.", "Cem"))
    with (tmp_path / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["student"] for row in rows] == ["Ada", "Bob, Jr.", "Cem"]
    assert list(rows[0]) == ["student", "variant", "dE/dw5", "w1_new"]
    assert variants_of(tmp_path) == {row["student"]: row["variant"] for row in rows}
    for row in rows:
        example = WorkedExample(problem_of(tmp_path, row["variant"]))
        key = next(json.loads(path.read_text()) for path in tmp_path.glob(f"keys/*{row['variant']}.json"))
        assert key["problems"][0]["answers"]["dE/dw5"] == example.shown("dE/dw5")
    with pytest.raises(DeriveError, match="slip"):
        problem_of(tmp_path, rows[0]["variant"][:-1] + ("0" if rows[0]["variant"][-1] != "0" else "1"))
