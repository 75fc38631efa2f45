"""`derive optimizer`: an update rule, its conventions, and its steps worked with numbers."""

from __future__ import annotations

import re
from typing import Any

import click
from click.shell_completion import CompletionItem

from derive.commands.examples import examples
from derive.commands.output import deliver
from derive.commands.request import Request, language_option, page_options
from derive.errors import DeriveError

USUAL_GRADIENTS = "0.4; 0.3"
"""The gradients of a parameter that starts at 0.5, where neither gradients nor an objective are given."""


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    from derive.catalogue.optimizers import ROWS

    return [CompletionItem(row.name, help=row.title) for row in ROWS if row.name.startswith(incomplete)]


@click.command(
    epilog=examples(
        "derive optimizer adam",
        "derive optimizer adam --library keras --gradients '0.4; 0.3' --start w=0.5",
        'derive optimizer momentum --objective "w^2" --start w=1 --steps 3 --rate 0.1',
        "derive optimizer nesterov --set form=pytorch --set momentum=0.8",
        'derive optimizer adagrad --objective "x^2 + y^2" --start x=1 --start y=0.5 --steps 10',
        "derive optimizer sgd --rate 0.5 --schedule step --schedule-set every=1 --schedule-set factor=0.5",
        "derive optimizer list",
    )
)
@click.argument("name", metavar="OPTIMIZER", shell_complete=_complete)
@click.option("--gradients", metavar="NUMBERS", help="The gradients: steps with semicolons between, several parameters "
              f"with commas (default {USUAL_GRADIENTS}).")  # fmt: skip
@click.option("--objective", metavar="FORMULA", help="What is made small, such as w^2; its gradient is derived.")
@click.option("--start", metavar="NAME=NUMBER", multiple=True, help="What a parameter starts from (default w=0.5); "
              "may be repeated.")  # fmt: skip
@click.option("--steps", metavar="N", type=int, help="How many updates are made on an objective (default 3).")
@click.option("--rate", metavar="NUMBER", default="0.1", help="The learning rate (default 0.1).")
@click.option("--library", metavar="NAME", help="Take the settings of keras, pytorch, optax, … or a paper.")
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="A hyper-parameter or convention, such as "
              "beta1=0.8 or epsilon_place=inside; may be repeated.")  # fmt: skip
@click.option("--schedule", metavar="NAME", help="How the rate changes: step, exponential, cosine, inverse-time.")
@click.option("--schedule-set", "schedule_settings", metavar="KEY=VALUE", multiple=True, help="A number of the "
              "schedule: factor, every, over, least; may be repeated.")  # fmt: skip
@click.option("--clip-norm", metavar="NUMBER", help="Clip the gradients to this norm.")
@click.option("--clip-value", metavar="NUMBER", help="Clip each gradient to this size.")
@page_options
@language_option
def optimizer(
    name: str,
    gradients: str | None,
    objective: str | None,
    start: tuple[str, ...],
    steps: int | None,
    rate: str,
    library: str | None,
    settings: tuple[str, ...],
    schedule: str | None,
    schedule_settings: tuple[str, ...],
    clip_norm: str | None,
    clip_value: str | None,
    **page: Any,
) -> None:
    """Show the rule of OPTIMIZER, which library has it how, and its steps.

    The steps are worked with numbers, on given gradients or on an objective whose gradient is derived.
    `derive optimizer list` prints the names of all optimizers and schedules.
    """
    from derive.problem.file import from_dict
    from derive.worked import WorkedExample

    request = Request(**page)
    if name == "list":
        _print_names()
        return
    source = "derive optimizer"
    starts = _pairs(start, "--start") or {"w": _number("0.5", "--start")}
    data: dict[str, Any] = {
        "kind": "optimizer",
        "optimizer": {"name": name, **_pairs(settings, "--set"), **({"library": library} if library else {})},
        "learning_rate": _number(rate, "--rate"),
        "parameters": starts,
    }
    if objective is None:
        data["gradients"] = _rows(gradients or ";".join(_usual(len(starts))))
        data |= {"steps": steps} if steps is not None else {}
    else:
        data |= {"objective": objective, "steps": 3 if steps is None else steps}
        data |= {"gradients": _rows(gradients)} if gradients else {}
    if schedule or schedule_settings:
        data["schedule"] = {"name": schedule or "constant", **_pairs(schedule_settings, "--schedule-set")}
    for key, text in (("clip_norm", clip_norm), ("clip_value", clip_value)):
        data |= {key: _number(text, f"--{key.replace('_', '-')}")} if text else {}
    deliver(WorkedExample(request.asked(from_dict(data, source))), request)


def _usual(parameters: int) -> list[str]:
    return [",".join([step.strip()] * parameters) for step in USUAL_GRADIENTS.split(";")]


def _print_names() -> None:
    from derive.catalogue.optimizers import ROWS
    from derive.catalogue.recipes import SCHEDULE_ROWS
    from derive.commands.output import print_text

    rows = [(row.name, row.title) for row in (*ROWS, *SCHEDULE_ROWS)]
    width = max(len(name) for name, _ in rows)
    print_text("\n".join(f"{name:{width}}  {title}" for name, title in rows) + "\n")


def _pairs(texts: tuple[str, ...], option: str) -> dict[str, Any]:
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise DeriveError(f'{option}: found "{text}"; accepted: a name and a value, such as w=0.5')
        found[key.strip()] = _value(value.strip(), option)
    return found


def _value(text: str, option: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return text if re.fullmatch("[a-z][a-z_-]*", text) else _number(text, option)


def _rows(text: str) -> list[Any]:
    return [[_number(part, "--gradients") for part in row.split(",")] for row in text.strip(" ;").split(";")]


def _number(text: str, option: str) -> Any:
    """A number as a file has it: a whole one where no point is written."""
    from decimal import Decimal, InvalidOperation

    plain = text.strip().replace("−", "-")
    try:
        return int(plain) if re.fullmatch("[-+]?[0-9]{1,60}", plain) else Decimal(plain)
    except InvalidOperation:
        raise DeriveError(f'{option}: found "{text.strip()}"; accepted: a number such as 0.4') from None
