"""`derive epochs`: how many batches and iterations a training has."""

from __future__ import annotations

from typing import Any

import click

from derive.commands.examples import examples
from derive.commands.output import deliver
from derive.commands.request import Request, language_option, page_options


@click.command(
    epilog=examples(
        "derive epochs --samples 1000 --batch 100 --epochs 10",
        "derive epochs --samples 1050 --batch 100",
        "derive epochs --samples 1050 --batch 100 --drop-last --format markdown",
    )
)
@click.option("--samples", metavar="N", type=int, required=True, help="How many samples there are.")
@click.option("--batch", metavar="N", type=int, required=True, help="How many samples a batch has.")
@click.option("--epochs", metavar="N", type=int, default=1, help="How often all samples are gone through (default 1).")
@click.option("--drop-last", is_flag=True, help="Leave a last batch out that is too short.")
@page_options
@language_option
def epochs(samples: int, batch: int, epochs: int, drop_last: bool, **page: Any) -> None:
    """Work out batches, iterations and the last short batch of a training."""
    from derive.problem.file import from_dict
    from derive.worked import WorkedExample

    request = Request(**page)
    counts = {"samples": samples, "batch": batch, "epochs": epochs, "drop_last": drop_last}
    problem = from_dict({"kind": "training", **counts}, "derive epochs")
    deliver(WorkedExample(request.asked(problem)), request)
