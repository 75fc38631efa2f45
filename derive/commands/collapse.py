"""`derive collapse`: what a stack of linear layers amounts to."""

from __future__ import annotations

from typing import Any

import click

from derive.commands.examples import examples
from derive.commands.output import deliver
from derive.commands.request import Request, language_option, page_options, problem_argument


@click.command(
    epilog=examples(
        "derive collapse linear-series",
        "derive collapse linear-2-3-2 --format latex --fragment",
    )
)
@problem_argument
@page_options
@language_option
def collapse(problem: str, **page: Any) -> None:
    """Reduce the linear layers of PROBLEM to one.

    Layers without a non-linear activation between them are one linear function: the page has its weights
    W = W1 @ W2 @ … and its biases, entry by entry in symbols, and in numbers where all are given.
    """
    from derive.derivation.stacks import need_stacks
    from derive.stack_data import network_matrices
    from derive.worked import Options, WorkedExample

    request = Request(**page)
    example = WorkedExample(request.problem(problem), Options(collapse=True))
    need_stacks(network_matrices(example))
    deliver(example, request)
