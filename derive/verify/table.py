"""What `derive verify` shows: each quantity as derived, as its witnesses have it, and how far they are apart."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from derive.derivation.chain_rule import split_derivative
from derive.verify.checked import SecondOpinion, Verdict
from derive.verify.derived import Derived
from derive.verify.names import Asked, shown_quantities
from derive.worked import WorkedExample

IN_DOUBLES = 1e-10
"""How far a number in doubles may be off, besides its floor."""

FORMAT = 1

Column = Literal["mlp", "again", "torch"]
COLUMNS: tuple[Column, ...] = ("mlp", "again", "torch")


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity: the derived double and the numbers of the witnesses, None where one has nothing to say.

    disagreement   the largest, relative to the larger of the two numbers, and the witness that it is with
    wrong          the witnesses that disagree
    """

    name: str
    derived: float | None
    numbers: Mapping[Column, float | None]
    verdict: Verdict
    disagreement: float
    worst: Column | None
    wrong: tuple[Column, ...]

    @property
    def is_slope(self) -> bool:
        return "'" in self.name or split_derivative(self.name) is not None or self.name.startswith("df")


@dataclass(frozen=True, slots=True)
class Table:
    """All lines, and which witnesses say anything at all; `torch_missing` where it is not installed."""

    title: str
    kind: str
    lines: tuple[Line, ...]
    columns: tuple[Column, ...]
    before_rounding: bool
    stand_ins: bool
    torch_missing: bool = False

    @property
    def wrong(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.wrong)

    @property
    def agrees(self) -> bool:
        return not self.wrong

    @property
    def largest(self) -> Line | None:
        """The line with the largest disagreement; None where there is no disagreement at all."""
        found = max(self.lines, key=lambda line: line.disagreement, default=None)
        return found if found is not None and found.disagreement else None

    def count(self, verdict: Verdict) -> int:
        return sum(line.verdict == verdict for line in self.lines)

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "format": FORMAT,
            "title": self.title,
            "kind": self.kind,
            "agrees": self.agrees,
            "largest_disagreement": self.largest.disagreement if self.largest else 0.0,
            "before_rounding": self.before_rounding,
            "stand_ins": self.stand_ins,
            "witnesses": list(self.columns),
            "quantities": {line.name: _line_data(line, self.columns) for line in self.lines},
        }


def _line_data(line: Line, columns: Iterable[Column]) -> dict[str, Any]:
    return {
        "derived": line.derived,
        **{column: line.numbers[column] for column in columns},
        "verdict": line.verdict,
        "disagreement": line.disagreement,
        "wrong": list(line.wrong),
    }


def verified(example: WorkedExample, *, torch: bool = True, only: Iterable[str] = ()) -> Table:
    """Every quantity of an example, or those of `only`, held against all witnesses.

    Raises DeriveError for an unknown quantity.
    """
    second = SecondOpinion(example)
    derived = second.derived
    asked = [_canonical(derived, name) for name in only] or _computed(second)
    steps = max((step for _, step in asked), default=0)
    doubles = {name: float(number.value) for name, number in derived.given.items()}
    in_numpy = _numpy(second, doubles, steps)
    in_torch, missing = _torch(derived, doubles) if torch else (None, False)
    lines = tuple(_line(second, in_numpy, in_torch, name, step) for name, step in asked)
    columns = tuple(column for column in COLUMNS if any(line.numbers[column] is not None for line in lines))
    problem = derived.problem
    return Table(problem.title, problem.kind, lines, columns, derived.carries_displayed, derived.stand_ins, missing)


def _canonical(derived: Derived, name: str) -> Asked:
    found = derived.example.find(name)
    return found.name, found.step


def _computed(second: SecondOpinion) -> list[Asked]:
    example = second.derived.example
    return [(name, step) for name, step in shown_quantities(example) if step or second.derived.is_computed(name)]


def _numpy(second: SecondOpinion, doubles: Mapping[str, float], steps: int) -> Any:
    from derive.verify.numpy_column import NumpyColumn

    def gradient(step: int, parameters: Mapping[str, float]) -> Mapping[str, float]:
        return {name: _gradient(second, name, step) for name in parameters}

    try:
        with warnings.catch_warnings(action="ignore"):
            return NumpyColumn(second.derived.problem, doubles, steps, gradient)
    except (KeyError, ValueError, ArithmeticError):
        return None


def _gradient(second: SecondOpinion, name: str, step: int) -> float:
    """Of an objective: no network has it, so it is the difference quotient."""
    found = second.opinion(f"g_{name}@{step + 1}", 0)
    return float("nan") if found is None else float(found.value)


def _torch(derived: Derived, doubles: Mapping[str, float]) -> tuple[Any, bool]:
    try:
        from derive.verify.torch_column import TorchColumn

        return TorchColumn(derived.problem, doubles), False
    except ImportError:
        return None, True


def _line(second: SecondOpinion, in_numpy: Any, in_torch: Any, name: str, step: int) -> Line:
    verdict, again = second.verdict(name, step)
    derived = second.derived.number(name, step)
    number = None if derived is None else float(derived)
    found: dict[Column, float | None] = {
        "mlp": in_numpy.number(name, step) if in_numpy else None,
        "again": None if again is None or verdict == "at-kink" else float(again.value),
        "torch": in_torch.number(name, step) if in_torch else None,
    }
    floors: dict[Column, float] = {
        "mlp": _TINY + (in_numpy.floor(name, step) if found["mlp"] is not None else 0.0),
        "again": float(again.floor) if again is not None else 0.0,
        "torch": _TINY + (in_numpy.floor(name, step) if found["mlp"] is not None else 0.0),
    }
    shown = f"{name}@{step}" if step else name
    if number is None:
        return Line(shown, None, found, verdict, 0.0, None, ())
    known = {column: other for column, other in found.items() if other is not None}
    if verdict == "at-kink":
        known.pop("torch", None)
    wrong = tuple(column for column, other in known.items() if _differ(number, other, floors[column]))
    if verdict == "differs" and "again" not in wrong:
        wrong = (*wrong, "again")
    apart, worst = max((_apart(number, other), column) for column, other in known.items()) if known else (0.0, None)
    return Line(shown, number, found, verdict, apart, worst if apart else None, wrong)


_TINY = 1e-15
"""What the last digit of a double near 1 comes to; numbers in doubles are not held to less than it."""


def _differ(one: float, other: float, floor: float) -> bool:
    return abs(one - other) > IN_DOUBLES * max(abs(one), abs(other)) + floor


def _apart(one: float, other: float) -> float:
    """The relative difference; 0 where one of the numbers is 0 and the other is nothing but rounding."""
    if one == other or (abs(one - other) <= _TINY and 0 in (one, other)):
        return 0.0
    return abs(one - other) / max(abs(one), abs(other))
