"""Sheets and keys of many variants: everything that they share is made once, the numbers are put in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from derive.derivation.steps import Line
from derive.formula.languages import LANGUAGES
from derive.pages.blocks import Equation
from derive.worked import WorkedExample
from derive.worksheet.formats import FORMATS, Content, Export, SheetFormat
from derive.worksheet.good_numbers import known_mistakes
from derive.worksheet.honest import Slip
from derive.worksheet.lines import LineWriter, worked_lines
from derive.worksheet.plan import Plan
from derive.worksheet.prepared import Prepared, Tokens, prepare
from derive.worksheet.presentations import OF_RUN
from derive.worksheet.questions import Question
from derive.worksheet.run_lines import RunWriter
from derive.worksheet.sheet import Kind, Names, Part, blocks, prose_of
from derive.worksheet.skeleton import Skeleton
from derive.worksheet.values import Table
from derive.worksheet.variants import Picks
from derive.worksheet.windows import Window, Windows, plain

PLOTTED = ("loss", "optimizer", "activation", "perceptron")
"""Kinds whose picture is a plot of the numbers, which would tell the answers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One sheet of a run: its place in the order of the seed, and whose it is ("" where nobody is named)."""

    place: int
    student: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """One sheet with its key, as bodies of the format; the key is empty where there is none.

    figures   SVG files by name, in the folder figures/
    """

    variant: str
    student: str
    sheet: str
    key: str
    figures: Mapping[str, str]


class Press:
    """Makes the sheets of a plan; `named` when each has the name of its student on it."""

    def __init__(self, plan: Plan, *, named: bool = False) -> None:
        self.plan = plan
        self.format: SheetFormat = FORMATS[plan.style.format]
        self._named = named
        self._tokens = Tokens()
        self._embedded: dict[int, Prepared] = {}
        style = plan.style
        self._writers = tuple(self.format.writer(style, problem.notation) for problem in plan.space.problems)

    @cached_property
    def slips(self) -> tuple[tuple[Slip, ...], ...]:
        """The mistakes that variants may not hide, for each problem."""
        if "mistake" in self.plan.allow:
            return tuple(() for _ in self.plan.examples)
        return tuple(
            known_mistakes(example, asked) for example, asked in zip(self.plan.examples, self.plan.asked, strict=True)
        )

    # --- what all sheets share -----------------------------------------------------------------------------------

    @cached_property
    def _models(self) -> tuple[Table, ...]:
        """Tables of one variant, for questions that have the same answer for all."""
        return self.tables(np.zeros((1, len(self.plan.space.varied)), dtype=np.intp))

    @cached_property
    def _lines(self) -> tuple[tuple[Line, ...], ...]:
        asked = self.plan.asked
        return tuple(
            worked_lines(example, asked[part], self._models[part]) for part, example in enumerate(self.plan.examples)
        )

    @cached_property
    def _line_writers(self) -> tuple[tuple[LineWriter | RunWriter, ...], ...]:
        return tuple(
            tuple(self._line_writer(part, line) for line in self._lines[part]) for part in range(len(self._lines))
        )

    def _line_writer(self, part: int, line: Line) -> LineWriter | RunWriter:
        example, writer = self.plan.examples[part], self._writers[part]
        if example.problem.kind == "perceptron" and line.target in OF_RUN:
            return RunWriter(line.target, writer, self._finish)
        return LineWriter(example, line, writer, self._models[part], self._finish, self._line_number)

    def _finish(self, equation: Equation) -> str:
        return self.format.line(self.plan.style, equation)

    @property
    def _line_number(self) -> Callable[[str], str] | None:
        """What the numbers of lines, which have no signs, go through; None where they stay as they are."""
        plain = self.format.number is None and LANGUAGES[self.plan.style.language].decimal == "."
        return None if plain else self.number

    def is_plain(self, texts: list[str]) -> bool:
        """Whether numbers stand as they are: without powers of ten, and in LaTeX, which has signs of its own."""
        return self._line_number is None and self._writers[0].style == "latex" and "e" not in "".join(texts)

    def number(self, text: str) -> str:
        """A number that is put in the place of another one in a formula."""
        if self.format.number:
            return self.format.number(text, self.plan.style.language)
        return self._writers[0].number(text)

    @cached_property
    def _sheet(self) -> Prepared:
        return prepare(lambda which: self._document("sheet", which), self._tokens)

    @cached_property
    def _key(self) -> Prepared:
        return prepare(lambda which: self._document("key", which), self._tokens)

    def _document(self, kind: Kind, which: int) -> str:
        """A sheet or key with the first tokens (0) or the second ones (1)."""
        plan, token = self.plan, self._token
        variant, student = token("id", which, 18), token("student", which, 20) if self._named else ""
        numbers = [self._numbers("given", part, which) for part in range(len(plan.examples))]
        parts = tuple(
            Part(Skeleton(example, numbers[part]), self._writers[part], plan.asked[part], self._finish)
            for part, example in enumerate(plan.examples)
        )
        names = Names(variant, student, lambda part, name: self._answer(part, name, which), self._worked(kind, which))
        found = tuple(blocks(plan, parts, names, kind))
        figures = tuple(self._figure(part, variant, which) if kind == "sheet" else "" for part in range(len(parts)))
        answers = tuple(
            {name: self._answer(part, name, which) for name in asked} if kind == "key" else {}
            for part, asked in enumerate(plan.asked)
        )
        given = tuple(_with_rate(example, numbers[part]) for part, example in enumerate(plan.examples))
        questions = tuple(self._questions(part, which) for part in range(len(parts))) if self.format.export else ()
        worked = tuple(self._worked("key", which).values()) if self.format.export else ()
        mark = prose_of(plan, self._writers[0]).say("conventions", "mark") if self.format.export else ""
        quoted = token("quoted", which, 20) if self._named and self.format.export else ""
        words = (kind, variant, student, found, figures, given, answers, plan.asked, questions, worked, mark, quoted)
        return self.format.body(plan.style, Content(*words))

    def _questions(self, part: int, which: int) -> tuple[Question, ...]:
        """What a learning platform, or a notebook, is told of each question."""
        first = 1 + sum(map(len, self.plan.asked[:part]))
        lines = {line.target: place for place, line in enumerate(self._lines[part])}
        found = []
        for number, name in enumerate(self.plan.asked[part], first):
            expected, tolerance, low, high = (
                self._token((slot, part, name), which, 8) for slot in ("expected", "tolerance", "low", "high")
            )
            line = self._token(("line", part, lines[name]), which, 12) if name in lines else ""
            symbol, points = self._writers[part].name(name), self.plan.points(part, name)
            found.append(Question(number, name, symbol, points, expected, tolerance, low, high, line))
        return tuple(found)

    def _figure(self, part: int, variant: str, which: int) -> str:
        """What stands for a picture: the picture itself, or the name of its file."""
        if self.format.export and self.format.export.embed:
            return self._token(("picture", part), which, 12) if self._drawn(part, 0) else ""
        if not self.format.linked:
            return self._drawn(part, which)
        return f"figures/{figure_name(variant, part)}" if self._drawn(part, 0) else ""

    def _drawn(self, part: int, which: int) -> str:
        example = self.plan.examples[part]
        if example.problem.kind in PLOTTED:
            return ""
        skeleton = Skeleton(example, self._numbers("drawn", part, which))
        title = prose_of(self.plan, self._writers[part]).translated(self.plan.title(part))
        return self.format.figure(self.plan.style, skeleton, title)

    @cached_property
    def _pictures(self) -> dict[int, Prepared]:
        """The pictures that are files of their own, by the problem that they belong to."""
        if not self.format.linked:
            return {}
        return {
            part: prepare(lambda which, part=part: self._drawn(part, which), self._tokens)  # type: ignore[misc]
            for part in range(len(self.plan.examples))
            if self._drawn(part, 0)
        }

    def _token(self, key: Hashable, which: int, width: int) -> str:
        return self._tokens.pair(key, width)[which]

    def _numbers(self, kind: str, part: int, which: int) -> dict[str, str]:
        """A token for every number that varies, as wide as its widest choice."""
        found = {}
        for entry in self.plan.space.varied:
            if entry.part == part:
                width = max(len(choice.written) for choice in entry.choices)
                found[entry.name] = self._token((kind, part, entry.name), which, width)
        return found

    def _answer(self, part: int, name: str, which: int) -> str:
        rounding = self.plan.space.problems[part].rounding
        width = 2 + (rounding.decimals if rounding.decimals is not None else (rounding.significant or 1))
        return self._token(("answer", part, name), which, width)

    def _worked(self, kind: Kind, which: int) -> dict[int, tuple[str, ...]]:
        """What stands for the lines: the formula with a blank on a scaffold, else a token for the worked line."""
        found = {}
        for part, writers in enumerate(self._line_writers):
            if kind == "sheet" and self.plan.style.level == "scaffold":
                found[part] = tuple(line.blank(self.format.blank) for line in writers)
            else:
                found[part] = tuple(self._token(("line", part, place), which, 12) for place in range(len(writers)))
        return found

    # --- the sheets ----------------------------------------------------------------------------------------------

    def tables(self, picks: Picks) -> tuple[Table, ...]:
        """The numbers of these variants, a table for each problem."""
        space = self.plan.space
        return tuple(Table(space, part, example, picks) for part, example in enumerate(self.plan.examples))

    def make(self, entries: Sequence[Entry]) -> list[Made]:
        """The sheets of these entries, in their order."""
        space, seed, plan_style = self.plan.space, self.plan.seed, self.plan.style
        places = [entry.place for entry in entries]
        tables = self.tables(space.drawn(seed, places))
        ids = space.ids_at(seed, places)
        fill = _Fill(self, tables, ids, entries)
        sheets = self._sheet.fill(fill.texts, len(entries))
        keys = self._key.fill(fill.texts, len(entries)) if plan_style.has_keys else [""] * len(entries)
        pictures = {part: picture.fill(fill.texts, len(entries)) for part, picture in self._pictures.items()}
        figures = [
            {figure_name(variant, part): drawn[row] for part, drawn in pictures.items()}
            for row, variant in enumerate(ids)
        ]
        return [
            Made(variant, entry.student, sheet, key, drawn)
            for variant, entry, sheet, key, drawn in zip(ids, entries, sheets, keys, figures, strict=True)
        ]

    def picture(self, part: int) -> Prepared:
        """A picture that is put into a sheet, encoded."""
        if part not in self._embedded:
            self._embedded[part] = prepare(lambda which: self._drawn(part, which), self._tokens)
        return self._embedded[part]

    def line_texts(self, part: int, place: int, table: Table) -> list[str]:
        return self._line_writers[part][place].texts(table)


class _Fill:
    """The texts of the slots of a few hundred sheets."""

    def __init__(self, press: Press, tables: tuple[Table, ...], ids: list[str], entries: Sequence[Entry]) -> None:
        self._press, self._tables, self._ids, self._entries = press, tables, ids, entries
        self._found: dict[Hashable, list[str]] = {}
        self._windows: dict[int, Windows] = {}

    def texts(self, slot: Hashable) -> Sequence[str]:
        if slot not in self._found:
            export = self._press.format.export
            texts = self._made(slot) if export is None else self._exported(slot, export)
            self._found[slot] = texts
        return self._found[slot]

    def _exported(self, slot: Hashable, export: Export) -> list[str]:
        """A slot of an export: texts are encoded, and there are slots for what platforms accept."""
        match slot:
            case "quoted":
                return [export.quote(entry.student) for entry in self._entries]
            case ("picture", int(part)) if export.embed:
                return [export.embed(drawn) for drawn in self._press.picture(part).fill(self._made, len(self._entries))]
            case ("expected", int(part), str(name)):
                return self._tables[part].texts(name)
            case ("tolerance", int(part), str(name)):
                return [plain(window.tolerance) for window in self._window(part, name)]
            case ("low" | "high" as end, int(part), str(name)):
                platform = self._press.plan.style.platform
                return [plain(window.interval(platform)[end == "high"]) for window in self._window(part, name)]
            case ("line" | "answer" | "given", _, _):
                return [export.encode(text) for text in self._made(slot)]
        return self._made(slot)

    def _window(self, part: int, name: str) -> list[Window]:
        plan = self._press.plan
        if part not in self._windows:
            self._windows[part] = Windows(self._tables[part], plan.examples[part], plan.asked[part])
        return self._windows[part].of(name)

    def _made(self, slot: Hashable) -> list[str]:
        press, language = self._press, self._press.plan.style.language
        match slot:
            case "id":
                return self._ids
            case "student":
                return [press.format.escape(entry.student) for entry in self._entries]
            case ("line", int(part), int(place)):
                return press.line_texts(part, place, self._tables[part])
            case ("answer" | "given", int(part), str(name)):
                texts = self._tables[part].texts(name)
                return texts if press.is_plain(texts) else _each(press.number, texts)
            case ("drawn", int(part), str(name)):
                return _each(lambda text: press.format.drawn(text, language), self._tables[part].texts(name))
        raise KeyError(slot)


def _each(change: Callable[[str], str], texts: list[str]) -> list[str]:
    """Every text changed; of those that are alike one is."""
    known = {text: change(text) for text in set(texts)}
    return [known[text] for text in texts]


def figure_name(variant: str, part: int) -> str:
    return f"{variant}-{part + 1}.svg" if part else f"{variant}.svg"


def _with_rate(example: WorkedExample, tokens: Mapping[str, str]) -> dict[str, str]:
    """Every given number as it is written, the learning rate among them; tokens for those that vary."""
    update = example.problem.update
    found = {**example.problem.given, **({"eta": update.learning_rate} if update else {})}
    return {name: number.written for name, number in found.items()} | dict(tokens)
