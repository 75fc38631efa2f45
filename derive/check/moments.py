"""Quantities after several updates: which definition they have, and what they are called.

A formula for w5@7 in quantities after 6 updates is compared as one for w5_new is: with the parameters after 6 updates
for the given ones.  Only updates that lie between what is asked and what the formula names are written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from derive.derivation.chain_rule import Derivation
from derive.derivation.graph import WrittenOut
from derive.formula.expression import Expr, Name, names_in, replace_names

MOST_UPDATES = 2
"""So many updates may lie between what is asked and what a formula names; more would take too long to write out."""

_STEP = re.compile(r"(.+)@([0-9]+)")


@dataclass(frozen=True, slots=True)
class Moments:
    """The names of a derivation whose given numbers are those after `start` updates."""

    derivation: Derivation
    start: int = 0

    def split(self, name: str) -> tuple[str, int]:
        """("w5", 2) for w5@2, ("w5", 1) for w5_new; a name without an update has step 0."""
        if isinstance(self.derivation.graph, WrittenOut):
            return name, 0
        if found := _STEP.fullmatch(name):
            return found[1], int(found[2])
        base = name.removesuffix("_new")
        return (base, 1) if base != name and self.derivation.is_carried(base) else (name, 0)

    def joined(self, base: str, step: int) -> str:
        """The one name of a quantity after so many updates."""
        if not step or not self.varies(base):
            return base
        return f"{base}_new" if step == 1 and self.derivation.is_carried(base) else f"{base}@{step}"

    def varies(self, base: str) -> bool:
        """Whether updates may change a quantity."""
        if base == "eta" or isinstance(self.derivation.graph, WrittenOut):
            return False
        return self.derivation.is_carried(base) or self.derivation.quantity(base).definition is not None

    def definition(self, name: str) -> Expr | None:
        """What a quantity is, in quantities as early as its own definition names them."""
        base, step = self.split(name)
        if step and self.derivation.is_carried(base):
            base, step = f"{base}_new", step - 1
        found = self.derivation.quantity(base).definition
        return found if found is None or not step else self._after(found, step)

    def _after(self, expr: Expr, steps: int) -> Expr:
        return replace_names(expr, {name: self._name_after(name, steps) for name in set(names_in(expr))})

    def _name_after(self, name: str, steps: int) -> Expr:
        base, step = self.split(name)
        if base == "eta" or self.derivation.is_carried(base):
            return Name(self.joined(base, step + steps))
        counted = self.derivation.known(base, self.start + steps)
        if counted is not None and counted != self.derivation.known(base, self.start):
            return counted
        return Name(self.joined(base, steps))

    def earlier(self, expr: Expr, updates: int) -> Expr:
        """A formula with each name so many updates earlier: w5@7 is w5@1 where the start is 6 updates later."""
        return replace_names(expr, {name: Name(self._earlier(name, updates)) for name in set(names_in(expr))})

    def _earlier(self, name: str, updates: int) -> str:
        base, step = self.split(name)
        return self.joined(base, step - updates) if self.varies(base) else base

    def at(self, expr: Expr, updates: int) -> Expr:
        """A formula in which names without an update mean those after so many."""
        moved = {name: Name(self.joined(name, updates)) for name in set(names_in(expr)) if self.is_open(name)}
        return replace_names(expr, moved)

    def is_open(self, name: str) -> bool:
        """Whether a name leaves open after how many updates."""
        base, step = self.split(name)
        return not step and self.varies(base)

    def span(self, names: Iterable[str]) -> tuple[int, int]:
        """After how many updates the earliest and the latest of them is, of those that updates change."""
        steps = [step for base, step in map(self.split, names) if self.varies(base)]
        return min(steps, default=0), max(steps, default=0)

    def said(self, name: str) -> str:
        """The name as people know it, counted from the very start."""
        base, step = self.split(name)
        return self.joined(base, step + self.start) if self.start and self.varies(base) else name
