from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from derive.errors import DeriveError
from derive.worked import WorkedExample
from derive.worksheet.lookup import problem_of, variants_of
from derive.worksheet.run import run, verify
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


@pytest.mark.parametrize("workers", [1, 4])
def test_processes_write_the_bytes_of_one(workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sheets are handed out two at a time, so that everybody has some."""
    joblib = pytest.importorskip("joblib")
    monkeypatch.setattr("derive.worksheet.run.BATCH", 2)
    plan = plan_of(SMALL, bundle=workers == 4, key="interleaved", format="latex")
    run(plan, tmp_path / "one", 6)
    with joblib.parallel_config(backend="threading"):
        run(plan, tmp_path / "several", 6, workers=Workers(workers + 1))
    assert contents(tmp_path / "one") == contents(tmp_path / "several")


def test_a_cluster_and_another_order_of_hashes_change_no_byte(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    (tmp_path / "p.toml").write_text(SMALL)
    options = {"processes": True, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, **options) as cluster:
        address = cluster.scheduler_address
        _process(tmp_path, "p.toml", "-n", "9", "-o", "two", "--cluster", address).check_returncode()
    for seed in ("1", "random"):
        _process(tmp_path, "p.toml", "-n", "9", "-o", seed, PYTHONHASHSEED=seed).check_returncode()
        assert contents(tmp_path / seed) == contents(tmp_path / "two")


def test_without_a_scheduler_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="dask is not installed")
    monkeypatch.setattr("derive.worksheet.workers.PATIENCE", 0.5)
    with pytest.raises(DeriveError, match=r"--cluster tcp://127\.0\.0\.1:9: no scheduler answers there"):
        run(plan_of(SMALL), tmp_path, 2, workers=Workers(cluster="tcp://127.0.0.1:9"))


def _process(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "derive", "worksheet", *arguments], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment}, check=False,
    )  # fmt: skip


def test_a_run_killed_at_any_moment_is_completed(tmp_path: Path) -> None:
    """A copy of this process is killed at twenty moments between its first file and its last."""
    plan = plan_of(SMALL, allow=("mistake",))
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    started = time.perf_counter()
    run(plan, whole, 300)
    seconds = time.perf_counter() - started
    interrupted = 0
    for moment in range(20):
        child = os.fork()
        if not child:
            run(plan, cut, 300)
            os._exit(0)
        time.sleep(seconds * (moment + 1) / 25)
        os.kill(child, signal.SIGKILL)
        interrupted += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    run(plan, cut, 300)
    assert interrupted >= 3
    assert contents(whole) == contents(cut)
    assert verify(cut) == []


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


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(SMALL)
    (tmp_path / "taken").write_text("a file where the folder should be")
    done = _process(tmp_path, "p.toml", "-n", "2", "-o", "taken")
    assert done.returncode == 2
    assert "taken" in done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_disk_that_is_full_in_the_middle_of_a_file_is_said(tmp_path: Path) -> None:
    """The system takes a part of a bundle and refuses the rest."""
    (tmp_path / "p.toml").write_text(SMALL)
    words = ["p.toml", "-n", "40", "--bundle", "-o", "sheets"]
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000)); from derive.cli import main; "
        f"sys.argv = ['derive', 'worksheet', *{words!r}]; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 2
    assert "cannot be written: File too large" in done.stderr
    assert not (tmp_path / "sheets" / "sheets.md").exists()
    assert not list((tmp_path / "sheets").rglob(".*"))
    _process(tmp_path, *words).check_returncode()
    assert verify(tmp_path / "sheets") == []


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
