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
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.measure import CLONE, Figure, compared, python
from derive import load
from derive.check.enclosure import point
from derive.check.grading import Standing, grade
from derive.check.mistakes import mutants
from derive.check.model import Marking, Mutant, Sheet, Verdict, Written
from derive.check.precision import Flags, Floats
from derive.check.program import Program, compiled
from derive.check.style import numbers
from derive.check.values import value
from derive.check.verdicts import Judge, judge
from derive.problem.file import from_dict
from derive.worked import WorkedExample, quantity_names

sys.path.insert(0, str(Path(CLONE) / "tests"))
from students import MODES, SHAPES, Follower, Network, Rounding, Student, network  # it lies beside

ROUNDINGS = (("decimals", 2), ("decimals", 3), ("decimals", 4), ("decimals", 5), ("significant", 3), ("significant", 4))
TOLERANCES = ("1 %", "5 %", "±0.01", "±0.001", "0.51 of the last digit")
PER_GROUP = 200
NETWORKS = 20_000
STUDENTS, QUANTITIES = 1000, 25
WHOLE = 6.0
"""So many times as long as importing sympy, numpy and jinja2 may the whole command take for a class."""
IMPORTS = "import sympy, numpy, jinja2"
MORE = 10
OUTPUTS = (("--format", "csv"), ("--format", "jsonl"), ("--format", "text"), ("--format", "markdown"), ("-o",))


def written(text: str) -> Written:
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    return Written(text, Fraction(text), len(text.partition(".")[2]), len(digits))


def _rounding(rng: random.Random, kind: str, digits: int) -> Rounding:
    places = digits if kind == "decimals" else None
    return Rounding(places, digits if places is None else None, rng.choice(MODES), trims=rng.random() < 0.2)


def _kinds(rng: random.Random, shape: Sequence[int]) -> tuple[str, ...]:
    last = ["sigmoid", "softmax"] if shape[-1] > 1 else ["sigmoid", "tanh"]
    return (*(rng.choice(("sigmoid", "tanh", "relu")) for _ in shape[2:]), rng.choice(last))


# -- honest students


def _values(program: Program, nets: Sequence[Network]) -> dict[str, Floats]:
    """The true values of every quantity, an array over networks of one shape."""
    env: dict[str, Floats] = {}
    for key, node in program.nodes.items():
        if node.simple is None:
            given = [float(net.eta if key == "eta" else net.given[key]) for net in nets]
            env[key] = point(np.array(given)).lo
        else:
            env[key] = value(node.simple, env)
    shape = (1, len(nets))
    return {key: np.broadcast_to(each, shape)[0] for key, each in env.items()}


def honest(count: int, rng: random.Random) -> Iterator[tuple[str, int, int, Counter[str]]]:
    """For each rounding: answers judged, answers marked wrong, and what each fixed tolerance rejects."""
    found = {each: [0, 0, Counter[str]()] for each in ROUNDINGS}
    done = 0
    while done < count:
        shape = rng.choice(SHAPES)
        kinds = _kinds(rng, shape)
        nets = [network(rng, shape, kinds) for _ in range(min(PER_GROUP, count - done))]
        done += len(nets)
        for each in ROUNDINGS:
            _judge_group(nets, each, rng, found[each])
    for (kind, digits), (total, wrong, rejected) in found.items():
        assert isinstance(total, int)
        assert isinstance(wrong, int)
        assert isinstance(rejected, Counter)
        yield f"{digits} {kind}", total, wrong, rejected


def _judge_group(nets: Sequence[Network], each: tuple[str, int], rng: random.Random, found: list[object]) -> None:
    sheets, kept = [], []
    for net in nets:
        try:
            answers = Student(net, _rounding(rng, *each), rng, regroups=rng.random() < 0.7).answers()
        except ZeroDivisionError:  # a softmax whose powers all round to zero
            continue
        sheets.append(Sheet("", {name: written(text) for name, text in answers.items()}))
        kept.append(net)
    if not kept:
        return
    names = list(sheets[0].answers)
    few = [rng.choice([name for name in names if name.startswith("dE/dw")])]
    for asked in (names, few, [rng.choice([name for name in names if name.endswith("_new")])]):
        program = compiled(WorkedExample(from_dict(kept[0].problem())), asked)
        truth = _values(program, kept)
        batch = numbers([Sheet("", {name: each.answers[name] for name in asked}) for each in sheets], asked)
        graded = grade(program, batch, truth)
        total, wrong, rejected = found
        assert isinstance(total, int)
        assert isinstance(wrong, int)
        assert isinstance(rejected, Counter)
        for row, name in enumerate(asked):
            standing = graded.standing[name]
            wrong += int(((standing != Standing.CORRECT) & (standing != Standing.ROUNDED)).sum())
            for tolerance, accepted in _tolerated(batch.value[row], truth[program.asked[name]], batch.scale[row]):
                rejected[tolerance] += int((~accepted).sum())
        found[:] = [total + len(asked) * len(kept), wrong, rejected]


def _tolerated(answers: Floats, truth: Floats, scale: Floats) -> Iterator[tuple[str, Flags]]:
    off = abs(answers - truth)
    limits = (0.01 * abs(truth), 0.05 * abs(truth), 0.01 + 0 * truth, 0.001 + 0 * truth, 0.51 / scale)
    for name, limit in zip(TOLERANCES, limits, strict=True):
        yield name, off <= limit + 1e-12


# -- students with one mistake


def mistaken(count: int, rng: random.Random) -> Iterator[tuple[int, Counter[str]]]:
    """For 3, 4 and 5 decimals: wrong sheets accepted, named rightly, among others, wrongly, not at all."""
    found = {digits: Counter[str]() for digits in (3, 4, 5)}
    for _ in range(count):
        shape = rng.choice(SHAPES[:4])
        example = WorkedExample(from_dict(network(rng, shape, _kinds(rng, shape)).problem()))
        weight = rng.choice([name for name in example.problem.given if name.startswith("w")])
        gradients = [name for name in quantity_names(example) if name.startswith("dE/dw")]
        for asked in ([f"dE/d{weight}"], [f"{weight}_new"], gradients):
            made = mutants(example, asked)
            judged = Judge(example, asked, Marking(), mutants)
            weights = [2.0 ** mutant.likelihood for mutant in made]
            for mutant in rng.choices(made, weights, k=10) if made else ():
                for digits, tally in found.items():
                    tally[_outcome(example, judged, mutant, asked, digits, rng, tally)] += 1
    yield from found.items()


def _outcome(
    example: WorkedExample,
    judged: Judge,
    mutant: Mutant,
    asked: Sequence[str],
    digits: int,
    rng: random.Random,
    tally: Counter[str],
) -> str:
    try:
        wrong, right = _followed(example, mutant, digits, rng), _followed(example, None, 12, rng)
        full = _followed(example, mutant, 12, rng)
        if all(abs(full.value(name) - right.value(name)) < 1e-9 for name in asked):
            return "without effect"
        texts = {name: wrong.text(name) for name in asked}
    except (ArithmeticError, ValueError, KeyError, TypeError):
        return "not computable"
    answers = {name: written(text) for name, text in texts.items()}
    for tolerance in TOLERANCES:
        accepted = (
            next(flags for name, flags in _tolerated(*_arrays(right.value(each), answers[each])) if name == tolerance)
            for each in asked
        )
        tally[f"accepted by {tolerance}"] += int(all(bool(flags[0]) for flags in accepted))
    bad = [verdict for verdict in judged.verdicts([Sheet("", answers)]) if verdict.status == "wrong"]
    return _named(bad[0], mutant) if bad else "accepted"


def _arrays(truth: float, answer: Written) -> tuple[Floats, Floats, Floats]:
    return np.array([float(answer.value)]), np.array([truth]), np.array([10.0 ** (answer.decimals or 0)])


def _named(verdict: Verdict, mutant: Mutant) -> str:
    if verdict.mistake is None:
        return "unnamed"
    if mutant.id in verdict.mistake.id.split("+"):
        return "named rightly"
    return "among the others" if mutant.id in {other.id for other in verdict.mistake.others} else "named wrongly"


def _followed(example: WorkedExample, mutant: Mutant | None, digits: int, rng: random.Random) -> Follower:
    exchanged = {}
    for name, expr in (mutant.definitions if mutant else {}).items():
        found = example.find(name)
        exchanged[f"{found.name}_new" if found.step else found.name] = expr
    given = {name: float(each.value) for name, each in example.problem.given.items()}
    assert example.problem.update is not None
    given["eta"] = float(example.problem.update.learning_rate.value)
    definition = example.derivation.quantity
    rounding = Rounding(digits, None, rng.choice(MODES))
    return Follower(lambda name: exchanged.get(name, definition(name).definition), given, rounding)


# -- speed


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
            follower = _followed(example, mutant, rng.choice((3, 4, 5)), rng)
            sheets.append(Sheet(str(len(sheets)), {name: written(follower.text(name)) for name in asked}))
        except (ArithmeticError, ValueError, KeyError, TypeError):
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
        outcomes = ("accepted", "named rightly", "among the others", "named wrongly", "unnamed")
        total = sum(tally[each] for each in outcomes) or 1
        print(f"{digits} decimals, {total} sheets: "
              + ", ".join(f"{each} {100 * tally[each] / total:.1f} %" for each in outcomes))
        print("    accepted by "
              + ", ".join(f"{each} {100 * tally[f'accepted by {each}'] / total:.1f} %" for each in TOLERANCES))
    ours, floor = seconds_of_class(STUDENTS)
    print(f"{STUDENTS} students: {ours:.2f} s; reading their numbers and one comparison: {floor:.3f} s")


if __name__ == "__main__":
    main()
