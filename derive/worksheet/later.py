"""Quantities after later updates: w5@2 and dE/dw5@2 of a network, defined by those of the update before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from derive.derivation.chain_rule import Derivation, Quantity
from derive.formula.expression import Expr, Name, Number, names_in, replace_names
from derive.problem.model import Problem
from derive.worked import WorkedExample

MOST_LATER = 12
"""Sheets ask for so many updates at most; the checker follows no more."""


def place_of(name: str) -> tuple[str, int]:
    """("dE/dw5", 2) for "dE/dw5@2"; 0 where no update is named."""
    base, mark, step = name.rpartition("@")
    return (base, int(step)) if mark and step.isdecimal() else (name, 0)


def last_update(names: tuple[str, ...]) -> int:
    """The last update that is asked for by its number; 0 where there is none."""
    return max((place_of(name)[1] for name in names), default=0)


class LaterDerivation(Derivation):
    """A derivation that goes on: w5@2 is what w5_new is, computed from w5_new, and net_h1@1 is net_h1 of w1_new …"""

    def __init__(self, base: Derivation) -> None:
        self.__dict__.update(base.__dict__)
        self._made = {}

    def _make(self, name: str) -> Quantity:
        base, step = place_of(name)
        if not step:
            return super()._make(name)
        carried = self.is_carried(base)
        quantity, at = self.quantity(f"{base}_new" if carried else base), step - carried
        if quantity.definition is None:
            return Quantity(name, quantity.rule, None)
        node = quantity.node
        if node is not None and node.definition is not None:
            node = replace(node, definition=self.renamed(node.definition, at), textbook=(), terms_with=None)
        forms = tuple(self.renamed(form, at) for form in quantity.forms)
        return Quantity(name, quantity.rule, self.renamed(quantity.definition, at), forms, node)

    def known(self, name: str, step: int) -> Number | None:
        base, at = place_of(name)
        return super().known(base, step + at)

    def carries(self, name: str) -> bool:
        """Whether a name is what an update has made: w5_new, w5@2, m_w5@2."""
        base, step = place_of(name)
        base, step = (base.removesuffix("_new"), 1) if base.endswith("_new") else (base, step)
        return step > 0 and self.is_carried(base)

    def update_of(self, name: str) -> int:
        """How many updates were made before what is computed: 0 of net_h1 and of w5_new, 1 of net_h1@1 and of w5@2."""
        base, step = place_of(name)
        return step - 1 if step and self.is_carried(base) else step

    def named(self, node: str, step: int) -> str:
        """The name of a node of the graph after so many updates."""
        found = self.after(node, step)
        return found.name if isinstance(found, Name) else node

    def renamed(self, expr: Expr, step: int) -> Expr:
        """A tree of quantities before any update, as it is after so many."""
        names = set(names_in(expr))
        return replace_names(expr, {name: self.after(name, step) for name in names}) if step else expr

    def after(self, name: str, step: int) -> Expr:
        """What stands for a quantity after so many updates: w5_new, w5@2, net_h1@1; a number that counts updates."""
        base, own = place_of(name)
        step += own
        if base.endswith("_new") and self.is_carried(base.removesuffix("_new")):
            base, step = base.removesuffix("_new"), step + 1
        if not step or (base == "eta" and not self.is_carried(base)):
            return Name(base)
        if self.is_carried(base):
            return Name(f"{base}_new" if step == 1 else f"{base}@{step}")
        if self.knows(base):
            first, found = super().known(base, 0), super().known(base, step)
            return Name(base) if found is None or first == found else found
        return Name(base) if self.quantity(base).definition is None else Name(f"{base}@{step}")


class LaterExample(WorkedExample):
    """A worked example whose quantities go on after the first update; `plain` is the same without."""

    @cached_property
    def plain(self) -> WorkedExample:
        return WorkedExample(self.problem, self.options)

    @cached_property
    def derivation(self) -> Derivation:
        return LaterDerivation(self.plain.derivation)


def plain_of(example: WorkedExample) -> WorkedExample:
    """The example as the checker knows it, who has names of its own for what comes after an update."""
    return example.plain if isinstance(example, LaterExample) else example


def like(example: WorkedExample, problem: Problem) -> WorkedExample:
    """An example of the same sort."""
    return LaterExample(problem) if isinstance(example, LaterExample) else WorkedExample(problem)


def throughout(definitions: Mapping[str, Expr], derivation: Derivation, steps: int) -> dict[str, Expr]:
    """Definitions that somebody exchanged, after every update too; what is exchanged after one only stays so.

    Nothing where they ask for an update too many, which hangs on the one that is exchanged.
    """
    if not isinstance(derivation, LaterDerivation):
        return dict(definitions)
    found: dict[str, Expr] = {}
    if any(_comes_after(tree, name) for name, tree in definitions.items()):
        return {}
    for step in range(steps + 1):
        for name, tree in definitions.items():
            if place_of(name)[1] and step:
                continue
            target = derivation.after(name, step)
            if isinstance(target, Name):
                names = {part: derivation.after(part, step) for part in set(names_in(tree))}
                found[target.name] = replace_names(tree, names)
    return found


def _comes_after(tree: Expr, name: str) -> bool:
    own = place_of(name)[1]
    return own > 0 and any(place_of(part)[1] > own for part in names_in(tree))


def seen_through(parts: tuple[str, ...], name: str, derivation: Derivation) -> tuple[str, ...]:
    """Those parts of a quantity through which a mistake can be seen.

    A mistake in an update changes the next forward pass by far less than a digit, so it is looked for in the update.
    """
    if not isinstance(derivation, LaterDerivation) or derivation.carries(name):
        return parts
    return tuple(part for part in parts if not derivation.carries(part))


def in_order(parts: Iterable[str], example: LaterExample) -> Iterator[str]:
    """What leads to the asked quantities, update by update: each forward pass, then gradients and new parameters."""
    derivation = example.derivation
    assert isinstance(derivation, LaterDerivation)
    of_update: dict[int, dict[str, None]] = {}
    for name in parts:
        if derivation.quantity(name).rule not in ("given", "alias"):
            of_update.setdefault(derivation.update_of(name), {})[name] = None
    for update in sorted(of_update):
        own = of_update[update]
        forward = {derivation.named(node, update): None for node in example.graph.forward()}
        yield from (name for name in forward if name in own)
        yield from (name for name in own if name not in forward)
