"""`derive worksheet`: a sheet for each student of a class."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from derive.commands.examples import examples
from derive.commands.output import print_bytes
from derive.commands.request import complete_problem
from derive.errors import DeriveError

if TYPE_CHECKING:
    from pathlib import Path

    from derive.worksheet.plan import Plan
    from derive.worksheet.run import Done
    from derive.worksheet.workers import Workers

FORMATS = ("markdown", "latex", "html", "pdf", "notebook", "moodle", "qti", "json")
LANGUAGES = ("en", "de")
ENGINES = ("auto", "latexmk", "typst")
LEVELS = ("bare", "scaffold", "full")
KEYS = ("separate", "interleaved", "none")
WRONG = 1

_STYLE = (
    click.option("--format", type=click.Choice(FORMATS), default="markdown", show_default=True, help="How sheets are "
                 "written."),
    click.option("--dialect", type=click.Choice(("github", "dollar")), default="github", help="How Markdown writes "
                 "formulas."),
    click.option("--pdf-engine", type=click.Choice(ENGINES), default="auto", show_default=True, help="What makes PDF; "
                 "auto is latexmk where TeX is, else Typst."),
    click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="The "
                 "language of the sheets; German has a decimal comma."),
    click.option("--templates", metavar="FOLDER", help="Your own templates, and sentences, in the place of those of "
                 "derive."),
    click.option("--level", type=click.Choice(LEVELS), default="bare", show_default=True, help="The questions only, "
                 "the formulas with blanks to fill, or the worked solution."),
    click.option("--key", type=click.Choice(KEYS), default="separate", show_default=True, help="Keys in files of their "
                 "own, each behind its sheet, or none."),
    click.option("--course", default="", help="Printed in the head of each sheet."),
    click.option("--date", default="", help="Printed in the head of each sheet."),
    click.option("--lines", metavar="N", type=click.IntRange(0, 100), default=0, help="Ruled lines to work on."),
    click.option("--points", metavar="N", type=click.IntRange(0, 1000), default=1, show_default=True, help="Points of "
                 "each question; 0 prints none."),
    click.option("--bundle", is_flag=True, help="One document with all sheets, and one with all keys; moodle and qti "
                 "always are."),
    click.option("--moodle", type=click.Choice(("cloze", "numerical")), default="cloze", show_default=True, help="A "
                 "question for each sheet with a field for each quantity, or a question for each quantity."),
    click.option("--canvas", type=click.Choice(("classic", "new")), default="classic", show_default=True, help="For "
                 "Classic Quizzes, which keep four decimals, or New Quizzes."),
)  # fmt: skip
_ROUNDING = (
    click.option("--decimals", metavar="N", type=int, help="Show N decimals, 0 to 100."),
    click.option("--significant", metavar="N", type=int, help="Show N significant digits, 1 to 100."),
    click.option("--carry", type=click.Choice(("full", "displayed")), help="Carry on the full value, or the number as "
                 "displayed, as by hand."),
)  # fmt: skip


def _options(*groups: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return add


@click.command(
    epilog=examples(
        "derive worksheet backprop-2-2-1",
        "derive worksheet backprop-2-2-1 -n 3 --seed 2026 -o sheets",
        "derive worksheet backprop-2-2-1 -n 3 --format latex --bundle --ask dE/dw5 --ask w1_new -o print",
        "derive worksheet backprop-2-2-1 -n 3 --ask dE/dw5 --format moodle -o moodle",
        "derive worksheet --verify sheets",
        "derive worksheet backprop-2-2-1 --ask w5@2 --level full",
        "derive worksheet perceptron-and --lang de",
        "derive worksheet --copy-templates mine",
    )
)
@click.argument("problems", metavar="PROBLEM...", nargs=-1, shell_complete=complete_problem)
@click.option("-n", "count", metavar="N", type=click.IntRange(1, 1_000_000), help="How many sheets.")
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Another "
              "seed gives other sheets.")  # fmt: skip
@click.option("-o", "--output", metavar="FOLDER", help="Where the sheets go; without it one sheet is printed.")
@click.option("--ask", metavar="QUANTITY", multiple=True, help="Ask for this quantity; may be repeated.")
@click.option("--roster", metavar="FILE", help="A CSV file with the students: each gets a sheet with their name.")
@click.option("--variant", metavar="ID", help="Only the sheet with this id.")
@click.option("--allow", metavar="RULE", multiple=True, help="Keep variants that this rule refuses; may be repeated.")
@_options(_ROUNDING, _STYLE)
@click.option("--jobs", metavar="N", type=click.IntRange(-1, 1024), default=1, show_default=True, help="Processes; "
              "-1 is one for each core.")  # fmt: skip
@click.option("--cluster", metavar="ADDRESS", default="", help="The scheduler of a dask cluster.")
@click.option("--copy-templates", metavar="FOLDER", help="Write the templates of derive into FOLDER, to change them.")
@click.option("--verify", metavar="FOLDER", help="Make every sheet of FOLDER again and say which file differs.")
def worksheet(
    problems: tuple[str, ...], verify: str | None, variant: str | None, output: str | None, jobs: int, cluster: str,
    copy_templates: str | None, **asked: Any,
) -> None:  # fmt: skip
    """Make worksheets from PROBLEM, each with other numbers, and their keys.

    Which numbers vary, and how, says the table [vary] of the problem file. Several problems go on one sheet. Each sheet
    has an id from which it can be made again: --variant ID. A folder that is complete in part is completed. Variants
    that teach nothing or trick someone are refused; the rules are saturated, dead, kink, zero, small, tie and mistake,
    of perceptrons still and ended, of points repeated.
    """
    from derive.worksheet.workers import Workers

    workers = Workers(jobs, cluster)
    if copy_templates is not None:
        _copy(copy_templates)
        return
    if verify is not None:
        if problems or output:
            raise click.UsageError("--verify FOLDER goes without PROBLEM and --output: the folder says what it holds")
        _verify(verify, workers)
        return
    if not problems:
        raise click.UsageError("Missing argument 'PROBLEM...'.")
    count, roster = asked.pop("count"), asked.pop("roster")
    plan = _plan(problems, **asked)
    if variant is not None:
        _one(plan, variant, output)
        return
    students = _students(roster, count)
    count = len(students) or count or 1
    if output is None:
        if count > 1 or students:
            raise click.UsageError("several sheets need --output FOLDER")
        _print_first(plan, workers)
        return
    from pathlib import Path

    _report(_run(plan, Path(output), count, students, workers), output)


def _plan(problems: tuple[str, ...], **asked: Any) -> Plan:
    from derive.worksheet.plan import PLATFORMS, Plan, Style
    from derive.worksheet.source import read_source

    rounding: Mapping[str, int | str] = {
        key: asked.pop(key) for key in ("decimals", "significant", "carry") if asked.get(key) is not None
    }
    seed, ask, allow = asked.pop("seed"), asked.pop("ask"), asked.pop("allow")
    asked["templates"] = _own_templates(asked["templates"])
    asked["format"] = _format(asked["format"], asked.pop("pdf_engine"))
    asked["bundle"] = asked["bundle"] or asked["format"] in PLATFORMS
    style = Style(**{key: value for key, value in asked.items() if value is not None})
    if problems.count("-") > 1:
        raise click.UsageError("standard input can be read once")
    return Plan(tuple(read_source(name, rounding) for name in problems), seed, ask, tuple(sorted(set(allow))), style)


def _format(name: str, engine: str) -> str:
    """The row of the formats: a PDF by the engine that is there."""
    if name != "pdf":
        return name
    from derive.worksheet import pdf

    return f"pdf-{pdf.engine(engine)}"


def _own_templates(folder: str | None) -> tuple[tuple[str, str], ...]:
    if folder is None:
        return ()
    from pathlib import Path

    from derive.worksheet.templates import read_own

    return read_own(Path(folder))


def _copy(folder: str) -> None:
    from pathlib import Path

    from derive.worksheet.templates import copy_templates

    names = copy_templates(Path(folder))
    click.echo(f"{folder}: {', '.join(names)}; --templates {folder} uses them.")


def _students(roster: str | None, count: int | None) -> tuple[str, ...]:
    if roster is None:
        return ()
    from derive.worksheet.roster import read_roster

    students = read_roster(roster)
    if count is not None and count != len(students):
        raise DeriveError(f"{roster}: {len(students)} students and -n {count}; accepted: --roster alone")
    return students


def _run(plan: Plan, path: Path, count: int, students: tuple[str, ...], workers: Workers) -> Done:
    from derive.worksheet.run import run

    with _progress(count, "variants") as searching, _progress(count, "sheets") as progress:
        return run(plan, path, count, students, workers, progress, searching)


def _report(done: Done, output: str) -> None:
    files = f"{done.new_files} files written" if done.new_files else "nothing was missing"
    say = f"{output}: {done.sheets} sheets; {files}. "
    say += f"Of {done.tried} variants {done.fit} were fit ({100 * done.fit / max(done.tried, 1):.0f} %)"
    if done.refused:
        say += ": refused were " + ", ".join(f"{number} ({name})" for name, number in done.refused.items() if number)
    click.echo(say + ".", err=True)


def _one(plan: Plan, variant: str, output: str | None) -> None:
    """The sheet with that id, to standard output or, with its key and its figure, into a folder."""
    from derive.worksheet.press import Entry
    from derive.worksheet.run import one
    from derive.worksheet.writing import whole

    found = plan.space.place_of(variant)
    from dataclasses import replace

    plan = replace(plan, seed=found.seed)
    made = one(plan, Entry(found.place))
    if output is None:
        _print_sheet(plan, made)
        return
    from pathlib import Path

    from derive.worksheet.folder import Folder

    folder = Folder(Path(output))
    folder.prepare()
    for name, content in whole(plan, made).items():
        folder.write(name, content)


def _print_first(plan: Plan, workers: Workers) -> None:
    from derive.worksheet.press import Entry
    from derive.worksheet.run import find, one

    _print_sheet(plan, one(plan, Entry(find(plan, 1, workers).places[0])))


def _print_sheet(plan: Plan, made: Any) -> None:
    from derive.worksheet.writing import whole

    files = whole(plan, made)
    print_bytes(next(content for name, content in files.items() if "/" not in name))


def _verify(path: str, workers: Workers) -> None:
    from pathlib import Path

    from derive.worksheet.run import sheets_in, verify

    with _progress(sheets_in(Path(path)), "checked") as progress:
        wrong = verify(Path(path), workers, progress)
    for name, what in wrong:
        click.echo(f"{path}/{name}: {what}")
    if wrong:
        sys.exit(WRONG)
    click.echo(f"{path}: every file is as it would be made now.")


@contextmanager
def _progress(count: int, label: str) -> Iterator[Callable[[int], None] | None]:
    """A bar on standard error, where somebody sees it."""
    if not sys.stderr.isatty() or not count:
        yield None
        return
    with click.progressbar(length=count, label=label, file=sys.stderr) as bar:
        yield bar.update
