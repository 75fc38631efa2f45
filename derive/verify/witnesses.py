"""The witness of each kind of problem, in numbers of many digits: values again, derivatives as difference quotients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from derive.derivation.chain_rule import split_derivative
from derive.formula.expression import Number
from derive.problem.model import Network, Problem
from derive.verify.arithmetic import DIGITS, Arithmetic
from derive.verify.opinion import Opinion, Witness
from derive.verify.plain_network import PlainNetwork
from derive.verify.program import Formulas, Program
from derive.verify.quotients import Quotients
from derive.verify.updates import Trajectory, trajectory_of

if TYPE_CHECKING:
    from derive.problem.points import ActivationPoints

Derived = Callable[[str, int], float | None]
"""What the derivation has for a quantity after so many updates; asked where a convention decides."""


class Asked:
    """What is said of one program: its values, and the difference quotients of one by another."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.quotients = Quotients(program)

    def opinion(self, name: str) -> Opinion | None:
        try:
            pair = split_derivative(name)
            return self.slope(*pair) if pair else Opinion(self.program.value(name))
        except KeyError:
            return None

    def slope(self, top: str, bottom: str) -> Opinion | None:
        found = self.quotients.slope(top, bottom)
        if found is None:
            return None
        digits = self.program.arithmetic.digits
        size = 1 + abs(self.program.value(top))
        floor = size * self.program.arithmetic.context.mpf(10) ** (2 + digits // 3 - digits)
        if digits > DIGITS:
            floor += found.bend
        return Opinion(found.value, floor, found.sides is not None, slope=True)

    def meets_kink(self, name: str) -> bool:
        pair = split_derivative(name)
        return pair is not None and self.quotients.meets_kink(pair[1])


class OfProgram:
    """The witness of a kind without updates."""

    def __init__(self, program: Program) -> None:
        self._asked = Asked(program)

    def opinion(self, name: str, step: int) -> Opinion | None:
        return None if step else self._asked.opinion(name)

    def meets_kink(self, name: str, step: int) -> bool:
        return not step and self._asked.meets_kink(name)


class OfNetwork:
    """A network after every update; the updates are made anew from difference quotients."""

    def __init__(self, problem: Problem, given: Mapping[str, Any], arithmetic: Arithmetic, derived: Derived) -> None:
        self._problem = problem
        self._network = problem.body
        self._given = given
        self._arithmetic = arithmetic
        self._derived = derived
        self._asked: dict[int, Asked] = {}

    @cached_property
    def _trajectory(self) -> Trajectory | None:
        update = self._problem.update
        assert isinstance(self._network, Network)
        if update is None or not self._network.targets:
            return None
        names = [name for name in self._network.parameters() if name not in update.frozen]
        start = {name: self._given[name] for name in names}
        rate = self._arithmetic.number(update.learning_rate.value)
        return trajectory_of(update.recipe, rate, start, self._gradient)

    def _gradient(self, step: int, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The gradient after so many updates; at a kink the one that was derived."""
        return {name: self._one_gradient(f"dE/d{name}", step) for name in parameters}

    def _one_gradient(self, name: str, step: int) -> Any:
        found = self._at(step).opinion(name)
        if found is None or found.at_kink:
            value = self._derived(name, step)
            return self._arithmetic.context.mpf(value if value is not None else "nan")
        return found.value

    def _at(self, step: int) -> Asked:
        found = self._asked.get(step)
        if found is None:
            now = dict(self._given)
            if step and self._trajectory:
                now |= self._trajectory.parameters(step)
            assert isinstance(self._network, Network)
            found = self._asked[step] = Asked(PlainNetwork(self._network, now.__getitem__, self._arithmetic))
        return found

    def opinion(self, name: str, step: int) -> Opinion | None:
        if step and self._trajectory is None:
            return None
        known = self._trajectory.opinion(name, step) if step and self._trajectory else None
        if known or not step:
            return known or self._at(step).opinion(name)
        found = self._at(step).opinion(name)
        return self._trajectory.after(found) if found and self._trajectory else found

    def meets_kink(self, name: str, step: int) -> bool:
        return self._at(step).meets_kink(name)


class OfPoints:
    """f(0.5) and f'(0.5), f1(1,2,3) and df1/dz2(1,2,3): a small program for each point."""

    def __init__(self, body: ActivationPoints, arithmetic: Arithmetic) -> None:
        self._row = body.activation
        self._arithmetic = arithmetic
        self._made: dict[str, Asked] = {}

    def _split(self, name: str) -> tuple[Asked, str]:
        from derive.verify.plain_points import point_program

        symbol, _, texts = name.partition("(")
        asked = self._made.get(texts)
        if asked is None:
            numbers = tuple(self._arithmetic.number(Fraction(text)) for text in texts.rstrip(")").split(","))
            asked = self._made[texts] = Asked(point_program(self._row, numbers, self._arithmetic))
        return asked, "df/dz" if symbol == "f'" else symbol

    def opinion(self, name: str, step: int) -> Opinion | None:
        if step or "(" not in name:
            return None
        asked, inner = self._split(name)
        return asked.opinion(inner)

    def meets_kink(self, name: str, step: int) -> bool:
        asked, inner = self._split(name)
        return not step and asked.meets_kink(inner)


class OfUpdates:
    """A few updates of a few parameters: w@1, m_w@1, g_w@2, E@3."""

    def __init__(self, problem: Problem, given: Mapping[str, Any], arithmetic: Arithmetic, derived: Derived) -> None:
        from derive.problem.optimizer import OptimizerRun

        run = problem.body
        assert isinstance(run, OptimizerRun)
        self._run, self._given, self._arithmetic, self._derived = run, given, arithmetic, derived
        self._asked: dict[int, Asked] = {}
        start = {name: given[name] for name in run.parameters}
        rate = arithmetic.number(run.rate.value)
        self._trajectory = trajectory_of(run.recipe, rate, start, self._gradient)

    def _at(self, step: int) -> Asked:
        found = self._asked.get(step)
        if found is None:
            now = dict(self._given) | dict(self._trajectory.parameters(step) if step else {})
            define = {"E": self._run.objective} if self._run.objective is not None else {}
            found = self._asked[step] = Asked(Formulas(define, now, self._arithmetic))
        return found

    def _gradient(self, step: int, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if self._run.objective is None:
            return {name: self._given[f"g_{name}@{step + 1}"] for name in parameters}
        return {name: self._one_gradient(name, step) for name in parameters}

    def _one_gradient(self, name: str, step: int) -> Any:
        found = self._at(step).opinion(f"dE/d{name}")
        if found is None or found.at_kink:
            value = self._derived(f"g_{name}@{step + 1}", 0)
            return self._arithmetic.context.mpf(value if value is not None else "nan")
        return found.value

    def opinion(self, name: str, step: int) -> Opinion | None:
        plain, _, written = name.partition("@")
        after = int(written) if written.isdigit() else 0
        if step or not after:
            return None if step else self._at(0).opinion(name)
        if plain.startswith("g_") and plain[2:] in self._run.parameters:
            if self._run.objective is None:
                return Opinion(self._given[name])
            found = self._at(after - 1).opinion(f"dE/d{plain[2:]}")
        elif plain == "E":
            found = self._at(after).opinion("E")
        else:
            return self._trajectory.opinion(plain, after)
        return found and self._trajectory.after(found)

    def meets_kink(self, name: str, step: int) -> bool:
        plain, _, written = name.partition("@")
        return not step and plain.startswith("g_") and self._at(int(written) - 1).meets_kink(f"dE/d{plain[2:]}")


def witness_of(problem: Problem, given: Mapping[str, Number], arithmetic: Arithmetic, derived: Derived) -> Witness:
    """The witness of a problem whose every name has a number in `given`; raises one of `FAILURES`, KeyError."""
    numbers = {name: arithmetic.number(value.value) for name, value in given.items()}
    match problem.kind:
        case "network":
            return OfNetwork(problem, numbers, arithmetic, derived)
        case "activation":
            return OfPoints(problem.body, arithmetic)  # type: ignore[arg-type]  # the kind says so
        case "loss":
            from derive.verify.plain_points import loss_program

            return OfProgram(loss_program(problem.body, numbers, arithmetic))  # type: ignore[arg-type]
        case "optimizer":
            return OfUpdates(problem, numbers, arithmetic, derived)
        case "expression":
            return OfProgram(Formulas(dict(problem.body.define), numbers, arithmetic))  # type: ignore[attr-defined]
    from derive.verify.plain_kinds import VALUES

    return OfValues(VALUES[problem.kind](problem, arithmetic))


class OfValues:
    """Numbers by name, and nothing that is differentiated."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def opinion(self, name: str, step: int) -> Opinion | None:
        return Opinion(self._values[name]) if not step and name in self._values else None

    def meets_kink(self, name: str, step: int) -> bool:  # noqa: ARG002  # nothing is differentiated
        return False
