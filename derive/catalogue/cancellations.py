"""Why output activation and loss cancel, line by line: ∂E/∂z of one output, each line equal to the one before.

The texts are those of `losses`; besides, s is ∂o/∂z of the output itself, s_i that of output i with respect to the same
z, and others_i(…) is sum_i(…) without the term of the output itself.  SymPy proves every line for 2, 3 and 4 outputs in
the tests; the last line of softmax needs targets that sum to 1.
"""

from __future__ import annotations

CANCELLATIONS: dict[str, tuple[str, ...]] = {
    "sigmoid": (
        "(o - t)/(o*(1 - o))*s",
        "(o - t)/(o*(1 - o))*o*(1 - o)",
        "o - t",
    ),
    "softmax": (
        "sum_i((-t_i/o_i)*s_i)",
        "(-t/o)*o*(1 - o) + others_i((-t_i/o_i)*(-o_i*o))",
        "-t*(1 - o) + others_i(t_i*o)",
        "-t + t*o + others_i(t_i*o)",
        "o*sum_i(t_i) - t",
        "o - t",
    ),
}
"""By the `function` of the activation: sigmoid with binary cross-entropy, softmax with −Σ t ln o."""
