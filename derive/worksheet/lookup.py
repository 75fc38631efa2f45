"""Which problem a student had: for the checker, from the folder of a class or from an id alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from derive.errors import DeriveError
from derive.problem.model import Problem
from derive.worksheet.folder import MANIFEST, Folder
from derive.worksheet.plan import Plan, plan_from


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


def variants_of(folder: str | Path) -> dict[str, str]:
    """The id of each student's variant, by name; raises DeriveError.  Sheets without a name are listed by their id."""
    _, students = _manifest(Path(folder))
    return {student or variant: variant for variant, student in students.items()}


def asked_of(folder: str | Path, part: int = 0) -> tuple[str, ...]:
    """The quantities that the sheets of a folder ask for, in their order; raises DeriveError."""
    plan, _ = _manifest(Path(folder))
    return plan.asked[part]
