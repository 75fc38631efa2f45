"""What is said of a wrong number: the mistakes that give it, the most plausible first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from derive.check.candidates import Match
from derive.check.model import Mistake
from derive.check.phrases import say

MOST_OTHERS = 12
MOST_SEEN = 3
"""A mistake that a student made so often is no likelier if they made it oftener."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How mistakes are told: `seen` is how often the student has made each before."""

    seen: Mapping[str, int]
    language: str


def suggested(
    matches: Sequence[Match], slipped: Sequence[Mistake], naming: Naming, *, certain: bool
) -> Mistake | None:
    """The most plausible mistake with the others behind it; None where there is none.

    slipped  slips of the pen: behind single mistakes that give the number outright, before all others
    certain  whether one that stands alone is said to be the one
    """
    if not matches and not slipped:
        return None
    ranked = sorted(matches, key=lambda match: _rank(match, naming.seen))
    tight = sum(1 for match in ranked if match.tight and len(match.candidate.mutants) == 1)
    named = [_of_match(match) for match in ranked]
    first, *others = _distinct([*named[:tight], *slipped, *named[tight:]])[: MOST_OTHERS + 1]
    message = f"{say('added', 'one_of', naming.language) if others else ''}{first.message}"
    return Mistake(first.id, message, certain and not others, tuple(others), first.step, first.convention)


def _rank(match: Match, known: Mapping[str, int]) -> tuple[float, ...]:
    mutants = match.candidate.mutants
    seen = max(known.get(mutant.id, 0) for mutant in mutants)
    likelihood = match.candidate.likelihood
    return (len(mutants), not match.tight, -min(seen, MOST_SEEN), -likelihood, not match.own, match.distance)


def _of_match(match: Match) -> Mistake:
    first, *more = match.candidate.mutants
    identity = "+".join(mutant.id for mutant in match.candidate.mutants)
    message = " ".join(mutant.message for mutant in match.candidate.mutants)
    return Mistake(identity, message, step=first.step, convention=first.convention and all(m.convention for m in more))


def _distinct(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """One of each id and message."""
    return list({(mistake.id, mistake.message): mistake for mistake in reversed(list(mistakes))}.values())[::-1]
