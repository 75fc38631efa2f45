"""The state of a network in training as arrays, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import DeriveError

if TYPE_CHECKING:
    from derive.mlp.estimator import MLP

Array = NDArray[Any]
STATE = "optimizer/"


def saved(model: MLP) -> dict[str, Array]:
    """Settings, generator and history as the bytes of JSON, all else as it is."""
    network, optimizer = model.network_, model.optimizer_
    counts = [model.epoch_, optimizer.step_number, model.n_features_in_, network.shapes[-1].neurons]
    biases = [shape.biases for shape in network.shapes]
    return {
        "settings": _bytes(model.get_params()),
        "generator": _bytes(model.generator_.bit_generator.state),
        "history": _bytes(model.history_),
        "counts": np.array([*counts, model.updates_, *biases], np.int64),
        "classes": np.zeros(0) if model.classes_ is None else np.array(model.classes_.tolist()),
        "parameters": network.parameters.copy(),
        **{f"{STATE}{name}": found.copy() for name, found in optimizer.states.items()},
    }


def settings(found: Mapping[str, Array]) -> dict[str, Any]:
    """What the network of a state was made with."""
    given: dict[str, Any] = _read(found, "settings")
    return given


def restore(model: MLP, found: Mapping[str, Array]) -> None:
    """Make the network of a state anew; the settings of `model` must be those of the state, save `epochs`."""
    epoch, step, width, outputs, updates, *biases = (int(count) for count in _array(found, "counts"))
    model._check()
    model.n_features_in_ = width
    model._build(model._shapes(outputs, biases), updates)
    _fill(model.network_.parameters, _array(found, "parameters"))
    for name, vector in model.optimizer_.states.items():
        _fill(vector, _array(found, STATE + name))
    model.optimizer_.step_number, model.epoch_ = step, epoch
    model.history_ = _read(found, "history")
    model.generator_ = np.random.default_rng(model.seed)
    model.generator_.bit_generator.state = _read(found, "generator")
    classes = _array(found, "classes")
    model.classes_ = classes if classes.size else None


def _fill(vector: Array, kept: Array) -> None:
    if kept.shape != vector.shape or kept.dtype != vector.dtype:
        raise DeriveError(
            f"the state holds {kept.size} numbers of {kept.dtype}; "
            f"accepted: {vector.size} of {vector.dtype}, as these settings make them"
        )
    vector[:] = kept


def _bytes(value: Any) -> Array:
    try:
        return np.frombuffer(json.dumps(value).encode(), np.uint8).copy()
    except TypeError:
        found = "a setting that is no name, number or table cannot be saved"
        raise DeriveError(f"{found}; accepted: names, numbers and tables") from None


def _read(found: Mapping[str, Array], key: str) -> Any:
    try:
        return json.loads(_array(found, key).tobytes())
    except ValueError:
        raise DeriveError(f'the state is damaged: "{key}" cannot be read; accepted: what MLP.state gives') from None


def _array(found: Mapping[str, Array], key: str) -> Array:
    if key not in found:
        raise DeriveError(f'the state has no "{key}"; accepted: what MLP.state gives')
    return np.asarray(found[key])
