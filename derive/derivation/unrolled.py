"""The graph of a few updates written out: w@1 from w, w@2 from w@1, with every state of every step as a node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from derive.calculus.symbolic import partial
from derive.derivation.evaluate import Enclosed
from derive.derivation.evaluator import Evaluator
from derive.derivation.graph import DefinitionGraph, WrittenOut
from derive.derivation.long_run import Decimals
from derive.derivation.updating import sum_of_squares
from derive.formula.expression import Expr, Name, Number, names_in, replace_names
from derive.numbers.exact import Interval, NotEnoughDigits, Real, Undefined
from derive.problem.model import Definitions
from derive.problem.optimizer import OptimizerRun
from derive.problem.rule import GRADIENT, NEW, PARAMETER, RATE, TOTAL, Assignment, UpdateRule

BETWEEN = 50
DIGITS = 60


class UnrolledGraph(DefinitionGraph, WrittenOut):
    """The updates of a problem; `steps` is how many.

    `carried` says that full precision is carried, and not the displayed numbers.
    `also` maps other names of the nodes: dE/dw@1, the gradient at w@1, is g_w@2, the gradient of update 2.
    """

    counts = "updates"

    def __init__(self, run: OptimizerRun, given: Mapping[str, Number], *, carried: bool = True) -> None:
        self.run = run
        self._given = given
        self._carried = carried
        self.rule = run.rule()
        self.slopes = {name: partial(run.objective, name) for name in run.parameters} if run.objective else {}
        defined = tuple(_definitions(run, self.rule, self.slopes))
        super().__init__(Definitions("", defined, tuple(given)))
        self.also = dict(_also(run, self.rule))

    @property
    def steps(self) -> int:
        return self.run.steps

    def computed(self, step: int) -> Iterator[str]:
        """What update `step` computes, in order."""
        if self.run.objective is not None:
            yield from (f"{GRADIENT}_{name}@{step}" for name in self.run.parameters)
        yield from (name for name, _ in _of_rule(self.run, self.rule, step))

    def checkpoints(self) -> Iterator[tuple[str, Real]]:
        """The parameters and states after every fiftieth update, as numbers of 60 digits unless they are rationals.

        An enclosure grows with every update that it goes through; from such a point it starts anew.
        """
        if not self._carried or self.steps <= BETWEEN:
            return
        found: dict[str, Real] = {name: number.value for name, number in self._given.items()}
        evaluator = Evaluator(Enclosed(DIGITS), found.__getitem__)
        for name in self.forward():
            base, _, step = name.partition("@")
            definition = self.node(name).definition
            if definition is None or base == "E":
                continue
            try:
                found[name] = evaluator.value(definition)
            except (NotEnoughDigits, Undefined):
                return
            value = found[name]
            if int(step) % BETWEEN == 0 and isinstance(value, Interval):
                middle = (Fraction(value.lo) + Fraction(value.hi)) / 2
                point = Decimals(DIGITS).constant(middle)
                found[name] = Interval(point, point)
                yield name, found[name]


def _definitions(run: OptimizerRun, rule: UpdateRule, slopes: Mapping[str, Expr]) -> Iterator[tuple[str, Expr]]:
    if run.objective is not None:
        yield "E", run.objective
    for step in range(1, run.steps + 1):
        before = {name: Name(_at(name, step - 1)) for name in run.parameters}
        for name, slope in slopes.items():
            yield f"{GRADIENT}_{name}@{step}", replace_names(slope, before)
        yield from _of_rule(run, rule, step)
        if run.objective is not None:
            after = {name: Name(_at(name, step)) for name in run.parameters}
            yield f"E@{step}", replace_names(run.objective, after)


def _at(name: str, step: int) -> str:
    """The name after so many updates; before the first it is the given one."""
    return f"{name}@{step}" if step else name


def _of_rule(run: OptimizerRun, rule: UpdateRule, step: int) -> Iterator[tuple[str, Expr]]:
    shared = (each for each in rule.assignments if each.shared)
    yield from ((f"{each.target}@{step}", _named(each, "", run, rule, step)) for each in shared)
    for name in run.parameters:
        for each in rule.assignments:
            if not each.shared:
                target = name if each.target == PARAMETER else f"{each.target}_{name}"
                yield f"{target}@{step}", _named(each, name, run, rule, step)


def _named(assignment: Assignment, parameter: str, run: OptimizerRun, rule: UpdateRule, step: int) -> Expr:
    names = set(names_in(assignment.definition))
    return replace_names(assignment.definition, {name: _meant(name, parameter, run, rule, step) for name in names})


def _meant(name: str, parameter: str, run: OptimizerRun, rule: UpdateRule, step: int) -> Expr:
    if name == TOTAL:
        return sum_of_squares([f"{GRADIENT}_{each}@{step}" for each in run.parameters])
    if name == PARAMETER:
        return Name(_at(parameter, step - 1))
    if name == GRADIENT:
        return Name(f"{GRADIENT}_{parameter}@{step}")
    if name in rule.counters:
        return rule.count(name, step - 1)
    base, at = (name.removesuffix(NEW), step) if name.endswith(NEW) else (name, step - 1)
    if base in rule.own:
        return Name(_at(f"{base}_{parameter}", at))
    return Name(_at(base, at)) if base in rule.shared else Name(base)


def _also(run: OptimizerRun, rule: UpdateRule) -> Iterator[tuple[str, str]]:
    for step in range(1, run.steps + 1):
        at = _at("", step - 1)
        yield from ((f"dE/d{name}{at}", f"{GRADIENT}_{name}@{step}") for name in run.parameters)
        if RATE not in rule.shared:
            yield f"{RATE}@{step}", RATE
    if run.objective is not None:
        last = f"@{run.steps}"
        yield from ((f"dE/d{name}{last}", f"dE{last}/d{name}{last}") for name in run.parameters)
    if RATE in rule.shared:
        yield RATE, f"{RATE}@1"
    yield from ((f"{GRADIENT}_{name}", f"{GRADIENT}_{name}@1") for name in run.parameters)
