"""kind = "perceptron": points with their targets, the weights to start from, and the rule that changes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar, Literal, cast

from derive.formula.expression import ONE, ZERO, Number
from derive.problem.names import COMPUTED_NAMES, is_computed
from derive.problem.shape import Grid, Report, Table, quote, shown

UpdateRule = Literal["difference", "label"]
Order = Literal["cycle", "restart"]

MOST_PRESENTATIONS = 1_000_000
MOST_DECIMALS = 6
"""Numbers with at most so many decimals are shown exactly where the file does not say how to round."""

KEPT = frozenset(("net", "out", "converged", "epochs"))
TRAINING = ("learning_rate", "epochs", "update", "order")


@dataclass(frozen=True, slots=True)
class Perceptron:
    """The structure; the numbers are given by name: x1[k] and y[k] of point k (no [k] for a single one), w1…, b, eta.

    target   None where points are classified and nothing is learned
    labels   the lower and the upper output
    at_zero  the output where the sum is exactly 0 (0 with labels -1 and 1: the sign); None: that counts as a mistake
    update   "difference": Δw = η(y − ŷ)x; "label": Δw = ηyx on a mistake
    order    "restart": the scan of the points begins again after each update; a scan is then an epoch
    """

    kind: ClassVar[str] = "perceptron"

    inputs: tuple[str, ...]
    weights: tuple[str, ...]
    bias: str | None = None
    target: str | None = None
    samples: int = 1
    labels: tuple[int, int] = (0, 1)
    at_zero: int | None = 1
    update: UpdateRule = "difference"
    order: Order = "cycle"
    epochs: int = 100
    bias_input: Number = ONE

    @property
    def parameters(self) -> tuple[str, ...]:
        return (*self.weights, self.bias) if self.bias else self.weights

    @property
    def leaves(self) -> tuple[str, ...]:
        """Every given name."""
        points = range(1, self.samples + 1)
        named = (*self.inputs, *((self.target,) if self.target else ()))
        given = tuple(self.of_point(name, point) for point in points for name in named)
        return (*given, *self.parameters, *(("eta",) if self.target else ()))

    def of_point(self, name: str, point: int) -> str:
        """The input or target of a point, counted from 1."""
        return f"{name}[{point}]" if self.samples > 1 else name


@dataclass(frozen=True, slots=True)
class PerceptronParts:
    """`decimals` show every number of a run in full; None where they would be too many."""

    perceptron: Perceptron
    given: dict[str, Number] = field(default_factory=dict)
    decimals: int | None = None


def read_perceptron(fields: Table, report: Report) -> PerceptronParts | None:
    """The perceptron, or None when anything was reported."""
    rows: tuple[tuple[Number, ...], ...] = fields.get("inputs", Grid((), flat=True)).rows
    targets: tuple[Number, ...] | None = fields.get("targets")
    _check_rows(rows, report)
    labels = _labels(fields, targets, len(rows) if "inputs" in fields.values else None, report)
    width = len(rows[0]) if rows else None
    weights: tuple[Number, ...] = fields.get("weights", (ZERO,) * (width or 0))
    _check_length("weights", weights, width, report)
    names = _names(fields, width, report)
    _check_company(fields, targets is None and "targets" not in fields, report)
    epochs = fields.get("epochs", min(100, MOST_PRESENTATIONS // max(len(rows), 1)))
    if epochs * len(rows) > MOST_PRESENTATIONS:
        found = f"{epochs} epochs of {len(rows)} points, {epochs * len(rows)} presentations"
        report.add("epochs", found, f"at most {MOST_PRESENTATIONS} presentations")
    if report.mistakes or names is None:
        return None
    perceptron = Perceptron(
        names.inputs, names.weights, names.bias, names.target if targets is not None else None, len(rows), labels,
        _at_zero(fields, labels), fields.get("update", "label" if labels[0] else "difference"),
        fields.get("order", "cycle"), epochs, fields.get("bias_input", ONE),
    )  # fmt: skip
    start = (*weights, fields.get("bias", ZERO))
    given = dict(_given(perceptron, rows, targets or (), start, fields.get("learning_rate", ONE)))
    decimals = exact_decimals(perceptron, {name: (value,) for name, value in given.items()})
    return PerceptronParts(perceptron, given, decimals)


# -- numbers


def _check_rows(rows: Sequence[Sequence[Number]], report: Report) -> None:
    for place, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            report.add(f"inputs[{place}]", f"a row of {len(row)}", f"{len(rows[0])} numbers, as in the first row")


def _check_length(key: str, values: Sequence[object], wanted: int | None, report: Report) -> None:
    if wanted is not None and values and len(values) != wanted:
        report.add(key, f"a list of {len(values)}", f"{wanted}, one for each input")


def _labels(fields: Table, targets: tuple[Number, ...] | None, points: int | None, report: Report) -> tuple[int, int]:
    """(0, 1) or (-1, 1), as the targets are; without targets, or where all are 1, as the output at zero is."""
    values = {target.value for target in targets or ()}
    at_zero = fields.get("step_at_zero")
    signs = -1 in values or (not values - {1} and at_zero == -1) or (values == {1} and fields.get("update") == "label")
    labels = (-1, 1) if signs else (0, 1)
    for place, target in enumerate(targets or (), 1):
        if target.value not in labels:
            wanted = "-1 or 1, as the other targets" if signs and target.value == 0 else "0 and 1, or -1 and 1"
            report.add(f"targets[{place}]", shown(target.value), wanted)
    if targets is not None and points is not None and len(targets) != points:
        report.add("targets", f"a list of {len(targets)}", f"{points}, one for each point")
    if at_zero == -1 and not signs:
        report.add("step_at_zero", "the number -1", '0, 1 or "mistake" with targets 0 and 1')
    if fields.get("update") == "label" and values and not signs:
        report.add("update", '"label" with targets 0 and 1', '"difference"; "label" goes with targets -1 and 1')
    return labels


def _at_zero(fields: Table, labels: tuple[int, int]) -> int | None:
    found = fields.get("step_at_zero", labels[1])
    return None if found == "mistake" else cast(int, found)


def _check_company(fields: Table, classifies_only: bool, report: Report) -> None:
    for key in TRAINING if classifies_only else ():
        if key in fields:
            report.add(key, f"{key} without targets", "targets, or a file without this key")
    for key in ("bias_input", "bias_name"):
        if key in fields and "bias" not in fields:
            report.add(key, f"{key} without a bias", "a bias as well, for example bias = 0")


def _given(
    perceptron: Perceptron,
    rows: Sequence[Sequence[Number]],
    targets: Sequence[Number],
    start: Sequence[Number],
    rate: Number,
) -> Iterator[tuple[str, Number]]:
    for point, row in enumerate(rows, 1):
        yield from (
            (perceptron.of_point(name, point), entry) for name, entry in zip(perceptron.inputs, row, strict=True)
        )
        if perceptron.target:
            yield perceptron.of_point(perceptron.target, point), targets[point - 1]
    yield from zip(perceptron.parameters, start, strict=False)
    if perceptron.target:
        yield "eta", rate


def exact_decimals(perceptron: Perceptron, given: Mapping[str, Sequence[Number]]) -> int | None:
    """So many decimals have the numbers of a run at most: a weight those of η·x, a sum those of w·x.

    `given` has every number that a name may stand for; None where there would be more than MOST_DECIMALS.
    """
    points = range(1, perceptron.samples + 1)
    entries = [perceptron.of_point(name, point) for point in points for name in perceptron.inputs]
    constant = (perceptron.bias_input.value if perceptron.bias else Fraction(1),)
    inputs = _most_places([*_values(entries, given), *constant])
    start = _most_places(_values(perceptron.parameters, given))
    rate = _most_places(_values(["eta"], given)) if "eta" in given else 0
    if inputs is None or start is None or rate is None:
        return None
    decimals = max(start, rate + inputs if "eta" in given else 0) + inputs
    return decimals if decimals <= MOST_DECIMALS else None


def _values(names: Iterable[str], given: Mapping[str, Sequence[Number]]) -> list[Fraction]:
    return [number.value for name in names for number in given[name]]


def _most_places(values: Sequence[Fraction]) -> int | None:
    """The decimals that every value can be written with; None where one cannot or needs more than MOST_DECIMALS."""
    fitting = (n for n in range(MOST_DECIMALS + 1) if all(10**n % value.denominator == 0 for value in values))
    return next(fitting, None)


# -- names


@dataclass(frozen=True, slots=True)
class _Names:
    inputs: tuple[str, ...]
    weights: tuple[str, ...]
    bias: str | None
    target: str


def _names(fields: Table, width: int | None, report: Report) -> _Names | None:
    """The names of inputs, weights, bias and target, each of its own."""
    inputs = fields.get("input_names") or tuple(f"x{i}" for i in range(1, (width or 0) + 1))
    weights = fields.get("weight_names") or tuple(f"w{i}" for i in range(1, (width or 0) + 1))
    for key, names in (("input_names", inputs), ("weight_names", weights)):
        _check_length(key, names, width, report)
    bias = fields.get("bias_name", "b") if "bias" in fields else None
    target = fields.get("target_name", "y")
    places = [(name, f"input_names[{i}]") for i, name in enumerate(inputs, 1)]
    places += [(name, f"weight_names[{i}]") for i, name in enumerate(weights, 1)]
    places += [*([(bias, "bias_name")] if bias else []), (target, "target_name")]
    taken: dict[str, str] = {}
    for name, place in places:
        _claim(name, place, taken, fields, report)
    return None if width is None else _Names(inputs, weights, bias, target)


def _claim(name: str, place: str, taken: dict[str, str], fields: Table, report: Report) -> None:
    if name in KEPT or is_computed(name):
        remedy = f"{COMPUTED_NAMES}, and other than {', '.join(sorted(KEPT))}"
        report.add(place, f"the name {quote(name)}, which is kept for something else", remedy)
    elif name in taken:
        where = place if place.partition("[")[0] in fields else taken[name]
        other = taken[name] if where == place else place
        report.add(where, f"the name {quote(name)}, which {other} has too", "a different name for each quantity")
    taken.setdefault(name, place)
