"""`derive initializer`: the page of an initializer for a layer of a given size."""

from __future__ import annotations

from typing import Any

import click

from derive.commands.examples import examples
from derive.commands.output import deliver
from derive.commands.request import Request, language_option, page_options


@click.command(
    epilog=examples(
        "derive initializer he-normal",
        "derive initializer xavier-uniform --fan-in 784 --fan-out 128",
        "derive initializer he-uniform --slope 0.01 --layers 5",
        "derive initializer zeros --format markdown",
    )
)
@click.argument("name", metavar="NAME")
@click.option("--fan-in", metavar="N", type=int, default=784, help="Inputs of a neuron (default 784).")
@click.option("--fan-out", metavar="N", type=int, default=128, help="Neurons of the layer (default 128).")
@click.option("--slope", metavar="NUMBER", help="The slope of a leaky ReLU below 0, for he-normal and he-uniform.")
@click.option("--samples", metavar="N", type=int, default=200, help="Random inputs of the experiment (default 200).")
@click.option("--seed", metavar="N", type=int, default=1, help="The seed of the experiment (default 1).")
@click.option("--layers", metavar="N", type=int, default=10, help="Layers of the experiment (default 10).")
@click.option("--width", metavar="N", type=int, default=256, help="How wide these layers are (default 256).")
@page_options
@language_option
def initializer(name: str, slope: str | None, samples: int, seed: int, layers: int, width: int, fan_in: int,
                fan_out: int, **page: Any) -> None:  # fmt: skip
    """Derive the variance of an initializer and try it.

    NAME is zeros, constant, uniform, normal, xavier-uniform, xavier-normal, he-uniform, he-normal, lecun-uniform,
    lecun-normal or pytorch-linear. The page derives the variance step by step and checks it with random layers.
    """
    from decimal import Decimal, InvalidOperation

    from derive.problem.file import from_dict
    from derive.worked import WorkedExample

    request = Request(**page)
    row: Any = name
    if slope is not None:
        try:
            row = {"name": name, "slope": Decimal(slope)}
        except InvalidOperation:
            raise click.BadParameter(f"{slope!r} is not a number", param_hint="--slope") from None
    sizes = {"fan_in": fan_in, "fan_out": fan_out, "samples": samples, "seed": seed, "layers": layers, "width": width}
    problem = from_dict({"kind": "initializer", "initializer": row, **sizes}, "initializer")
    deliver(WorkedExample(request.asked(problem)), request)
