"""What a worked example has for its quantities, as a witness is to be compared with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from derive.derivation.chain_rule import split_derivative
from derive.errors import DeriveError
from derive.formula.expression import Name, Number
from derive.numbers.exact import Undefined
from derive.problem.model import Definitions, Network, Problem
from derive.problem.rule import RATE
from derive.verify.arithmetic import FAILURES, arithmetic_of
from derive.verify.formulas import evaluated
from derive.worked import WorkedExample

if TYPE_CHECKING:
    from derive.problem.loss import LossSetting


class Derived:
    """The numbers of an example with full precision carried; with symbols, those that its formulas give.

    given      every number, stand-ins for symbols among them
    stand_ins  whether there are any
    """

    def __init__(self, example: WorkedExample) -> None:
        self.carries_displayed = example.problem.rounding.carry == "displayed"
        if self.carries_displayed:
            rounding = replace(example.problem.rounding, carry="full")
            example = WorkedExample(example.problem.with_rounding(rounding), example.options)
        self.example = example
        self.problem: Problem = example.problem
        self.given = {**example.problem.given, **dict(_stand_ins(example.problem))}
        self.stand_ins = len(self.given) > len(example.problem.given)
        self._found: dict[str, Any] = {}

    def number(self, name: str, step: int) -> Any:
        """The double nearest to the value; None where it has none."""
        try:
            if self.stand_ins:
                return None if step else self._by_formulas(name)
            return self.example.values_after(step).double(name)
        except (Undefined, DeriveError, *FAILURES):
            return None

    def shown(self, name: str, step: int) -> str | None:
        """The digits of the page; None for a symbol, and where the displayed numbers are carried."""
        if self.stand_ins or self.carries_displayed:
            return None
        return self.example.values_after(step).shown(name)

    @cached_property
    def _numbers(self) -> Mapping[str, Any]:
        return {name: arithmetic_of().number(value.value) for name, value in self.given.items()}

    def _by_formulas(self, name: str) -> Any:
        """The value of a definition with stand-ins for the symbols, deepest parts first."""
        if name in self._numbers:
            return self._numbers[name]
        if name not in self._found:
            if name == RATE and self.problem.update:
                return arithmetic_of().number(self.problem.update.learning_rate.value)
            definition = self.example.derivation.quantity(name).definition
            if definition is None:
                known = self.example.derivation.known(name, 0)
                return None if known is None else arithmetic_of().number(known.value)
            self._found[name] = evaluated(definition, self._by_formulas, arithmetic_of())
        return self._found[name]

    def is_computed(self, name: str) -> bool:
        """Whether there is anything to be checked about a quantity: not where it is given, or just another value."""
        if name == RATE:
            return False
        quantity = self.example.derivation.quantity(name)
        slope = split_derivative(name) is not None
        return quantity.definition is not None and (slope or not isinstance(quantity.definition, Name))


def _stand_ins(problem: Problem) -> Iterator[tuple[str, Number]]:
    """A number for each symbol: none of them 0 or 1, targets between 0 and 1 with a sum of 1."""
    for place, name in enumerate(_needed(problem)):
        if name not in problem.given:
            yield name, Number(_target(problem, name) or Fraction((place * 37) % 83 + 9, 100))


def _needed(problem: Problem) -> Iterator[str]:
    """Every given name of the kinds that may have symbols."""
    body = problem.body
    if isinstance(body, Network):
        suffixes = [f"[{k}]" for k in range(1, body.samples + 1)] if body.samples > 1 else [""]
        yield from (name + suffix for suffix in suffixes for name in (*body.inputs, *body.targets))
        yield from body.parameters()
    elif isinstance(body, Definitions):
        yield from body.leaves
    elif setting := _setting(problem):
        letters = (setting.given_letter, "t")
        suffixes = list(setting.suffixes())
        yield from (name for suffix in suffixes for letter in letters for name in setting.names(letter, suffix))


def _setting(problem: Problem) -> LossSetting | None:
    return cast("LossSetting", problem.body) if problem.kind == "loss" else None


def _target(problem: Problem, name: str) -> Fraction | None:
    """What stands in for a target; None for any other name."""
    body, head, setting = problem.body, name.partition("[")[0], _setting(problem)
    if isinstance(body, Network) and head in body.targets:
        place, count, loss = body.targets.index(head), len(body.targets), body.loss
    elif setting and head.startswith("t"):
        place, count, loss = int(head[1:]) - 1, setting.outputs, setting.loss
    else:
        return None
    if loss.targets == "signs":
        return Fraction(-1 if place % 2 else 1)
    return Fraction(place + 1, count * (count + 1) // 2) if count > 1 else Fraction(3, 10)
