"""What comes out when somebody makes a mistake: a quantity evaluated in doubles with some definitions exchanged."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from derive.check.mistakes.scene import base_and_step
from derive.check.model import Mutant
from derive.derivation.evaluator import Evaluator
from derive.formula.expression import Expr, Name
from derive.worked import WorkedExample

FUNCTIONS = {
    "exp": math.exp, "ln": math.log, "sqrt": math.sqrt, "abs": abs, "sin": math.sin, "cos": math.cos,
    "erf": math.erf, "max": max, "min": min, "pi": lambda: math.pi,
}  # fmt: skip


class Doubles:
    """Double arithmetic."""

    def constant(self, value: Fraction) -> float:
        return float(value)

    def add(self, a: float, b: float) -> float:
        return a + b

    def negate(self, value: float) -> float:
        return -value

    def multiply(self, a: float, b: float) -> float:
        return a * b

    def divide(self, a: float, b: float) -> float:
        return a / b

    def power(self, base: float, exponent: float) -> float:
        result: float = base**exponent
        return result

    def function(self, name: str, args: list[float]) -> float:
        result: float = FUNCTIONS[name](*args)  # type: ignore[operator]  # each takes as many as it is given
        return result

    def softmax(self, own: float, others: list[float]) -> float:
        return 1 / (1 + sum(math.exp(other - own) for other in others))

    def compare(self, a: float, b: float) -> int:
        return (a > b) - (a < b)


class Mistaken:
    """A worked example in which a mistake was made."""

    def __init__(self, example: WorkedExample, mutants: Iterable[Mutant] = ()) -> None:
        self._example = example
        self._exchanged = {name: tree for mutant in mutants for name, tree in mutant.definitions.items()}
        self._found: dict[tuple[str, int], float] = {}

    def value(self, name: str, step: int = 0) -> float:
        """The number of a quantity, `step` updates after the start."""
        if (name, step) not in self._found:
            self._found[name, step] = self._evaluated(name, step)
        return self._found[name, step]

    def _evaluated(self, name: str, step: int) -> float:
        derivation, given = self._example.derivation, self._example.values.given
        if name in self._exchanged:
            return self._of(self._exchanged[name], step)
        base, later = base_and_step(name)
        if later and not self._is_node(name):
            return self.value(base, step + later)
        if step and derivation.is_carried(name):
            return self.value(f"{name}_new", step - 1)
        if name in given:
            return float(given[name])  # type: ignore[arg-type]  # given numbers are rationals
        definition = derivation.quantity(name).definition
        if definition is None:
            known = derivation.known(name, step)
            assert known is not None, name
            return float(known.value)
        return self._of(definition, step)

    def _is_node(self, name: str) -> bool:
        try:
            self._example.derivation.quantity(name)
        except KeyError:
            return False
        return True

    def _of(self, tree: Expr, step: int) -> float:
        return (
            self.value(tree.name, step)
            if isinstance(tree, Name)
            else Evaluator(Doubles(), lambda name: self.value(name, step)).value(tree)
        )


def named(example: WorkedExample, mutants: Iterable[Mutant], quantity: str, value: float) -> list[Mutant]:
    """The mutants that give this number, to nine digits."""
    found = []
    for mutant in mutants:
        try:
            wrong = Mistaken(example, [mutant]).value(quantity)
        except (ArithmeticError, ValueError):
            continue
        if math.isclose(wrong, value, rel_tol=1e-9, abs_tol=1e-15):
            found.append(mutant)
    return found
