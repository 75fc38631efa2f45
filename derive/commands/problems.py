"""`derive list`, `derive new`, `derive schema`: problems to look at and to write."""

from __future__ import annotations

import click

from derive.commands.examples import examples
from derive.commands.output import as_json, print_bytes, print_text
from derive.commands.request import STANDARD
from derive.errors import DeriveError


@click.command("list", epilog=examples("derive list", "derive list --format json"))
@click.option("--format", "chosen", type=click.Choice(("text", "json")), default="text", help="Default: text.")
def list_problems(chosen: str) -> None:
    """List the bundled problems by topic.

    Answers in brackets come with the problem, for `derive check`.
    """
    from derive.check.bundled import bundled_answers
    from derive.problem.topics import by_topic

    rows = [row for _, group in by_topic() for row in group]
    answers = bundled_answers()
    if chosen == "json":
        entries = [
            {"name": name, "title": title, "topic": topic, "answers": list(answers.get(name, ()))}
            for name, title, topic in rows
        ]
        print_bytes(as_json(entries).encode())
        return
    width = max(len(name) for name, _, _ in rows)
    topics = [
        "\n".join([topic, *(_row(name, title, width, answers.get(name, ())) for name, title, _ in group)])
        for topic, group in by_topic()
    ]
    print_text("\n\n".join(topics) + "\n")


def _row(name: str, title: str, width: int, answers: tuple[str, ...]) -> str:
    """A line of the list; what stands in brackets can be given to `derive check`."""
    bundled = f"  [answers: {', '.join(answers)}]" if answers else ""
    return f"  {name:{width}}  {title}{bundled}"


@click.command(epilog=examples("derive new", "derive new -o mine.toml", "derive new --kind expression -o f.toml"))
@click.option(
    "--kind",
    default="network",
    metavar="KIND",
    help="network (default), expression, perceptron, activation, loss, optimizer, initializer, training.",
)
@click.option("-o", "--output", metavar="FILE", default=STANDARD, help="Write to FILE; - is standard output.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def new(kind: str, output: str, force: bool) -> None:
    """Write a commented problem file to start from."""
    from pathlib import Path

    from derive.files import write_together
    from derive.problem.file import new as start

    text = start(kind)
    if output == STANDARD:
        print_bytes(text.encode())
        return
    if Path(output).is_file() and not force:
        raise DeriveError(f"{output}: there is such a file already; accepted: another name, or --force")
    write_together({Path(output): text.encode()})


@click.command(epilog=examples("derive schema"))
def schema() -> None:
    """Print the JSON Schema of problem files.

    Editors that know TOML check and complete a problem file with it.
    """
    from derive.problem.file import schema as of_problem_files

    print_bytes(as_json(of_problem_files()).encode())
