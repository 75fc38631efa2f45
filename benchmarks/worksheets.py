"""Worksheets: whole processes on one core, how time grows with the class, memory, and runs that are killed."""

from __future__ import annotations

import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import CLONE, Figure, exponent
from derive.check.program import compiled

GOALS = {"one bundle": (("--bundle",), 5.0), "one file each": ((), 15.0)}
GROWING = (100, 1_000, 10_000, 100_000)
KILLS = 20
KILLED: dict[str, tuple[int, tuple[str, ...]]] = {
    "Markdown": (2_000, ()),
    "PDF": (40, ("--format", "pdf", "--pdf-engine", "typst", "--allow", "mistake")),
}
EXPORTED = 1_000
EXPORTS = {"json": 2, "notebook": 4, "moodle": 5, "qti": 20}
"""The most times that a format may take of what Markdown takes; most of the time of qti is that of text2qti."""
_NUMBER = re.compile(r"\d+\.\d+")


def worksheets() -> Iterator[Figure]:
    """10,000 sheets with keys of the 2-2-1 network in Markdown."""
    for words, (options, most) in GOALS.items():
        with tempfile.TemporaryDirectory() as folder:
            seconds, _ = _run(folder, 10_000, *options)
        what = f"10,000 worksheets with keys of backprop-2-2-1, Markdown, {words}, whole process"
        yield Figure(what, f"{seconds:.1f} s", f"under {most:.0f} s", seconds < most)


def peer() -> Iterator[Figure]:
    """What a sheet costs at least: the same text from a Jinja template, and the imports alone."""
    with tempfile.TemporaryDirectory() as folder:
        _run(folder, 1, "--bundle", "--allow", "mistake")
        text = "".join(Path(folder, name).read_text(encoding="utf-8") for name in ("sheets.md", "keys.md"))
        template = _NUMBER.sub("{{ n }}", text.replace("{", "{{ '{' }}"))
        source = Path(folder, "peer.jinja")
        source.write_text(template, encoding="utf-8")
        code = (
            "import sys, sympy, numpy, jinja2; t = jinja2.Template(open(sys.argv[1]).read()); "
            "out = open(sys.argv[2], 'w'); [out.write(t.render(n=f'{i / 7:.5f}')) for i in range(10_000)]"
        )
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code, str(source), str(Path(folder, "out"))], check=True)
        seconds = time.perf_counter() - start
    yield Figure("  Jinja alone with the same text, nothing computed, nothing checked", f"{seconds:.1f} s")


def checks() -> Iterator[Figure]:
    """The answers of a class, each student with their own numbers."""
    from derive.worksheet.lookup import asked_of, example_of, numbers_of, variants_of

    with tempfile.TemporaryDirectory() as folder:
        _run(folder, 1_000, "--bundle")
        variants, asked = list(variants_of(folder).values()), asked_of(folder)
        texts = numbers_of(folder, compiled(example_of(folder), asked), variants).texts
        answers = Path(folder, "class.csv")
        rows = [(variant, variant, *(texts[name][row] for name in asked)) for row, variant in enumerate(variants)]
        lines = map(",".join, [("student", "variant", *asked), *rows])
        answers.write_text("\n".join(lines), encoding="utf-8")
        command = [sys.executable, "-m", "derive", "check", "backprop-2-2-1", str(answers), "--variants", folder]
        start = time.perf_counter()
        done = subprocess.run([*command, "--format", "jsonl"], cwd=CLONE, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
    right = done.returncode == 0 and done.stdout.count('"correct"') == len(variants) * len(asked)
    yield Figure(
        "1,000 students on 1,000 variants, every answer of the keys, derive check", f"{seconds:.1f} s",
        "under 20 s, all correct", right and seconds < 20,
    )  # fmt: skip


def classes() -> Iterator[Figure]:
    """Sheets without figures, so that it is the sheets that are measured and not the file system."""
    times, peaks = [], []
    for count in GROWING:
        with tempfile.TemporaryDirectory() as folder:
            seconds, megabytes = _run(folder, count, "--bundle", "--format", "latex")
        times.append(seconds)
        peaks.append(megabytes)
        yield Figure(f"{count} worksheets as one LaTeX bundle", f"{seconds:.1f} s, {megabytes:.0f} MB")
    power = exponent(GROWING[1:], [seconds - times[0] for seconds in times[1:]])
    yield Figure("  how that grows: exponent of the number of sheets", f"{power:.2f}", "linear: 1", power <= 1.2)
    yield Figure(
        "  memory of 100,000 sheets to that of 10,000", f"{peaks[-1] / peaks[-2]:.2f} times", "at most 2 times",
        peaks[-1] <= 2 * peaks[-2],
    )  # fmt: skip


def printed() -> Iterator[Figure]:
    """Sheets as one document for the print shop, and as one page for a browser."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--bundle", "--key", "none", "--format", "pdf", "--pdf-engine", "typst")
        seconds, megabytes = _run(folder, 100, *options)
    yield Figure(
        "100 worksheets as one PDF with Typst, whole process", f"{seconds:.1f} s, {megabytes:.0f} MB", "under 3 s",
        seconds < 3,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        seconds, megabytes = _run(folder, 10_000, "--bundle", "--key", "none", "--format", "html")
    yield Figure("10,000 worksheets as one HTML page, whole process", f"{seconds:.1f} s, {megabytes:.0f} MB")


def exports() -> Iterator[Figure]:
    """Sheets for programs, 1,000 of them in one file or in one file each, to the same sheets in Markdown."""
    asked = ("--ask", "dE/dw5", "--ask", "w1_new")
    with tempfile.TemporaryDirectory() as folder:
        markdown, _ = _run(folder, EXPORTED, *asked)
    for format, most in EXPORTS.items():
        with tempfile.TemporaryDirectory() as folder:
            seconds, megabytes = _run(folder, EXPORTED, *asked, "--format", format)
        ratio = seconds / markdown
        yield Figure(
            f"{EXPORTED:,} worksheets with keys as {format}, whole process",
            f"{seconds:.1f} s, {ratio:.1f} times Markdown, {megabytes:.0f} MB", f"at most {most} times", ratio <= most,
        )  # fmt: skip


def again() -> Iterator[Figure]:
    """A second run finds everything there and makes nothing."""
    for words, count, options in (
        ("10,000 worksheets, a file each", 10_000, ()),
        ("300 worksheets as PDF with Typst, a file each", 300, ("--format", "pdf", "--pdf-engine", "typst")),
    ):
        with tempfile.TemporaryDirectory() as folder:
            first, _ = _run(folder, count, *options)
            before = _stamps(Path(folder))
            seconds, _ = _run(folder, count, *options)
            same = _stamps(Path(folder)) == before
        yield Figure(
            f"{words}, made again where they are", f"{seconds:.1f} s after {first:.1f} s",
            "under 4 s, nothing touched", same and seconds < 4,
        )  # fmt: skip


def kills() -> Iterator[Figure]:
    """A run that is killed again and again, each time started again, ends like one that nobody disturbed."""
    for words, (count, options) in KILLED.items():
        with tempfile.TemporaryDirectory() as folder:
            whole, cut = Path(folder, "whole"), Path(folder, "cut")
            seconds, _ = _run(str(whole), count, *options)
            rng = random.Random(1)
            for _ in range(KILLS):
                process = subprocess.Popen(_command(str(cut), count, *options), cwd=CLONE, stderr=subprocess.DEVNULL)
                time.sleep(rng.uniform(0, seconds))
                process.kill()
                process.wait()
            _run(str(cut), count, *options)
            same = _bytes(whole) == _bytes(cut)
        yield Figure(
            f"{count:,} worksheets as {words}, killed {KILLS} times and started again",
            "the same" if same else "differs", "the same", same,
        )  # fmt: skip


def _command(folder: str, count: int, *options: str) -> list[str]:
    return [
        sys.executable, "-m", "derive", "worksheet", "backprop-2-2-1", "-n", str(count), "--seed", "2026", "-o", folder,
        *options,
    ]  # fmt: skip


def _run(folder: str, count: int, *options: str) -> tuple[float, float]:
    """Seconds of the whole process, and its peak of memory in megabytes."""
    start = time.perf_counter()
    process = subprocess.Popen(_command(folder, count, *options), cwd=CLONE, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return time.perf_counter() - start, _megabytes(usage)


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _stamps(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
