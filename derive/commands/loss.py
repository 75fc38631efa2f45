"""`derive loss`: the derivative of a loss, rule by rule, and its numbers."""

from __future__ import annotations

import re
from typing import Any

import click
from click.shell_completion import CompletionItem

from derive.commands.examples import examples
from derive.commands.output import deliver
from derive.commands.request import Request, language_option, page_options
from derive.errors import DeriveError

SYMBOLIC_CLASSES = 3
"""So many outputs a loss over classes has where no predictions are given."""


def _complete_loss(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    from derive.catalogue.losses import ROWS

    return [CompletionItem(row.name, help=row.title) for row in ROWS if row.name.startswith(incomplete)]


@click.command(
    epilog=examples(
        "derive loss mean-squared-error --predictions 0.4,0.7,0.2 --targets 0.5,0.6,0.3",
        "derive loss cross-entropy --activation softmax",
        "derive loss cross-entropy --activation softmax --predictions 1,2,3 --targets 0,0,1",
        "derive loss huber --set delta=0.5 --predictions 1.5 --targets 0.7",
        "derive loss cross-entropy --predictions '0.7,0.1,0.2; 0.1,0.5,0.4' --targets 0,1",
        "derive loss hinge -o hinge.md",
    )
)
@click.argument("name", metavar="LOSS", shell_complete=_complete_loss)
@click.option("--predictions", metavar="NUMBERS", help="The outputs, with commas between; samples with semicolons.")
@click.option("--targets", metavar="NUMBERS", help="The targets in the same way, or the class of each sample.")
@click.option("--activation", metavar="NAME", help="What turns the predictions, then logits, into outputs.")
@click.option("--set", "parameters", metavar="NAME=VALUE", multiple=True, help="A parameter of the loss (delta, "
              "margin, smoothing, over); may be repeated.")  # fmt: skip
@click.option("--reduction", type=click.Choice(("mean", "sum")), help="How samples are put together (default mean).")
@page_options
@language_option
def loss(
    name: str,
    predictions: str | None,
    targets: str | None,
    activation: str | None,
    parameters: tuple[str, ...],
    reduction: str | None,
    **page: Any,
) -> None:
    """Derive the gradient of LOSS.

    The page has the loss with its factor, its derivative rule by rule, and, where predictions are given, every number.
    `derive loss list` prints the names of all losses.
    """
    from derive.problem.file import from_dict
    from derive.worked import WorkedExample

    request = Request(**page)
    if name == "list":
        _print_names()
        return
    from derive.catalogue.losses import LOSSES

    row = LOSSES.get(name)
    several = row is not None and (row.labels or bool(row.whole))
    data: dict[str, Any] = {
        "kind": "loss",
        "loss": {"name": name, **dict(map(_parameter, parameters))} if parameters else name,
        "predictions": _rows(predictions, "--predictions") if predictions else SYMBOLIC_CLASSES if several else 1,
    }
    if targets:
        data["targets"] = _rows(targets, "--targets")
    elif row is not None and row.labels and row.whole and row.targets == "any" and not predictions:
        data["targets"] = 0
    data |= {"activation": activation} if activation else {}
    data |= {"reduction": reduction} if reduction else {}
    deliver(WorkedExample(request.asked(from_dict(data, "derive loss"))), request)


def _print_names() -> None:
    from derive.catalogue.losses import ROWS
    from derive.commands.output import print_text

    width = max(len(row.name) for row in ROWS)
    print_text("\n".join(f"{row.name:{width}}  {row.title}" for row in ROWS) + "\n")


def _parameter(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not equals:
        raise DeriveError(f'--set: found "{text}"; accepted: a name and a value, such as delta=0.5')
    return key.strip(), value.strip() if re.fullmatch("[a-z]+", value.strip()) else _number(value, "--set")


def _rows(text: str, option: str) -> list[Any]:
    """One list, or a list of rows where there are semicolons."""
    rows = [[_number(part, option) for part in row.split(",")] for row in text.strip(" ;").split(";")]
    return rows if len(rows) > 1 else rows[0]


def _number(text: str, option: str) -> object:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(text.strip().replace("−", "-"))
    except InvalidOperation:
        raise DeriveError(f'{option}: found "{text.strip()}"; accepted: numbers such as 0.4,0.7,0.2') from None
