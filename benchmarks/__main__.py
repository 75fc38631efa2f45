"""One table: what is measured, the figure, its goal, and whether it is met."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.checker import checker
from benchmarks.measure import Figure, compared, exponent, job, process_seconds, python
from benchmarks.training import training
from benchmarks.worksheets import again, checks, classes, exports, kills, peer, printed, worksheets

IMPORTS = "import sympy, numpy, jinja2"
NETWORK = "4-8-8-3"
GROWING = ("4-4-4-3", "8-8-8-3", "16-16-16-3", "32-32-32-3", "64-64-64-3")
SCALES = {
    "4-8-3": "dE/dW1[3,2]", "64-32-10": "dE/dW1[30,17]", "784-128-10": "dE/dW1[300,17]",
    "784-512-10": "dE/dW1[300,17]", "784-128-128-10": "dE/dW1[300,17]", "784-512-512-10": "dE/dW1[300,17]",
}  # fmt: skip
ROUNDS = 11
FEW_ROUNDS = 9
SLOWEST = 1.5
FASTER = 300
LINEAR = 1.15
"""A fitted exponent up to this counts as linear."""


def show() -> Iterator[Figure]:
    found = compared(
        lambda: process_seconds("-m", "derive", "show", "backprop-2-2-1"),
        lambda: process_seconds("-c", IMPORTS),
        ROUNDS,
    )
    yield Figure(
        f"derive show backprop-2-2-1, whole process, to python -c '{IMPORTS}'",
        f"{found.ratio:.2f} times ({found.ours:.2f} s, {found.peer:.2f} s)",
        f"at most {SLOWEST} times",
        found.ratio <= SLOWEST,
    )


def help_text() -> Iterator[Figure]:
    found = compared(
        lambda: process_seconds("-m", "derive", "--help"),
        lambda: process_seconds("-m", "benchmarks.empty_click", "--help"),
        ROUNDS,
    )
    yield Figure(
        "derive --help, whole process, to an empty click program",
        f"{found.ratio:.2f} times ({found.ours:.3f} s, {found.peer:.3f} s)",
        f"at most {SLOWEST} times",
        found.ratio <= SLOWEST,
    )
    imported = python("-X", "importtime", "-m", "derive", "--help").stderr
    heavy = [name for name in ("sympy", "numpy") if re.search(rf"\|\s+{name}$", imported, re.MULTILINE)]
    yield Figure("derive --help imports SymPy or NumPy", ", ".join(heavy) or "neither", "neither", not heavy)


def all_gradients() -> Iterator[Figure]:
    found = compared(
        lambda: float(job("all-gradients", NETWORK)["seconds"]), lambda: float(job("sympy-diff", NETWORK)["seconds"]), 3
    )
    faster = 1 / found.ratio
    yield Figure(
        f"all gradients of {NETWORK}, to sympy.diff of the composed loss (scaled up from every 8th parameter)",
        f"{faster:.0f} times faster ({found.ours:.3f} s, {found.peer:.0f} s)",
        f"{FASTER} times or more",
        faster >= FASTER,
    )


def one_gradient() -> Iterator[Figure]:
    goals = {"sigma": ("in Σ form", 20), "expanded": ("with its 784 terms written out", 100)}
    peak = 0.0
    for form, (words, most) in goals.items():
        for style in ("text", "latex"):
            runs = [job("gradient", form, style) for _ in range(FEW_ROUNDS)]
            times = [1000 * run["seconds"] for run in runs]
            milliseconds = median(times)
            peak = max(peak, *(run["megabytes"] for run in runs))
            yield Figure(
                f"dE/dW1[300,17] of 784-128-10 after import, {words}, {style}",
                f"{milliseconds:.1f} ms ({min(times):.1f} to {max(times):.1f} ms)",
                f"under {most} ms",
                milliseconds < most,
            )
    yield Figure("  peak memory of those processes", f"{peak:.0f} MB", "under 200 MB", peak < 200)
    whole = median(job("page")["seconds"] for _ in range(FEW_ROUNDS))
    yield Figure("  the whole page around it, template compiled on the way", f"{1000 * whole:.0f} ms")


def growth() -> Iterator[Figure]:
    sizes, times = [], []
    for network in GROWING:
        runs = [job("all-gradients", network) for _ in range(3)]
        sizes.append(runs[0]["parameters"])
        times.append(min(run["seconds"] for run in runs))
        each = 1e6 * times[-1] / sizes[-1]
        yield Figure(f"all gradients of {network}, {sizes[-1]} parameters", f"{times[-1]:.3f} s, {each:.0f} µs each")
    power = exponent(sizes, times)
    yield Figure("  how that grows: exponent of the number of parameters", f"{power:.2f}", "linear: 1", power <= LINEAR)


def updates() -> Iterator[Figure]:
    runs = [job("updates", "10000") for _ in range(3)]
    yield Figure(
        "10,000 updates of mazur-2-2-2 with 50 digits carried",
        f"{median(run['seconds'] for run in runs):.1f} s (E = {runs[0]['loss']})",
    )


def scale() -> Iterator[Figure]:
    """One gradient of the first layer, however large the network is."""
    for network, name in SCALES.items():
        runs = [job("one-gradient", network, name) for _ in range(FEW_ROUNDS)]
        milliseconds = median(1000 * run["seconds"] for run in runs)
        yield Figure(
            f"{name} in Σ form of {network}, {runs[0]['parameters']} parameters",
            f"{milliseconds:.1f} ms, loading {1000 * median(run['loading'] for run in runs):.0f} ms, "
            f"{max(run['megabytes'] for run in runs):.0f} MB",
        )


MEASURED: tuple[Callable[[], Iterator[Figure]], ...] = (
    show, help_text, all_gradients, one_gradient, growth, scale, updates, training,
    worksheets, peer, classes, printed, exports, again, kills, checks, checker,
)  # fmt: skip
VERDICTS = {True: "met", False: "not met", None: ""}


def main() -> None:
    """Print each row as soon as it is known."""
    for measure in MEASURED:
        for figure in measure():
            goal = f"goal: {figure.goal}" if figure.goal else ""
            print(f"{figure.what}\n    {figure.measured:45}  {goal:28}  {VERDICTS[figure.met]}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
