"""`derive show`, `derive gradient`, `derive forward`: a problem becomes a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from derive.commands.examples import examples
from derive.commands.output import deliver
from derive.commands.request import Request, language_option, page_options, problem_argument
from derive.errors import DeriveError

if TYPE_CHECKING:
    from derive.worked import WorkedExample

_paths = click.option("--paths", is_flag=True, help="List every path of a gradient that sums over several.")
_jacobian = click.option("--jacobian", is_flag=True, help="Go through the whole Jacobian of softmax (or the slope of "
                         "sigmoid) where output and loss would cancel to out − target.")  # fmt: skip
_expand = click.option("--expand", is_flag=True, help="Write every Σ out.")
_whole = click.option("--whole", is_flag=True, help="Leave nothing out of a large network.")


@click.command(
    epilog=examples(
        "derive show backprop-2-2-1",
        "derive show backprop-2-2-1 --decimals 8 --carry displayed",
        "derive show backprop-2-2-1 --only dE/dw5 --only w5_new",
        "derive show mazur-2-2-2 --notation z-a -o page.md",
        "derive show mazur-2-2-2 --format json",
        "derive show backprop-2-2-1 --lang de",
    )
)
@problem_argument
@page_options
@language_option
@click.option("--only", metavar="QUANTITY", multiple=True, help="Only this quantity, with what its derivation needs; "
              "may be repeated.")  # fmt: skip
@_paths
@_jacobian
@_expand
@_whole
def show(
    problem: str, only: tuple[str, ...], paths: bool, jacobian: bool, expand: bool, whole: bool, **page: Any
) -> None:
    """Print the worked example of PROBLEM.

    The page has the forward pass, the loss, the gradients and the updates, every one derived and evaluated. Markdown
    that goes to a file has its figure beside it, in a file of the same name that ends in .svg.
    """
    request = Request(**page)
    example = _worked(problem, request, only=only, paths=paths, cancel=not jacobian, expand=expand, whole=whole)
    _deliver(example, request)


@click.command(
    epilog=examples(
        "derive gradient backprop-2-2-1 dE/dw1",
        "derive gradient backprop-2-2-1 w5 w5_new delta_h1",
        "derive gradient mazur-2-2-2 dE_o2/dout_h1 --format latex --fragment",
    )
)
@problem_argument
@click.argument("quantities", metavar="QUANTITY...", nargs=-1, required=True)
@page_options
@language_option
@_paths
@_jacobian
@_expand
def gradient(
    problem: str, quantities: tuple[str, ...], paths: bool, jacobian: bool, expand: bool, **page: Any
) -> None:
    """Derive some of the gradients of PROBLEM.

    Each is shown with every factor that it needs. QUANTITY is any derivative dA/dB of one quantity with respect to
    another; w5 is short for dE/dw5, delta_o1 for dE/dnet_o1; w5_new is the update of w5.
    """
    request = Request(**page)
    asked = _worked(problem, request)
    only = _as_gradients(asked, quantities)
    options = replace(asked.options, only=only, paths=paths, cancel=not jacobian, expand=expand)
    _deliver(type(asked)(asked.problem, options), request)


@click.command(
    epilog=examples(
        "derive forward backprop-2-2-1",
        "derive forward neuron-3.1 --significant 3",
    )
)
@problem_argument
@page_options
@language_option
@_expand
@_whole
def forward(problem: str, expand: bool, whole: bool, **page: Any) -> None:
    """Print the forward pass and the loss of PROBLEM."""
    request = Request(**page)
    _deliver(_worked(problem, request, forward=True, expand=expand, whole=whole), request)


def _worked(problem: str, request: Request, **options: Any) -> WorkedExample:
    from derive.worked import Options, WorkedExample

    return WorkedExample(request.problem(problem), Options(**options))


def _as_gradients(example: WorkedExample, names: Iterable[str]) -> tuple[str, ...]:
    """The names with dE/dw5 for w5; raises UnknownQuantity."""
    from derive.derivation.chain_rule import derivative_name, split_derivative

    root = example.graph.root
    found = [(name, example.find(name)) for name in names]
    return tuple(
        name
        if root is None or reference.step or split_derivative(reference.name) or reference.name in ("eta", root)
        else derivative_name(root, reference.name)
        for name, reference in found
    )


def _deliver(example: WorkedExample, request: Request) -> None:

    if request.chosen_format != "json":
        for name in example.options.only:
            if example.shown_by(name) is None:
                raise DeriveError(f'"{name}" has a value and no derivation: use --format json to see it')
    deliver(example, request)
