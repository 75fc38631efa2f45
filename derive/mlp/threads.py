"""How many threads the matrix products use: one is fastest for small batches, and reproduces bit for bit."""

from __future__ import annotations

import os
import sys

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def use_one() -> bool:
    """Ask for one thread, unless the user asked for another number; False where NumPy is loaded already: too late."""
    if "numpy" in sys.modules:
        return False
    for variable in VARIABLES:
        os.environ.setdefault(variable, "1")
    return True
