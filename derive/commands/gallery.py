"""`derive gallery`: the rendered pages of every bundled problem, for those who maintain the package."""

from __future__ import annotations

import click

from derive.commands.examples import examples


@click.command(hidden=True, epilog=examples("derive gallery", "derive gallery output --check"))
@click.argument("folder", metavar="[OUTPUT_DIR]", default="output")
@click.option("--check", is_flag=True, help="Write nothing; list the files that differ and exit with 1 if any does.")
def gallery(folder: str, check: bool) -> None:
    """For maintainers: render every bundled problem as Markdown and LaTeX into OUTPUT_DIR (default: output)."""
    from pathlib import Path

    from derive.files import write_together
    from derive.gallery import differences, pages

    place = Path(folder)
    if not check:
        place.mkdir(parents=True, exist_ok=True)
        write_together({place / name: content for name, content in pages().items()})
    different = differences(place)
    for name, what in different.items():
        click.echo(f"{place / name}: {what}", err=not check)
    if different:
        click.echo("`derive gallery` writes the pages; a page that belongs to no problem is deleted by hand", err=True)
        click.get_current_context().exit(1)
