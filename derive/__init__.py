"""Worked examples for neural networks: every gradient derived by the chain rule, every number evaluated.

>>> import derive
>>> example = derive.load("backprop-2-2-1")
>>> example.shown("dE/dw5")
'0.08217'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derive.errors import DeriveError
    from derive.worked import Options, WorkedExample

__all__ = ["DeriveError", "Options", "WorkedExample", "load", "loads"]
__version__ = "0.1.0"


def load(problem: str, **options: Any) -> WorkedExample:
    """The worked example of a bundled problem, a file or "-"; options as in `Options`.

    Raises DeriveError when the problem cannot be read.
    """
    from derive.problem.file import find as read
    from derive.worked import Options, WorkedExample

    return WorkedExample(read(problem), Options(**options))


def loads(text: str, **options: Any) -> WorkedExample:
    """The worked example of a problem given as TOML text."""
    from derive.problem.file import loads as read
    from derive.worked import Options, WorkedExample

    return WorkedExample(read(text), Options(**options))


def __getattr__(name: str) -> Any:
    """Imported when asked for: `import derive` alone loads neither SymPy nor NumPy."""
    if name in ("WorkedExample", "Options"):
        from derive import worked

        return getattr(worked, name)
    if name == "DeriveError":
        from derive.errors import DeriveError

        return DeriveError
    raise AttributeError(f"module 'derive' has no attribute {name!r}")
