"""kind = "initializer": how the first weights of a layer are drawn, and the random layers that try it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from derive.catalogue.initializers import INITIALIZERS, Initializer
from derive.formula.expression import Number, number
from derive.problem.keys import INITIALIZER_NAME
from derive.problem.shape import Report, Table, in_words, join, shown, suggestion

MOST_WEIGHTS = 4_000_000
MOST_WORK = 10**10
"""So many multiplications the experiment may take: some seconds."""


@dataclass(frozen=True, slots=True)
class Initialization:
    """An initializer in a layer of a given size.

    samples, seed   of the random inputs and weights of the experiment
    layers, width   how many square layers the signal is sent through, and how wide they are
    """

    kind: ClassVar[str] = "initializer"

    initializer: Initializer
    fan_in: int
    fan_out: int
    samples: int = 200
    seed: int = 1
    layers: int = 10
    width: int = 256

    @property
    def leaves(self) -> tuple[str, ...]:
        return ("fan_in", "fan_out", *(key for key, _ in self.initializer.parameters))

    def given(self) -> dict[str, Number]:
        return {
            "fan_in": number(self.fan_in),
            "fan_out": number(self.fan_out),
            **dict(self.initializer.parameters),
        }


def read_initialization(fields: Table, report: Report) -> Initialization | None:
    """The initializer with its layer, or None when anything was reported."""
    row = read_initializer(fields.get("initializer"), "initializer", report) if "initializer" in fields else None
    sizes = {key: fields.get(key) for key in ("fan_in", "fan_out", "samples", "seed", "layers", "width")}
    chosen = {key: value for key, value in sizes.items() if value is not None}
    if row is None or report.mistakes or fields.wrong:
        return None
    found = Initialization(row, **chosen)
    if found.fan_in * found.fan_out > MOST_WEIGHTS:
        wide = f"a layer of {found.fan_in * found.fan_out} weights"
        report.add("fan_out", wide, f"fan_in times fan_out of at most {MOST_WEIGHTS}")
    if found.samples * found.width**2 * found.layers > MOST_WORK:
        report.add("layers", "too large an experiment", f"samples times width² times layers of at most {MOST_WORK}")
    return None if report.mistakes else found


def read_initializer(value: Any, place: str, report: Report) -> Initializer | None:
    """The row that a name or a table {name = "he-normal", slope = 0.1} means; None when anything was reported."""
    if not isinstance(value, Table):
        return INITIALIZERS[value] if value and INITIALIZER_NAME.read(value, place, report) else None
    if value.wrong:
        return None
    name = value.get("name")
    if not isinstance(name, str):
        report.add(join(place, "name"), "no name" if name is None else "a number", in_words(INITIALIZERS))
        return None
    if INITIALIZER_NAME.read(name, join(place, "name"), report) is None:
        return None
    row = INITIALIZERS[name]
    given = {key: held for key, held in value.values.items() if key != "name"}
    right = [_parameter(row, key, held, join(place, key), report) for key, held in given.items()]
    return row.with_parameters(given) if all(right) else None


def _parameter(row: Initializer, key: str, value: object, place: str, report: Report) -> bool:
    known = [name for name, _ in row.parameters]
    if key not in known:
        accepted = f"the parameters {', '.join(known)}" if known else f"no parameters for {row.name}"
        report.add(place, f"unknown parameter{suggestion(key, known)}", accepted)
        return False
    must_be_positive = key in ("bound", "deviation")
    if not isinstance(value, Number) or (must_be_positive and value.value <= 0):
        found = shown(value.value if isinstance(value, Number) else value)
        report.add(place, found, "a number above 0" if must_be_positive else "a number")
        return False
    return True
