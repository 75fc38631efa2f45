"""`derive check`: answers are read, judged, and reported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from derive.commands.examples import examples
from derive.commands.output import is_ascii_only, print_bytes, print_text, terminal_width
from derive.commands.request import STANDARD, problem_argument
from derive.errors import DeriveError

if TYPE_CHECKING:
    from derive.check.gradebook import Verdicts
    from derive.check.model import Marking, Verdict
    from derive.check.quantities import Quantities
    from derive.reports.batch import Batch, OwnSheets
    from derive.reports.streams import Stream

FORMATS = ("text", "json", "jsonl", "csv", "markdown")
PAGES = ("markdown", "html", "latex", "text")
WRONG = 1


@click.command(
    epilog=examples(
        "derive check backprop-2-2-1 notes",
        "derive check neuron-3.1 notes --format json",
        "derive check neuron-3.1 notes --ask net_o1 --require-decimals 1",
        "derive check backprop-2-2-1 notes --lang de",
    )
)
@problem_argument
@click.argument("answers", metavar="ANSWERS")
@click.option("--format", "chosen", type=click.Choice(FORMATS), default="text", help="text and markdown: a page each "
              "for a few students, else a report on the class; json, jsonl: every verdict; csv: the gradebook.")
@click.option("--ask", metavar="QUANTITY", multiple=True, help="Expect this quantity of everyone; may be repeated. "
              "Default: what the problem file asks, else whatever is answered.")
@click.option("--follow-through", metavar="MARKS", type=click.FloatRange(0, 1), default=1.0, help="Marks, from 0 to 1, "
              "for an answer that is right given the student's own earlier ones; default: 1.")
@click.option("--accept-convention", metavar="ID", multiple=True, help="Full marks for what is right under another "
              "convention, by its id in the verdicts, or all; may be repeated.")
@click.option("--require-decimals", metavar="N", type=click.IntRange(0, 60), help="No marks with fewer decimals.")
@click.option("--require-significant", metavar="N", type=click.IntRange(1, 60), help="No marks with fewer "
              "significant digits.")
@click.option("--decimal-comma", is_flag=True, help="A comma is the decimal mark: 0,0822.")
@click.option("--roster", metavar="FILE", help="The students of the class, one on each line or as a table: who is "
              "missing gets blanks, who is unknown is named.")
@click.option("--variants", metavar="FOLDER", help="Grade each student against their own sheet, of those that derive "
              "worksheet has put into FOLDER.")
@click.option("--lang", "language", type=click.Choice(("en", "de")), default="en", help="The language of pages, "
              "reports and messages; German shows a decimal comma, and reads one with --decimal-comma. Names of files, "
              "columns and JSON stay.")
@click.option("-o", "--output", metavar="FOLDER", help="Write a page for each student, the class report, gradebook.csv "
              "and verdicts.jsonl into FOLDER; started again after an interruption, it goes on.")
@click.option("--pages", type=click.Choice(PAGES), default="markdown", help="The format of the pages and the report "
              "in FOLDER; default: markdown.")
@click.option("--regrade", metavar="OLD", help="Print whose marks differ from those in OLD, a file that --format "
              "jsonl or -o has written, and why.")
def check(problem: str, answers: str, chosen: str, **options: Any) -> None:
    """Grade the answers of a student or a class to PROBLEM.

    ANSWERS is a table (CSV) with the columns student, quantity and answer, or with a column for each quantity; TOML
    or JSON of one student, or of several: a list, by name or one a line; - for standard input; or answers that come
    with the package: notes for the numbers that the lecture notes print, published for those of a published example.
    Names and numbers are read leniently, and every number that honest rounding can reach is accepted. Exit code 1:
    not everything is right.
    """  # fmt: skip
    from derive.check.answers import read_answers, read_roster
    from derive.check.bundled import answers_path
    from derive.check.quantities import Quantities
    from derive.check.tables import Source
    from derive.problem.file import find
    from derive.reports.batch import Batch
    from derive.worked import WorkedExample

    if problem == answers == STANDARD:
        raise DeriveError("the problem and the answers cannot both come from standard input; accepted: a file for one")
    found = find(problem)
    own = _own_sheets(options["variants"], problem)
    example = own.example if own else WorkedExample(found)
    source = Source(answers_path(problem, answers))
    quantities = Quantities(example)
    roster = read_roster(Source(options["roster"])) if options["roster"] else ()
    asked = _asked(quantities, options["ask"], _of_sheets(options["variants"], problem) or example.problem.ask)
    file = read_answers(source, quantities, asked, decimal_comma=options["decimal_comma"], roster=roster,
                        language=options["language"])  # fmt: skip
    batch = Batch(example, file, _marking(options), own)
    all_right = _graded(batch, chosen, options, source.digest())
    for line in file.notes.lines():
        click.echo(line, err=True)
    click.get_current_context().exit(0 if all_right else WRONG)


def _of_sheets(folder: str | None, problem: str) -> tuple[str, ...]:
    """What the sheets of a folder ask for."""
    if folder is None:
        return ()
    from derive.worksheet.lookup import asked_of, part_of

    return asked_of(folder, part_of(folder, problem))


def _own_sheets(folder: str | None, problem: str) -> OwnSheets | None:
    """Which problem each student had, where they had different ones; raises DeriveError."""
    if folder is None:
        return None
    from functools import partial

    from derive.reports.batch import OwnSheets
    from derive.worksheet.lookup import example_of, numbers_of, part_of, problem_of, variants_of

    part = part_of(folder, problem)
    return OwnSheets(
        example_of(folder, part), partial(problem_of, folder, part=part), partial(numbers_of, folder, part=part),
        variants_of(folder),
    )  # fmt: skip


def _asked(quantities: Quantities, options: tuple[str, ...], problem: tuple[str, ...]) -> tuple[str, ...]:
    """The quantities that are asked for, canonical, each once."""
    if options:
        return tuple(dict.fromkeys(quantities.asked(name, "--ask") for name in options))
    return tuple(dict.fromkeys(quantities.asked(name, f"ask[{place}]") for place, name in enumerate(problem, 1)))


def _marking(options: dict[str, Any]) -> Marking:
    """How answers are marked; raises DeriveError for a convention that there is none of."""
    from derive.check.model import Marking

    for name in options["accept_convention"]:
        if name != "all":
            _check_convention(name)
    return Marking(
        follow_through=options["follow_through"],
        accept_conventions=options["accept_convention"],
        require_decimals=options["require_decimals"],
        require_significant=options["require_significant"],
        decimal_comma=options["decimal_comma"],
        language=options["language"],
    )


def _check_convention(name: str) -> None:
    from derive.check.mistakes.table import ROWS
    from derive.errors import nearest

    if name not in ROWS:
        accepted = 'all, or the "id" of a mistake in the verdicts'
        raise DeriveError(f'--accept-convention: found "{name}"{nearest(name, ROWS)}; accepted: {accepted}')


def _graded(batch: Batch, chosen: str, options: dict[str, Any], digest: str) -> bool:
    """Grade and print everything; whether all of it is right."""
    students = _to_folder(batch, options, digest) if options["output"] else batch.judged(batch.sheets())
    shown_apart = chosen == "text" or not sys.stdout.isatty()
    try:
        with _progress(batch.file.students if shown_apart else 0) as advance:
            if options["regrade"]:
                return _changes_printed(batch, _counted(students, advance), chosen, options["regrade"])
            return _printed(_counted(students, advance), _stream(batch, chosen), chosen)
    except KeyboardInterrupt:
        if options["output"]:
            click.echo("interrupted; the same command, started again, goes on from here", err=True)
        raise


def _counted(students: Iterable[Verdicts], advance: Callable[[], None]) -> Iterator[Verdicts]:
    for verdicts in students:
        advance()
        yield verdicts


def _printed(students: Iterable[Verdicts], stream: Stream, chosen: str) -> bool:
    from derive.check.gradebook import is_right

    show = print_text if chosen == "text" else lambda text: print_bytes(text.encode())
    all_right = True
    for verdicts in students:
        all_right = all_right and all(map(is_right, verdicts))
        if text := stream.add(verdicts):
            show(text)
    show(stream.finish())
    return all_right


def _stream(batch: Batch, chosen: str) -> Stream:
    from derive.reports.streams import GradebookRows, JsonArray, JsonLines

    match chosen:
        case "json":
            return JsonArray()
        case "jsonl":
            return JsonLines()
        case "csv":
            return GradebookRows(batch.file.expected, variants=batch.has_variants)
    from derive.reports.class_report import Tally
    from derive.reports.reading import Reading

    ascii = chosen == "text" and is_ascii_only()
    language = batch.marking.language
    return Reading(
        "text" if chosen == "text" else "markdown", batch.example_of, batch.example.problem.title,
        Tally(batch.file.expected, language), ascii=ascii, width=terminal_width(), language=language,
    )  # fmt: skip


def _to_folder(batch: Batch, options: dict[str, Any], digest: str) -> Iterator[Verdicts]:
    """Every student, with what belongs into the folder written on the way."""
    from pathlib import Path

    from derive.reports.folder import Folder, key_of
    from derive.reports.progress import Progress

    own = sorted(batch.own.of_student.items()) if batch.own else []
    said = [options[name] for name in ("roster", "pages", "variants")]
    key = key_of(batch.example.problem, batch.file.expected, batch.marking, said, own, digest)
    place = Path(options["output"])
    progress = Progress(place, key)
    left = (sheet for sheet in batch.sheets() if (sheet.student, sheet.variant) not in progress.done)
    title = batch.example.problem.title
    folder = Folder(
        place, options["pages"], title, batch.example_of, variants=batch.has_variants, language=options["language"]
    )
    return folder.write(progress, batch.judged(left), batch.file.expected)


def _changes_printed(batch: Batch, students: Iterable[Verdicts], chosen: str, old: str) -> bool:
    from pathlib import Path

    from derive.check.gradebook import is_right
    from derive.reports.look import page, style
    from derive.reports.regrade import Regrade, regrade_blocks, write_changes

    all_right = True
    language = batch.marking.language

    def each() -> Iterator[Verdict]:
        nonlocal all_right
        for verdicts in students:
            all_right = all_right and all(map(is_right, verdicts))
            yield from verdicts

    with Path(old).open(encoding="utf-8") as lines:
        regrade = Regrade(lines, old, language)
    changes = list(regrade.changes(each()))
    if chosen in ("text", "markdown"):
        ascii = chosen == "text" and is_ascii_only()
        look = style(
            "text" if chosen == "text" else "markdown", batch.example, ascii=ascii, width=terminal_width(),
            language=language,
        )  # fmt: skip
        print_text(page(regrade_blocks(changes, look, batch.example.problem.title), look))
        return all_right
    from io import StringIO

    written = StringIO()
    write_changes(changes, chosen, written)
    print_bytes(written.getvalue().encode())
    return all_right


@contextmanager
def _progress(students: int) -> Iterator[Callable[[], None]]:
    """Counts students on a terminal, on standard error."""
    if not sys.stderr.isatty() or students < 20:
        yield lambda: None
        return
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done % 10 == 0 or done >= students:
            click.echo(f"\r{done} of {students} students", nl=False, err=True)

    try:
        yield advance
    finally:
        click.echo("\r" + " " * 40 + "\r", nl=False, err=True)
