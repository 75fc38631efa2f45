"""`derive activation`: what an activation is, its derivative rule by rule, its values and what it does to a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from derive.commands.examples import examples
from derive.commands.output import deliver
from derive.commands.request import Request, language_option, page_options
from derive.errors import DeriveError

if TYPE_CHECKING:
    from decimal import Decimal


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    from derive.catalogue.activations import ROWS

    return [CompletionItem(row.name, help=row.title) for row in ROWS if row.name.startswith(incomplete)]


@click.command(
    epilog=examples(
        "derive activation sigmoid",
        "derive activation relu --at -3 --at 5",
        "derive activation leaky-relu --set alpha=0.1 -o leaky-relu.md",
        "derive activation softmax --at 1,2,3",
        "derive activation tanh --lang de",
        "derive activation 'z/(1 + exp(-z))' --at 0.5 --format json",
        "derive activation list",
    )
)
@click.argument("name", metavar="ACTIVATION", shell_complete=_complete)
@click.option("--at", metavar="NUMBERS", multiple=True, help="A point, or several with commas between; for softmax, "
              "log-softmax and maxout a vector. May be repeated.")  # fmt: skip
@click.option("--set", "parameters", metavar="NAME=VALUE", multiple=True, help="A parameter of the activation, such "
              "as alpha; may be repeated.")  # fmt: skip
@page_options
@language_option
def activation(name: str, at: tuple[str, ...], parameters: tuple[str, ...], **page: Any) -> None:
    """Derive the slope of ACTIVATION and show what it does.

    The page has the definition, the derivative a rule at a time, values, limits, a plot, where gradients vanish, and
    whether outputs are zero-centred. ACTIVATION is a name (`derive activation list` prints them) or an expression in z.
    """
    from derive.problem.file import from_dict
    from derive.worked import WorkedExample

    request = Request(**page)
    if name == "list":
        _print_names()
        return
    data: dict[str, Any] = {"kind": "activation", "activation": name}
    if parameters:
        data["activation"] = {"name": name, **dict(map(_parameter, parameters))}
    if at:
        data["at"] = _points(name, at)
    deliver(WorkedExample(request.asked(from_dict(data, "derive activation"))), request)


def _print_names() -> None:
    from derive.catalogue.activations import ROWS
    from derive.commands.output import print_text

    width = max(len(row.name) for row in ROWS)
    print_text("\n".join(f"{row.name:{width}}  {row.title}" for row in ROWS) + "\n")


def _points(name: str, at: tuple[str, ...]) -> list[Any]:
    from derive.catalogue.activations import activation_named

    rows = [[_number(part, "--at") for part in text.split(",")] for text in at]
    row = activation_named(name)
    return rows if row is not None and row.vector else [value for values in rows for value in values]


def _parameter(text: str) -> tuple[str, Decimal]:
    key, equals, value = text.partition("=")
    if not equals:
        raise DeriveError(f'--set: found "{text}"; accepted: a name and a value, such as alpha=0.1')
    return key.strip(), _number(value, "--set")


def _number(text: str, option: str) -> Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(text.strip().replace("−", "-"))
    except InvalidOperation:
        raise DeriveError(f'{option}: found "{text.strip()}"; accepted: numbers such as -3 or 0.5') from None
