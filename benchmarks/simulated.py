"""Simulated students: who round honestly, and who make one mistake, beside fixed tolerances."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.measure import CLONE
from derive.check.enclosure import point
from derive.check.grading import Standing, grade
from derive.check.mistakes import mutants
from derive.check.model import Marking, Mutant, Sheet, Verdict, Written
from derive.check.precision import Flags, Floats
from derive.check.program import Program, compiled
from derive.check.style import numbers
from derive.check.values import value
from derive.check.verdicts import Judge
from derive.problem.file import from_dict
from derive.worked import WorkedExample, quantity_names

sys.path.insert(0, str(Path(CLONE) / "tests"))
from students import MODES, SHAPES, Follower, Network, Rounding, Student, network  # it lies beside

ROUNDINGS = (("decimals", 2), ("decimals", 3), ("decimals", 4), ("decimals", 5), ("significant", 3), ("significant", 4))
TOLERANCES = ("1 %", "5 %", "±0.01", "±0.001", "0.51 of the last digit")
OUTCOMES = ("accepted", "named rightly", "named by its equal", "among the others", "named wrongly", "unnamed")
PER_GROUP = 200
SAME = 1e-9
NOT_COMPUTABLE = (ArithmeticError, ValueError, KeyError, TypeError)


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
                    tally[_outcome(example, judged, made, mutant, asked, digits, rng, tally)] += 1
    yield from found.items()


def _outcome(
    example: WorkedExample,
    judged: Judge,
    made: Sequence[Mutant],
    mutant: Mutant,
    asked: Sequence[str],
    digits: int,
    rng: random.Random,
    tally: Counter[str],
) -> str:
    try:
        wrong, right = followed(example, mutant, digits, rng), followed(example, None, 12, rng)
        full = followed(example, mutant, 12, rng)
        if all(abs(full.value(name) - right.value(name)) < SAME for name in asked):
            return "without effect"
        texts = {name: wrong.text(name) for name in asked}
    except NOT_COMPUTABLE:
        return "not computable"
    answers = {name: written(text) for name, text in texts.items()}
    for tolerance in TOLERANCES:
        accepted = (
            next(flags for name, flags in _tolerated(*_arrays(right.value(each), answers[each])) if name == tolerance)
            for each in asked
        )
        tally[f"accepted by {tolerance}"] += int(all(bool(flags[0]) for flags in accepted))
    bad = [verdict for verdict in judged.verdicts([Sheet("", answers)]) if verdict.status == "wrong"]
    if not bad:
        return "accepted"
    found = _named(bad[0], mutant)
    if found in ("among the others", "named wrongly") and _is_equal(example, made, bad[0], full, rng):
        return "named by its equal"
    return found


def _is_equal(
    example: WorkedExample, made: Sequence[Mutant], verdict: Verdict, full: Follower, rng: random.Random
) -> bool:
    """Whether the mistake named first gives exactly the number that the one made gives: nothing tells them apart."""
    assert verdict.mistake is not None
    for mutant in made:
        if (mutant.id, mutant.step) != (verdict.mistake.id, verdict.mistake.step):
            continue
        try:
            other = followed(example, mutant, 12, rng).value(verdict.quantity)
        except NOT_COMPUTABLE:
            continue
        if abs(other - full.value(verdict.quantity)) < SAME:
            return True
    return False


def _arrays(truth: float, answer: Written) -> tuple[Floats, Floats, Floats]:
    return np.array([float(answer.value)]), np.array([truth]), np.array([10.0 ** (answer.decimals or 0)])


def _named(verdict: Verdict, mutant: Mutant) -> str:
    if verdict.mistake is None:
        return "unnamed"
    if mutant.id in verdict.mistake.id.split("+"):
        return "named rightly"
    return "among the others" if mutant.id in {other.id for other in verdict.mistake.others} else "named wrongly"


def followed(example: WorkedExample, mutant: Mutant | None, digits: int, rng: random.Random) -> Follower:
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
