"""What the columns of a table of answers are: the student, the quantity, the answer, or one column each quantity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from derive.check.tables import DELIMITERS, announced_delimiter, cells_of
from derive.check.written import Find, unseen
from derive.errors import DeriveError

Role = Literal["student", "quantity", "answer", "variant"]

_WORDS: Mapping[Role, str] = {
    "student": "student studentid studentnumber studentnr id matriculationnumber matrnr matrikelnummer matrikelnr "
    "sid username userid login candidate pupil studentname name fullname email emailaddress nickname",
    "quantity": "quantity quantities question item task exercise variable symbol what frage aufgabe größe",
    "answer": "answer answers value response result antwort wert ergebnis lösung given",
    "variant": "variant sheet version variante blatt",
}
ROLES: Mapping[str, Role] = {word: role for role, words in _WORDS.items() for word in words.split()}
STUDENT_WORDS = tuple(_WORDS["student"].split())
"""The columns that may name a student, the surest first."""

ACCEPTED = "the columns student,quantity,answer or a column student and one for each quantity"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand in a row.

    columns     of a wide table: the place of each quantity, as (place, canonical name)
    left_out    headers of columns that are no quantity of the problem
    has_header  whether the first row is the header
    """

    width: int
    student: int | None = None
    variant: int | None = None
    quantity: int | None = None
    answer: int | None = None
    columns: tuple[tuple[int, str], ...] = ()
    left_out: tuple[str, ...] = ()
    empty: frozenset[int] = field(default_factory=frozenset)
    has_header: bool = True

    @property
    def is_long(self) -> bool:
        return self.answer is not None

    @property
    def quantities(self) -> tuple[str, ...]:
        """Of a wide table: what its columns are, each once."""
        return tuple(dict.fromkeys(name for _, name in self.columns))


def role_of(header: str) -> Role | None:
    """What a column of that name holds."""
    return ROLES.get(_plain(header))


def delimiter_of(lines: Sequence[str], find: Find) -> str:
    """The delimiter under which most headers mean something."""
    if announced := announced_delimiter(lines[0]):
        return announced
    tried = [mark for mark in DELIMITERS if mark in lines[0]] or [","]
    return max(tried, key=lambda mark: _understood(cells_of(lines[0], mark), find))


def _understood(cells: Sequence[str], find: Find) -> tuple[int, int]:
    known = sum(1 for cell in cells if role_of(cell) or find(unseen(cell)))
    return known, len(cells)


def layout_of(header: Sequence[str], find: Find, place: str) -> Layout:
    """The layout that a header announces; raises DeriveError for a table that has no answers."""
    names = [unseen(cell) for cell in header]
    roles: dict[Role, int] = {}
    for at, name in enumerate(names):
        if (role := role_of(name)) and surest(name, role, names[roles[role]] if role in roles else None):
            roles[role] = at
    empty = frozenset(at for at, name in enumerate(names) if not name)
    if "answer" in roles and "quantity" in roles:
        return Layout(
            len(names), roles.get("student"), roles.get("variant"), roles["quantity"], roles["answer"], empty=empty
        )
    if len(names) == 3 and not roles and find(names[1]) and re.match(r"[-+−]?[.,]?[0-9]", names[2]):
        return Layout(3, 0, None, 1, 2, has_header=False)
    columns = tuple((at, found) for at, name in enumerate(names) if at not in roles.values() and (found := find(name)))
    if columns:
        taken = {at for at, _ in columns} | set(roles.values()) | empty
        student = roles.get("student")
        if student is None and 0 not in taken:
            student = 0
        left_out = tuple(
            name for at, name in enumerate(names) if at not in taken and at != student and not role_of(name)
        )
        return Layout(len(names), student, roles.get("variant"), columns=columns, left_out=left_out, empty=empty)
    found = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    raise DeriveError(f"{place}: found the columns {found[:200]}; accepted: {ACCEPTED}")


def surest(name: str, role: Role, other: str | None) -> bool:
    """Whether a column or a key says better than another who or what is meant: the first, a number before a name."""
    if other is None:
        return True
    if role != "student":
        return False
    first, second = (STUDENT_WORDS.index(_plain(word)) for word in (name, other))
    return first < second


def _plain(header: str) -> str:
    return re.sub(r"[\s_.\-:#]+", "", header.casefold())
