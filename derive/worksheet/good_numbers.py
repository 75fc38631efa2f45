"""Which variants are fit for a class: those that teach something and trick nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from derive.catalogue.activations import Activation
from derive.check.model import Mutant
from derive.derivation.chain_rule import split_derivative
from derive.derivation.evaluator import formula
from derive.formula.expression import is_plain, names_in
from derive.problem.loss import LossSetting
from derive.problem.model import Network
from derive.problem.perceptron import Perceptron
from derive.problem.points import ActivationPoints
from derive.worked import WorkedExample
from derive.worksheet import presentations
from derive.worksheet.arrays import Arrays, Column, Flags, Floats, constant
from derive.worksheet.honest import (
    MARGIN,
    Calculation,
    Honest,
    Mistaken,
    Rows,
    Slip,
    Span,
    alike,
    calculation,
    hidden,
    taken,
    units_of,
)
from derive.worksheet.later import last_update, place_of, plain_of, seen_through, throughout
from derive.worksheet.values import Table, is_choice, needed

FLAT = 0.02
"""A smooth activation whose slope is smaller is saturated: less than a tenth of what the sigmoid has in its middle."""


SPARSE = 0.5
"""With a smaller share of the variants left, these alone are evaluated."""

FEW = 64
"""So many variants are looked at before all are."""

APART = ("perceptron", "activation")
"""Kinds where many slips change no digit of most variants: there they are none."""

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

    @cached_property
    def deep(self) -> tuple[str, ...]:
        """What is evaluated in this order, as each presentation of a perceptron hangs on the one before."""
        return self.derived if self.table.problem.kind == "perceptron" else ()

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

    def points(self) -> tuple[tuple[str, str], ...]:
        """(z, f(z)) of every point of an activation of single numbers that is asked for."""
        body = self.table.problem.body
        if not isinstance(body, ActivationPoints) or body.activation.vector:
            return ()
        behind = " ".join(self.derived)
        return tuple((z, f"f({z})") for z in body.leaves if f"({z})" in behind)

    def slope(self, net: str, out: str) -> Column:
        """Of an activation."""
        base, step = place_of(out)
        name = f"f'({net})" if out.startswith("f(") else f"d{base}/d{place_of(net)[0]}" + (f"@{step}" if step else "")
        return self.table.column(name)


def _is_other_name(name: str, table: Table) -> bool:
    definition = table.derivation.quantity(name).definition
    return definition is not None and is_plain(definition)


# --- the rules -----------------------------------------------------------------------------------------------------


def _saturated(fitness: Fitness) -> Flags:
    found = fitness.none()
    for net, out in (*fitness.activations(), *fitness.points()):
        node = fitness.table.derivation.quantity(out).node
        if node and node.activation and _flattens(node.activation):
            slope = fitness.slope(net, out).value
            found |= np.abs(slope) < FLAT * (1 + MARGIN)
    return found


def _flattens(row: Activation) -> bool:
    """Whether an activation bends towards a line; one that is made of lines, such as leaky ReLU, does not."""
    return row.name != "linear" and (not row.kinks or "exp(" in row.formula)


def _dead(fitness: Fitness) -> Flags:
    found = fitness.none()
    for net, out in fitness.activations():
        node = fitness.table.derivation.quantity(out).node
        if node and node.activation and node.activation.kinks:
            slope = fitness.slope(net, out)
            found |= slope.value == 0
    return found


def _kink(fitness: Fitness) -> Flags:
    """Within a unit of the last place: rounded, the net input would stand on the other side or on the kink."""
    table = fitness.table
    decimals = table.rounding.decimals
    unit = 10.0 ** -(decimals if decimals is not None else table.rounding.significant or 1) * (1 + MARGIN)
    found = presentations.near_zero(table, unit, fitness.derived)
    for net, out in (*fitness.activations(), *fitness.points()):
        node = table.derivation.quantity(out).node
        row = node.activation if node else None
        for kink in row.kinks if row else ():
            parameters = dict(row.parameters) if row else {}
            at = formula(kink.at, tuple(parameters))
            numbers = {key: constant(number.value, table.count) for key, number in parameters.items()}
            place = Arrays(table.count, numbers.__getitem__).value(at).value
            last = np.maximum(unit, units_of(Span(place, place), table.rounding) * (place != 0) * (1 + MARGIN))
            found |= np.abs(table.column(net).value - place) <= last
    return found


def _zero(fitness: Fitness) -> Flags:
    """Exactly zero, so that nothing is learned; of a maxout layer only one piece learns."""
    found = fitness.none()
    body = fitness.table.problem.body
    if isinstance(body, Network) and any(layer.pieces for layer in body.layers):
        slopes = [fitness.table.column(name).value for name in fitness.asked if split_derivative(name)]
        return np.all([slope == 0 for slope in slopes], axis=0) if slopes else found
    for name in fitness.computed:
        if split_derivative(name):
            column = fitness.table.column(name)
            found |= column.value == 0
    return found


def _still(fitness: Fitness) -> Flags:
    return presentations.still(fitness.table, fitness.asked)


def _ended(fitness: Fitness) -> Flags:
    return presentations.ended(fitness.table, fitness.asked)


def _repeated(fitness: Fitness) -> Flags:
    """Two points that are one: of an activation, or of a perceptron."""
    table, body = fitness.table, fitness.table.problem.body
    if isinstance(body, ActivationPoints):
        points = list(body.names().values())
    elif isinstance(body, Perceptron):
        points = [tuple(body.of_point(name, k) for name in body.inputs) for k in range(1, body.samples + 1)]
    else:
        return fitness.none()
    return _alike_rows([[table.column(name).value for name in names] for names in points], fitness.none())


def _alike_rows(rows: list[list[Floats]], none: Flags) -> Flags:
    found = none
    for place, row in enumerate(rows):
        for other in rows[:place]:
            if len(row) == len(other):
                found = found | np.all([a == b for a, b in zip(row, other, strict=True)], axis=0)
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
                if slip.name not in found:
                    found[slip.name] = fitness.none()
                found[slip.name][rows] = True
    return found


def _hidden_everywhere(fitness: Fitness, honest: Honest, slip: Slip) -> Rows:
    """The variants that hide a mistake; those that the first answers show are not looked at further."""
    whole = wrong = Mistaken(fitness.table, slip)
    rows, left = np.arange(fitness.table.count), ~fitness.none()
    some: Rows | None = None
    changed = False
    shown = fitness.none() if is_apart(fitness.table) else None
    for name in fitness.deep:
        wrong.value(name), honest.span(name)
    for name in fitness.asked:
        if not slip.changes(name):
            continue
        value, room = wrong.value(name), honest.room(name)
        if shown is not None:
            shown[rows] |= ~_same_digits(fitness.table, name, some, value)
        changed = changed or not _alike(taken(fitness.table.column(name).value, some), value)
        left &= hidden(Span(taken(room.lo, some), taken(room.hi, some)), value)
        count = np.count_nonzero(left)
        if not count:
            break
        if count < SPARSE * left.size:
            rows = some = rows[left]
            wrong, left = whole.some(some), np.ones(count, dtype=bool)
    rows = rows[left] if changed else rows[:0]
    return rows if shown is None else rows[shown[rows]]


def is_apart(table: Table) -> bool:
    """Whether a slip that changes no digit of a variant is none there.

    It concerns another piece of a definition, an epsilon, or the samples of a batch that are of the same class.
    """
    body = table.problem.body
    if isinstance(body, Network):
        classes = body.samples > 1 and body.layers[-1].activation.vector is not None
        pieces = any(layer.pieces or layer.trained for layer in body.layers)
        return classes or pieces or table.derivation.knows("epsilon")
    hinge = isinstance(body, LossSetting) and "max(" in body.loss.part + body.loss.whole
    adaptive = body.kind == "optimizer" and "epsilon" in table.problem.given
    return hinge or adaptive or body.kind in APART


def _same_digits(table: Table, name: str, some: Rows | None, wrong: Floats) -> Flags:
    """Where a mistake changes a number by less than half a unit of the last place."""
    right = table.column(name).value
    unit = taken(units_of(Span(right, right), table.rounding), some)
    return np.asarray(np.abs(taken(right, some) - wrong) < unit * (0.5 - MARGIN))


def _alike(right: Floats, wrong: Floats) -> bool:
    """Whether a mistake changes nothing in any variant; a few of them nearly always tell that it does."""
    wrong = np.broadcast_to(wrong, right.shape)
    return bool(alike(right[:FEW], wrong[:FEW]).all()) and bool(alike(right, wrong).all())


_DIGITS = "more digits (--decimals or --significant), or a wider range in [vary]"
RULES: tuple[Rule, ...] = (
    Rule("saturated", "a neuron is saturated", "smaller weights or inputs in [vary]", _saturated),
    Rule(
        "dead", "a neuron is dead: its slope is 0", "weights and inputs in [vary] that keep net inputs above 0", _dead
    ),
    Rule("kink", "a net input lies at a kink of its activation", "other steps in [vary]", _kink),
    Rule("zero", "a gradient is 0", "inputs and weights other than 0 in [vary]", _zero),
    Rule("still", "no weight of the perceptron changes", "weights in [vary] that make more mistakes", _still),
    Rule("ended", "the run of the perceptron ends before what is asked", "fewer presentations in ask", _ended),
    Rule("repeated", "two points are the same", "more values in [vary]", _repeated),
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
            behind = () if definition is None else tuple(dict.fromkeys(names_in(definition)))
            known[name] = seen_through(behind, name, derivation)
        return known[name]

    @cache
    def usual(name: str) -> Calculation:
        definition = derivation.quantity(name).definition
        assert definition is not None
        return calculation(definition)

    steps = last_update(asked)
    slips = [
        Slip(f"{mutant.id} ({mutant.step})", throughout(mutant.definitions, derivation, steps), parts, usual)
        for mutant in mutants(plain_of(example), asked)
        if wanted(mutant)
    ]
    first = presentations.first_to_last(example.graph, asked)
    return tuple(slip for slip in slips if can_be_seen(slip, first, asked))


def can_be_seen(slip: Slip, first: Sequence[str], asked: tuple[str, ...]) -> bool:
    """Whether a slip changes what is asked; `first` is looked at before that, in its order."""
    for name in first:
        slip.changes(name)
    return any(map(slip.changes, asked))
