"""`derive mnist train` and `derive mnist gradient`: a network on real digits, and one of its gradients derived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from derive.commands.examples import examples
from derive.commands.request import Request, page_options
from derive.errors import DeriveError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from derive.mlp.model import Model
    from derive.mlp.run import Plan, Run
    from derive.mnist_gradient import Image, ImageExample, Numbers

FOLDER = "mnist-run"

def hidden_names() -> tuple[str, ...]:
    from derive.catalogue.activations import ACTIVATIONS

    return tuple(name for name, row in ACTIVATIONS.items() if not row.vector and not row.trained and name != "step")


def output_names() -> tuple[str, ...]:
    return (*hidden_names(), "softmax")


def loss_names() -> tuple[str, ...]:
    """All but the one that divides by targets, which are 0 here."""
    from derive.catalogue.losses import LOSSES

    return tuple(name for name in LOSSES if name != "mean-absolute-percentage-error")


def optimizers() -> tuple[str, ...]:
    from derive.catalogue.optimizers import OPTIMIZERS

    return tuple(OPTIMIZERS)


USUAL_OUTPUT = {
    "cross-entropy": "softmax", "smoothed-cross-entropy": "softmax", "kullback-leibler": "softmax",
    "hinge": "linear", "squared-hinge": "linear", "categorical-hinge": "linear", "multiclass-hinge": "linear",
    "poisson": "softplus",
}  # fmt: skip
"""The output activation of a loss; "linear" for those that take net inputs, "sigmoid" for all others."""

TEXTBOOK: dict[str, Any] = {
    "hidden": (30,), "activation": "sigmoid", "output": "sigmoid", "loss": "half-squared-error", "optimizer": "sgd",
    "rate": 3.0, "batch": 10, "epochs": 30,
}  # fmt: skip
"""Nielsen, Neural Networks and Deep Learning, chapter 1."""


class OneOf(click.ParamType):  # type: ignore[type-arg]  # generic in some versions of click only
    """A name of the catalogue, which is loaded when one is given and not for the help."""

    name = "name"

    def __init__(self, names: Callable[[], tuple[str, ...]]) -> None:
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self._names():
            self.fail(f"found {value}; accepted: {', '.join(self._names())}", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002  # click calls it so
        return [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]


class Sizes(click.ParamType):  # type: ignore[type-arg]  # generic in some versions of click only
    """128, or 512,512 for two layers."""

    name = "sizes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not all(part.isdecimal() and 1 <= int(part) <= 4096 for part in parts):
            self.fail(f"found {value}; accepted: neurons of each hidden layer, such as 128 or 512,512", param, ctx)
        return tuple(map(int, parts))


data_option = click.option("--data", metavar="DIR", help="The folder with the MNIST files; default: what DERIVE_MNIST "
                           "names, else the user's cache, where they are downloaded to.")  # fmt: skip


@click.group(epilog=examples("derive mnist train --help", "derive mnist gradient --help"))
def mnist() -> None:
    """Train a network on the MNIST digits, and derive one of its gradients."""


@mnist.command(
    epilog=examples(
        "derive mnist train",
        "derive mnist train --hidden 512,512 --dropout 0.2 --validation 5000 --patience 2",
        "derive mnist train --textbook --out textbook-run",
        "derive mnist train --resume",
        "derive mnist train --samples 2000 --epochs 1 --out small-run",
    )
)
@data_option
@click.option("--hidden", type=Sizes(), metavar="N[,N…]", help="Neurons of each hidden layer (default 128).")
@click.option("--activation", type=OneOf(hidden_names), metavar="NAME", help="Of the hidden layers (default relu).")
@click.option("--output", type=OneOf(output_names), metavar="NAME", help="Of the last layer; default: as "
              "fits the loss, softmax for cross-entropy.")  # fmt: skip
@click.option("--loss", type=OneOf(loss_names), metavar="NAME", help="Default cross-entropy.")
@click.option("--optimizer", type=OneOf(optimizers), metavar="NAME", help="Default adam.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="X", help="Learning rate (default 0.001).")
@click.option("--schedule", type=click.Choice(("constant", "cosine")), help="cosine: the rate falls to 0 over all "
              "updates (default constant).")  # fmt: skip
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Images in a batch (default 32).")
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Default 5.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Of weights and order (default 0).")
@click.option("--l2", type=click.FloatRange(0), metavar="X", help="Adds X/2·ΣW² to the loss (default 0).")
@click.option("--dropout", type=click.FloatRange(0, 1, max_open=True), metavar="X", help="Share of hidden outputs that "
              "is dropped (default 0).")  # fmt: skip
@click.option("--validation", type=click.FloatRange(0), metavar="X", help="Hold out the last X training images, or "
              "that share of them where X is below 1 (default 0).")  # fmt: skip
@click.option("--patience", type=click.IntRange(0), metavar="N", help="Stop when the loss on held-out images has not "
              "fallen for N epochs, and keep the best network.")  # fmt: skip
@click.option("--samples", type=click.IntRange(0), metavar="N", help="Only the first N training images.")
@click.option("--textbook", is_flag=True, help="784-30-10, sigmoid, squared error, plain gradient descent, rate 3, "
              "batches of 10, 30 epochs; other options change that.")  # fmt: skip
@click.option("-o", "--out", metavar="FOLDER", default=FOLDER, help=f"Where everything goes (default {FOLDER}).")
@click.option("--resume", is_flag=True, help="Go on after the last finished epoch of the run in FOLDER.")
@click.option("--force", is_flag=True, help="Overwrite the run in FOLDER.")
def train(data: str | None, textbook: bool, out: str, resume: bool, force: bool, **given: Any) -> None:
    """Train a network on the 60,000 training images and judge it on the 10,000 test images.

    FOLDER gets a checkpoint after every epoch, the network (model.npz), the history (history.json, history.csv) and a
    report (report.html, report.md). A run that was stopped goes on with --resume and ends with the same bits.
    """
    from derive.mlp.threads import use_one

    use_one()
    from pathlib import Path

    from derive.commands.mnist_progress import DownloadProgress, TrainingProgress
    from derive.files import write_together
    from derive.mlp.mnist import data_folder, load
    from derive.mlp.run import train as run_training

    if resume and force:
        raise click.UsageError("--resume beside --force; accepted: one of the two")
    folder = Path(out)
    told = {key: value for key, value in given.items() if value is not None}
    plan = _plan(folder if resume else None, textbook, told)
    digits = load(data_folder(data, DownloadProgress))
    shown = TrainingProgress()
    try:
        run = run_training(
            plan, digits, folder, resume=resume, overwrite=force, on_batch=shown.batch, on_epoch=shown.epoch
        )
    except KeyboardInterrupt:
        shown.close()
        click.echo(f"stopped; derive mnist train --resume --out {out} goes on after the last finished epoch", err=True)
        raise
    from derive.training_report.report import PICTURES, report

    (folder / PICTURES).mkdir(exist_ok=True)
    write_together(report(run, digits.test_images, digits.test_labels).files(folder))
    click.echo(_summary(run, folder))


def _plan(folder: Path | None, textbook: bool, given: dict[str, Any]) -> Plan:
    """What the options say; when resuming, what they do not say is that of the run in the folder."""
    from dataclasses import replace

    from derive.mlp.run import Plan, stored_plan

    settings = (TEXTBOOK if textbook else {}) | given
    if "loss" in given and "output" not in given:
        settings["output"] = _usual_output(given["loss"])
    known = stored_plan(folder) if folder else None
    return Plan(**settings) if known is None else replace(known, **settings)


def _usual_output(loss: str) -> str:
    return "linear" if loss.endswith("-logits") else USUAL_OUTPUT.get(loss, "sigmoid")


def _summary(run: Run, folder: Path) -> str:
    last = next(record for record in run.records if record["epoch"] == run.best)
    early = f" (best of {len(run.records)} epochs, stopped early)" if run.stopped else ""
    return (
        f"{100 * last['test_accuracy']:.2f} % of the test images are recognised after epoch {run.best}{early}\n"
        f"{folder / 'report.html'}"
    )


@mnist.command(
    epilog=examples(
        'derive mnist gradient "W1[300,17]" --sample 42',
        'derive mnist gradient "W2[17,3]" --sample 7 --set test --expand',
        'derive mnist gradient "B1[17]" --sample 42 -o gradient.md',
    )
)
@click.argument("parameter", metavar="PARAMETER")
@click.option("--sample", type=click.IntRange(1), metavar="N", default=1, help="The image, counted from 1 (default 1).")
@click.option("--set", "split", type=click.Choice(("train", "test")), default="train", help="Which images (default "
              "train).")  # fmt: skip
@click.option("--model", metavar="FOLDER", default=FOLDER, help="The folder of a run of `derive mnist train`, or its "
              f"model.npz (default {FOLDER}).")  # fmt: skip
@data_option
@click.option("--expand", is_flag=True, help="Write every Σ out.")
@page_options
def gradient(
    parameter: str, sample: int, split: str, model: str, data: str | None, expand: bool, **page: Any
) -> None:
    """Derive the gradient of the loss of one image with respect to PARAMETER of a trained network.

    PARAMETER is W1[300,17], the weight of layer 1 from source 300 to neuron 17, or B1[17], the bias of neuron 17; all
    are counted from 1. The derived number stands beside that of backpropagation in NumPy and a difference quotient;
    the exit code is 1 where they disagree.
    """
    from derive.mlp.threads import use_one

    use_one()
    from derive.mnist_gradient import TOLERANCE, ImageExample, three_ways

    request = Request(**page)
    trained = _model(model)
    example = ImageExample(trained, _image(data, split, sample), parameter)
    example.problem = request.asked(example.problem)
    numbers = three_ways(example)
    _write(example, numbers, request, expand)
    if numbers.largest_disagreement() > TOLERANCE:
        click.echo(f"the three numbers disagree by {numbers.largest_disagreement():.0e}", err=True)
        click.get_current_context().exit(1)


def _model(name: str) -> Model:
    from pathlib import Path

    from derive.mlp.model import read_model
    from derive.mlp.run import MODEL

    path = Path(name) if name.endswith(".npz") else Path(name) / MODEL
    if not path.is_file():
        raise DeriveError(f"{path}: there is no trained network; `derive mnist train --out {path.parent}` makes one")
    return read_model(path)


def _image(data: str | None, split: str, sample: int) -> Image:
    from derive.commands.mnist_progress import DownloadProgress
    from derive.mlp.mnist import data_folder, load_split
    from derive.mnist_gradient import Image

    which = "test" if split == "test" else "train"
    images, labels = load_split(data_folder(data, DownloadProgress), which)  # type: ignore[arg-type]  # one of the two
    if sample > len(images):
        raise DeriveError(f"--sample {sample}; accepted: 1 to {len(images)}, the images of the {which} set")
    return Image(images[sample - 1], int(labels[sample - 1]), which, sample)  # type: ignore[arg-type]


def _write(example: ImageExample, numbers: Numbers, request: Request, expand: bool) -> None:
    """To standard output or to files, as `derive show` does."""
    from derive.commands.output import as_json, look_of, print_bytes, print_text
    from derive.files import write_together
    from derive.pages.image_gradient import data_of, page_of, picture_of

    path = request.path
    beside = path is not None and request.chosen_format == "markdown" and (path.is_file() or not path.exists())
    figure = path.with_suffix(".svg").name if path and beside else "embed"
    if request.chosen_format == "json":
        text = as_json(data_of(example, numbers))
    else:
        text = page_of(example, numbers, look_of(request, figure), expand=expand)
    if path is None:
        print_text(text) if request.chosen_format == "text" else print_bytes(text.encode())
        return
    files = {path: text.encode()}
    if beside:
        files[path.with_suffix(".svg")] = picture_of(example).encode()
    write_together(files)
