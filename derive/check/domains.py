"""Which numbers a given quantity may take when formulas are compared: its own, or drawn from the domain it lives in."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from derive.catalogue.losses import Loss
from derive.derivation.evaluate import PRECISIONS
from derive.derivation.graph import sample_suffix
from derive.numbers.exact import Real
from derive.problem.loss import LossSetting
from derive.problem.model import Network
from derive.problem.optimizer import OptimizerRun
from derive.worked import WorkedExample

Domain = Literal["any", "probability", "positive", "sign", "fraction-of-one", "rate"]
MOST_WORKED_OUT = 60
"""After more updates a formula is compared without the numbers of the problem: 50 ms are soon over."""

_STYLES: tuple[Domain, ...] = ("any", "any", "positive", "probability")
_LABELS = frozenset((Fraction(0), Fraction(1), Fraction(-1)))


class Leaves:
    """The given quantities of a problem after `start` updates: their own numbers, and others they might have had.

    Drawn numbers hang on the name and the place in the row of draws alone, so they are the same every time.
    """

    def __init__(self, example: WorkedExample, start: int = 0) -> None:
        self._example = example
        self._start = start
        self._targets = dict(_targets(example))
        self._shares = {name: group for group in self._targets.values() for name in group}
        self._loss = _loss(example)
        self._of_rule = frozenset(_of_rule(example.problem.body))

    def own(self, name: str) -> Fraction | None:
        """The number in the problem; None for a symbol and for what an update has changed."""
        if self._has_moved(name):
            return None
        given = self._example.problem.given.get(name)
        if given is not None:
            return given.value
        update = self._example.problem.update
        if name == "eta" and update:
            return update.learning_rate.value
        known = self._example.derivation.known(name, self._start)
        return known.value if known else None

    def number(self, name: str) -> Real | None:
        """The number in the problem, closely enclosed where updates have changed it; None for a symbol.

        After many updates it is not worked out.
        """
        if not self._has_moved(name):
            return self.own(name)
        if self._start > MOST_WORKED_OUT:
            return None
        return self._example.values_after(self._start).real(name, PRECISIONS[1])

    def _has_moved(self, name: str) -> bool:
        return self._start > 0 and self._example.derivation.is_carried(name)

    def is_fixed(self, name: str) -> bool:
        """Whether the number belongs to the rule and not to the problem: a counter, a first state, β of Adam."""
        if name in self._of_rule:
            return True
        if name in self._example.problem.given or self._has_moved(name):
            return False
        return self._example.derivation.known(name, self._start) is not None

    def labels(self) -> dict[str, Fraction]:
        """The targets that are labels, 0, 1 or -1: part of the question as much as the loss is."""
        own = {name: self.own(name) for name in self._targets}
        return {name: value for name, value in own.items() if value is not None and value in _LABELS}

    def drawn(self, name: str, place: int) -> Fraction:
        """The number of a quantity in the draw of that place."""
        own = self.own(name)
        if own is not None and self.is_fixed(name):
            return own
        domain = self._domain(name, place)
        if domain == "fraction-of-one":
            group = self._shares[name]
            return unit(name, place) / sum(unit(each, place) for each in group)
        if domain == "sign":
            return Fraction(1 if unit(name, place) > Fraction(1, 2) else -1)
        return {"any": 4 * unit(name, place) - 2, "positive": 2 * unit(name, place)}.get(domain, unit(name, place))

    def _domain(self, name: str, place: int) -> Domain:
        if name == "eta":
            return "rate"
        if name in self._targets:
            return self._of_target()
        if self._is_parameter(name):
            return "any"
        if self._has_moved(name):
            return "positive"
        body = self._example.problem.body
        if isinstance(body, LossSetting) and body.activation is None and body.loss.outputs == "probability":
            return "probability"
        return _STYLES[place % 4]

    def _of_target(self) -> Domain:
        assert self._loss is not None
        if self._loss.targets == "signs":
            return "sign"
        if self._loss.cancels == "softmax" or self._loss.labels or self._loss.targets == "sum-to-one":
            return "fraction-of-one"
        return "probability" if self._loss.outputs == "probability" else "any"

    def _is_parameter(self, name: str) -> bool:
        try:
            return self._example.graph.node(name).parameter
        except KeyError:
            return False


@lru_cache(maxsize=1 << 14)
def unit(name: str, place: int) -> Fraction:
    """A number of three decimals between 0 and 1, neither of them; the same on every machine."""
    digest = sha256(f"{place} {name}".encode()).digest()
    return Fraction(1 + int.from_bytes(digest[:8]) % 998, 1000)


def _of_rule(body: object) -> Iterator[str]:
    """What an optimizer's own problem gives of the rule: first states and hyper-parameters."""
    if isinstance(body, OptimizerRun):
        row = body.recipe.row
        yield from (hyper.symbol for hyper in row.hypers)
        yield from (f"{state.name}_{parameter}" for state in row.states for parameter in body.parameters)


def _loss(example: WorkedExample) -> Loss | None:
    loss = getattr(example.problem.body, "loss", None)
    return loss if isinstance(loss, Loss) else None


def _targets(example: WorkedExample) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each target with all targets of its sample."""
    body = example.problem.body
    if _loss(example) is None or example.graph.root is None:
        return
    if isinstance(body, Network):
        samples = range(1, body.samples + 1) if body.samples > 1 else (0,)
        groups = [tuple(name + sample_suffix(sample) for name in body.targets) for sample in samples]
    elif isinstance(body, LossSetting):
        groups = [body.names("t", suffix) for suffix in body.suffixes()]
    else:
        groups = []
    for group in groups:
        yield from ((name, group) for name in group)
