"""A mistake made in every one of very many updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from derive.check.keys import Names
from derive.errors import DeriveError
from derive.formula.expression import Expr
from derive.numbers.exact import Undefined

MOST_WORKED_OUT = 800_000
"""A run of more definitions, counted over all its updates, is not worked out."""
DIGITS = 30


def after_run(names: Names, places: Sequence[tuple[str, int]], instead: Mapping[str, Expr]) -> list[float]:
    """Quantities after so many updates, with other definitions in each of them; empty where that cannot be.

    places   each the canonical name and the number of updates before it
    instead  the definitions that take the place of a quantity's own
    """
    run = names.example.values.run(instead, DIGITS)
    steps = sorted({step for _, step in places})
    found: dict[tuple[str, int], float] = {}
    try:
        for step in steps:
            while run.step < step:
                run.update()
                if steps[-1] * run.size > MOST_WORKED_OUT:
                    return []
            found |= {(name, step): float(run.value(name)) for name, at in places if at == step}
    except (KeyError, DeriveError, Undefined, ArithmeticError):
        return []
    return [found[place] for place in places]
