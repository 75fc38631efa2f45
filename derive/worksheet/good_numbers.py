"""Which variants are fit for a class: those that teach something and trick nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from derive.check.model import Mutant
from derive.derivation.chain_rule import split_derivative
from derive.derivation.evaluator import formula
from derive.formula.expression import is_plain, names_in
from derive.worked import WorkedExample
from derive.worksheet.arrays import Arrays, Flags, constant
from derive.worksheet.honest import MARGIN, Honest, Mistaken, Rows, Slip, Span, alike, hidden, taken
from derive.worksheet.values import Table, is_choice, needed

FLAT = 0.02
"""A smooth activation whose slope is smaller is saturated: less than a tenth of what the sigmoid has in its middle."""


SPARSE = 0.5
"""With a smaller share of the variants left, these alone are evaluated."""

COMMON = 3
"""Mistakes of a smaller likelihood (of 9) are too rare to refuse variants for."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse variants; `refuses` says which.

    words    what is wrong with them
    advice   what to change when it refuses too many
    """

    name: str
    words: str
    advice: str
    refuses: Callable[[Fitness], Flags]


class Fitness:
    """Looks at the numbers that a sheet shows or asks for, for all variants of a table at once."""

    def __init__(self, table: Table, asked: tuple[str, ...], slips: tuple[Slip, ...] = ()) -> None:
        self.table = table
        self.asked = asked
        self.slips = slips
        names = needed(asked, table)
        self.derived = tuple(name for name in names if not table.is_given(name) and not _is_other_name(name, table))

    @cached_property
    def computed(self) -> tuple[str, ...]:
        """What is computed and rounded: no plain names, no slopes of 0 or 1."""
        return tuple(name for name in self.derived if not is_choice(name, self.table))

    def none(self) -> Flags:
        return np.zeros(self.table.count, dtype=bool)

    def activations(self) -> tuple[tuple[str, str], ...]:
        """(net input, output) of every neuron with one that the asked quantities hang on."""
        found = []
        for name in self.derived:
            node = self.table.derivation.quantity(name).node
            net = name.replace("out_", "net_", 1)
            if node and node.activation and not node.activation.vector and name.startswith("out_"):
                found.append((net, name))
        return tuple(found)


def _is_other_name(name: str, table: Table) -> bool:
    definition = table.derivation.quantity(name).definition
    return definition is not None and is_plain(definition)


# --- the rules -----------------------------------------------------------------------------------------------------


def _saturated(fitness: Fitness) -> Flags:
    found = fitness.none()
    for net, out in fitness.activations():
        node = fitness.table.derivation.quantity(out).node
        if node and node.activation and not node.activation.kinks and node.activation.name != "linear":
            slope = fitness.table.column(f"d{out}/d{net}").value
            found |= np.abs(slope) < FLAT * (1 + MARGIN)
    return found


def _dead(fitness: Fitness) -> Flags:
    found = fitness.none()
    for net, out in fitness.activations():
        node = fitness.table.derivation.quantity(out).node
        if node and node.activation and node.activation.kinks:
            slope = fitness.table.column(f"d{out}/d{net}")
            found |= slope.value == 0
    return found


def _kink(fitness: Fitness) -> Flags:
    """Within a unit of the last place: rounded, the net input would stand on the other side or on the kink."""
    found = fitness.none()
    for net, out in fitness.activations():
        node = fitness.table.derivation.quantity(out).node
        row = node.activation if node else None
        for kink in row.kinks if row else ():
            parameters = dict(row.parameters) if row else {}
            at = formula(kink.at, tuple(parameters))
            numbers = {key: constant(number.value, fitness.table.count) for key, number in parameters.items()}
            place = Arrays(fitness.table.count, numbers.__getitem__).value(at).value
            decimals = fitness.table.rounding.decimals
            unit = 10.0 ** -(decimals if decimals is not None else fitness.table.rounding.significant or 1)
            found |= np.abs(fitness.table.column(net).value - place) <= unit * (1 + MARGIN)
    return found


def _zero(fitness: Fitness) -> Flags:
    """Exactly zero, so that nothing is learned."""
    found = fitness.none()
    for name in fitness.computed:
        if split_derivative(name):
            column = fitness.table.column(name)
            found |= column.value == 0
    return found


def _small(fitness: Fitness) -> Flags:
    found = fitness.none()
    for name in fitness.computed:
        digits = fitness.table.digits(name)
        found |= digits.decided & (digits.units == 0) & (fitness.table.column(name).value != 0)
    return found


def _tie(fitness: Fitness) -> Flags:
    """So near the middle between two printed numbers that the calculator decides which is printed."""
    found = fitness.none()
    for name in fitness.computed:
        found |= fitness.table.digits(name).distance < MARGIN
    return found


def _mistake(fitness: Fitness) -> Flags:
    found = fitness.none()
    for flags in hidden_mistakes(fitness).values():
        found |= flags
    return found


def hidden_mistakes(fitness: Fitness) -> Mapping[str, Flags]:
    """Where each mistake cannot be told from honest rounding in any of the answers that it changes.

    One that changes none of the answers of any of these variants is none.
    """
    honest = Honest(fitness.table)
    found: dict[str, Flags] = {}
    with np.errstate(all="ignore"):
        for slip in fitness.slips:
            rows = _hidden_everywhere(fitness, honest, slip)
            if rows.size:
                found.setdefault(slip.name, fitness.none())[rows] = True
    return found


def _hidden_everywhere(fitness: Fitness, honest: Honest, slip: Slip) -> Rows:
    """The variants that hide a mistake; those that the first answers show are not looked at further."""
    whole = wrong = Mistaken(fitness.table, slip)
    rows, left = np.arange(fitness.table.count), ~fitness.none()
    some: Rows | None = None
    changed = False
    for name in fitness.asked:
        if not slip.changes(name):
            continue
        value, room = wrong.value(name), honest.room(name)
        changed = changed or not alike(taken(fitness.table.column(name).value, some), value).all()
        left &= hidden(Span(taken(room.lo, some), taken(room.hi, some)), value)
        count = np.count_nonzero(left)
        if not count:
            break
        if count < SPARSE * left.size:
            rows = some = rows[left]
            wrong, left = whole.some(some), np.ones(count, dtype=bool)
    return rows[left] if changed else rows[:0]


_DIGITS = "more digits (--decimals or --significant), or a wider range in [vary]"
RULES: tuple[Rule, ...] = (
    Rule("saturated", "a neuron is saturated", "smaller weights or inputs in [vary]", _saturated),
    Rule(
        "dead", "a neuron is dead: its slope is 0", "weights and inputs in [vary] that keep net inputs above 0", _dead
    ),
    Rule("kink", "a net input lies at a kink of its activation", "other steps in [vary]", _kink),
    Rule("zero", "a gradient is 0", "inputs and weights other than 0 in [vary]", _zero),
    Rule("small", "a result is printed as 0", _DIGITS, _small),
    Rule("tie", "a result lies at a rounding tie", "more digits, or other steps in [vary]", _tie),
    Rule("mistake", "a known mistake gives a number that honest rounding gives too", _DIGITS, _mistake),
)
NAMES = tuple(rule.name for rule in RULES)


def known_mistakes(example: WorkedExample, asked: tuple[str, ...]) -> tuple[Slip, ...]:
    """Every mistake but the rare ones that the checker knows on the way; what is right elsewhere is none."""
    return slips_of(example, asked, lambda mutant: not mutant.convention and mutant.likelihood >= COMMON)


def slips_of(
    example: WorkedExample, asked: tuple[str, ...], wanted: Callable[[Mutant], bool] = lambda _: True
) -> tuple[Slip, ...]:
    """Every mistake that the checker knows on the way and that is wanted."""
    from derive.check.mistakes import mutants

    derivation = example.derivation
    given = {*example.problem.given, "eta"}
    known: dict[str, tuple[str, ...]] = {}

    def parts(name: str) -> tuple[str, ...]:
        if name not in known:
            definition = None if name in given else derivation.quantity(name).definition
            known[name] = () if definition is None else tuple(dict.fromkeys(names_in(definition)))
        return known[name]

    slips = [
        Slip(f"{mutant.id} ({mutant.step})", mutant.definitions, parts)
        for mutant in mutants(example, asked)
        if wanted(mutant)
    ]
    return tuple(slip for slip in slips if any(map(slip.changes, asked)))
