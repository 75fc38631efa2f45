"""Random networks over the whole catalogue, as problem files: the same for the same seed everywhere."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from derive.catalogue.activations import ACTIVATIONS
from derive.catalogue.initializers import INITIALIZERS
from derive.catalogue.losses import LOSSES, Loss
from derive.catalogue.optimizers import OPTIMIZERS, Optimizer
from derive.catalogue.recipes import SCHEDULES

TYPED = "z/(1 + exp(-z))"
SHARED = {"s1": "0.45", "s2": "-0.6"}
PROBABILITIES = ("sigmoid", "softmax")
POSITIVE = (*PROBABILITIES, "softplus")
STRAIGHT = ("linear", "sigmoid", "tanh")
"""Outputs under a loss with kinks of its own."""

KINKED = ("mean-absolute-error", "mean-absolute-percentage-error", "hinge", "multiclass-hinge", "categorical-hinge")

RATES = {"exponential": "factor = 0.9", "cosine": "over = 4", "step": "every = 2", "inverse-time": "factor = 0.1"}


@dataclass(slots=True)
class _Draw:
    """One random problem: numbers come from `rng`, rows of the catalogue in turn, so that each comes up."""

    rng: random.Random
    place: int

    def turn(self, rows: Sequence[str], offset: int = 0) -> str:
        return rows[(self.place + offset) % len(rows)]

    def number(self, low: float, high: float, decimals: int = 2) -> str:
        scale = 10**decimals
        return f"{self.rng.randint(round(low * scale), round(high * scale)) / scale:.{decimals}f}"

    def numbers(self, count: int, low: float, high: float) -> str:
        return f"[{', '.join(self.number(low, high) for _ in range(count))}]"

    def chance(self, share: float) -> bool:
        return self.rng.random() < share


def random_problem(seed: int, place: int) -> str:
    """The text of the random problem of that place, counted from 0."""
    draw = _Draw(random.Random(f"{seed}/{place}"), place)
    loss = LOSSES[draw.turn(list(LOSSES))]
    sizes = [draw.rng.randint(1, 3) for _ in range(draw.rng.randint(2, 4))]
    if loss.labels:
        sizes[-1] = draw.rng.randint(2, 3)
    samples = draw.rng.choice((1, 1, 2, 3))
    rows = ", ".join(draw.numbers(sizes[0], -2, 2) for _ in range(samples))
    targets = ", ".join(_targets(draw, loss, sizes[-1]) for _ in range(samples))
    lines = [f'title = "Random network {place} of seed {seed}"', f"inputs = [{rows}]", f"targets = [{targets}]"]
    lines += [f"loss = {_loss(draw, loss)}", f'reduction = "{draw.rng.choice(("mean", "sum"))}"']
    if draw.chance(0.3):
        lines.append(draw.rng.choice(("l2 = 0.05", "l2 = {strength = 0.03, half = false}")))
    lines += [line for table in _layers(draw, sizes, loss) for line in table]
    lines += _update(draw)
    return "\n".join(lines) + "\n"


# --- targets and loss ------------------------------------------------------------------------------------------------


def _targets(draw: _Draw, loss: Loss, outputs: int) -> str:
    if loss.targets == "sum-to-one" or (loss.labels and draw.chance(0.7)):
        right = draw.rng.randrange(outputs)
        return f"[{', '.join(str(int(place == right)) for place in range(outputs))}]"
    if loss.targets == "signs":
        return f"[{', '.join(draw.rng.choice(('-1', '1')) for _ in range(outputs))}]"
    return draw.numbers(outputs, 0.1, 0.9)


def _loss(draw: _Draw, loss: Loss) -> str:
    settings = {"delta": "0.4", "margin": "0.7", "smoothing": "0.2"}
    given = [f"{key} = {settings[key]}" for key, _ in loss.parameters]
    if loss.over == "sum" and draw.chance(0.3):
        given.append('over = "mean"')
    return f'{{name = "{loss.name}", {", ".join(given)}}}' if given else f'"{loss.name}"'


# --- layers ----------------------------------------------------------------------------------------------------------


def _layers(draw: _Draw, sizes: list[int], loss: Loss) -> Iterator[list[str]]:
    kinds = [draw.turn([*ACTIVATIONS, "typed"], k) for k in range(len(sizes) - 2)]
    kinds.append(_output(draw, loss))
    shared, first = draw.chance(0.3), 1
    for index, (fan_in, size, kind) in enumerate(zip(sizes, sizes[1:], kinds, strict=False)):
        pieces = draw.rng.randint(2, 3) if kind == "maxout" else 1
        nets = size * pieces
        names = _weight_names(draw, fan_in, nets, first, shared)
        first += fan_in * nets
        written = [[f'"{name}"' for name in row] for row in names]
        values = [[_weight(draw, name, fan_in, nets) for name in row] for row in names]
        yield [
            "", "[[layers]]", f"neurons = {size}", f"activation = {_activation(draw, kind, size, pieces)}",
            f"weight_names = {_grid(written)}", f"weights = {_grid(values)}", *_bias(draw, index, nets, shared),
        ]  # fmt: skip


def _output(draw: _Draw, loss: Loss) -> str:
    if loss.outputs == "probability":
        return draw.rng.choice(PROBABILITIES)
    if loss.name in KINKED:
        return draw.rng.choice(STRAIGHT)
    if loss.outputs != "any":
        return draw.rng.choice(POSITIVE)
    return draw.turn([name for name in [*ACTIVATIONS, "typed"] if name not in ("step", "maxout")], 5 * draw.place)


def _activation(draw: _Draw, kind: str, size: int, pieces: int) -> str:
    if kind == "typed":
        return f'"{TYPED}"'
    row = ACTIVATIONS[kind]
    if row.vector and row.vector.single:
        return f'{{name = "maxout", pieces = {pieces}}}'
    if row.vector and size == 1:
        return '"sigmoid"'
    if "alpha" in dict(row.parameters) and draw.chance(0.5):
        return f'{{name = "{kind}", alpha = {draw.number(0.05, 0.9)}}}'
    return f'"{kind}"'


def _weight_names(draw: _Draw, fan_in: int, nets: int, first: int, shared: bool) -> list[list[str]]:
    """Some names twice, some connections missing, never all of a neuron's."""
    gaps, rows = draw.chance(0.3), []
    for neuron in range(nets):
        row = [f"w{first + neuron * fan_in + source}" for source in range(fan_in)]
        kept = draw.rng.randrange(fan_in)
        for source in range(fan_in):
            if shared and draw.chance(0.3):
                row[source] = draw.rng.choice(list(SHARED))
            elif gaps and source != kept and draw.chance(0.3):
                row[source] = ""
        rows.append(row)
    return rows


def _weight(draw: _Draw, name: str, fan_in: int, fan_out: int) -> str:
    """Drawn as an initializer says, with three decimals."""
    if not name:
        return '""'
    if name in SHARED:
        return SHARED[name]
    row = INITIALIZERS[draw.turn([key for key, row in INITIALIZERS.items() if row.distribution != "constant"])]
    deviation = (2 / (fan_in + fan_out)) ** 0.5
    if row.distribution == "normal":
        return f"{draw.rng.gauss(0, deviation):.3f}"
    return draw.number(-1.73 * deviation, 1.73 * deviation, 3)


def _bias(draw: _Draw, index: int, nets: int, shared: bool) -> list[str]:
    kind = draw.rng.choice(("none", "one", "each", "threshold"))
    if kind == "none":
        return []
    if shared:
        return ["bias = 0.15", 'bias_names = "c"']
    if kind == "one":
        return [f"bias = {draw.number(-1, 1)}", f'bias_names = "b{index}"']
    names = ", ".join(f'"b{index}{neuron}"' for neuron in range(nets))
    found = [f"bias = {draw.numbers(nets, -1, 1)}", f"bias_names = [{names}]"]
    return [*found, "bias_input = -1"] if kind == "threshold" else found


def _grid(rows: list[list[str]]) -> str:
    return "[" + ", ".join(f"[{', '.join(row)}]" for row in rows) + "]"


# --- updates ---------------------------------------------------------------------------------------------------------


def _update(draw: _Draw) -> list[str]:
    row = OPTIMIZERS[draw.turn(list(OPTIMIZERS))]
    lines = ["", "[update]", f"optimizer = {_optimizer(draw, row)}", f"learning_rate = {draw.number(0.02, 0.2)}"]
    lines.append(f"steps = {draw.rng.randint(1, 3)}")
    if draw.chance(0.3):
        schedule = draw.rng.choice([name for name in SCHEDULES if name != "constant"])
        lines.append(f'schedule = {{name = "{schedule}", {RATES[schedule]}}}')
    if draw.chance(0.3):
        lines.append(draw.rng.choice(("clip_value = 0.05", "clip_norm = 0.1", "clip_norm = 0.1\nclip_epsilon = 1e-6")))
    return lines


def _optimizer(draw: _Draw, row: Optimizer) -> str:
    """The row with conventions taken at random; of a third, weight decay too."""
    given = []
    for choice in row.all_choices():
        if choice.key != "maximize" and draw.chance(0.5):
            option = draw.rng.choice([name for name, _ in choice.options])
            given.append(f"{choice.key} = {option}" if choice.is_flag else f'{choice.key} = "{option}"')
    if draw.chance(0.3):
        given.append(f"weight_decay = {draw.number(0.01, 0.1)}")
    if row.name == "rmsprop" and draw.chance(0.5):
        given.append("momentum = 0.8")
    given += ["epsilon = 1e-4"] * any(hyper.key == "epsilon" for hyper in row.hypers)
    return "{" + ", ".join([f'name = "{row.name}"', *given]) + "}"
