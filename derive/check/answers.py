"""Files of answers become sheets, a student at a time; what is odd is noted and never stops the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from derive.check.headers import Layout, delimiter_of, layout_of
from derive.check.keyed import Entry, Key, Record, Records, read_keyed
from derive.check.model import Answer, Blank, Sheet, Unreadable, Written
from derive.check.phrases import Why, phrases, say
from derive.check.quantities import Quantities
from derive.check.tables import Notes, Row, Source, Table, first_lines
from derive.check.written import AnswerReader, same, shortened, unseen
from derive.errors import DeriveError

FEW_STUDENTS = 5000
"""So many are kept in memory, in the order of their first rows, where rows of one student do not stand together."""

@dataclass(frozen=True, slots=True)
class AnswerFile:
    """The answers of one file.

    expected  the quantities that are expected of everyone, canonical
    variants  whether the students have variants of the problem
    students  how many different students there are, for showing progress
    sheets    the answers, a student at a time, from the start at every call
    notes     what a person should know, more of it after the sheets have been read
    """

    expected: tuple[str, ...]
    variants: bool
    students: int
    sheets: Callable[[], Iterator[Sheet]]
    notes: Notes


def read_answers(
    source: Source,
    quantities: Quantities,
    ask: Sequence[str] = (),
    *,
    decimal_comma: bool = False,
    roster: Sequence[str] = (),
    language: str = "en",
) -> AnswerFile:
    """The answers in a file of any of the accepted forms; `ask` holds canonical names.

    Without `ask` every quantity that appears is expected of everyone.  Students of the roster without answers get
    sheets without answers.  `language` is that of what is said of unreadable answers.  Raises DeriveError for a file
    that cannot be used at all.
    """
    notes = Notes()
    reader = AnswerReader(quantities.find, quantities.formula, decimal_comma, language)
    if records := read_keyed(source, notes):
        scan = _Scan.of(((key, [entry[0] for entry in entries]) for key, entries in records()), quantities)
        found, variants, rows = scan.quantities, scan.variants, records
    else:
        table, layout = _table(source, quantities, notes)
        scan = _Scan.of(_names(table, layout, wanted=not ask), quantities)
        found = scan.quantities if layout.is_long else layout.quantities
        variants, rows = layout.variant is not None, partial(_records, table, layout)
    in_order = bool(scan.scattered) and scan.students <= FEW_STUDENTS
    groups = partial(_groups, rows, None if in_order else scan.scattered)
    expected = tuple(ask) or found
    if not expected:
        raise DeriveError(f"{source.name}: found no quantity of this problem; accepted: names such as dE/dw5, net_h1")
    assemble = _Assembly(source.name, expected, quantities, reader, notes)
    listed = dict.fromkeys(roster)

    def sheets() -> Iterator[Sheet]:
        absent = dict(listed)
        for key, entries in groups():
            if listed and key[0] not in listed:
                notes.add(f"{key[0]} is not on the roster")
            absent.pop(key[0], None)
            yield assemble.sheet(key, entries)
        for student in absent:
            notes.add(f"{student} is on the roster and has no answers")
            yield Sheet(student, {})

    return AnswerFile(expected, variants, max(scan.students, len(listed)), sheets, notes)


def _table(source: Source, quantities: Quantities, notes: Notes) -> tuple[Table, Layout]:
    encoding = source.encoding(notes)
    lines = first_lines(source, encoding)
    if not lines:
        raise DeriveError(f"{source.name}: found no rows; accepted: a file of answers")
    table = Table(source, encoding, delimiter_of(lines, quantities.find))
    header = next(iter(table.rows()), None)
    if header is None:
        raise DeriveError(f"{source.name}: found no rows; accepted: a file of answers")
    layout = layout_of(header.cells, quantities.find, f"{source.name}, line {header.line}")
    for name in layout.left_out:
        notes.add(f'{source.name}: the column "{shortened(name)}" is no quantity of this problem and is left out')
    return replace(table, width=layout.width), layout


# --- rows -------------------------------------------------------------------------------------------------------------


def _keyed_rows(table: Table, layout: Layout) -> Iterator[tuple[Key, Row]]:
    """The rows below the header, each with its student; a row without a name is a student of its own."""
    rows = iter(table.rows())
    if layout.has_header:
        next(rows, None)
    for row in rows:
        student = unseen(_cell(row, layout.student))
        variant = unseen(_cell(row, layout.variant)) if layout.variant is not None else ""
        yield (student or f"(no name, line {row.line})", variant), row


def _cell(row: Row, place: int | None) -> str:
    return row.cells[place] if place is not None and place < len(row.cells) else ""


def _names(table: Table, layout: Layout, *, wanted: bool) -> Iterator[tuple[Key, tuple[str, ...]]]:
    """The student of each row, and the quantity that it names where that is wanted."""
    place = layout.quantity if wanted else None
    for key, row in _keyed_rows(table, layout):
        yield key, () if place is None else (unseen(_cell(row, place)),)


def _records(table: Table, layout: Layout) -> Iterator[Record]:
    for key, row in _keyed_rows(table, layout):
        yield key, _entries(row, layout)


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a first reading finds: the quantities, and the students whose rows do not stand together."""

    quantities: tuple[str, ...]
    students: int
    variants: bool
    scattered: frozenset[Key]

    @classmethod
    def of(cls, rows: Iterable[tuple[Key, Iterable[str]]], quantities: Quantities) -> _Scan:
        met: set[int] = set()
        scattered: set[Key] = set()
        names: dict[str, None] = {}
        last: Key | None = None
        variants = False
        for key, named in rows:
            if key != last:
                mark = hash(key)
                if mark in met:
                    scattered.add(key)
                met.add(mark)
                last = key
                variants = variants or bool(key[1])
            names.update(dict.fromkeys(named))
        found = (quantities.find(name) or quantities.find(unseen(name)) for name in names)
        return cls(tuple(dict.fromkeys(name for name in found if name)), len(met), variants, frozenset(scattered))


def _groups(rows: Records, scattered: frozenset[Key] | None) -> Iterator[Record]:
    """The entries of each student; of scattered ones (None: all) at the end, in the order of their first rows."""
    gathered: dict[Key, list[Entry]] = {}
    last: Key | None = None
    entries: list[Entry] = []
    for key, of_row in rows():
        if scattered is None or key in scattered:
            gathered.setdefault(key, []).extend(of_row)
            continue
        if key != last and last is not None:
            yield last, entries
            entries = []
        last = key
        entries.extend(of_row)
    if last is not None:
        yield last, entries
    yield from gathered.items()


def _entries(row: Row, layout: Layout) -> list[Entry]:
    cells, line = row.cells, row.line
    if layout.quantity is not None and layout.answer is not None:
        fault = row.fault
        answer = _cell(row, layout.answer)
        further = cells[layout.width :]
        if any(cell.strip() for cell in further):
            last = layout.answer == layout.width - 1
            answer = ",".join([answer, *further]).rstrip(" ,") if last else answer
            fault = fault or (None if last else _too_many(row, layout))
        return [(_cell(row, layout.quantity), answer, line, fault)]
    fault = row.fault
    beside = [*cells[layout.width :], *(cells[at] for at in layout.empty if at < len(cells))]
    if any(cell and not cell.isspace() for cell in beside):
        fault = fault or _too_many(row, layout)
    return [(name, cells[at] if at < len(cells) else "", line, fault) for at, name in layout.columns]


def _too_many(row: Row, layout: Layout) -> Why:
    filled = max(at for at, cell in enumerate(row.cells) if cell.strip()) + 1
    return Why("cells", {"line": row.line, "filled": filled, "width": layout.width - len(layout.empty)})


# --- sheets -----------------------------------------------------------------------------------------------------------


class _Assembly:
    """Puts the entries of a student together."""

    def __init__(
        self, source: str, expected: Sequence[str], quantities: Quantities, reader: AnswerReader, notes: Notes
    ) -> None:
        self._source = source
        self._order = {name: place for place, name in enumerate(expected)}
        self._quantities = quantities
        self._reader = reader
        self._notes = notes

    def sheet(self, key: Key, entries: Sequence[Entry]) -> Sheet:
        """The answers of one student, in the order in which they are expected, what nobody asked for behind."""
        answers: dict[str, Answer] = {}
        lines: dict[str, int] = {}
        for called, text, line, fault in entries:
            name = self._quantities.find(called) or self._quantities.find(unseen(called))
            reader = self._reader
            if fault and not called:
                self._notes.add(f"{self._source}{f', line {line}' if line else ''}: {fault.said('en')}")
                answers |= {every: reader.refused(text, fault) for every in self._order}
                continue
            if name is None:
                self._unknown(called, text, line)
                continue
            answer = reader.refused(shortened(text.strip()), fault) if fault else reader.read(text, name)
            if isinstance(answer, Unreadable) and answer.why == Why("comma").said(reader.language):
                self._notes.add(f"{self._source}: {say('unreadable', 'comma')}")
            if name in answers:
                answer = self._once(key[0], name, (answers[name], answer), (lines[name], line))
            answers[name] = answer
            lines[name] = line
        order = self._order
        if any(name not in order for name in answers) or len(entries) != len(order):
            answers = dict(sorted(answers.items(), key=lambda item: order.get(item[0], len(order))))
        return Sheet(key[0], answers, key[1], self._places(lines))

    def _places(self, lines: Mapping[str, int]) -> dict[str, str]:
        texts = {line: f"{self._source}, line {line}" if line else self._source for line in set(lines.values())}
        return {name: texts[line] for name, line in lines.items()}

    def _unknown(self, called: str, text: str, line: int) -> None:
        where = self._source
        if not unseen(called):
            if text.strip():
                where += f", line {line}" if line else ""
                self._notes.add(f"{where}: {shortened(text.strip())[:80]} stands without a quantity and is left out")
            return
        self._notes.add(f'{where}: "{shortened(called.strip())[:80]}" is no quantity of this problem and is left out')

    def _once(self, student: str, name: str, both: tuple[Answer, Answer], lines: tuple[int, int]) -> Answer:
        """One answer where two were given: the one that was filled in, the one with more digits, or none of them."""
        old, new = both
        if isinstance(new, Blank):
            return old
        if isinstance(old, Blank):
            return new
        said = f"{self._source}: {student} answers {name} twice"
        self._notes.add(f"{said}, in lines {lines[0]} and {lines[1]}" if all(lines) else said)
        if same(old, new):
            finer = isinstance(old, Written) and isinstance(new, Written) and (new.decimals or 0) > (old.decimals or 0)
            return new if finer else old
        words = {"other": new.text, "another": lines[1]}
        begins = phrases(self._reader.language)["unreadable"]["twice"].partition("{")[0]
        here = "" if all(lines) else "-here"
        if isinstance(old, Unreadable) and old.why.startswith(begins):
            why = Why(f"again{here}", {"why": old.why, **words})
        else:
            why = Why(f"twice{here}", {"one": old.text, "line": lines[0], **words})
        return self._reader.refused(f"{old.text} / {new.text}", why)


def read_roster(source: Source) -> tuple[str, ...]:
    """The students of a list: a name on each line, or the student's column of a table."""
    from derive.check.headers import role_of

    encoding = source.encoding(Notes())
    lines = first_lines(source, encoding, 1)
    table = Table(source, encoding, delimiter_of(lines, lambda _: None) if lines else ",")
    rows = iter(table.rows())
    first = next(rows, None)
    if first is None:
        raise DeriveError(f"{source.name}: found no students; accepted: a name on each line")
    roles = [role_of(unseen(cell)) for cell in first.cells]
    place = roles.index("student") if "student" in roles else 0
    names = [] if "student" in roles else [unseen(_cell(first, 0))]
    names += [unseen(_cell(row, place)) for row in rows]
    return tuple(dict.fromkeys(name for name in names if name))
