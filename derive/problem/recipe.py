"""From the keys of an optimizer to a rule with nothing left open."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from derive.catalogue.optimizers import OPTIMIZERS, Optimizer
from derive.catalogue.recipes import CLIP_EPSILON, SCHEDULES, Recipe, Schedule
from derive.formula.expression import Number, number
from derive.problem.shape import Report, Table, in_words, join, quote


def read_recipe(fields: Table, place: str, report: Report) -> Recipe | None:
    """The optimizer of a table with `OPTIMIZER_KEYS`, sgd by default; None when anything was reported."""
    before = len(report.mistakes)
    named = _named(fields.get("optimizer", "sgd"))
    row = OPTIMIZERS[named.get("name")] if "name" in named.values else None
    _check_clipping(fields, place, report)
    schedule = _schedule(fields.get("schedule", "constant"), join(place, "schedule"), report)
    if row is None or schedule is None or len(report.mistakes) > before:
        return None
    where = join(place, "optimizer")
    settings = {**_of_library(row, named, where, report), **_own(row, named, where, report)}
    keys = {hyper.key for hyper in row.all_hypers()}
    clip = next((kind for kind in ("norm", "value") if f"clip_{kind}" in fields.values), "")
    if len(report.mistakes) > before:
        return None
    return Recipe(
        row,
        numbers=tuple((key, value) for key, value in settings.items() if isinstance(value, Number) and key in keys),
        options=tuple((key, value) for key, value in settings.items() if isinstance(value, str)),
        schedule=schedule[0],
        schedule_numbers=schedule[1],
        clip=clip,
        clip_at=fields.get(f"clip_{clip}") if clip else None,
        clip_epsilon=fields.get("clip_epsilon", CLIP_EPSILON.default),
        library=named.get("library", ""),
    )


def _named(written: Any) -> Table:
    return written if isinstance(written, Table) else Table({"name": written})


def _own(row: Optimizer, named: Table, place: str, report: Report) -> dict[str, Number | str]:
    """The settings of the table, each checked against what this optimizer has."""
    hypers = {hyper.key: hyper for hyper in row.all_hypers()}
    choices = {choice.key: choice for choice in row.all_choices()}
    known = (*hypers, *choices)
    found: dict[str, Number | str] = {}
    for key, value in named.values.items():
        if key in ("name", "library"):
            continue
        if key not in known:
            accepted = f"the keys {', '.join(('name', 'library', *known))}"
            report.add(join(place, key), f"{row.name} has no {key}", accepted)
        elif key in choices:
            option = str(value).lower() if isinstance(value, bool) else value
            options = [name for name, _ in choices[key].options]
            if option not in options:
                report.add(join(place, key), f"{quote(option)}, which {row.name} has not", in_words(options))
            found[key] = option
        else:
            below = hypers[key].below
            if below is not None and value.value >= below:
                report.add(join(place, key), f"the number {value.written}", f"a number from 0 and below {below}")
            found[key] = value
    return found


def _of_library(row: Optimizer, named: Table, place: str, report: Report) -> dict[str, Number | str]:
    key = named.get("library")
    if key is None:
        return {}
    libraries = {library.key: library for library in row.libraries}
    if key not in libraries:
        report.add(join(place, "library"), f"no {row.name} of {quote(key)} is known", in_words(libraries))
        return {}
    numbers = {hyper.key for hyper in row.all_hypers()}
    return {name: decimal(text) if name in numbers else text for name, text in libraries[key].settings}


def decimal(text: str) -> Number:
    """A number of the catalogue, written out: "1e-7" as 0.0000001."""
    return number(Decimal(text))


def _check_clipping(fields: Table, place: str, report: Report) -> None:
    if "clip_norm" in fields and "clip_value" in fields:
        report.add(join(place, "clip_value"), "clip_value beside clip_norm", "one of the two")
    if "clip_epsilon" in fields and "clip_norm" not in fields:
        report.add(join(place, "clip_epsilon"), "clip_epsilon without clip_norm", "clip_norm = …, too")


def _schedule(written: Any, place: str, report: Report) -> tuple[Schedule, tuple[tuple[str, Number], ...]] | None:
    named = _named(written)
    if "name" not in named.values:
        return None
    row = SCHEDULES[named.get("name")]
    keys = [hyper.key for hyper in row.hypers]
    found = {}
    for key, value in named.values.items():
        if key != "name" and key not in keys:
            accepted = f"the keys {', '.join(('name', *keys))}"
            report.add(join(place, key), f"the schedule {row.name} has no {key}", accepted)
        elif key != "name":
            found[key] = number(value) if isinstance(value, int) else value
    for key in row.required:
        if key not in named:
            report.add(join(place, key), "missing", f'a table such as {{name = "{row.name}", {key} = …}}')
    return row, tuple(found.items())
