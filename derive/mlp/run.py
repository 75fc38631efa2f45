"""One training of a network on MNIST, in a folder: a checkpoint after every epoch, resumed where it was killed.

Files of the folder, each written complete or not at all: checkpoint.npz (everything that training needs to go on bit
for bit), model.npz (the network), history.json and history.csv.
"""

from __future__ import annotations

import csv
import io
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import DeriveError
from derive.files import write_together
from derive.mlp.estimator import MLP
from derive.mlp.mnist import Images, Labels, Mnist
from derive.mlp.model import WRITTEN, Model, pack, read_model, unpack
from derive.mlp.training import Progress

Array = NDArray[Any]
Record = dict[str, Any]

CHECKPOINT, MODEL, HISTORY, TABLE = "checkpoint.npz", "model.npz", "history.json", "history.csv"
LEAST_SAMPLES = 200
MEASURED = 10_000
"""The accuracy on training images is measured on so many of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained, and how; with the data it decides every bit of the result.

    validation   the last so many of the training images are held out; below 1 it is their share
    patience     training ends when the validation loss has not fallen for so many epochs; 0: never
    samples      only the first so many training images; 0: all
    schedule     "constant", or "cosine": the rate falls to 0 over all updates along half a cosine
    """

    hidden: tuple[int, ...] = (128,)
    activation: str = "relu"
    output: str = "softmax"
    loss: str = "cross-entropy"
    optimizer: str = "adam"
    rate: float = 1e-3
    schedule: str = "constant"
    batch: int = 32
    epochs: int = 5
    seed: int = 0
    l2: float = 0.0
    dropout: float = 0.0
    validation: float = 0.0
    patience: int = 0
    samples: int = 0

    def split(self, available: int) -> tuple[int, int]:
        """How many images are trained on and how many are held out; raises DeriveError."""
        if self.samples and not LEAST_SAMPLES <= self.samples <= available:
            raise DeriveError(f"--samples {self.samples}; accepted: {LEAST_SAMPLES} to {available}")
        count = self.samples or available
        held = round(self.validation * count) if self.validation < 1 else int(self.validation)
        if self.validation and not 1 <= held <= count - LEAST_SAMPLES:
            raise DeriveError(
                f"--validation {self.validation:g} holds out {held} of {count} images; accepted: a share below 1 or a "
                f"number, so that at least 1 image is held out and {LEAST_SAMPLES} are left"
            )
        if self.patience and not held:
            raise DeriveError("--patience watches the loss on held-out images; accepted: --validation 5000 beside it")
        return count - held, held

    def network(self) -> MLP:
        """The network before training."""
        return MLP(
            hidden=self.hidden, activation=self.activation, output=self.output, loss=self.loss,
            optimizer=self.optimizer, learning_rate=self.rate, batch_size=self.batch, epochs=self.epochs,
            schedule=None if self.schedule == "constant" else self.schedule,
            l2=self.l2, dropout=self.dropout, seed=self.seed, dtype="float32",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """A training that has ended; `best` is the epoch that the model is of, `why` it ended early (or nothing)."""

    plan: Plan
    records: tuple[Record, ...]
    model: Model
    best: int
    stopped: bool


@dataclass(slots=True)
class _State:
    """What is kept beside the network itself."""

    records: list[Record] = field(default_factory=list)
    best: int = 0
    best_arrays: dict[str, Array] = field(default_factory=dict)
    stopped: bool = False


def train(
    plan: Plan,
    data: Mnist,
    folder: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    on_batch: Callable[[Progress], None] | None = None,
    on_epoch: Callable[[Record], None] | None = None,
) -> Run:
    """Train and write the files of the folder after every epoch; with `resume` from the checkpoint, if there is one.

    Raises DeriveError where the folder holds a run and nothing was said of it, or a run of another plan.
    """
    training = _Training(plan, data, folder, on_batch, on_epoch)
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists() and resume:
        training.restore(*unpack(checkpoint), checkpoint)
    elif checkpoint.exists() and overwrite:
        checkpoint.unlink()
    elif checkpoint.exists():
        accepted = "--resume to go on with it, --force to begin anew, or another --out"
        raise DeriveError(f"{folder}: holds a run already; accepted: {accepted}")
    return training.run()


class _Training:
    def __init__(
        self,
        plan: Plan,
        data: Mnist,
        folder: Path,
        on_batch: Callable[[Progress], None] | None,
        on_epoch: Callable[[Record], None] | None,
    ) -> None:
        count, held = plan.split(len(data.train_images))
        self.plan, self.folder, self.on_batch, self.on_epoch = plan, folder, on_batch, on_epoch
        self.train = data.train_images[:count], data.train_labels[:count]
        self.held = data.train_images[count : count + held], data.train_labels[count : count + held]
        self.test = data.test_images, data.test_labels
        self.mlp = plan.network()
        self.state = _State()
        self.began = self.ended = 0.0

    def restore(self, arrays: dict[str, Array], texts: dict[str, Any], path: Path) -> None:
        """Go on from a checkpoint; the number of epochs may be another one."""
        try:
            found = plan_of(texts["plan"])
            self.state.records, self.state.best = list(texts["records"]), int(texts["best"])
            self.state.stopped = bool(texts["stopped"])
        except (KeyError, TypeError, ValueError) as error:
            raise DeriveError(f"{path}: no checkpoint ({error}); accepted: {WRITTEN}") from error
        wanted = asdict(replace(self.plan, epochs=found.epochs))
        different = [key for key, value in asdict(found).items() if value != wanted[key]]
        if different:
            told = ", ".join(f"{key} {getattr(found, key)} and not {getattr(self.plan, key)}" for key in different)
            raise DeriveError(f"{path}: is of a run with {told}; accepted: --resume with its options, or none")
        self.state.best_arrays = _under("best/", arrays)
        self.mlp.resume_from(_under("state/", arrays))

    def run(self) -> Run:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in (CHECKPOINT, MODEL, HISTORY, TABLE):
            for left in self.folder.glob(f".{name}.*.tmp"):  # of a process that was killed while it wrote
                left.unlink(missing_ok=True)
        if not self.state.stopped and len(self.state.records) < self.plan.epochs:
            self.began = time.perf_counter()
            self.mlp.fit(*self.train, on_batch=self._batch, on_epoch=self._epoch)
        else:
            write_together(self._files())
        state, model = self.state, read_model(self.folder / MODEL)
        return Run(self.plan, tuple(state.records), model, state.best, state.stopped)

    def _batch(self, progress: Progress) -> None:
        if progress.done == progress.samples:
            self.ended = time.perf_counter()
        if self.on_batch:
            self.on_batch(progress)

    def _epoch(self, mlp: MLP, found: Record) -> bool:
        """Measure, remember the best, write everything; true where training is to end."""
        record = self._measured(mlp, found)
        state = self.state
        state.records.append(record)
        if not math.isfinite(record["loss"]):
            raise DeriveError(
                f"the loss is {record['loss']} after epoch {record['epoch']}: training has diverged; "
                "accepted: a smaller --rate, or other settings"
            )
        if not self.plan.patience or record["validation_loss"] <= self._lowest():
            state.best = record["epoch"]
            state.best_arrays = _arrays(mlp) if self.plan.patience else {}
        state.stopped = bool(self.plan.patience) and record["epoch"] - state.best >= self.plan.patience
        write_together(self._files())
        if self.on_epoch:
            self.on_epoch(record)
        self.began = time.perf_counter()
        return state.stopped

    def _lowest(self) -> float:
        return min(float(record["validation_loss"]) for record in self.state.records)

    def _measured(self, mlp: MLP, found: Record) -> Record:
        seconds = self.ended - self.began
        images, labels = self.train
        record: Record = {"epoch": found["epoch"], "loss": found["loss"]}
        record["accuracy"] = mlp.evaluate(images[:MEASURED], labels[:MEASURED])["accuracy"]
        for name, (inputs, wanted) in (("validation", self.held), ("test", self.test)):
            if len(inputs):
                record |= {f"{name}_{key}": value for key, value in mlp.evaluate(inputs, wanted).items()}
        return record | {"seconds": round(seconds, 3), "samples_per_second": round(len(images) / max(seconds, 1e-9))}

    def _files(self) -> dict[Path, bytes]:
        state, plan = self.state, asdict(self.plan)
        arrays = {f"state/{key}": value for key, value in self.mlp.state().items()}
        arrays |= {f"best/{key}": value for key, value in state.best_arrays.items()}
        texts = {"plan": plan, "records": state.records, "best": state.best, "stopped": state.stopped}
        return {
            self.folder / HISTORY: (json.dumps({"plan": plan, "epochs": state.records}, indent=2) + "\n").encode(),
            self.folder / TABLE: as_csv(state.records).encode(),
            self.folder / MODEL: self._model().as_bytes(),
            self.folder / CHECKPOINT: pack(arrays, texts),
        }

    def _model(self) -> Model:
        """The network after the last epoch; with patience, after the best one."""
        arrays = self.state.best_arrays or _arrays(self.mlp)
        count = len(self.plan.hidden) + 1
        weights = tuple(arrays[f"W{place}"] for place in range(1, count + 1))
        biases = tuple(arrays[f"B{place}"] for place in range(1, count + 1))
        best = next(record for record in self.state.records if record["epoch"] == self.state.best)
        about = {"plan": asdict(self.plan), "epoch": self.state.best, "test_accuracy": best["test_accuracy"]}
        return Model(weights, biases, self.plan.activation, self.plan.output, self.plan.loss, about)


def _arrays(mlp: MLP) -> dict[str, Array]:
    """Copies of weights and biases: W1, B1, W2 …"""
    pairs = enumerate(zip(mlp.weights_, mlp.biases_, strict=True), 1)
    return {f"{kind}{place}": array.copy() for place, pair in pairs for kind, array in zip("WB", pair, strict=True)}


def _under(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def plan_of(found: dict[str, Any]) -> Plan:
    """The plan of a checkpoint; raises TypeError for one with other keys."""
    known = {each.name for each in fields(Plan)}
    if set(found) != known:
        raise TypeError(f"a plan with {', '.join(found)}")
    return Plan(**(found | {"hidden": tuple(found["hidden"])}))


def stored_plan(folder: Path) -> Plan | None:
    """The plan of the run in a folder; None where there is no checkpoint."""
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    _, texts = unpack(path)
    try:
        return plan_of(texts["plan"])
    except (KeyError, TypeError) as error:
        raise DeriveError(f"{path}: no checkpoint ({error}); accepted: {WRITTEN}") from error


def as_csv(records: list[Record]) -> str:
    """A line for each epoch, below a line of names."""
    stream = io.StringIO()
    names = list(dict.fromkeys(key for record in records for key in record))
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def predictions(model: Model, images: Images) -> Array:
    """The outputs of the network for every image, (n, 10)."""
    mlp = MLP.with_weights(
        model.weights, model.biases, [model.activation] * (len(model.weights) - 1) + [model.output], model.loss,
        dtype="float32",
    )  # fmt: skip
    return mlp.predict_proba(images)


def confusion(outputs: Array, labels: Labels) -> NDArray[np.int64]:
    """How often each digit (row) was taken for each digit (column)."""
    found = np.zeros((10, 10), np.int64)
    np.add.at(found, (labels.astype(np.int64), outputs.argmax(1)), 1)
    return found
