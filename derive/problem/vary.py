"""[vary]: which values a given number may take from student to student."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from derive.formula.expression import Number, number
from derive.problem.keys import VARY_GROUPS
from derive.problem.model import Definitions, Network, Vary
from derive.problem.network import few, parameter_names
from derive.problem.shape import Report, Table, join, quote

if TYPE_CHECKING:
    from derive.problem.perceptron import Perceptron
    from derive.problem.points import ActivationPoints

MOST_CHOICES = 100_000

GROUPS: Mapping[str, tuple[str, ...]] = {
    "perceptron": ("weights", "inputs", "biases", "targets", "learning_rate"),
    "activation": ("at",),
}
"""Groups of given numbers, of kinds other than networks."""


def read_vary(
    fields: Table,
    body: Network | Definitions | Perceptron | ActivationPoints | None,
    given: Mapping[str, Number],
    report: Report,
) -> dict[str, Vary]:
    table: Table = fields.get("vary", Table({}))
    if body is not None and table.values:
        _check_varied(table, body, given, "update" in fields, report)
    rules = {name: _choices(rule, join("vary", name), report) for name, rule in table.values.items()}
    return {name: Vary(choices) for name, choices in rules.items() if choices}


def _check_varied(
    table: Table,
    body: Network | Definitions | Perceptron | ActivationPoints,
    given: Mapping[str, Number],
    update: bool,
    report: Report,
) -> None:
    if isinstance(body, Network):
        known = dict.fromkeys((*body.inputs, *body.targets, *given)) | parameter_names(body.layers)
        groups = VARY_GROUPS if update else tuple(name for name in VARY_GROUPS if name != "learning_rate")
    else:
        known = dict.fromkeys((*body.leaves, *_heads(body)))
        groups = GROUPS.get(body.kind, ())
    for name in table.values:
        if name not in known and name not in groups:
            hint = report.suggestion(name, (*groups, *list(known)[:1000]))
            found = f"nothing that is given is called {quote(name)}{hint}"
            report.add(join("vary", name), found, ", ".join((*groups, few(known))))


def _heads(body: object) -> tuple[str, ...]:
    """Names that stand for the same entry of every point of a perceptron."""
    inputs, target = getattr(body, "inputs", ()), getattr(body, "target", None)
    return (*inputs, target) if target else tuple(inputs)


def _choices(rule: Table, place: str, report: Report) -> tuple[Number, ...]:
    if rule.wrong:
        return ()
    keys = set(rule.values)
    if keys == {"choose"}:
        return tuple(rule.get("choose"))
    if keys != {"from", "to", "step"}:
        found = f"a table with {', '.join(rule.values)}" if keys else "an empty table"
        report.add(place, found, "{from = …, to = …, step = …} or {choose = […]}")
        return ()
    first, last, step = rule.get("from"), rule.get("to"), rule.get("step")
    if last.value < first.value:
        report.add(join(place, "to"), f"{last.written}, which is below from = {first.written}", "a number above from")
        return ()
    count = (last.value - first.value) // step.value + 1
    if count > MOST_CHOICES:
        report.add(place, f"{count} values", f"at most {MOST_CHOICES} values")
        return ()
    places = max(len(entry.written.partition(".")[2]) for entry in (first, step))
    return tuple(_with_places(first.value + i * step.value, places) for i in range(count))


def _with_places(value: Fraction, places: int) -> Number:
    scaled = value * 10**places
    if scaled.denominator != 1:
        return number(value)
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return Number(value, f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits)
