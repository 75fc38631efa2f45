"""The mistakes behind the wrong numbers of a batch: looked for quantity by quantity, for all students at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from derive.check.candidates import Candidate, Columns, Lot, Match, Question
from derive.check.diagnosis import Diagnosis
from derive.check.grading import Graded, Standing
from derive.check.model import Mistake, Sheet, Written
from derive.check.naming import Naming, suggested
from derive.check.own import MOST_SHOWN, Alike, Own
from derive.check.precision import Floats
from derive.check.program import Program
from derive.check.slips import Reach, relatives, slips
from derive.check.style import LARGEST, NO_PLACE, Numbers

SURELY = 0.001
"""A mistake that goes against another answer is named where chance gives the number more rarely than this."""

TRUNCATED = 1.5
"""So many units of the last digit wide are the values that a number stands for, rounded or truncated."""
EXACT_PLACES = 12
"""The decimals of the interval for a number without a last digit."""

_RIGHT = (Standing.CORRECT, Standing.ROUNDED)


class Findings:
    """The mistakes behind the wrong numbers of a batch."""

    def __init__(
        self, program: Program, diagnosis: Diagnosis, batch: Numbers, graded: Graded, sheets: Sequence[Sheet],
        known: Alike | Own, language: str,
    ) -> None:  # fmt: skip
        self._program, self._diagnosis, self._sheets, self._language = program, diagnosis, sheets, language
        self.known, self.batch, self.graded = known, batch, graded
        self._asked = tuple(program.asked.items())
        self.expected = tuple(program.asked)
        self._rows: dict[str, list[int]] = {}
        for row, (_, key) in enumerate(self._asked):
            self._rows.setdefault(key, []).append(row)
        self._standing = np.stack([graded.standing[name] for name, _ in self._asked])
        self._written = self._standing != Standing.NONE
        self._right = np.isin(self._standing, _RIGHT)
        self._relatives: dict[str, list[str]] = {}
        self._matches: dict[tuple[int, int], list[Match]] = {}
        self._slips: dict[tuple[int, int], list[Mistake]] = {}
        self._hidden: dict[tuple[int, int], int] = {}
        self._chance: list[list[float | None]] = []
        self._seen: list[Counter[str]] = [Counter() for _ in sheets]
        with np.errstate(all="ignore"):
            for row in range(len(self._asked)):
                self._look(row)
        self.standing = [graded.standing[name].tolist() for name in self.expected]
        self.low, self.high = ([ends[name].tolist() for name in self.expected] for ends in (graded.low, graded.high))
        self.places = _places(batch)

    def true(self, quantity: str, column: int) -> float:
        """The true value; 0 where there is none."""
        value = self.known.value(self._program.asked[quantity], column)
        return 0.0 if value is None else value

    def shown(self, quantity: str, column: int, answer: Written | None = None) -> str:
        """The right number with the digits of the page or of the answer, whichever are more."""
        places = min((answer.decimals if answer else None) or 0, MOST_SHOWN)
        return self.known.shown(quantity, column, places)

    def chance(self, row: int, column: int) -> float | None:
        """How many mistakes are expected to give a number by chance; None where there is no number."""
        return self._chance[row][column]

    def is_followed(self, row: int) -> bool:
        """Whether what comes before a quantity is followed; it is not after very many updates."""
        key = self._asked[row][1]
        return self._program.nodes[key].definition is not None or not self._program.names.place(key)[1]

    def hidden(self, row: int, column: int) -> int:
        """How many mistakes give a number that honest rounding reaches."""
        return self._hidden.get((row, column), 0)

    def mistake(self, row: int, column: int) -> Mistake | None:
        """What was found behind a number, or could be behind one that honest rounding reaches."""
        standing = self.standing[row][column]
        if standing not in (Standing.CORRECT, Standing.ROUNDED, Standing.WRONG):
            return None
        matches, slipped = self._matches.get((row, column), []), self._slips.get((row, column), [])
        if not matches and not slipped:
            return None
        naming = Naming(self._seen[column], self._language)
        if standing == Standing.WRONG:
            return suggested(matches, slipped, naming, certain=True)
        return suggested(matches[:1], [], naming, certain=False)

    # --- looking -------------------------------------------------------------------------------------------------

    def _look(self, row: int) -> None:
        self._chance.append(self._by_chance(row))
        wrong = np.flatnonzero(self._standing[row] == Standing.WRONG)
        rounded = np.flatnonzero(self._standing[row] == Standing.ROUNDED)
        columns = np.concatenate([wrong, rounded])
        if not columns.size:
            return
        question = self._question(row, columns)
        lots = self._diagnosis.lots(question)
        matched, counts = self._diagnosis.tight(question, lots, wrong.size)
        for column, matches, count in zip(columns.tolist(), matched, counts, strict=True):
            self._keep(row, column, matches)
            self._hidden[row, column] = count
        for column in rounded.tolist():
            self._follow(row, column)
        self._again(row, question, lots, range(wrong.size), self._diagnosis.loose)
        if not self.is_followed(row):
            self._again(row, question, [], range(wrong.size), lambda question, _: self._diagnosis.runs(question))
        without = []
        for place, column in enumerate(wrong.tolist()):
            if slipped := self._slip(row, column):
                self._slips[row, column] = slipped
            else:
                without.append(place)
        self._again(row, question, [], without, lambda question, _: self._diagnosis.paired(question))
        for column in wrong.tolist():
            self._seen[column].update({match.candidate.mutants[0].id for match in self._matches.get((row, column), ())})

    def _follow(self, row: int, column: int) -> None:
        """A number that honest rounding reaches, but which a mistake made before gives outright, follows from that."""
        if not self._seen[column]:
            return
        ids = {match.candidate.mutants[0].id for match in self._matches.get((row, column), ())}
        if ids & self._seen[column].keys():
            self.graded.standing[self._asked[row][0]][column] = Standing.EITHER
            self._right[row, column] = False

    def _again(
        self, row: int, question: Question, lots: Sequence[Lot], places: Sequence[int],
        look: Callable[[Question, Sequence[Lot]], list[list[Match]]],
    ) -> None:  # fmt: skip
        """Look once more at the wrong numbers that have no name yet."""
        columns = question.columns.tolist()
        unnamed = np.array([place for place in places if (row, columns[place]) not in self._matches], dtype=np.intp)
        if unnamed.size:
            found = look(question.some(unnamed), [lot.some(unnamed) for lot in lots])
            for place, matches in zip(unnamed.tolist(), found, strict=True):
                self._keep(row, columns[place], matches)

    def _keep(self, row: int, column: int, matches: list[Match]) -> None:
        if not matches:
            return
        kept = [match for match in matches if not self._is_contradicted(match, row, column)]
        if not kept and (self._chance[row][column] or 0.0) < SURELY:
            kept = [match for match in matches if match.tight and len(match.candidate.mutants) == 1]
        if kept:
            self._matches[row, column] = kept

    def _is_contradicted(self, match: Match, row: int, column: int) -> bool:
        """Whether a mistake would have changed a number before this one, or at its like, that the student wrote right.

        That number has to be nearer to the right one than to what the mistake makes of it.
        """
        candidate, key = match.candidate, self._asked[row][1]
        for place in np.flatnonzero(self._right[:, column]).tolist():
            asked = self._asked[place][1]
            if asked == key or not (asked in candidate.plans or self._is_between(candidate, asked, key)):
                continue
            value, unit = self.batch.value[place, column], 1 / self.batch.scale[place, column]
            most = max(unit, 2 * abs(value - self.true(self.expected[place], column)))
            if any(abs(made - value) > most for made in self._diagnosis.alone(asked, candidate.mutants, column)):
                return True
        return False

    def _is_between(self, candidate: Candidate, asked: str, key: str) -> bool:
        """Whether a quantity lies behind another, and the place of a mistake behind it."""
        behind = self._diagnosis.behind
        return key not in candidate.plans and asked in behind(key) and not behind(asked).isdisjoint(candidate.plans)

    def _question(self, row: int, columns: Columns) -> Question:
        batch, graded, (quantity, key) = self.batch, self.graded, self._asked[row]
        written, values = self._written[:, columns], batch.value[:, columns]
        points: dict[str, Floats] = {}
        pinned = {}
        for place in np.flatnonzero(written.any(axis=1)).tolist():
            asked, there = self._asked[place][1], written[place]
            if asked != key:
                points[asked] = np.where(there, values[place], _lowest(graded.own[asked].lo, columns))
                pinned[asked] = there
        unit = 1.0 / batch.scale[row, columns]
        width = graded.high[quantity][columns] - graded.low[quantity][columns]
        return Question(
            key,
            batch.value[row, columns],
            np.where(batch.decimals[row, columns] == NO_PLACE, 1e12, batch.scale[row, columns]),
            batch.truncatable[row, columns],
            1.5 * (np.where(np.isfinite(width), width, 0.0) + 2 * unit),
            columns,
            graded.own,
            points,
            pinned,
            [(each, at, flags[row, columns]) for at, (each, flags) in enumerate(batch.precisions.items())],
        )

    def _by_chance(self, row: int) -> list[float | None]:
        """How many mistakes are expected to give each number by chance."""
        values, exact = self.batch.value[row], self.batch.decimals[row] == NO_PLACE
        if np.isnan(values).all():
            return [None] * values.size
        units = np.where(exact, 10.0**-EXACT_PLACES, 1 / self.batch.scale[row])
        covered = np.where(self.batch.truncatable[row], TRUNCATED, 1.0) * units
        found = self._diagnosis.chances(self._asked[row][1], values, units, covered)
        return [None if np.isnan(value) else round(each, 4)
                for value, each in zip(values.tolist(), found.tolist(), strict=True)]  # fmt: skip

    # --- slips of the pen ------------------------------------------------------------------------------------------

    def _slip(self, row: int, column: int) -> list[Mistake]:
        quantity, graded = self._asked[row][0], self.graded
        answer = self._sheets[column].answers[quantity]
        assert isinstance(answer, Written)
        if abs(self.batch.value[row, column]) >= LARGEST:
            return []
        ends = (graded.low, graded.high), (graded.own_low, graded.own_high)
        honest, own = (Reach(float(low[quantity][column]), float(high[quantity][column])) for low, high in ends)
        reaches = (honest, own) if own.low <= own.high else (honest,)
        unit = float(1 / self.batch.scale[row, column])
        return list(slips(quantity, answer, reaches, self._others(quantity, column), unit, self._language))

    def _others(self, quantity: str, column: int) -> dict[str, list[float]]:
        """The quantities whose number is easily written instead: the true one, and what was written for it."""
        if quantity not in self._relatives:
            self._relatives[quantity] = relatives(quantity, self._program.truth)
        found: dict[str, list[float]] = {}
        for key in self._relatives[quantity]:
            if (true := self.known.value(key, column)) is not None:
                own = (float(self.batch.value[row, column]) for row in self._rows.get(key, ()))
                found[key] = [true, *(each for each in own if each == each)]
        return found


def _lowest(ends: Floats, columns: Columns) -> Floats:
    """The lower ends at the first precision."""
    found: Floats = ends[0, columns] if ends.shape[1] > 1 else ends[0]
    return found


def _places(batch: Numbers) -> list[list[int]]:
    """The decimals that the reachable interval of each answer is shown with."""
    shown = np.clip(np.rint(np.log10(batch.scale)), 0, MOST_SHOWN)
    found: list[list[int]] = np.where(batch.decimals == NO_PLACE, EXACT_PLACES, shown).astype(np.int_).tolist()
    return found
