"""The checker: honest students and students with one mistake, beside fixed tolerances; the speed of a class.

python -m benchmarks.checker [networks]      20,000 networks where nothing is said
"""

from __future__ import annotations

import csv
import json
import random
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.measure import Figure, compared, python
from benchmarks.simulated import NOT_COMPUTABLE, OUTCOMES, TOLERANCES, followed, honest, mistaken, written
from derive import load
from derive.check.mistakes import mutants
from derive.check.model import Marking, Mutant, Sheet
from derive.check.style import numbers
from derive.check.verdicts import judge
from derive.worked import WorkedExample, quantity_names

NETWORKS = 20_000
STUDENTS, QUANTITIES = 1000, 25
WHOLE = 6.0
"""So many times as long as importing sympy, numpy and jinja2 may the whole command take for a class."""
IMPORTS = "import sympy, numpy, jinja2"
MORE = 10
OUTPUTS = (("--format", "csv"), ("--format", "jsonl"), ("--format", "text"), ("--format", "markdown"), ("-o",))


def a_class(students: int, rng: random.Random) -> tuple[WorkedExample, list[Sheet], list[str], list[Mutant]]:
    """25 quantities of the bundled network, three in five students with a mistake."""
    example = load("backprop-2-2-1")
    asked = [name for name in quantity_names(example) if not name.startswith("dnet")][:19]
    asked += [f"w{place}_new" for place in range(1, 7)]
    made = mutants(example, asked)
    sheets: list[Sheet] = []
    while len(sheets) < students:
        mutant = rng.choice(made) if rng.random() < 0.6 else None
        try:
            follower = followed(example, mutant, rng.choice((3, 4, 5)), rng)
            sheets.append(Sheet(str(len(sheets)), {name: written(follower.text(name)) for name in asked}))
        except NOT_COMPUTABLE:
            continue
    return example, sheets, asked, made


def seconds_of_class(students: int) -> tuple[float, float]:
    """CPU seconds for the verdicts on a class, with diagnosis; and for a plain tolerance comparison."""
    example, sheets, asked, made = a_class(students, random.Random(1))
    started = time.process_time()
    count = sum(1 for _ in judge(example, sheets, asked, Marking(), mutants=lambda *_: made))
    ours = time.process_time() - started
    assert count == students * len(asked)
    started = time.process_time()
    batch, truth = numbers(sheets, asked), np.array([example.value(name) for name in asked])
    (abs(batch.value - truth[:, None]) <= 0.01 * abs(truth[:, None])).sum()
    return ours, time.process_time() - started


def write_class(path: Path, students: int) -> None:
    """A class as a table, a row for each student."""
    _, sheets, asked, _ = a_class(min(students, STUDENTS), random.Random(1))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["student", *asked])
        for place in range(students):
            answers = sheets[place % len(sheets)].answers
            rows.writerow([f"Student {place + 1}", *(answers[name].text for name in asked)])


@dataclass(frozen=True, slots=True)
class Process:
    """What a whole process took: CPU seconds of a user, and the most memory in MB."""

    seconds: float
    megabytes: float


def process(*arguments: str) -> Process:
    """A Python process; that of the checker, which exits with 1 where something is wrong, counts as well."""
    script = (
        "import json, resource, subprocess, sys\n"
        "code = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL).returncode\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(json.dumps([code, used.ru_utime, used.ru_maxrss / 1024]))\n"
    )
    code, seconds, megabytes = json.loads(python("-c", script, *arguments).stdout)
    assert code in (0, 1), arguments
    return Process(seconds, megabytes)


def whole_command(folder: Path) -> Iterator[tuple[str, float, float]]:
    """For each kind of output: CPU seconds of the command on a class of 1,000, and the ratio to bare imports."""
    table = folder / "class.csv"
    write_class(table, STUDENTS)
    for output in OUTPUTS:
        place = (str(folder / "pages"),) if output == ("-o",) else ()

        def ours(extra: tuple[str, ...] = (*output, *place)) -> float:
            if "-o" in extra:
                shutil.rmtree(folder / "pages", ignore_errors=True)
            return process("-m", "derive", "check", "backprop-2-2-1", str(table), *extra).seconds

        found = compared(ours, lambda: process("-c", IMPORTS).seconds, 3)
        yield " ".join(output), found.ours, found.ratio


def memory(folder: Path) -> tuple[float, float]:
    """The most memory in MB for a class of 1,000 and for one of ten times as many."""
    found = []
    for students in (STUDENTS, MORE * STUDENTS):
        table = folder / f"{students}.csv"
        write_class(table, students)
        found.append(process("-m", "derive", "check", "backprop-2-2-1", str(table), "--format", "jsonl").megabytes)
    small, large = found
    return small, large


def checker() -> Iterator[Figure]:
    """The rows of the benchmark table: a small simulation, and a class in processes of their own."""
    for what, total, wrong, _ in honest(400, random.Random(1)):
        yield Figure(f"honest students, {what}: {total} answers, marked wrong", str(wrong), "0", wrong == 0)
    script = f"from benchmarks.checker import seconds_of_class; print(*seconds_of_class({STUDENTS}))"
    ours, floor = (float(part) for part in python("-c", script).stdout.split())
    yield Figure(
        f"verdicts on {STUDENTS} students, {QUANTITIES} quantities, with diagnosis (reading their numbers, and one "
        "NumPy comparison)", f"{ours:.2f} s ({floor:.3f} s)",
    )  # fmt: skip
    with TemporaryDirectory() as place:
        folder = Path(place)
        for output, seconds, ratio in whole_command(folder):
            yield Figure(
                f"derive check {output} of that class, the whole process: CPU seconds, and times {IMPORTS}",
                f"{seconds:.2f} s, {ratio:.1f} ×", f"under {WHOLE:.0f} ×", ratio < WHOLE,
            )  # fmt: skip
        small, large = memory(folder)
        yield Figure(
            f"the same with --format jsonl, memory for {STUDENTS} and for {MORE * STUDENTS} students",
            f"{small:.0f} MB, {large:.0f} MB", "1.2 times as much at most", large <= 1.2 * small,
        )  # fmt: skip


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NETWORKS
    rng = random.Random(7)
    print("Honest students: answers, marked wrong; rejected by", ", ".join(TOLERANCES))
    for what, total, wrong, rejected in honest(count, rng):
        shares = "  ".join(f"{100 * rejected[name] / total:5.1f} %" for name in TOLERANCES)
        print(f"{what:>15}  {total:>9,}  {wrong:>4}  {shares}")
    print("One mistake: share of the sheets that it changes")
    for digits, tally in mistaken(max(1, count // 500), rng):
        total = sum(tally[each] for each in OUTCOMES) or 1
        print(f"{digits} decimals, {total} sheets: "
              + ", ".join(f"{each} {100 * tally[each] / total:.1f} %" for each in OUTCOMES))
        print("    accepted by "
              + ", ".join(f"{each} {100 * tally[f'accepted by {each}'] / total:.1f} %" for each in TOLERANCES))
    ours, floor = seconds_of_class(STUDENTS)
    print(f"{STUDENTS} students: {ours:.2f} s; reading their numbers and one comparison: {floor:.3f} s")


if __name__ == "__main__":
    main()
