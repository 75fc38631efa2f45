"""The keys of the quantities of a problem: one for those that are each other's alias, `w5@2` after two updates."""

from __future__ import annotations

from collections.abc import Iterator

from derive.errors import DeriveError
from derive.formula.expression import Expr, Name, Number, Series, children, names_in, replace_names
from derive.numbers.exact import Real
from derive.worked import WorkedExample

MOST_STEPS = 12
"""So many updates are followed; what is asked after more stands with its true value."""

MOST_TERMS = 40
"""A sum of more terms is not followed: with so many roundings its digits tell nothing apart."""


class Names:
    """The keys of a problem: one for quantities that are each other's alias, `w5@2` after two updates."""

    def __init__(self, example: WorkedExample) -> None:
        self.example = example
        self._places: dict[str, tuple[str, int]] = {}
        self._found: dict[tuple[str, int], str] = {}

    def asked(self, name: str) -> str:
        """The key of what is called so; raises UnknownQuantity."""
        found = self.example.find(name)
        return self.key(found.name, found.step)

    def key(self, name: str, step: int = 0) -> str:
        """The key of a canonical name in a definition of that step."""
        if (name, step) in self._found:
            return self._found[name, step]
        place = self._place(name, step)
        seen = {place}
        while isinstance(inner := self._definition(*place), Name):
            place = self._place(inner.name, place[1])
            if place in seen:
                break
            seen.add(place)
        key = f"{place[0]}@{place[1]}" if place[1] else place[0]
        self._places[key] = place
        self._found[name, step] = key
        return key

    def _place(self, name: str, step: int) -> tuple[str, int]:
        derivation = self.example.derivation
        base, mark, at = name.rpartition("@")
        if mark and at.isascii() and at.isdigit() and not self._is_quantity(name):
            name, step = base, int(at)
        if step and derivation.is_carried(name):
            return f"{name}_new", step - 1
        return (name, 0) if name == "eta" or self.is_constant(name) else (name, step)

    def _is_quantity(self, name: str) -> bool:
        try:
            self.example.derivation.quantity(name)
        except KeyError:
            return False
        return True

    def is_constant(self, name: str) -> bool:
        """Whether a name means the same number after every update."""
        derivation = self.example.derivation
        given = self.example.values.given
        return name in given and not derivation.is_carried(name) and not derivation.knows(name)

    def _definition(self, name: str, step: int) -> Expr | None:
        if name == "eta" or step > MOST_STEPS or (name in self.example.values.given and not step):
            return None
        if name in self.example.values.given and self.is_constant(name):
            return None
        return self.example.derivation.quantity(name).definition

    def place(self, key: str) -> tuple[str, int]:
        """The canonical name behind a key, and the number of updates before it."""
        return self._places[key]

    def kind(self, key: str) -> tuple[str, int]:
        """The rule of a quantity and the update that it is of."""
        name, step = self._places[key]
        return self.example.derivation.quantity(name).rule, step

    def definition(self, key: str) -> Expr | None:
        """The definition in keys; None for what is given, after too many updates, or a sum of too many terms."""
        name, step = self._places[key]
        return self._in_keys(self._definition(name, step), step)

    def forms(self, key: str) -> Iterator[Expr]:
        """Further ways to write the definition."""
        name, step = self._places[key]
        for form in self.example.derivation.quantity(name).forms:
            inside = self._in_keys(form, step)
            if inside is not None:
                yield inside

    def in_keys(self, expr: Expr, quantity: str) -> Expr:
        """A tree that somebody wrote for the definition of a quantity, in keys; raises KeyError for unknown names.

        Its names are of the update that the quantity is of; for one that says so ("E@2"), of that before all updates.
        """
        step = 0 if "@" in quantity else self._places[self.asked(quantity)][1]
        return replace_names(expr, {name: Name(self.key(name, step)) for name in set(names_in(expr))})

    def _in_keys(self, expr: Expr | None, step: int) -> Expr | None:
        if expr is None or _is_long(expr):
            return None
        return replace_names(expr, {name: Name(self.key(name, step)) for name in set(names_in(expr))})

    def value(self, key: str) -> float | None:
        """The double nearest to the true value; None where it is symbolic or too large."""
        name, step = self._places[key]
        try:
            return self.example.values_after(step).double(name)
        except DeriveError:
            return None

    def real(self, key: str) -> Real | None:
        """The true value, exact or enclosed."""
        name, step = self._places[key]
        return self.example.values_after(step).real(name)


def _is_long(expr: Expr) -> bool:
    if isinstance(expr, Series) and expr.count > MOST_TERMS:
        return True
    return any(_is_long(part) for part in children(expr)) if not isinstance(expr, Name | Number) else False
