"""One update as trees: what a recipe of the catalogue says, read and put in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property

from derive.catalogue.optimizers import Line
from derive.catalogue.recipes import GRADIENTS, Recipe
from derive.formula.expression import Expr, Name, Negative, Number, Product, Sum, names_in, number, replace_names
from derive.formula.grammar import read

PARAMETER, GRADIENT, RATE, TOTAL = "w", "g", "eta", "sum_of_squares"
"""What a definition calls the parameter, its gradient, the rate, and the sum of the squares of all gradients."""

NEW = "_new"


@dataclass(frozen=True, slots=True)
class Assignment:
    """target = definition, in which `…_new` is a name that this update has assigned before.

    `shared` assignments belong to the update as a whole, all others to one parameter each.
    """

    target: str
    definition: Expr
    shared: bool


class UpdateRule:
    """A recipe as assignments in order; the last is that of the parameter.

    numbers    every hyper-parameter that an assignment has, by symbol
    starts     what each state starts from
    counters   names whose number follows from how many updates have been made
    """

    def __init__(self, recipe: Recipe, rate: Number) -> None:
        self.recipe = recipe
        self.rate = rate
        self.assignments = tuple(_assignments(recipe))
        used = {name for each in self.assignments for name in names_in(each.definition)}
        everything = {"eta_0": rate, **dict(recipe.symbols())}
        self.numbers: Mapping[str, Number] = {name: value for name, value in everything.items() if name in used}
        self.starts: Mapping[str, Number] = recipe.states()
        period = recipe.period()
        counters: dict[str, Callable[[int], Fraction]] = {
            "t": lambda step: Fraction(step + 1),
            "k": lambda step: Fraction(step // period),
        }
        self.counters = {name: count for name, count in counters.items() if name in used}

    @cached_property
    def shared(self) -> tuple[str, ...]:
        """What an update computes once for all parameters."""
        return tuple(each.target for each in self.assignments if each.shared)

    @cached_property
    def own(self) -> tuple[str, ...]:
        """What an update computes for each parameter before the parameter itself, longest names first."""
        found = [each.target for each in self.assignments if not each.shared and each.target != PARAMETER]
        return tuple(sorted(found, key=len, reverse=True))

    @cached_property
    def is_plain(self) -> bool:
        """Whether an update is the step w - eta*g and nothing else."""
        return self.recipe.row.name == "sgd" and len(self.assignments) == 1 and not self.recipe.is_decoupled()

    def count(self, name: str, step: int) -> Number:
        """The number of a counter in the update that comes after so many."""
        return number(self.counters[name](step))


@cache
def _tree(text: str) -> Expr:
    return read(text)


def _assignments(recipe: Recipe) -> list[Assignment]:
    lines = list(recipe.lines())
    if recipe.is_scheduled():
        lines.insert(0, Line(RATE, recipe.schedule.formula, shared=True))
    assigned: dict[str, Expr] = {}
    found = []
    for line in lines:
        tree = replace_names(_tree(line.formula), assigned)
        if line.target == PARAMETER and recipe.is_decoupled():
            tree = _with_decay(tree, assigned.get(RATE, Name(RATE)))
        found.append(Assignment(line.target, tree, line.shared))
        new = Name(line.target + NEW)
        assigned[GRADIENT if line.target in GRADIENTS else line.target] = new
    return found


def _with_decay(update: Expr, rate: Expr) -> Expr:
    """The decay stands beside the step: w - eta*lambda*w - …"""
    assert isinstance(update, Sum)
    assert update.terms[0] == Name(PARAMETER)
    decay = Negative(Product((rate, Name("lambda"), Name(PARAMETER))))
    return Sum((update.terms[0], decay, *update.terms[1:]))
