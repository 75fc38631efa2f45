"""The second opinion: multilayer perceptrons in NumPy, which share names with the symbolic side and no formula.

`MLP` trains and predicts in the manner of scikit-learn.  NumPy is loaded when it is first asked for, so that a command
can call `derive.mlp.threads.use_one` before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derive.mlp.estimator import MLP as MLP

__all__ = ["MLP"]


def __getattr__(name: str) -> Any:
    if name != "MLP":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from derive.mlp.estimator import MLP

    return MLP
