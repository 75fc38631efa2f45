"""The loop over epochs and batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from derive.mlp.arrays import Targets, rows, scale_of
from derive.mlp.fast import FastStepper, can_step

if TYPE_CHECKING:
    from derive.mlp.estimator import MLP

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an epoch is: samples seen and all samples; `loss` is the mean loss of the samples seen so far."""

    epoch: int
    epochs: int
    done: int
    samples: int
    mean_loss: Callable[[int], float]

    @property
    def loss(self) -> float:
        return self.mean_loss(self.done)


class Stepper(Protocol):
    """What an epoch is made of: `begin` with the order of the samples, then a `step` for each batch of it."""

    def begin(self, order: Array) -> None: ...

    def step(self, start: int, stop: int) -> None:
        """One update on the samples `order[start:stop]`."""
        ...

    def mean_loss(self, done: int) -> float:
        """The mean loss of the first samples of the epoch, each before the update that it was part of."""
        ...


class PlainStepper:
    """A step as a textbook has it, for every network and optimizer."""

    def __init__(self, model: MLP, x: Array, wanted: Targets) -> None:
        self.model, self.x, self.wanted = model, x, wanted
        self.scale = scale_of(x, model.scale)

    def begin(self, order: Array) -> None:
        self.order = order
        self.seen = np.zeros(len(order), self.model.dtype)

    def step(self, start: int, stop: int) -> None:
        model, network, chosen = self.model, self.model.network_, self.order[start:stop]
        x = rows(self.x[chosen], self.scale, model.dtype)
        t = self.wanted.rows(chosen, network.loss.row, model.dtype)
        passes = network.forward(x, model.dropout, model.generator_)
        self.seen[start:stop] = network.losses(t, passes)
        network.backward(x, t, passes)
        model.optimizer_.step(network.parameters, network.gradient)

    def mean_loss(self, done: int) -> float:
        return float(self.seen[:done].mean(dtype=np.float64)) if done else 0.0


def train(
    model: MLP,
    x: Array,
    wanted: Targets,
    validation: tuple[Any, Any] | None,
    on_epoch: Callable[[MLP, dict[str, Any]], bool | None] | None,
    on_batch: Callable[[Progress], None] | None,
) -> None:
    """From the epoch after the last one to the end; a record of each epoch goes to the history."""
    samples, size = len(x), model.batch_size
    stepper = stepper_for(model, x, wanted)
    while model.epoch_ < model.epochs:
        order = model.generator_.permutation(samples) if model.shuffle else np.arange(samples)
        stepper.begin(order)
        for start in range(0, samples, size):
            stop = min(start + size, samples)
            stepper.step(start, stop)
            if on_batch:
                on_batch(Progress(model.epoch_ + 1, model.epochs, stop, samples, stepper.mean_loss))
        model.epoch_ += 1
        record = {"epoch": model.epoch_, "loss": stepper.mean_loss(samples)}
        if validation:
            record |= {f"validation_{name}": value for name, value in model.evaluate(*validation).items()}
        model.history_.append(record)
        if on_epoch and on_epoch(model, record):
            break


def stepper_for(model: MLP, x: Array, wanted: Targets) -> Stepper:
    """The fast step where there is one for the network, else the plain one."""
    return FastStepper(model, x, wanted) if can_step(model, wanted) else PlainStepper(model, x, wanted)
