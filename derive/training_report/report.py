"""From a training and its test images to the files of its report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from numpy.typing import NDArray

from derive import __version__
from derive.catalogue.activations import ACTIVATIONS
from derive.catalogue.losses import LOSSES
from derive.catalogue.optimizers import OPTIMIZERS
from derive.mlp.mnist import Images, Labels
from derive.mlp.run import Run, confusion, predictions
from derive.pages.prose import templates_folder
from derive.training_report.pictures import Mistake, curves, mistakes_svg, weights_svg

Array = NDArray[Any]

WORST = 24
SHOWN_WEIGHTS = 60
PICTURES = "report"
FALLING = ", falling to 0 along a cosine"
"""The folder for the pictures of the Markdown page."""


@dataclass(frozen=True, slots=True)
class Report:
    """What both pages say; the templates hold the words."""

    words: dict[str, Any]
    pictures: dict[str, str]

    def html(self) -> str:
        """One file with everything in it: no script, no link, no network."""
        inline = {name.removesuffix(".svg"): text for name, text in self.pictures.items()}
        return _render("report.html.jinja", self.words, inline, escape=True)

    def markdown(self) -> str:
        """The page; its pictures lie in the folder `report` beside it."""
        links = {name.removesuffix(".svg"): f"{PICTURES}/{name}" for name in self.pictures}
        return _render("report.md.jinja", self.words, links, escape=False)

    def files(self, folder: Path) -> dict[Path, bytes]:
        """report.html, report.md and the pictures of the latter, in that folder."""
        pictures = {folder / PICTURES / name: text.encode() for name, text in self.pictures.items()}
        return {
            **pictures, folder / "report.md": self.markdown().encode(), folder / "report.html": self.html().encode(),
        }  # fmt: skip


def _render(name: str, words: dict[str, Any], pictures: dict[str, str], *, escape: bool) -> str:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates_folder() / "report"), undefined=StrictUndefined, autoescape=escape,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(name).render(words, pictures=pictures)


def report(run: Run, images: Images, labels: Labels) -> Report:
    """The report of a training, judged on these images."""
    outputs = predictions(run.model, images)
    counts = confusion(outputs, labels)
    wrong = worst(outputs, images, labels)
    hidden = run.model.weights[0].shape[1]
    words = {
        "sizes": "-".join(map(str, run.model.sizes)),
        "parameters": f"{sum(array.size for array in (*run.model.weights, *run.model.biases)):,}",
        "settings": settings(run),
        "accuracy": _percent(np.trace(counts) / counts.sum()),
        "right": f"{np.trace(counts):,}",
        "images": f"{counts.sum():,}",
        "errors": f"{counts.sum() - np.trace(counts):,}",
        "epochs": [_epoch(record) for record in run.records],
        "has_validation": "validation_loss" in run.records[-1],
        "best": run.best,
        "stopped": run.stopped,
        "patience": run.plan.patience,
        "seconds": f"{sum(record['seconds'] for record in run.records):.1f}",
        "speed": f"{np.median([record['samples_per_second'] for record in run.records]):,.0f}",
        "confusion": [_row(digit, counts) for digit in range(10)],
        "pairs": _pairs(counts),
        "mistakes": len(wrong),
        "hidden": hidden,
        "shown": min(SHOWN_WEIGHTS, hidden),
        "untouched": untouched(run, images, labels),
        "version": __version__,
    }
    pictures = {
        "loss.svg": curves(run.records, "loss", "Loss after each epoch"),
        "accuracy.svg": curves(run.records, "accuracy", "Accuracy in per cent after each epoch"),
        "mistakes.svg": mistakes_svg(wrong),
        "weights.svg": weights_svg(run.model.weights[0], SHOWN_WEIGHTS),
    }
    return Report(words, pictures)


def untouched(run: Run, images: Images, labels: Labels) -> int:
    """How many inputs still have the weights, to the bit, that the seed gave them."""
    start = replace(run.plan, epochs=0).network().fit(images, labels).weights_[0]
    return int((start == run.model.weights[0]).all(axis=1).sum())


def settings(run: Run) -> list[tuple[str, str]]:
    """What was trained, and how, as rows of words."""
    plan, (optimizer, loss) = run.plan, (OPTIMIZERS[run.plan.optimizer], LOSSES[run.plan.loss])
    sizes = " and ".join(map(str, plan.hidden))
    found = [
        ("hidden layers", f"{sizes} neurons, {ACTIVATIONS[plan.activation].title}"),
        ("output", ACTIVATIONS[plan.output].title),
        ("loss", loss.title),
        ("optimizer", f"{optimizer.title}, learning rate {plan.rate:g}{FALLING if plan.schedule == 'cosine' else ''}"),
        ("batch", f"{plan.batch} images"),
        ("seed", f"{plan.seed}"),
    ]
    if plan.l2:
        found.append(("L2 penalty", f"{plan.l2:g}"))
    if plan.dropout:
        found.append(("dropout", f"{plan.dropout:g}"))
    if plan.samples:
        found.append(("images", f"the first {plan.samples:,} of the training images"))
    if plan.validation:
        share = _percent(plan.validation) if plan.validation < 1 else f"{plan.validation:,.0f} images"
        found.append(("held out", f"the last {share}"))
    return found


def worst(outputs: Array, images: Images, labels: Labels, most: int = WORST) -> list[Mistake]:
    """The images that were taken for another digit, those first that were most surely so."""
    taken = outputs.argmax(1)
    sure = outputs[np.arange(len(outputs)), taken] - outputs[np.arange(len(outputs)), labels]
    wrong = np.flatnonzero(taken != labels)
    order = wrong[np.argsort(-sure[wrong], kind="stable")][:most]
    return [
        Mistake(int(i) + 1, images[i], int(labels[i]), int(taken[i]), float(outputs[i, taken[i]])) for i in order
    ]


def _epoch(record: dict[str, Any]) -> dict[str, str]:
    shown = {key: f"{value:.4f}" for key, value in record.items() if key.endswith("loss")}
    shown |= {key: _percent(value) for key, value in record.items() if key.endswith("accuracy")}
    return shown | {"epoch": str(record["epoch"]), "seconds": f"{record['seconds']:.1f}"}


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _row(digit: int, counts: Array) -> dict[str, Any]:
    """One row of the confusion matrix: counts with the strength of their shade, 0 to 1, and the share that is right."""
    row = counts[digit]
    total, most = int(row.sum()), int((counts - np.diag(np.diag(counts))).max()) or 1
    cells = [
        {"count": int(count), "right": taken == digit, "shade": round(float(count / most), 3)}
        for taken, count in enumerate(row)
    ]
    return {"digit": digit, "cells": cells, "share": _percent(row[digit] / total) if total else "–"}


def _pairs(counts: Array, most: int = 3) -> list[tuple[int, int, int]]:
    """The confusions that happened most often: (digit, taken for, how often)."""
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    return [(int(place // 10), int(place % 10), int(wrong.flat[place])) for place in order if wrong.flat[place]]
