"""The formulas of a loss for given outputs: sum_i(…) becomes a sum with a term for each.

Nothing here calls SymPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from derive.catalogue.losses import Loss
from derive.formula.expression import Call, Expr, Name, add, names_in, number, rebuild, replace_names
from derive.formula.grammar import FUNCTIONS, read

OVER_ALL = {"sum_i": "i", "sum_j": "j", "largest_i": "i"}
"""What takes all outputs together, and the letter that its terms are counted with."""
OTHERS = "others_i"
"""Like sum_i without the term of the output itself, in the lines of a lesson."""


@cache
def read_loss(text: str) -> Expr:
    """A formula of the table of losses."""
    return read(text, functions={*FUNCTIONS, *OVER_ALL, OTHERS})


def named_terms(loss: Loss, size: int) -> LossTerms:
    """The loss of a sample with that many outputs o1, o2, … and targets t1, t2, …"""
    targets, outputs = (tuple(Name(f"{letter}{k}") for k in range(1, size + 1)) for letter in "to")
    return LossTerms(loss, targets, outputs)


@dataclass(frozen=True, slots=True)
class LossTerms:
    """A loss with the targets and outputs of one sample; outputs are counted from 1.

    targets, outputs  what stands for t and o of each output: names, or numbers
    value             what stands for E in a derivative
    """

    loss: Loss
    targets: Sequence[Expr]
    outputs: Sequence[Expr]
    value: str = "E"

    def part(self, position: int) -> Expr:
        """What one output contributes; of a loss that has such parts."""
        return self.of(self.loss.part, position)

    def whole(self) -> Expr:
        """The loss as one formula in all outputs."""
        if self.loss.whole:
            return self.of(self.loss.whole, 1)
        return add(*(self.part(position) for position in range(1, len(self.outputs) + 1)))

    def slope(self, position: int) -> Expr | None:
        """∂E/∂o of one output in textbook form; None where the table has none."""
        return self.of(self.loss.derivative, position) if self.loss.derivative else None

    def of(self, text: str, position: int, more: Mapping[str, Expr] | None = None) -> Expr:
        """Any formula in t, o, n, t_i, o_i and the parameters, for the output at that position."""
        own: dict[str, Expr] = {
            "t": self.targets[position - 1],
            "o": self.outputs[position - 1],
            "n": number(len(self.outputs)),
            "E": Name(self.value),
            **dict(self.loss.parameters),
            **(more or {}),
        }
        return replace_names(self._expanded(read_loss(text), position), own)

    def _expanded(self, expr: Expr, position: int) -> Expr:
        """Inner sums first, so that each letter belongs to the nearest sum that counts with it."""
        expr = rebuild(expr, lambda part: self._expanded(part, position))
        if not isinstance(expr, Call) or expr.function not in (*OVER_ALL, OTHERS):
            return expr
        letter = OVER_ALL.get(expr.function, "i")
        places = [k for k in range(1, len(self.outputs) + 1) if expr.function != OTHERS or k != position]
        terms = [self._term(expr.args[0], letter, k) for k in places]
        if expr.function == "largest_i":
            return Call("max", tuple(terms)) if len(terms) > 1 else terms[0]
        return add(*terms)

    def _term(self, body: Expr, letter: str, k: int) -> Expr:
        numbered = {
            name: Name(f"{name.removesuffix(f'_{letter}')}[{k}]")
            for name in names_in(body)
            if name.endswith(f"_{letter}") and name[:-2] not in ("t", "o")
        }
        own = {f"t_{letter}": self.targets[k - 1], f"o_{letter}": self.outputs[k - 1]}
        return replace_names(body, {**numbered, **own})
