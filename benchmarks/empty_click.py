"""The smallest click program: the peer of `derive --help`."""

from __future__ import annotations

import click


@click.command()
def main() -> None:
    """Do nothing."""


if __name__ == "__main__":
    main()
