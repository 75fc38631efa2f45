"""`derive verify`: every number of a worked example against calculations that share no code with the derivation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from derive.commands.examples import examples
from derive.commands.request import complete_problem

if TYPE_CHECKING:
    from derive.verify.table import Table

MOST_RANDOM = 100_000


@click.command(
    epilog=examples(
        "derive verify backprop-2-2-1 --no-torch",
        "derive verify mazur-2-2-2 --quantity dE/dw1 --quantity w1_new --no-torch",
        "derive verify adam-two-gradients --no-torch --format json",
        "derive verify --random 4 --seed 7 --no-torch",
    )
)
@click.argument("problem", required=False, shell_complete=complete_problem)
@click.option("--quantity", "quantities", metavar="NAME", multiple=True, help="Check this quantity only; may be "
              "repeated.")  # fmt: skip
@click.option("--random", "count", metavar="N", type=click.IntRange(1, MOST_RANDOM), help="Check N random networks "
              "over the whole catalogue.")  # fmt: skip
@click.option("--seed", metavar="S", type=click.IntRange(0), default=0, help="Of the random networks (default 0); the "
              "same seed gives the same networks.")  # fmt: skip
@click.option("--torch/--no-torch", default=True, help="Ask torch too where it is installed (default), or leave it "
              "out: it takes long to load.")  # fmt: skip
@click.option("--format", type=click.Choice(("text", "json")), default="text", help="Default: text.")
@click.pass_context
def verify(
    ctx: click.Context,
    problem: str | None,
    quantities: tuple[str, ...],
    count: int | None,
    seed: int,
    torch: bool,
    format: str,
) -> None:
    """Check every number of PROBLEM by other means.

    Values and updates are held against the NumPy network, every derivative against its backpropagation, a difference
    quotient in 40 digits and torch. Exit code 1 says that something disagrees; of a random network that does, the
    problem file is printed.
    """
    if (problem is None) == (count is None):
        found = "neither PROBLEM nor --random N" if count is None else "both PROBLEM and --random N"
        raise click.UsageError(f"found {found}; accepted: one of the two")
    if problem is None:
        assert count is not None
        if quantities:
            raise click.UsageError("--quantity goes with PROBLEM, not with --random")
        agrees = _random(count, seed, torch=torch, format=format)
    else:
        agrees = _one(problem, quantities, torch=torch, format=format)
    ctx.exit(0 if agrees else 1)


def _one(problem: str, quantities: tuple[str, ...], *, torch: bool, format: str) -> bool:
    from derive.commands.output import as_json, print_bytes, print_text
    from derive.problem.file import find
    from derive.verify.report import table_lines
    from derive.verify.table import verified
    from derive.worked import WorkedExample

    table = verified(WorkedExample(find(problem)), torch=torch, only=quantities)
    if format == "json":
        print_bytes(as_json(table.as_data()).encode())
    else:
        print_text("\n".join(table_lines(table)) + "\n")
    return table.agrees


def _random(count: int, seed: int, *, torch: bool, format: str) -> bool:
    from derive.commands.output import as_json, print_bytes, print_text
    from derive.verify.random_report import RandomReport

    report = RandomReport(seed)
    for place, text, table in _tables(count, seed, torch=torch):
        report.add(place, text, table)
        if not table.agrees and format == "text":
            print_text("\n".join(report.last_lines()) + "\n")
    if format == "json":
        print_bytes(as_json(report.as_data()).encode())
    else:
        print_text("\n".join(report.summary_lines()) + "\n")
    return report.agrees


def _tables(count: int, seed: int, *, torch: bool) -> Iterator[tuple[int, str, Table]]:
    from derive.problem.file import loads
    from derive.verify.random_problems import random_problem
    from derive.verify.table import verified
    from derive.worked import WorkedExample

    hidden = not sys.stderr.isatty()
    with click.progressbar(range(count), label="Random networks", file=sys.stderr, hidden=hidden) as places:
        for place in places:
            text = random_problem(seed, place)
            yield place, text, verified(WorkedExample(loads(text)), torch=torch)
