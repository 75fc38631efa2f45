"""kind = "optimizer": a few updates of a few parameters, on given gradients or on those of an objective."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from derive.catalogue.recipes import Recipe
from derive.formula.expression import Expr, Number
from derive.formula.grammar import Unreadable, read
from derive.problem.recipe import read_recipe
from derive.problem.rule import GRADIENT, RATE, UpdateRule
from derive.problem.shape import Grid, Report, Table, join, quote


@dataclass(frozen=True, slots=True)
class OptimizerRun:
    """`steps` updates of the parameters; without an objective their gradients are given as "g_w@1", "g_w@2", …"""

    kind: ClassVar[str] = "optimizer"

    recipe: Recipe
    rate: Number
    parameters: tuple[str, ...]
    steps: int
    objective: Expr | None = None

    def rule(self) -> UpdateRule:
        return UpdateRule(self.recipe, self.rate)


def read_run(fields: Table, report: Report) -> tuple[OptimizerRun, dict[str, Number]] | None:
    """The updates and every given number, or None when anything was reported."""
    recipe = read_recipe(fields, "", report)
    parameters: Table = fields.get("parameters", Table({}))
    names = tuple(parameters.values)
    rate: Number | None = fields.get("learning_rate")
    objective = _objective(fields, (*names, *parameters.wrong), report)
    rows = _rows(fields, names, report)
    _check_source(fields, report)
    if recipe is None or rate is None or report.mistakes:
        return None
    run = OptimizerRun(recipe, rate, names, len(rows) if rows else fields.get("steps", 1), objective)
    rule = run.rule()
    for name in names:
        if name in _taken(rule, names):
            found = f"the name {quote(name)}, which the rule of {recipe.row.name} uses for something else"
            report.add(join("parameters", name), found, "another name, such as w")
    if report.mistakes:
        return None
    given = dict(parameters.values) | dict(_given(rule, names))
    for step, row in enumerate(rows or (), 1):
        given |= {f"{GRADIENT}_{name}@{step}": value for name, value in zip(names, row, strict=True)}
    return run, given


def title_of_run(run: OptimizerRun) -> str:
    title = run.recipe.row.title
    return f"{title[0].upper()}{title[1:]}, {run.steps} step{'s' * (run.steps != 1)}"


def _given(rule: UpdateRule, names: tuple[str, ...]) -> Iterator[tuple[str, Number]]:
    """The rate, the hyper-parameters, and what the states start from."""
    if RATE not in rule.shared:
        yield RATE, rule.rate
    yield from rule.numbers.items()
    for state, start in rule.starts.items():
        yield from ((state_name, start) for state_name in state_names(rule, state, names))


def state_names(rule: UpdateRule, target: str, names: tuple[str, ...]) -> Iterator[str]:
    """m_w for each parameter w; the target itself where all parameters share it."""
    yield from (target,) if target in rule.shared else (f"{target}_{name}" for name in names)


def _taken(rule: UpdateRule, names: tuple[str, ...]) -> set[str]:
    computed = {f"{target}_{name}" for target in (*rule.own, GRADIENT) for name in names}
    return {"E", RATE, "eta_0", "t", "k", *rule.numbers, *rule.shared, *computed}


def _objective(fields: Table, names: tuple[str, ...], report: Report) -> Expr | None:
    text = fields.get("objective")
    if text is None:
        return None
    try:
        return read(text, names=set(names))
    except Unreadable as error:
        report.add("objective", f"{quote(text)}, column {error.column}: {error.found}", error.accepted)
        return None


def _rows(fields: Table, names: tuple[str, ...], report: Report) -> tuple[tuple[Number, ...], ...] | None:
    """A row of gradients for each step."""
    grid: Grid[Number] | None = fields.get("gradients")
    if grid is None or not names:
        return None
    rows = grid.rows
    if grid.flat and len(names) == 1:
        rows = tuple((value,) for value in rows[0])
    for i, row in enumerate(rows, 1):
        if len(row) != len(names):
            place = "gradients" if grid.flat else f"gradients[{i}]"
            report.add(place, f"a row of {len(row)}", f"a row of {len(names)}: {', '.join(names)}")
    return rows


def _check_source(fields: Table, report: Report) -> None:
    if "gradients" in fields and "objective" in fields:
        report.add("objective", "an objective beside gradients", "one of the two")
    elif "gradients" in fields and "steps" in fields:
        report.add("steps", "steps beside gradients", "a row of gradients for each step, and no steps")
    elif "gradients" not in fields and "objective" not in fields:
        report.add("gradients", "missing", 'gradients = [[0.4], [0.3]], or objective = "w^2" and steps = 2')

