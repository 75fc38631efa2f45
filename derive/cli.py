"""The command `derive`: what holds for every command, and the list of them."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import IO, Any

import click

from derive import __version__
from derive.commands.examples import examples
from derive.errors import DeriveError

INTERRUPTED = 130

COMMANDS = {
    "show": "show", "gradient": "show", "forward": "show", "check": "check", "worksheet": "worksheet",
    "verify": "verify", "collapse": "collapse", "activation": "activation", "loss": "loss", "optimizer": "optimizer",
    "initializer": "initializer", "epochs": "epochs", "mnist": "mnist", "list": "problems", "new": "problems",
    "schema": "problems", "completion": "completion", "gallery": "gallery",
}  # fmt: skip
"""Each command in the order of the help, and the module of derive.commands that has it, loaded when it is used."""

FUNCTIONS = {"list": "list_problems"}
"""Commands whose function has another name, as Python has one of theirs."""

SELDOM = 50_000
"""So many new objects between two searches for garbage: most commands end before one pays."""


class Refused(click.ClickException):
    """A message for the user and exit code 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.format_message(), file=file, err=file is None)


class Commands(click.Group):
    """The commands of the table; what goes wrong in one becomes a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click calls it so
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"derive.commands.{COMMANDS[cmd_name]}")
        found = getattr(module, FUNCTIONS.get(cmd_name, cmd_name))
        assert isinstance(found, click.Command)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except DeriveError as error:
            raise Refused(str(error)) from error
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _stop_writing()
            ctx.exit(0)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise Refused(f"{place}{error.strerror or error}") from error
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:
            if os.environ.get("DERIVE_DEBUG"):
                raise
            raise Refused(
                f"a mistake in derive itself ({type(error).__name__}: {error}); nothing was written. "
                "DERIVE_DEBUG=1 shows where it happened; please report it"
            ) from error


def _stop_writing() -> None:
    """Nobody reads on: what is left in the buffer goes nowhere, so that Python's exit does not try again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "derive list",
        "derive show backprop-2-2-1",
        "derive gradient backprop-2-2-1 dE/dw1",
        "derive show backprop-2-2-1 -o page.md",
    ),
)
@click.version_option(__version__, message="derive %(version)s")
def cli() -> None:
    """Worked examples for neural networks: a problem file goes in, every formula derived and every number
    evaluated come out.

    PROBLEM is a bundled problem (`derive list`), a problem file, or - for standard input. Exit codes: 0 all is well,
    1 something was found to be wrong, 2 the command or a file could not be used.
    """


def main() -> None:
    """Run the command with the arguments of the process."""
    gc.set_threshold(SELDOM)
    try:
        cli(prog_name="derive")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
