"""Which problem a student had: for the checker, from the folder of a class or from an id alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from derive.check.own import Own, double, written
from derive.check.precision import Floats
from derive.check.program import Program
from derive.check.values import value
from derive.errors import DeriveError
from derive.problem.model import Problem
from derive.worked import WorkedExample
from derive.worksheet.folder import MANIFEST, Folder
from derive.worksheet.plan import Plan, plan_from
from derive.worksheet.values import Table


@lru_cache(maxsize=8)
def _manifest(folder: Path) -> tuple[Plan, Mapping[str, str]]:
    """The plan of a folder, and the students of its variants ("" where nobody is named)."""
    data = Folder(folder).manifest()
    if data is None:
        raise DeriveError(f"{folder}: no {MANIFEST} there; accepted: a folder that derive worksheet has filled")
    try:
        students = {str(sheet["variant"]): str(sheet.get("student", "")) for sheet in data["sheets"]}
    except (KeyError, TypeError) as error:
        raise DeriveError(f"{folder / MANIFEST}: damaged ({error}); accepted: a manifest that derive wrote") from None
    return plan_from(data["plan"]), students


def part_of(folder: str | Path, name: str) -> int:
    """Which problem of a sheet somebody means by a bundled name or a path, counted from 0; raises DeriveError."""
    plan, _ = _manifest(Path(folder))
    names = [source.name for source in plan.sources]
    if len(names) == 1:
        return 0
    found = [part for part, known in enumerate(names) if name == known or Path(name).stem == Path(known).stem]
    exact = [part for part in found if names[part] == name]
    if len(exact or found) != 1:
        accepted = f"one problem of the sheets, {' or '.join(names)}"
        raise DeriveError(f'{folder}: found PROBLEM "{name}"; accepted: {accepted}')
    return (exact or found)[0]


def problem_of(folder: str | Path, variant: str, part: int = 0) -> Problem:
    """The problem with the numbers of a variant of that folder; `part` counts the problems of a sheet from 0.

    The id may be one of another run of the same problem and seed.  Raises DeriveError for a slip in the id, an id of
    another problem or another seed, and a folder without sheets.
    """
    plan, _ = _manifest(Path(folder))
    space = plan.space
    found = space.place_of(variant)
    if found.seed != plan.seed:
        raise DeriveError(f"{found}: the sheets in {folder} were made with the seed {plan.seed}; accepted: their ids")
    if not 0 <= part < len(space.problems):
        raise DeriveError(f"{folder}: a sheet has {len(space.problems)} problems; accepted: 1 to {len(space.problems)}")
    return space.problem(part, space.picks(space.stream(plan.seed).at(found.place)))


def example_of(folder: str | Path, part: int = 0) -> WorkedExample:
    """A problem of the sheets in a folder, with the numbers of its file; raises DeriveError."""
    plan, _ = _manifest(Path(folder))
    return plan.plain_examples[part]


def numbers_of(folder: str | Path, program: Program, variants: Sequence[str], *, part: int = 0) -> Own:
    """The numbers of these variants, all at once, for a compiled problem of the folder."""
    plan, _ = _manifest(Path(folder))
    space = plan.space
    picks = space.drawn(plan.seed, [space.place_of(variant).place for variant in variants])
    table = Table(space, part, plan.plain_examples[part], picks)
    full = table.rounding.carry == "full"
    truth: dict[str, Floats] = {}
    for key, node in program.nodes.items():
        name, step = program.names.place(key)
        if not step:
            truth[key] = table.column(name).value if table.has_number(name) else np.full(table.count, np.nan)
        elif full and node.simple is not None:
            env = {name: values[None, :] for name, values in truth.items()}
            truth[key] = np.broadcast_to(value(node.simple, env), (1, table.count))[0]
        else:
            truth[key] = np.array([double(table.example(row), name, step) for row in range(table.count)])
    texts: dict[str, list[str]] = {}
    for quantity, key in program.asked.items():
        name, step = program.names.place(key)
        known = not step and table.has_number(name)
        texts[quantity] = table.texts(name) if known else [
            written(table.example(row), quantity) for row in range(table.count)
        ]  # fmt: skip
    return Own(program, truth, texts, table.example, full)


def variants_of(folder: str | Path) -> dict[str, str]:
    """The id of each student's variant, by name; raises DeriveError.  Sheets without a name are listed by their id."""
    _, students = _manifest(Path(folder))
    return {student or variant: variant for variant, student in students.items()}


def asked_of(folder: str | Path, part: int = 0) -> tuple[str, ...]:
    """The quantities that the sheets of a folder ask for, in their order; raises DeriveError."""
    plan, _ = _manifest(Path(folder))
    return plan.asked[part]
