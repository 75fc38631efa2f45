from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from derive.errors import DeriveError
from derive.worked import WorkedExample
from derive.worksheet.formats import FORMATS
from derive.worksheet.lookup import problem_of, variants_of
from derive.worksheet.plan import PLATFORMS, Plan
from derive.worksheet.run import run, verify
from derive.worksheet.workers import Workers
from worksheets import SMALL, contents, worksheet
from worksheets import plan as plan_of

# --- a run ---------------------------------------------------------------------------------------------------------


KINDS = [
    (format, bundle)
    for format in ("markdown", "latex", "pdf-typst", "notebook", "moodle", "qti", "json")
    for bundle in (False, True)
    if bundle or format not in PLATFORMS
]
"""A learning platform takes one file."""


def sheets_of(**words: Any) -> Plan:
    """Sheets of which a variant may hide a mistake, as that takes long to find out."""
    return plan_of(SMALL, allow=("mistake",), **{"ask": ("dE/dw5", "w1_new"), **words})


def _stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    """When each file, and each folder, was changed last, and which one it is."""
    found = {path: path.stat() for path in (folder, *folder.rglob("*"))}
    return {path: (stat.st_mtime_ns, stat.st_ino) for path, stat in found.items()}


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that were compiled; what compiles them takes no time."""
    texts: list[str] = []

    def fake(text: str) -> bytes:
        texts.append(text)
        return sha256(text.encode()).digest()

    for name in ("pdf-typst", "qti"):
        monkeypatch.setitem(FORMATS, name, replace(FORMATS[name], compiled=fake, parts=()))
    return texts


@pytest.mark.parametrize(("format", "bundle"), KINDS)
def test_a_second_run_touches_nothing_and_completes_what_is_missing(
    format: str, bundle: bool, tmp_path: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = sheets_of(format=format, bundle=bundle)
    keys = format not in PLATFORMS
    figures, folders = 5 * (format == "markdown"), [name for name in ("keys",) if keys and not bundle]
    files = 1 + keys if bundle else 10
    first = run(plan, tmp_path, 5)
    assert first.new_files == files + figures + 1 + (format in PLATFORMS)
    assert len(compiled) == (files if format in ("pdf-typst", "qti") else 0)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {*folders, *(["figures"] if figures else [])}
    before, stamps, done = contents(tmp_path), _stamps(tmp_path), len(compiled)
    with monkeypatch.context() as nothing_is_made:
        nothing_is_made.setattr("derive.worksheet.run._press", None)
        assert run(plan, tmp_path, 5).new_files == 0
    assert _stamps(tmp_path) == stamps
    for lost in sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.name != "manifest.json")[::4]:
        lost.unlink()
        done = len(compiled)
        assert run(plan, tmp_path, 5).new_files == 1
        assert contents(tmp_path) == before
        again = _stamps(tmp_path)
        assert [path for path in stamps if path.is_file() and path != lost and again[path] != stamps[path]] == []
        assert len(compiled) - done <= 2 - bundle
        stamps = again


def test_a_stopped_run_compiles_no_document_again(tmp_path: Path, compiled: list[str]) -> None:
    plan = sheets_of(format="pdf-typst")
    run(plan, tmp_path / "whole", 6)
    run(plan, tmp_path / "cut", 6)
    manifest = json.loads((tmp_path / "cut" / "manifest.json").read_text())
    (tmp_path / "cut" / "manifest.json").write_text(json.dumps({**manifest, "complete": False, "files": {}}))
    names = sorted(manifest["files"])
    for name in [name for name in names if name.startswith("keys/")][:2]:
        (tmp_path / "cut" / name).unlink()
    compiled.clear()
    assert run(plan, tmp_path / "cut", 6).new_files == 2
    assert len(compiled) == 4, "a sheet and its key are made together"
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_manifest_that_was_changed_is_named(tmp_path: Path) -> None:
    run(sheets_of(), tmp_path, 2)
    path = tmp_path / "manifest.json"
    text = path.read_text()
    data = json.loads(text)
    name = next(iter(data["files"]))
    changes: dict[str, dict[str, Any]] = {
        f"its hash of {name} was changed": {"files": {**data["files"], name: "0" * 64}},
        'its entry "fingerprint" was changed': {"fingerprint": "0" + data["fingerprint"][1:]},
        'its entry "sheets" was changed': {"sheets": [{**data["sheets"][0], "variant": "x"}, data["sheets"][1]]},
        "its list of files was changed: stranger.md is no file": {"files": {**data["files"], "stranger.md": ""}},
    }
    for words, change in changes.items():
        path.write_text(json.dumps(data | change))
        ((file, what),) = verify(tmp_path)
        assert file == "manifest.json"
        assert what.startswith(words)
    for key in ("plan", "files", "sheets", "search"):
        path.write_text(json.dumps({other: value for other, value in data.items() if other != key}))
        with pytest.raises(DeriveError, match=f'damaged: "{key}" is missing'):
            verify(tmp_path)
    path.write_text(text)
    assert verify(tmp_path) == []


def test_students_at_the_end_of_the_list_get_sheets_and_the_others_keep_theirs(tmp_path: Path) -> None:
    plan = sheets_of()
    run(plan, tmp_path, 2, ("Ada", "Bob"))
    before = contents(tmp_path)
    run(plan, tmp_path, 3, ("Ada", "Bob", "Cem"))
    after = contents(tmp_path)
    assert set(after) - set(before)
    assert {name for name in before if before[name] != after[name]} == {"manifest.json", "answers.csv"}
    with pytest.raises(DeriveError, match="other sheets"):
        run(plan, tmp_path, 3, ("Bob", "Ada", "Cem"))


@pytest.mark.parametrize(("format", "bundle"), KINDS)
def test_verify_names_the_file_with_a_changed_byte(
    format: str, bundle: bool, tmp_path: Path, compiled: list[str]
) -> None:
    run(sheets_of(format=format, bundle=bundle), tmp_path, 2)
    compiled.clear()
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
    plan = sheets_of(bundle=workers == 4, key="interleaved", format="latex")
    run(plan, tmp_path / "one", 6)
    with joblib.parallel_config(backend="threading"):
        run(plan, tmp_path / "several", 6, workers=Workers(workers + 1))
    assert contents(tmp_path / "one") == contents(tmp_path / "several")


def test_a_cluster_and_another_order_of_hashes_change_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sheets and chunks of the search travel to two workers of a cluster and back, as they would through a network."""
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    monkeypatch.chdir(tmp_path)
    Path("p.toml").write_text(SMALL)
    common = "p.toml", "-n", "9", "--ask", "dE/dw5", "--ask", "w1_new", "-o"
    _process(tmp_path, *common, "one", PYTHONHASHSEED="1").check_returncode()
    monkeypatch.setattr("derive.worksheet.run.BATCH", 2)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    ) as cluster:
        assert worksheet(*common, "two", "--cluster", cluster.scheduler_address).exit_code == 0
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_without_a_scheduler_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="dask is not installed")
    monkeypatch.setattr("derive.worksheet.workers.PATIENCE", 0.5)
    with pytest.raises(DeriveError, match=r"--cluster tcp://127\.0\.0\.1:9: no scheduler answers there"):
        run(sheets_of(), tmp_path, 2, workers=Workers(cluster="tcp://127.0.0.1:9"))


def _process(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "derive", "worksheet", *arguments], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment}, check=False,
    )  # fmt: skip


def test_a_run_killed_at_any_moment_is_completed(tmp_path: Path) -> None:
    """A copy of this process is killed at twenty moments between its first file and its last."""
    plan = sheets_of()
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run(plan, tmp_path / "derived", 1)
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
    plan, count = sheets_of(), 0
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
    done = worksheet(tmp_path / "p.toml", "-n", "2", "--allow", "mistake", "-o", tmp_path / "taken")
    assert done.exit_code == 2
    assert f"{tmp_path / 'taken'}: cannot be written: File exists" in done.stderr


def test_a_disk_that_is_full_in_the_middle_of_a_file_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system takes a part of a bundle and refuses the rest."""
    (tmp_path / "p.toml").write_text(SMALL)
    words = ["p.toml", "-n", "40", "--bundle", "--allow", "mistake", "-o", "sheets"]
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
    monkeypatch.chdir(tmp_path)
    assert worksheet(*words).exit_code == 0
    assert verify(tmp_path / "sheets") == []


@pytest.mark.parametrize("format", ["pdf-latexmk", "qti"])
def test_no_room_for_files_in_between_is_said(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("derive.worksheet.folder.TemporaryDirectory", full)
    with pytest.raises(DeriveError, match="No space left on device; accepted: room there, or TMPDIR=FOLDER"):
        FORMATS[format].bytes_of("[]")


def test_a_folder_with_other_sheets_is_left_alone(tmp_path: Path) -> None:
    run(sheets_of(), tmp_path, 2)
    before = contents(tmp_path)
    for plan, count, what in (
        (sheets_of(seed=9), 2, "seed"),
        (sheets_of(level="full"), 2, "level"),
        (sheets_of(), 1, "number of sheets"),
    ):
        with pytest.raises(DeriveError, match=f"holds 2 other sheets .*, with another {what};"):
            run(plan, tmp_path, count)
    with pytest.raises(DeriveError, match="with another list of students;"):
        run(sheets_of(), tmp_path, 2, ("Ada", "Bob"))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("format", ["latex", "pdf-latexmk", "pdf-typst"])
def test_a_name_that_cannot_be_printed_is_said_before_anything_is_written(tmp_path: Path, format: str) -> None:
    with pytest.raises(DeriveError, match='do not have the "山"'):
        run(sheets_of(format=format), tmp_path / "out", 2, ("Ada", "山田"))
    assert not (tmp_path / "out").exists()


def test_a_file_of_somebody_else_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "sheets.md").write_text("my notes")
    with pytest.raises(DeriveError, match="no sheet of a run"):
        run(sheets_of(bundle=True), tmp_path, 2)
    assert (tmp_path / "sheets.md").read_text() == "my notes"


# --- lookup and answers --------------------------------------------------------------------------------------------


def test_each_student_is_found_by_variant(tmp_path: Path) -> None:
    plan = sheets_of(format="json")
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
