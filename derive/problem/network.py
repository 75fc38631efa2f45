"""kind = "network": sizes, names and numbers, checked against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from derive.catalogue.activations import ACTIVATIONS
from derive.catalogue.losses import Loss
from derive.formula.expression import Number
from derive.problem.layers import LayerReader, pieces_of
from derive.problem.loss import are_labels, check_targets, labels_as_rows, read_loss
from derive.problem.model import MANY_WEIGHTS, Layer, Network, Penalty, Update, Weights
from derive.problem.names import Names, Owner
from derive.problem.recipe import read_recipe
from derive.problem.shape import Grid, Report, Table, quote

MOST_WEIGHTS = 2_000_000
SPECIAL_OUTPUTS = {"data": "E_data", "l2": "E_l2", "new": "E_new"}


@dataclass(frozen=True, slots=True)
class NetworkParts:
    """What a network file says besides the keys common to every kind."""

    network: Network
    given: dict[str, Number]
    update: Update | None


@dataclass(frozen=True, slots=True)
class _Samples:
    """The inputs: how many there are, how many samples, and the rows where there are numbers."""

    width: int | None
    count: int | None
    rows: tuple[tuple[Number, ...], ...] = ()
    place: str = "inputs"
    flat: bool = False

    def where(self, sample: int, entry: int) -> str:
        return f"{self.place}[{entry + 1}]" if self.flat else f"{self.place}[{sample + 1}][{entry + 1}]"


@dataclass(slots=True)
class _Units:
    """The names of what the layers are made of, so that no two things in the picture are called the same."""

    report: Report
    places: dict[str, str] = field(default_factory=dict)

    def claim(self, name: str, place: str) -> bool:
        """Take a name; False when it was taken, which is reported."""
        if name in self.places:
            found = f"the name {quote(name)}, which {self.places[name]} has too"
            self.report.add(place, found, "a different name for each input and each neuron")
            return False
        self.places[name] = place
        return True


def read_network(fields: Table, report: Report) -> NetworkParts | None:
    """The network, or None when anything was reported."""
    names, units = Names(report), _Units(report)
    samples = _samples(fields, report)
    inputs = _input_names(fields, samples.width, names, units)
    _give_samples(samples, inputs, names)
    layers = _layers(fields, None if inputs is None else len(inputs), names, units)
    tables = _tables(fields)
    outputs = _size(tables[-1]) if tables else None
    loss = read_loss(fields.get("loss", "half-squared-error"), "loss", report)
    targets = _targets(fields, samples, outputs, names, loss)
    whole = layers is not None and inputs is not None
    update = _update(fields, layers if whole else None, "targets" in fields or "target_names" in fields, report)
    if report.mistakes or layers is None or inputs is None or loss is None:
        return None
    network = Network(
        inputs=inputs,
        layers=layers,
        targets=targets or (),
        loss=loss,
        samples=samples.count or 1,
        reduction=fields.get("reduction", "mean"),
        penalty=_penalty(fields.get("l2")),
    )
    return NetworkParts(network, names.given, update)


def title_of(network: Network) -> str:
    sizes = network.sizes()
    if len(sizes) == 2 and sizes[1] == 1:
        return f"A neuron with {sizes[0]} input{'s' * (sizes[0] != 1)}"
    return f"A {'-'.join(str(size) for size in sizes)} network"


# -- inputs and targets


def _samples(fields: Table, report: Report) -> _Samples:
    written, stated = fields.get("inputs"), fields.get("samples")
    if written is None:
        return _Samples(None, None)
    if not isinstance(written, Grid):
        return _Samples(written, stated or (None if "samples" in fields else 1))
    rows = written.rows
    uneven = [i for i, row in enumerate(rows) if len(row) != len(rows[0])]
    for i in uneven:
        report.add(f"inputs[{i + 1}]", f"a row of {len(rows[i])}", f"a row of {len(rows[0])}, as the first one")
    if stated is not None and stated != len(rows):
        report.add("samples", f"{stated} beside {len(rows)} in inputs", "samples only with inputs that have no numbers")
    return _Samples(None if uneven else len(rows[0]), len(rows), rows, flat=written.flat)


def _input_names(fields: Table, width: int | None, names: Names, units: _Units) -> tuple[str, ...] | None:
    written = fields.get("input_names")
    if written is None:
        if width is None:
            return None
        made = tuple(f"x{i}" for i in range(1, width + 1))
        for name in made:
            names.claim(name, Owner("input", "inputs", made=True))
            units.claim(name, "inputs")
        return made
    if width is not None and len(written) != width:
        names.report.add("input_names", f"a list of {len(written)}", f"a list of {width}, a name for each input")
        return None
    quantities = tuple(f"x{name}" if name.isdecimal() else name for name in written)
    for i, (name, quantity) in enumerate(zip(written, quantities, strict=True), 1):
        place = f"input_names[{i}]"
        if units.claim(name, place):
            names.claim(quantity, Owner("input", place, made=False))
    return quantities if width is not None else None


def _give_samples(samples: _Samples, inputs: tuple[str, ...] | None, names: Names) -> None:
    if inputs is not None and samples.rows:
        _give(names, inputs, samples.rows)


def _give(names: Names, columns: Sequence[str], rows: Sequence[Sequence[Number]]) -> None:
    for sample, row in enumerate(rows, 1):
        suffix = f"[{sample}]" if len(rows) > 1 else ""
        for name, value in zip(columns, row, strict=True):
            names.given[name + suffix] = value


def _targets(
    fields: Table, samples: _Samples, outputs: int | None, names: Names, loss: Loss | None
) -> tuple[str, ...] | None:
    written, stated = fields.get("targets"), fields.get("target_names")
    report = names.report
    if "targets" in fields.wrong or "target_names" in fields.wrong or outputs is None:
        return None
    if written is False and stated is not None:
        report.add("target_names", "names of targets beside targets = false", "one of the two")
    if written is False or (written is None and stated is None):
        return ()
    if stated is not None and len(stated) != outputs:
        report.add("target_names", f"a list of {len(stated)}", f"a list of {outputs}, a name for each output")
        return None
    made = ("y",) if outputs == 1 else tuple(f"y{i}" for i in range(1, outputs + 1))
    for i, name in enumerate(stated or made, 1):
        place = "targets" if stated is None else f"target_names[{i}]"
        names.claim(name, Owner("target", place, made=stated is None))
    if isinstance(written, Grid) and samples.count is not None:
        rows = _target_rows(written, samples.count, outputs, loss, report)
        if rows is not None and loss is not None:
            places = ["targets" if written.flat else f"targets[{i}]" for i in range(1, len(rows) + 1)]
            check_targets(loss, rows, places, report)
        if rows is not None:
            _give(names, stated or made, rows)
    return stated or made


def _target_rows(
    grid: Grid[Number], samples: int, outputs: int, loss: Loss | None, report: Report
) -> tuple[tuple[Number, ...], ...] | None:
    rows = grid.rows
    if loss is not None and loss.labels and are_labels(grid, samples, outputs):
        return labels_as_rows(rows[0], outputs, "targets", report)
    if grid.flat and outputs == 1 and samples > 1:
        rows = tuple((value,) for value in rows[0])
    if grid.flat and (samples == 1 or outputs > 1):
        right = samples == 1 and len(rows[0]) == outputs
        accepted = f"a list of {outputs}" if samples == 1 else f"{samples} rows of {outputs}"
        if not right:
            report.add("targets", f"a list of {len(rows[0])}", f"{accepted}: a number for each output neuron")
        return rows if right else None
    if len(rows) != samples:
        found = f"targets for {len(rows)} sample{'s' * (len(rows) != 1)}"
        report.add("targets", found, f"targets for {samples}, as many as there are inputs")
        return None
    wrong = [i for i, row in enumerate(rows) if len(row) != outputs]
    for i in wrong:
        report.add(f"targets[{i + 1}]", f"a row of {len(rows[i])}", f"a row of {outputs}: one for each output neuron")
    return None if wrong else rows


# -- layers


def _tables(fields: Table) -> tuple[Table, ...]:
    return fields.get("layers") or ()


def _size(table: Table) -> int | None:
    neurons = table.get("neurons")
    return len(neurons) if isinstance(neurons, tuple) else neurons


def _layers(fields: Table, width: int | None, names: Names, units: _Units) -> tuple[Layer, ...] | None:
    tables = _tables(fields)
    if not _affordable(tables, width, names.report):
        return None
    reader = LayerReader(names, fields.get("weights_by", "neuron"), by_place=_is_large(tables, width))
    layers: list[Layer | None] = []
    fan_in = width
    for index, table in enumerate(tables, 1):
        neurons = _neuron_names(table, index, len(tables), units)
        pieces = pieces_of(table)
        if pieces and neurons is not None:
            layers += _with_pieces(reader, table, index, neurons, pieces, fan_in, units)
        else:
            layers.append(reader.layer(table, index, neurons, fan_in))
        fan_in = None if neurons is None else len(neurons)
    good = tuple(layer for layer in layers if layer is not None)
    return good if good and len(good) == len(layers) else None


def _with_pieces(
    reader: LayerReader,
    table: Table,
    index: int,
    neurons: tuple[str, ...],
    pieces: int,
    fan_in: int | None,
    units: _Units,
) -> list[Layer | None]:
    """A maxout layer as two: the weighted sums of all pieces, then the largest of each neuron."""
    names = tuple(f"{neuron}_{piece}" for neuron in neurons for piece in range(1, pieces + 1))
    if reader.by_place:
        found = "maxout in a network with a layer of more than 1000 weights"
        units.report.add(f"layers[{index}].activation", found, "another activation, or smaller layers")
        return [None]
    for name in names:
        units.claim(name, f"layers[{index}].neurons")
    sums = reader.layer(table, index, names, fan_in)
    if sums is None:
        return [None]
    no_weights = Weights(index, len(names), len(neurons), names=((None,) * len(names),) * len(neurons))
    largest = Layer(neurons, sums.activation, no_weights, (None,) * len(neurons), pieces=pieces)
    return [replace(sums, activation=ACTIVATIONS["linear"]), largest]


def _is_large(tables: tuple[Table, ...], width: int | None) -> bool:
    """Whether one layer has too many weights to number; then all of them are named by place."""
    sizes = [width or 0, *(_size(table) or 0 for table in tables)]
    return any(fan_in * neurons > MANY_WEIGHTS for fan_in, neurons in pairwise(sizes))


def _affordable(tables: tuple[Table, ...], width: int | None, report: Report) -> bool:
    total, fan_in = 0, width
    for index, table in enumerate(tables, 1):
        size = _size(table)
        total += (fan_in or 0) * (size or 0)
        fan_in = size
        if total > MOST_WEIGHTS:
            report.add(f"layers[{index}].neurons", f"a network of {total} weights", f"at most {MOST_WEIGHTS} weights")
            return False
    return True


def _neuron_names(table: Table, index: int, count: int, units: _Units) -> tuple[str, ...] | None:
    neurons = table.get("neurons")
    place = f"layers[{index}].neurons"
    if neurons is None:
        return None
    if isinstance(neurons, int):
        stem = "o" if index == count else "h" if count == 2 else f"h{index}_"
        neurons = tuple(f"{stem}{i}" for i in range(1, neurons + 1))
        for name in neurons:
            units.claim(name, place)
        return neurons
    for i, name in enumerate(neurons, 1):
        units.claim(name, f"{place}[{i}]")
        if (index == count and name in SPECIAL_OUTPUTS) or name.endswith("_new"):
            taken = SPECIAL_OUTPUTS.get(name, "…_new")
            found = f"the neuron {quote(name)}, whose quantities would be called {taken} like others"
            units.report.add(f"{place}[{i}]", found, "another name")
    return tuple(neurons)


# -- loss and update


def _penalty(written: Any) -> Penalty | None:
    if written is None:
        return None
    strength = written.get("strength") if isinstance(written, Table) else written
    half = written.get("half", True) if isinstance(written, Table) else True
    return Penalty(strength, half) if strength.value else None


def _update(fields: Table, layers: tuple[Layer, ...] | None, targets: bool, report: Report) -> Update | None:
    table = fields.get("update")
    if not isinstance(table, Table):
        return None
    if not targets or fields.get("targets") is False:
        report.add("update", "an update of a network without targets", "targets = […], or targets = true for symbols")
    frozen = table.get("frozen", ())
    if layers is not None:
        _check_frozen(frozen, layers, report)
    recipe = read_recipe(table, "update", report)
    if table.wrong or recipe is None:
        return None
    return Update(table.get("learning_rate"), recipe, table.get("steps", 1), tuple(dict.fromkeys(frozen)))


def _check_frozen(frozen: tuple[str, ...], layers: tuple[Layer, ...], report: Report) -> None:
    known = parameter_names(layers) if frozen else {}
    for i, name in enumerate(frozen, 1):
        if name not in known:
            found = f"no parameter is called {quote(name)}{report.suggestion(name, list(known)[:1000])}"
            report.add(f"update.frozen[{i}]", found, few(known))


def parameter_names(layers: tuple[Layer, ...]) -> dict[str, None]:
    return dict.fromkeys(name for layer in layers for name in layer.parameters())


def few(names: dict[str, None]) -> str:
    listed = list(names)
    return ", ".join(listed) if len(listed) <= 12 else f"{', '.join(listed[:6])}, … {listed[-1]}"
