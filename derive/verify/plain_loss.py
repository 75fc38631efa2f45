"""The loss of samples and of a batch calculated again, with the names that a derivation gives to its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from derive.catalogue.losses import Loss
from derive.problem.model import Network
from derive.verify.arithmetic import Arithmetic
from derive.verify.functions import PARTS, WHOLES

Nudge = tuple[str, Any]
NOTHING: Nudge = ("", 0)


def loss_parts(loss: Loss, targets: Sequence[Any], outputs: Sequence[Any], arithmetic: Arithmetic) -> list[Any]:
    """What each output contributes, before the parts are put together; the whole alone where there are no parts."""
    parameters = {key: arithmetic.number(value.value) for key, value in loss.parameters}
    functions = arithmetic.functions
    if loss.name in WHOLES:
        return [WHOLES[loss.name](functions, targets, outputs, parameters)]
    part, n = PARTS[loss.name], len(targets)
    return [part(functions, t, o, n, parameters) for t, o in zip(targets, outputs, strict=True)]


def put_together(loss: Loss, parts: Sequence[Any], outputs: int) -> Any:
    total = sum(parts)
    return total / outputs if loss.over == "mean" else total


class PlainLoss:
    """The losses of a network by name: E_o1, E[2], E_data, E_l2, E."""

    def __init__(self, network: Network, arithmetic: Arithmetic) -> None:
        self._network = network
        self._arithmetic = arithmetic
        self._outputs = network.layers[-1].neurons
        self._named = len(self._outputs) > 1 and network.loss.name in PARTS
        self._data = "E_data" if network.penalty else "E"
        self._strength: Any = 0
        if network.penalty:
            strength = arithmetic.number(network.penalty.strength.value)
            self._strength = strength / 2 if network.penalty.half else strength

    def of_sample(
        self, targets: Sequence[Any], outputs: Sequence[Any], suffix: str, nudge: Nudge = NOTHING
    ) -> dict[str, Any]:
        """The parts and the loss of one sample."""
        parts = loss_parts(self._network.loss, targets, outputs, self._arithmetic)
        found = {}
        if self._named:
            names = [f"E_{output}{suffix}" for output in self._outputs]
            parts = [part + (nudge[1] if name == nudge[0] else 0) for name, part in zip(names, parts, strict=True)]
            found = dict(zip(names, parts, strict=True))
        whole = f"E{suffix}" if suffix else self._data
        total = put_together(self._network.loss, parts, len(outputs))
        return found | {whole: total + (nudge[1] if whole == nudge[0] else 0)}

    def totals(self, values: Mapping[str, Any], squares: Any, nudge: Nudge = NOTHING) -> dict[str, Any]:
        """The losses of the batch, of the data and with the penalty."""
        network, found = self._network, {}

        def keep(name: str, value: Any) -> Any:
            found[name] = value + (nudge[1] if name == nudge[0] else 0)
            return found[name]

        data = values[self._data] if network.samples == 1 else None
        if data is None:
            total = sum(values[f"E[{sample}]"] for sample in range(1, network.samples + 1))
            data = keep(self._data, total / network.samples if network.reduction == "mean" else total)
        if network.penalty:
            keep("E", data + keep("E_l2", self._strength * squares))
        return found
