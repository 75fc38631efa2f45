"""What the checker passes on: answers as they were written, mistakes as exchanged definitions, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from derive.formula.expression import Expr

Status = Literal["correct", "rounded", "follow-through", "wrong", "blank", "unreadable", "undecided"]


@dataclass(frozen=True, slots=True)
class Written:
    """A number as somebody wrote it.

    text         the answer, spaces around it removed
    value        exactly what the text says: 0.0822 is 411/5000
    decimals     the place of its last written digit: 4 for "0.0822" and for "8.22e-2", -1 for "1.2e2"; None where
                 the text has no last digit (3/8; 411/5000 has that of 0.0822; an integer that may be exact is 0)
    significant  how many digits were written, leading zeros aside: 3 for "0.0822"; None where decimals is None
    """

    text: str
    value: Fraction
    decimals: int | None = None
    significant: int | None = None


@dataclass(frozen=True, slots=True)
class Formula:
    """An answer that is an expression in the names of the problem; `expr` holds canonical names."""

    text: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Blank:
    """Nothing was written."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be understood, and why, with the place."""

    text: str
    why: str


Answer = Written | Formula | Blank | Unreadable


@dataclass(frozen=True, slots=True)
class Sheet:
    """The answers of one student; `answers` by canonical quantity, in the order in which they are expected.

    variant   the id of the student's own problem; "" where all have the same
    places    where each answer was found ("class.csv, line 7"), for messages
    """

    student: str
    answers: Mapping[str, Answer]
    variant: str = ""
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake at one place: the definitions that somebody used instead of the right ones.

    id           the kind of mistake: "factor-left-out", "updated-weight-used-early"
    message      the mistake in the names of the problem, one sentence
    step         the quantity at which it happens
    definitions  what takes the place of each quantity's own definition; names in it are quantities of the problem.
                 A mistake made throughout (every sigmoid forgotten) exchanges several definitions.
    likelihood   how common the mistake is, from 1 (rare) to 9 (everybody's first): suggestions are ranked by it
    convention   true of what is right under another stated convention (no ½, mean for sum): no slip
    """

    id: str
    message: str
    step: str
    definitions: Mapping[str, Expr]
    likelihood: int = 5
    convention: bool = False


@dataclass(frozen=True, slots=True)
class Mistake:
    """What the checker says of a wrong answer (FORMATS, section 4)."""

    id: str
    message: str
    certain: bool = True
    others: tuple[Mistake, ...] = ()
    step: str = ""
    convention: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one expected answer.

    accepted    the lowest and highest number that honest rounding reaches at the precision written, as text
    marks       of 1; None where a person must decide
    note        one sentence for the reader: where an expression differs, why an answer could not be read, that too
                few digits were asked for, that a degenerate earlier answer made this one trivial
    chance      how many single mistakes are expected to give a number of this size by chance: those that give one
                from half of it to one and a half times it, times the share of these numbers that it stands for
    """

    student: str
    quantity: str
    answer: str
    status: Status
    expected: str
    accepted: tuple[str, str] | None = None
    mistake: Mistake | None = None
    marks: float | None = 0
    note: str = ""
    variant: str = ""
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Marking:
    """How a teacher wants answers judged.

    follow_through       marks for an answer that is right given the student's own earlier ones
    accept_conventions   ids of conventions that get full marks though the page states another; "all" for every one
    require_decimals     an answer written with fewer digits after the point gets no marks, whatever its value
    require_significant  the same for significant digits
    decimal_comma        a comma is the decimal mark in answers
    language             of messages and notes
    """

    follow_through: float = 1
    accept_conventions: tuple[str, ...] = ()
    require_decimals: int | None = None
    require_significant: int | None = None
    decimal_comma: bool = False
    language: str = "en"
