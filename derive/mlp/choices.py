"""From what a user writes, a name or a table such as {"name": "adam", "beta1": 0.8}, to a row of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from derive.catalogue.activations import ACTIVATIONS, Activation
from derive.catalogue.initializers import INITIALIZERS, OTHER_NAMES, Initializer
from derive.catalogue.losses import LOSSES, Loss
from derive.catalogue.optimizers import OPTIMIZERS, OTHER_OPTIMIZERS, Optimizer
from derive.catalogue.recipes import SCHEDULES, Recipe, Schedule
from derive.errors import DeriveError, nearest
from derive.formula.expression import Number, number

Row = TypeVar("Row")
Choice = str | Mapping[str, Any]
"""A name, or a table with a name and parameters."""


def activation(choice: Choice | Activation) -> Activation:
    if isinstance(choice, Activation):
        return choice
    row, given = _row("activation", choice, ACTIVATIONS)
    known = [name for name, _ in row.parameters]
    return row.with_parameters(_numbers(f'the activation "{row.name}"', given, known))


def initializer(choice: Choice) -> Initializer:
    row, given = _row("initializer", choice, INITIALIZERS, OTHER_NAMES)
    known = [name for name, _ in row.parameters]
    return row.with_parameters(_numbers(f'the initializer "{row.name}"', given, known))


def loss(choice: Choice | Loss) -> Loss:
    """The table may say over = "mean": the parts of the outputs are averaged, not added up."""
    if isinstance(choice, Loss):
        return choice
    row, given = _row("loss", choice, LOSSES)
    over = given.pop("over", None)
    if over is not None and (over not in ("sum", "mean") or row.over == "fixed"):
        accepted = "no `over`: its formula says how outputs are put together" if row.over == "fixed" else "sum or mean"
        raise DeriveError(f'the loss "{row.name}": over = {over!r}; accepted: {accepted}')
    known = [name for name, _ in row.parameters]
    return row.with_parameters(_numbers(f'the loss "{row.name}"', given, known), over)


def recipe(
    choice: Choice | Recipe, schedule: Choice | None = None, clip_norm: float | None = None,
    clip_value: float | None = None,
) -> Recipe:  # fmt: skip
    """The optimizer with its numbers and conventions; its table may name a `library` whose settings it starts from."""
    if isinstance(choice, Recipe):
        return choice
    row, given = _row("optimizer", choice, OPTIMIZERS, OTHER_OPTIMIZERS)
    settings = _library(row, given.pop("library", None)) | given
    epsilon = settings.pop("clip_epsilon", 0)
    where = f'the optimizer "{row.name}"'
    conventions = {each.key: [option for option, _ in each.options] for each in row.all_choices()}
    chosen = [key for key in conventions if key in settings]
    options = {key: _option(where, key, settings.pop(key), conventions[key]) for key in chosen}
    hypers = {hyper.key: hyper for hyper in row.all_hypers()}
    numbers = _numbers(where, settings, [*hypers, *conventions])
    for key, value in numbers.items():
        below = hypers[key].below
        if value.value < 0 or (below is not None and value.value >= below):
            accepted = "a number from 0" if below is None else f"a number from 0 below {below}"
            raise DeriveError(f"{where}: {key} = {value.written}; accepted: {accepted}")
    if clip_norm is not None and clip_value is not None:
        raise DeriveError("clip_value beside clip_norm; accepted: one of the two")
    clip = "norm" if clip_norm is not None else "value" if clip_value is not None else ""
    at = clip_norm if clip_norm is not None else clip_value
    plan, plan_numbers = _schedule(schedule)
    return Recipe(
        row,
        tuple(numbers.items()),
        tuple(options.items()),
        plan,
        plan_numbers,
        clip,
        None if at is None else _number(f"clip_{clip}", at),
        _number("clip_epsilon", epsilon),
    )


def _row(
    what: str, choice: Choice, rows: Mapping[str, Row], others: Mapping[str, str] | None = None
) -> tuple[Row, dict[str, Any]]:
    given: dict[str, Any] = {"name": choice} if isinstance(choice, str) else dict(choice)
    name = given.pop("name", None)
    found = rows.get((others or {}).get(str(name), str(name)))
    if found is None:
        raise DeriveError(
            f'{what}: found "{name}"{nearest(str(name), (*rows, *(others or {})))}; accepted: {", ".join(rows)}'
        )
    return found, given


def _numbers(where: str, given: Mapping[str, Any], known: Iterable[str]) -> dict[str, Number]:
    known = list(known)
    for key in given:
        if key not in known:
            raise DeriveError(f"{where} has no {key}; accepted: {', '.join(known) or 'no parameters'}")
    return {key: _number(f"{where}: {key}", value) for key, value in given.items()}


def _number(where: str, value: Any) -> Number:
    if isinstance(value, Number):
        return value
    try:
        return number(Decimal(value if isinstance(value, int | str) else repr(float(value))))
    except (ValueError, TypeError, ArithmeticError):
        raise DeriveError(f"{where} = {value!r}; accepted: a finite number") from None


def _option(where: str, key: str, value: Any, options: list[str]) -> str:
    word = str(value).lower() if isinstance(value, bool) else str(value)
    if word not in options:
        raise DeriveError(f'{where}: {key} = "{word}"; accepted: {", ".join(options)}')
    return word


def _library(row: Optimizer, key: str | None) -> dict[str, Any]:
    libraries = {library.key: library for library in row.libraries}
    if key is not None and key not in libraries:
        raise DeriveError(f'no "{row.name}" of the library "{key}" is known; accepted: {", ".join(libraries)}')
    return dict(libraries[key].settings) if key is not None else {}


def _schedule(choice: Choice | None) -> tuple[Schedule, tuple[tuple[str, Number], ...]]:
    row, given = _row("schedule", choice or "constant", SCHEDULES)
    numbers = _numbers(f'the schedule "{row.name}"', given, [hyper.key for hyper in row.hypers])
    missing = [key for key in row.required if key not in numbers]
    if missing:
        raise DeriveError(
            f'the schedule "{row.name}": {", ".join(missing)} missing; '
            f'accepted: a table such as {{"name": "{row.name}", "{missing[0]}": …}}'
        )
    return row, tuple(numbers.items())
