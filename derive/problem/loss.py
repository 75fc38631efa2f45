"""The loss of a problem: a row of the table with its parameters; and kind = "loss", predictions against targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

from derive.catalogue.activations import Activation
from derive.catalogue.losses import LOSSES, Loss
from derive.formula.expression import ONE, ZERO, Number
from derive.problem.activation import read_activation
from derive.problem.keys import LOSS_NAME
from derive.problem.model import Problem, Reduction
from derive.problem.shape import Grid, Report, Table, join, quote, shown, suggestion

LIMITS: dict[str, tuple[str, Fraction, Fraction | None]] = {
    "delta": ("a number above 0", Fraction(0), None),
    "margin": ("a number from 0", Fraction(-1, 10**300), None),
    "smoothing": ("a number from 0 to 1", Fraction(-1, 10**300), Fraction(1)),
}
"""What a parameter may be: in words, what it must be above, and the most that it can be."""


# -- which loss


def read_loss(value: Any, place: str, report: Report) -> Loss | None:
    """The row that a name or a table {name = "huber", delta = 1.0} means; None when anything was reported."""
    if not isinstance(value, Table):
        return LOSSES[value] if LOSS_NAME.read(value, place, report) else None
    if value.wrong:
        return None
    name = value.get("name")
    if not isinstance(name, str):
        found = "no name" if name is None else "a number"
        report.add(join(place, "name"), found, LOSS_NAME.accepted)
        return None
    if LOSS_NAME.read(name, join(place, "name"), report) is None:
        return None
    row = LOSSES[name]
    given = {key: held for key, held in value.values.items() if key != "name"}
    right = [_parameter(row, key, held, join(place, key), report) for key, held in given.items()]
    over = given.pop("over", None)
    return row.with_parameters(given, over) if all(right) else None


def _parameter(row: Loss, key: str, value: object, place: str, report: Report) -> bool:
    known = [name for name, _ in row.parameters] + (["over"] if row.over != "fixed" else [])
    if key not in known:
        accepted = f"the parameters {', '.join(known)}" if known else f"no parameters for {row.name}"
        report.add(place, f"unknown parameter{suggestion(key, known)}", accepted)
        return False
    if key == "over":
        if value not in ("sum", "mean"):
            report.add(place, _seen(value), '"sum", "mean"')
        return value in ("sum", "mean")
    accepted, above, most = LIMITS[key]
    right = isinstance(value, Number) and value.value > above and (most is None or value.value <= most)
    if not right:
        report.add(place, _seen(value), accepted)
    return right


def _seen(value: object) -> str:
    return f"the number {value.written or value.value}" if isinstance(value, Number) else shown(value)


# -- targets


def one_hot(label: int, classes: int) -> tuple[Number, ...]:
    """The targets of a sample of that class; classes are counted from 0."""
    return tuple(ONE if k == label else ZERO for k in range(classes))


def are_labels(grid: Grid[Number], samples: int, outputs: int) -> bool:
    """Whether a list has one number for each sample where there are more outputs: the numbers of the right classes."""
    return grid.flat and outputs > 1 and len(grid.rows[0]) == samples


def labels_as_rows(
    labels: Sequence[Number], classes: int, place: str, report: Report
) -> tuple[tuple[Number, ...], ...] | None:
    """A row of targets for each label; reports what is no class."""
    rows = []
    for i, label in enumerate(labels, 1):
        if label.value.denominator == 1 and 0 <= label.value < classes:
            rows.append(one_hot(int(label.value), classes))
        else:
            found = f"the label {label.written or label.value}"
            report.add(f"{place}[{i}]", found, f"a class, from 0 to {classes - 1}")
    return tuple(rows) if len(rows) == len(labels) else None


def check_targets(loss: Loss, rows: Sequence[Sequence[Number]], places: Sequence[str], report: Report) -> None:
    """Report targets that the formula of the loss is not made for."""
    for row, place in zip(rows, places, strict=True):
        total = sum((number.value for number in row), Fraction(0))
        if loss.targets == "sum-to-one" and total != 1:
            found = f"targets that sum to {_decimal(total)}"
            report.add(place, found, f"targets that sum to 1, for {loss.title}")
        wrong = [number for number in row if loss.targets == "signs" and abs(number.value) != 1]
        if wrong:
            report.add(place, f"the target {wrong[0].written}", f"targets -1 and 1, for {loss.title}")


def _decimal(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.6g}"


# -- kind = "loss"


@dataclass(frozen=True, slots=True)
class LossSetting:
    """A loss with predictions and targets, without numbers.

    outputs     how many outputs a sample has
    samples     1 for one sample (names carry no [k]), else the size of the batch
    activation  what turns the given numbers (logits z1, z2, …) into predictions; None where predictions are given
    by_label    the targets were given as numbers of classes
    """

    kind: ClassVar[str] = "loss"

    loss: Loss
    outputs: int
    samples: int = 1
    reduction: Reduction = "mean"
    activation: Activation | None = None
    by_label: bool = False

    @property
    def given_letter(self) -> str:
        return "z" if self.activation else "o"

    def suffixes(self) -> tuple[str, ...]:
        return tuple(f"[{k}]" for k in range(1, self.samples + 1)) if self.samples > 1 else ("",)

    def names(self, letter: str, suffix: str) -> tuple[str, ...]:
        """o1, o2, … (or t, z) of one sample."""
        return tuple(f"{letter}{k}{suffix}" for k in range(1, self.outputs + 1))


def read_loss_problem(fields: Table, report: Report) -> Problem | None:
    """The problem without its rounding, or None when anything was reported."""
    named = fields.get("loss")
    loss = read_loss(named, "loss", report) if named is not None else None
    written = fields.get("activation")
    activation = read_activation(written, "activation", report) if written is not None else None
    if activation is not None and activation.vector and activation.vector.single:
        report.add("activation", quote(activation.name), "an activation with an output for each number it takes")
    predictions = fields.get("predictions")
    setting = LossSetting(
        loss=loss or LOSSES["half-squared-error"],
        outputs=predictions if isinstance(predictions, int) else len(predictions.rows[0]) if predictions else 1,
        samples=len(predictions.rows) if isinstance(predictions, Grid) else 1,
        reduction=fields.get("reduction", "mean"),
        activation=activation,
    )
    given: dict[str, Number] = {}
    if isinstance(predictions, Grid):
        _check_predictions(setting, predictions, report)
        _give(setting, setting.given_letter, predictions.rows, given)
    written = fields.get("targets", False)
    if not isinstance(written, bool) and predictions is not None and loss is not None and not report.mistakes:
        rows, by_label = _targets(setting, written, report)
        setting = replace(setting, by_label=by_label)
        _give(setting, "t", rows, given)
    if report.mistakes or loss is None or predictions is None:
        return None
    title = fields.get("title") or f"{loss.title[0].upper()}{loss.title[1:]}"
    return Problem(title=title, body=setting, given=given)


def _give(setting: LossSetting, letter: str, rows: Sequence[Sequence[Number]], given: dict[str, Number]) -> None:
    for suffix, row in zip(setting.suffixes(), rows, strict=False):
        given.update(zip(setting.names(letter, suffix), row, strict=False))


_DOMAINS: dict[str, tuple[str, Callable[[Fraction], bool]]] = {
    "probability": ("a probability, from 0 to 1", lambda value: 0 <= value <= 1),
    "positive": ("a number above 0", lambda value: value > 0),
    "above-minus-one": ("a number above -1", lambda value: value > -1),
}


def _check_predictions(setting: LossSetting, grid: Grid[Number], report: Report) -> None:
    first = len(grid.rows[0])
    for i, row in enumerate(grid.rows, 1):
        if len(row) != first:
            report.add(f"predictions[{i}]", f"a row of {len(row)}", f"a row of {first}, as the first one")
    if setting.activation is not None or setting.loss.outputs == "any":
        return
    accepted, fits = _DOMAINS[setting.loss.outputs]
    for i, row in enumerate(grid.rows, 1):
        for k, number in enumerate(row, 1):
            if not fits(number.value):
                place = f"predictions[{k}]" if grid.flat else f"predictions[{i}][{k}]"
                remedy = f'{accepted}; or activation = "softmax" or "sigmoid" for logits'
                report.add(place, _seen(number), remedy if setting.loss.outputs == "probability" else accepted)


def _targets(setting: LossSetting, written: Any, report: Report) -> tuple[tuple[tuple[Number, ...], ...], bool]:
    """The rows of targets, and whether they were given as labels."""
    if isinstance(written, Number):
        written = Grid(((written,),), flat=True)
    rows = written.rows
    if setting.loss.labels and are_labels(written, setting.samples, setting.outputs):
        return labels_as_rows(rows[0], setting.outputs, "targets", report) or (), True
    if written.flat and setting.outputs == 1 and setting.samples > 1:
        rows = tuple((value,) for value in rows[0])
    places = ["targets" if written.flat else f"targets[{i}]" for i in range(1, len(rows) + 1)]
    if len(rows) != setting.samples or any(len(row) != setting.outputs for row in rows):
        found = f"a list of {len(rows[0])}" if written.flat else f"{len(rows)} rows of {len(rows[0])}"
        report.add("targets", found, _accepted_targets(setting))
        return (), False
    check_targets(setting.loss, rows, places, report)
    return rows, False


def _accepted_targets(setting: LossSetting) -> str:
    samples, outputs = setting.samples, setting.outputs
    rows = f"a list of {outputs}" if samples == 1 else f"{samples} rows of {outputs}"
    labels = setting.loss.labels and outputs > 1
    if not labels:
        return f"{rows}, a target for each prediction"
    each = "the number of the class" if samples == 1 else f"a list of {samples} classes"
    return f"{rows}, a target for each prediction; or {each}, counted from 0"
