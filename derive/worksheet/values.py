"""Every quantity of many variants, evaluated at once; what doubles leave open is decided by the exact engine."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from operator import methodcaller

import numpy as np
from numpy.typing import NDArray

from derive.derivation.chain_rule import Derivation
from derive.errors import DeriveError
from derive.formula.expression import Cases, Expr, Name, is_plain, is_step, names_in
from derive.worked import WorkedExample
from derive.worksheet.arrays import Arrays, Column, Flags, Floats, chosen, constant, from_units
from derive.worksheet.digits import Digits, rounded
from derive.worksheet.later import like
from derive.worksheet.presentations import OF_RUN, is_whole, of_run
from derive.worksheet.variants import ETA, Picks, Space

Integers = NDArray[np.int64]


class Table:
    """The quantities of one problem of the sheet, a row for each variant.

    example   the problem with any numbers: only its derivation is used
    picks     a row for each variant, a column for each varied number of the space
    """

    def __init__(self, space: Space, part: int, example: WorkedExample, picks: Picks) -> None:
        self.space, self.part, self.picks = space, part, picks
        self.derivation: Derivation = example.derivation
        self.problem = space.problems[part]
        self.rounding = self.problem.rounding
        self.count = len(picks)
        self._like = example
        self._columns: dict[str, Column] = {}
        self._doubles: dict[str, Floats] = {}
        self._digits: dict[str, Digits] = {}
        self._given: dict[str, tuple[tuple[Fraction, str], ...] | None] = {}
        self._texts: dict[str, list[str]] = {}
        self._absolute: dict[str, list[str]] = {}
        self._exactly: dict[str, Flags] = {}
        self._reproducible: dict[str, Flags] = {}
        self._places = {entry.name: place for place, entry in enumerate(space.varied) if entry.part == part}
        self._examples: dict[int, WorkedExample] = {}

    # --- what is asked -------------------------------------------------------------------------------------------

    def column(self, name: str) -> Column:
        """The values that are carried on; KeyError for a name that is no quantity."""
        if name not in self._columns:
            for part in needed((name,), self) if self.problem.kind == "perceptron" else (name,):
                if part not in self._columns:
                    self._columns[part] = self._evaluated(part)
        return self._columns[name]

    def doubles(self, name: str) -> Floats:
        """The values of `column` alone; not a number where a given quantity has none."""
        if name not in self._doubles:
            known = self.has_number(name)
            self._doubles[name] = self.column(name).value if known else np.full(self.count, np.nan)
        return self._doubles[name]

    def digits(self, name: str) -> Digits:
        """What is shown, as far as doubles decide it."""
        if name not in self._digits:
            self._digits[name] = rounded(self._result(name), self.rounding)
        return self._digits[name]

    def texts(self, name: str) -> list[str]:
        """What the page shows, without any doubt; given numbers as they are written."""
        if name not in self._texts:
            self._texts[name] = self._given_texts(name) or self._shown_texts(name)
        return self._texts[name]

    def absolute(self, name: str) -> list[str]:
        """The texts without their minus signs; the same list where there are none."""
        if name not in self._absolute:
            texts = self.texts(name)
            signed = any(map(_is_signed, texts))
            self._absolute[name] = [text.lstrip("-") for text in texts] if signed else texts
        return self._absolute[name]

    def exactly(self, name: str) -> Flags:
        """Where the number that is shown is the value, not a rounded one."""
        if name not in self._exactly:
            always = np.ones(self.count, dtype=bool)
            self._exactly[name] = always if self.is_given(name) else self._decided_exactly(name)
        return self._exactly[name]

    def reproducible(self, name: str) -> Flags:
        """Where the printed operands of a line give its printed result; always, where displayed numbers are carried."""
        if name not in self._reproducible:
            self._reproducible[name] = self._recomputed(name)
        return self._reproducible[name]

    def piece(self, definition: Cases) -> NDArray[np.intp]:
        """The first piece whose condition holds, counted from 0; the number of pieces where none does."""
        found = np.full(self.count, len(definition.pieces))
        for place, (_, test) in reversed(list(enumerate(definition.pieces))):
            holds, sure = Arrays(self.count, self.column).holds(test)
            for row in np.flatnonzero(~sure).tolist():
                holds[row] = self.example(row).values.holds(test)
            found = np.where(holds, place, found)
        return found

    def has_number(self, name: str) -> bool:
        """Whether a quantity that is given has one."""
        if name == ETA or name in self._places or self.derivation.quantity(name).definition is not None:
            return True
        return name in self.problem.given or self.derivation.known(name, 0) is not None

    def is_given(self, name: str) -> bool:
        return self.given(name) is not None

    def given(self, name: str) -> tuple[tuple[Fraction, str], ...] | None:
        """The numbers, with their spellings, that a given quantity may have; None for what is derived."""
        if name not in self._given:
            self._given[name] = self._given_of(name)
        return self._given[name]

    def _given_of(self, name: str) -> tuple[tuple[Fraction, str], ...] | None:
        place = self._places.get(name)
        if place is not None:
            return tuple((choice.value, choice.written) for choice in self.space.varied[place].choices)
        found = self.problem.given.get(name)
        if name == ETA and self.problem.update:
            found = self.problem.update.learning_rate
        if found is None and self.derivation.quantity(name).definition is None:
            found = self.derivation.known(name, 0)
            if found is None:
                raise DeriveError(f"{name} has no number; accepted: worksheets of problems whose numbers are all given")
        return None if found is None else ((found.value, found.written),)

    def place(self, name: str) -> int | None:
        """The column of `picks` that a varied number takes its choices from."""
        return self._places.get(name)

    def example(self, row: int) -> WorkedExample:
        """The worked example of one variant: exact, and some thousand times slower than its row here."""
        if row not in self._examples:
            self._examples[row] = like(self._like, self.space.problem(self.part, self.picks[row].tolist()))
        return self._examples[row]

    # --- how it is found -----------------------------------------------------------------------------------------

    def _evaluated(self, name: str) -> Column:
        given = self.given(name)
        if given is not None:
            place = self._places.get(name)
            if place is None:
                return constant(given[0][0], self.count)
            return chosen(tuple(value for value, _ in given), self.picks[:, place])
        definition = self._definition(name)
        result = self._result(name)
        if self.rounding.carry == "full" or is_plain(definition):
            return result
        digits = self.digits(name)
        units, exponent = digits.units, digits.exponent
        if not digits.decided.all():
            units, exponent = self._settled(name, units.copy(), exponent.copy())
        return from_units(units, exponent)

    def _settled(self, name: str, units: Integers, exponent: Integers) -> tuple[Integers, Integers]:
        """The numbers that are shown, the undecided ones by the exact engine."""
        for row in np.flatnonzero(~self.digits(name).decided).tolist():
            shown = Decimal(self._shown(row, name)).as_tuple()
            exponent[row] = shown.exponent
            units[row] = int("".join(map(str, shown.digits))) * (-1 if shown.sign else 1)
        return units, exponent

    def _result(self, name: str) -> Column:
        """What the definition gives, before it is rounded to be carried on."""
        if self.is_given(name):
            return self.column(name)
        key = f"={name}"
        if key not in self._columns:
            run = self.problem.kind == "perceptron" and name in OF_RUN
            self._columns[key] = of_run(self, name) if run else self._arrays(name)
        return self._columns[key]

    def _arrays(self, name: str) -> Column:
        return Arrays(self.count, self.column).value(self._definition(name))

    def _definition(self, name: str) -> Expr:
        definition = self.derivation.quantity(name).definition
        assert definition is not None
        return definition

    def _given_texts(self, name: str) -> list[str] | None:
        given = self.given(name)
        if given is None:
            return None
        spellings = [written for _, written in given]
        place = self._places.get(name)
        return spellings * self.count if place is None else [spellings[pick] for pick in self.picks[:, place].tolist()]

    def _shown_texts(self, name: str) -> list[str]:
        digits = self.digits(name)
        texts = digits.texts(self.rounding)
        for row in np.flatnonzero(~digits.decided).tolist():
            texts[row] = self._shown(row, name)
        return list(map(whole, texts)) if is_whole(self.problem, name) else texts

    def _shown(self, row: int, name: str) -> str:
        text = self.example(row).values.shown(name)
        assert text is not None
        return text

    def _recomputed(self, name: str) -> Flags:
        always = np.ones(self.count, dtype=bool)
        definition = None if self.is_given(name) else self.derivation.quantity(name).definition
        if self.rounding.carry == "displayed" or definition is None or is_plain(definition):
            return always
        digits, own = rounded(Arrays(self.count, self._printed).value(definition), self.rounding), self.digits(name)
        same: Flags = (digits.units == own.units) & (digits.exponent == own.exponent)
        for row in np.flatnonzero(~(digits.decided & own.decided)).tolist():
            same[row] = self.example(row).reproducible(name)
        return same

    def _printed(self, name: str) -> Column:
        """The number that a line prints for a name."""
        source = source_of(name, self)
        if self.is_given(source) or is_choice(source, self) or is_plain(self._definition(source)):
            return self.column(source)
        digits = self.digits(source)
        if digits.decided.all():
            return from_units(digits.units, digits.exponent)
        return from_units(*self._settled(source, digits.units.copy(), digits.exponent.copy()))

    def _decided_exactly(self, name: str) -> Flags:
        digits = self.digits(name)
        found = digits.exactly & digits.decided
        unsure = digits.unclear | ~digits.decided
        if unsure.any():
            found = found.copy()
        for row in np.flatnonzero(unsure).tolist():
            exact = self.example(row).values.exact_result(name)
            found[row] = exact is not None and exact == Fraction(self._shown(row, name))
        return found


def whole(text: str) -> str:
    """1 for 1.00000"""
    return text.rstrip("0").rstrip(".") if "." in text else text


_is_signed = methodcaller("startswith", "-")


def source_of(name: str, table: Table) -> str:
    """The quantity that a name is another name for: what a line prints for it."""
    while not table.is_given(name):
        definition = table.derivation.quantity(name).definition
        if not isinstance(definition, Name):
            break
        name = definition.name
    return name


def is_choice(name: str, table: Table) -> bool:
    """Whether a quantity is one of a few whole numbers, such as the slope of ReLU, which are never rounded."""
    definition = None if table.is_given(name) else table.derivation.quantity(name).definition
    return definition is not None and is_step(definition)


def needed(names: tuple[str, ...], table: Table) -> tuple[str, ...]:
    """The quantities that these hang on, themselves included, in an order in which they can be evaluated."""
    found: dict[str, None] = {}
    stack = list(reversed(names))
    open_: set[str] = set()
    while stack:
        name = stack.pop()
        if name in found:
            continue
        parts: list[str] = []
        if name not in open_ and not table.is_given(name):
            definition = table.derivation.quantity(name).definition
            parts = [part for part in dict.fromkeys(names_in(definition)) if part not in found] if definition else []
        if parts:
            open_.add(name)
            stack += [name, *reversed(parts)]
        else:
            found[name] = None
    return tuple(found)
