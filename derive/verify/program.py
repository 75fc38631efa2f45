"""What a witness is asked: the value of a node, and all values again with one node or given number nudged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from derive.formula.expression import Expr, names_in
from derive.verify.arithmetic import Arithmetic
from derive.verify.formulas import evaluated


class Program(Protocol):
    """Named numbers that follow from given ones, in one arithmetic."""

    @property
    def arithmetic(self) -> Arithmetic: ...

    def value(self, name: str) -> Any:
        """The number of a node or of what is given; KeyError for a name that it does not know."""

    def nudged(self, name: str, amount: Any) -> Mapping[str, Any]:
        """The new values of what changes when `amount` is added to the number of that name."""


class Formulas:
    """A program of definitions in an order in which they can be worked out."""

    def __init__(self, define: Mapping[str, Expr], given: Mapping[str, Any], arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self._define = define
        self._given = given
        self._values = dict(given)
        for name, definition in define.items():
            self._values[name] = evaluated(definition, self._values.__getitem__, arithmetic)

    def value(self, name: str) -> Any:
        return self._values[name]

    def nudged(self, name: str, amount: Any) -> Mapping[str, Any]:
        changed = {name: self._values[name] + amount}

        def lookup(part: str) -> Any:
            return changed[part] if part in changed else self._values[part]

        for node, definition in self._define.items():
            if node != name and any(part in changed for part in names_in(definition)):
                changed[node] = evaluated(definition, lookup, self.arithmetic)
        return changed
