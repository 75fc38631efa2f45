"""The page of one student: every answer with its verdict, and the step where it first goes wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache

from derive.check.gradebook import (
    Verdicts,
    alone,
    first_error,
    is_about_digits,
    is_open,
    is_right,
    marks_of,
    shown_marks,
    written_marks,
)
from derive.check.model import Mistake, Verdict
from derive.derivation.steps import Line, line
from derive.errors import DeriveError
from derive.formula.expression import is_plain
from derive.pages.blocks import Block, bullets, equations, heading, paragraph, table
from derive.pages.equations import Equations
from derive.pages.languages import said_block
from derive.reports.look import Style
from derive.worked import WorkedExample

MOST_SUGGESTED = 3
MOST_REMEMBERED = 4096
"""So many sentences, numbers and symbols are remembered of each sort: a class writes and mistakes the same ones."""


class StudentPages:
    """Pages of students who solved one problem; what is derived for one is remembered for the next."""

    def __init__(self, example: WorkedExample, style: Style) -> None:
        self._example = example
        self._style = style
        sheet = style.sheet
        self._equations = Equations(example, sheet.writer, sheet.width, sheet.line_width)
        self._derived: dict[str, list[Block]] = {}
        remembered = lru_cache(maxsize=MOST_REMEMBERED)
        self._sentence = remembered(style.sentence)
        self._quantity = remembered(style.quantity)
        self._number = remembered(style.number)
        self._short = remembered(style.short)
        self._say = remembered(style.say)

    def blocks(self, verdicts: Verdicts, *, derived: bool = True) -> list[Block]:
        """The blocks of a page; without `derived` the step that went wrong is named and not worked out."""
        say, words = self._say, self._style.words
        student = words(verdicts[0].student)
        title = self._style.title(self._example.problem.title)
        found = [heading(1, say("student_title", title=title, student=student))]
        waiting = sum(map(is_open, verdicts))
        marks = self._number(written_marks(marks_of(verdicts)))
        total = say("total", marks=marks, out_of=len(verdicts), waiting=waiting)
        found += [paragraph(total), self._table(verdicts)]
        wrong = first_error(verdicts)
        if wrong:
            right = {verdict.quantity for verdict in verdicts if is_right(verdict)}
            found += [heading(2, say("first_wrong")), *self._explained(wrong, right, derived=derived)]
        rest = [text for verdict in verdicts if verdict is not wrong and (text := self._remark(verdict))]
        if rest:
            found += [heading(2, say("others_wrong"))] if wrong else []
            found.append(bullets(*rest))
        return found

    def _table(self, verdicts: Verdicts) -> Block:
        say = self._say
        header = tuple(say(key) for key in ("quantity", "answer", "expected", "verdict", "marks"))
        rows: list[tuple[str, ...]] = [
            (
                self._quantity(verdict.quantity),
                self._short(verdict.answer),
                self._number(verdict.expected),
                say(verdict.status),
                self._number(shown_marks(verdict)),
            )
            for verdict in verdicts
        ]
        return table(header, rows)

    # --- what went wrong ---------------------------------------------------------------------------------------------

    def _explained(self, verdict: Verdict, right: Collection[str], *, derived: bool) -> Iterator[Block]:
        """The first wrong answer: what is right, what probably happened, how the step is worked out.

        A step before it is shown where it is the only suggestion and not among the quantities that are `right`.
        """
        say = self._say
        facts = self._facts(verdict)
        yield paragraph(say("you_have", **facts))
        if verdict.mistake:
            yield from self._suggested(verdict.mistake)
        if verdict.note:
            yield paragraph(self._style.note(verdict.note))
        if not derived:
            return
        mistake = verdict.mistake
        step = mistake.step if mistake and not mistake.others else ""
        if step not in ("", verdict.quantity, *right) and (lines := self._worked_out(step)):
            yield paragraph(say("how_step"))
            yield from lines
        if lines := self._worked_out(verdict.quantity):
            yield paragraph(say("how_derived"))
            yield from lines

    def _suggested(self, mistake: Mistake) -> Iterator[Block]:
        say, sentence = self._say, self._sentence
        if not mistake.others:
            yield paragraph(say("what_happened", message=sentence(mistake.message)))
            return
        yield paragraph(say("one_of"))
        each = (mistake, *mistake.others[: MOST_SUGGESTED - 1])
        yield bullets(*(sentence(alone(one.message, self._style.language)) for one in each))

    def _facts(self, verdict: Verdict) -> dict[str, str]:
        words = self._style.words
        return {
            "quantity": self._quantity(verdict.quantity),
            "answer": words(verdict.answer),
            "expected": self._number(verdict.expected),
        }

    def _remark(self, verdict: Verdict) -> str:
        """A sentence on an answer that is not simply right; empty where there is nothing to say."""
        say, as_sentence = self._say, self._sentence
        if verdict.status in ("correct", "rounded") and (
            not verdict.note or is_about_digits(verdict, self._style.language)
        ):
            return ""
        facts = self._facts(verdict)
        message = as_sentence(verdict.mistake.message) if verdict.mistake else ""
        note = as_sentence(verdict.note)
        match verdict.status:
            case "correct" | "rounded":
                return f"{facts['quantity']}: {note}"
            case "follow-through":
                marks = self._number(written_marks(verdict.marks)) if verdict.marks not in (None, 1) else ""
                sentence = say("follows", quantity=facts["quantity"], answer=facts["answer"], marks=marks)
            case "wrong":
                sentence = say("is_wrong", **facts, message=message)
            case "blank":
                return ""
            case "unreadable" | "undecided":
                key = f"is_{verdict.status}"
                return say(key, quantity=facts["quantity"], answer=facts["answer"], why=note)
        return f"{sentence} {self._style.note(verdict.note)}" if note else sentence

    # --- the derivation of a step ------------------------------------------------------------------------------------

    def _worked_out(self, name: str) -> list[Block]:
        """The equation of one quantity as the page of the problem has it; nothing for what is given."""
        if name not in self._derived:
            found = self._line(name)
            block = equations(self._equations.equation(found)) if found else None
            style = self._style
            self._derived[name] = [said_block(block, style.language, style.pen.style)] if block else []
        return self._derived[name]

    def _line(self, name: str) -> Line | None:
        try:
            shown = self._example.shown_by(name)
            quantity = self._example.derivation.quantity(shown) if shown else None
        except (DeriveError, KeyError):
            return None
        if quantity is None or quantity.definition is None or is_plain(quantity.definition):
            return None
        return line(quantity)
