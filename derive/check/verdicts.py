"""The verdicts on answer sheets: every expected answer of every student gets one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise

from derive.check.diagnosis import Diagnosis
from derive.check.findings import Findings
from derive.check.grading import grade
from derive.check.honest import honest_range
from derive.check.marks import Marker
from derive.check.model import Answer, Blank, Marking, Mutant, Sheet, Verdict
from derive.check.own import Alike, Own
from derive.check.program import compiled
from derive.check.slips import family
from derive.check.style import numbers, usual_decimals
from derive.formula.expression import names_in
from derive.worked import WorkedExample

__all__ = ["Judge", "honest_range", "judge"]

BATCH = 1000
"""So many sheets are judged at once."""
MOST_COPIED = 100
"""In a graph of so many quantities the number of any of them may have been copied."""

Mutants = Callable[[WorkedExample, Sequence[str]], list[Mutant]]

_BLANK = Blank()


def judge(
    example: WorkedExample,
    sheets: Iterable[Sheet],
    expected: Sequence[str],
    marking: Marking,
    *,
    mutants: Mutants | None = None,
) -> Iterator[Verdict]:
    """One verdict for each expected quantity of each sheet, in their order, as the sheets come.

    mutants   the mistakes that may have been made; those derived from the graph where nothing is said

    Raises UnknownQuantity where `expected` names what the problem does not have.
    """
    judged = Judge(example, expected, marking, mutants)
    waiting = iter(sheets)
    while batch := list(islice(waiting, BATCH)):
        yield from judged.verdicts(batch)


class Judge:
    """A problem and what is expected, compiled once."""

    def __init__(
        self, example: WorkedExample, expected: Sequence[str], marking: Marking, mutants: Mutants | None = None
    ) -> None:
        self._expected = tuple(expected)
        self._language = marking.language
        made = mutants(example, self._expected) if mutants else _derived(example, self._expected, self._language)
        self.program = compiled(example, self._expected, _mentioned(made) | _neighbours(example, self._expected))
        self.diagnosis = Diagnosis(self.program, made)
        self._marker = Marker(marking, made)
        self._alike = Alike(example, self.program)

    def verdicts(self, sheets: Sequence[Sheet], own: Own | None = None) -> Iterator[Verdict]:
        """The verdicts of a few sheets; the same answers are judged once, and those that are rounded alike together.

        own   where each sheet has numbers of its own: the same problem, and the numbers for each sheet
        """
        answers = [[sheet.answers.get(quantity, _BLANK) for quantity in self._expected] for sheet in sheets]
        first = _first_alike(answers) if own is None else range(len(sheets))
        alike: dict[int, list[int]] = {}
        for place in sorted(set(first)):
            alike.setdefault(usual_decimals(answers[place]), []).append(place)
        where: dict[int, tuple[Findings, int]] = {}
        for places in alike.values():
            found = self._found([sheets[place] for place in places], own.some(places) if own else None)
            where |= {place: (found, column) for column, place in enumerate(places)}
        for sheet, row, place in zip(sheets, answers, first, strict=True):
            found, column = where[place]
            yield from self._marker.verdicts(sheet, row, found, column)

    def _found(self, sheets: Sequence[Sheet], own: Own | None) -> Findings:
        batch = numbers(sheets, self._expected)
        graded = grade(self.program, batch, own.truth if own else None)
        diagnosis = self.diagnosis.among(own.truth) if own else self.diagnosis
        return Findings(self.program, diagnosis, batch, graded, sheets, own or self._alike, self._language)


def _first_alike(answers: Sequence[Sequence[Answer]]) -> list[int]:
    """For each sheet the first one with the same answers."""
    texts = [tuple([(type(each), each.text) for each in row]) for row in answers]
    known: dict[object, int] = {}
    return [known.setdefault(text, place) for place, text in enumerate(texts)]


def _derived(example: WorkedExample, expected: Sequence[str], language: str) -> list[Mutant]:
    from derive.check.mistakes import mutants

    return mutants(example, expected, language)


def _mentioned(mutants: Iterable[Mutant]) -> set[str]:
    found: set[str] = set()
    for mutant in mutants:
        found.update(mutant.definitions)
        for expr in mutant.definitions.values():
            found.update(names_in(expr))
    return found


def _neighbours(example: WorkedExample, expected: Iterable[str]) -> set[str]:
    """What is easily copied instead of what is asked: the forward pass of a small graph, updated values beside."""
    forward = set(islice(example.graph.forward(), MOST_COPIED + 1))
    found = forward if len(forward) <= MOST_COPIED else set()
    names = tuple(expected)
    found |= {f"{name.removeprefix('dE/d')}_new" for name in names if name.startswith("dE/d")}
    return found | _beside(example, names)


def _beside(example: WorkedExample, expected: Sequence[str]) -> set[str]:
    """The updated parameters before and after each that is asked for, of those that are called alike."""
    asked = {name.removesuffix("_new") for name in expected if name.endswith("_new")}
    rows: dict[str, list[str]] = {}
    for name in islice(example.derivation.updated(), MOST_COPIED) if asked else ():
        rows.setdefault(family(name), []).append(name)
    pairs = [pair for row in rows.values() for pair in pairwise(row)]
    return {f"{one}_new" for pair in pairs for one, other in (pair, pair[::-1]) if other in asked}
