"""The examples that every help text ends with."""

from __future__ import annotations


def examples(*commands: str) -> str:
    """The epilog of a help text: a command on each line (the mark in front keeps click from joining them)."""
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)
