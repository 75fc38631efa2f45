"""A file of answers, judged as it is read: everyone against one problem, or each student against their own sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

from derive.check.answers import AnswerFile
from derive.check.gradebook import Verdicts
from derive.check.model import Blank, Marking, Sheet, Verdict
from derive.check.own import Own
from derive.check.phrases import say
from derive.check.program import Program
from derive.check.verdicts import Judge, judge
from derive.errors import DeriveError
from derive.problem.model import Problem
from derive.worked import WorkedExample

OWN = 500
"""So many sheets with numbers of their own are judged at once."""


@dataclass(frozen=True, slots=True)
class OwnSheets:
    """Which problem each student had.

    example      the problem that all of them are variants of
    problem_of   the problem of a variant; raises DeriveError for an id that is none
    numbers_of   the numbers of many variants for a compiled problem
    of_student   the variants of students by name, for answers that do not say theirs
    """

    example: WorkedExample
    problem_of: Callable[[str], Problem]
    numbers_of: Callable[[Program, Sequence[str]], Own]
    of_student: Mapping[str, str]


class Batch:
    """The answers of a file to a problem."""

    def __init__(
        self, example: WorkedExample, file: AnswerFile, marking: Marking, own: OwnSheets | None = None
    ) -> None:
        self.example = example
        self.file = file
        self.marking = marking
        self.own = own

    @property
    def has_variants(self) -> bool:
        """Whether students are told apart by variants as well."""
        return self.file.variants or self.own is not None

    def example_of(self, variant: str) -> WorkedExample:
        """The worked example of a variant; that of the problem itself for what is no variant."""
        try:
            return self._own_example(variant)
        except DeriveError:
            return self.example

    def _own_example(self, variant: str) -> WorkedExample:
        if self.own is None or not variant:
            return self.example
        return WorkedExample(self.own.problem_of(variant), self.example.options)

    def sheets(self) -> Iterator[Sheet]:
        """The answers, each with the variant of the student."""
        for sheet in self.file.sheets():
            if self.own is not None and not sheet.variant:
                yield replace(sheet, variant=self.own.of_student.get(sheet.student, ""))
            else:
                yield sheet

    def judged(self, sheets: Iterable[Sheet]) -> Iterator[Verdicts]:
        """The verdicts, a student at a time."""
        if self.own is not None:
            yield from self._each_own(sheets)
            return
        found = judge(self.example, sheets, self.file.expected, self.marking)
        for _, verdicts in groupby(found, key=lambda verdict: (verdict.student, verdict.variant)):
            yield list(verdicts)

    def _each_own(self, sheets: Iterable[Sheet]) -> Iterator[Verdicts]:
        """The verdicts of students who have a variant each: only the numbers differ, so all is compiled once."""
        assert self.own is not None
        judge = Judge(self.own.example, self.file.expected, self.marking)
        waiting = iter(sheets)
        while batch := list(islice(waiting, OWN)):
            why = [self._why_not(sheet) for sheet in batch]
            some = [sheet for sheet, reason in zip(batch, why, strict=True) if not reason]
            numbers = self.own.numbers_of(judge.program, [sheet.variant for sheet in some])
            found = judge.verdicts(some, numbers) if some else iter(())
            for sheet, reason in zip(batch, why, strict=True):
                if reason:
                    self.file.notes.add(f"{sheet.student}: {reason}")
                    yield [self._waiting(sheet, name, reason) for name in self.file.expected]
                else:
                    yield list(islice(found, len(self.file.expected)))

    def _why_not(self, sheet: Sheet) -> str:
        """Why there are no numbers to judge a sheet by; "" where there are."""
        if self.own is None or not sheet.variant:
            return say("notes", "no-variant", self.marking.language)
        try:
            self.own.problem_of(sheet.variant)
        except DeriveError as error:
            return str(error)
        return ""

    def _waiting(self, sheet: Sheet, quantity: str, why: str) -> Verdict:
        """What cannot be judged waits for a person: one sheet without its numbers must not stop the others."""
        answer = sheet.answers.get(quantity, Blank()).text
        return Verdict(sheet.student, quantity, answer, "unreadable", "", None, None, None, why, sheet.variant)
