"""A trained network as arrays, and its file: an .npz that NumPy reads without pickle."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import DeriveError

Array = NDArray[Any]

WRITTEN = "a file that `derive mnist train` wrote"


@dataclass(frozen=True, slots=True)
class Model:
    """Weights (fan_in, neurons) and biases (neurons,) of each layer; names of the catalogue say what they compute.

    activation   of the hidden layers; `output` is that of the last one
    about        what else is known: seed, epochs, accuracy
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    activation: str
    output: str
    loss: str
    about: dict[str, Any]

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.weights[0].shape[0], *(weights.shape[1] for weights in self.weights))

    def as_bytes(self) -> bytes:
        """The file: W1, B1, W2, B2 … and `model`, a text in JSON."""
        arrays: dict[str, Array] = {}
        for place, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True), 1):
            arrays |= {f"W{place}": weights, f"B{place}": biases}
        names = {"activation": self.activation, "output": self.output, "loss": self.loss, "about": self.about}
        return pack(arrays, {"model": names})


def read_model(path: Path) -> Model:
    """The network of a file; raises DeriveError."""
    arrays, texts = unpack(path)
    try:
        names = texts["model"]
        count = sum(name.startswith("W") for name in arrays)
        weights = tuple(arrays[f"W{place}"] for place in range(1, count + 1))
        biases = tuple(arrays[f"B{place}"] for place in range(1, count + 1))
        model = Model(weights, biases, names["activation"], names["output"], names["loss"], dict(names["about"]))
        _check(model, path)
    except (KeyError, TypeError, IndexError) as error:
        raise DeriveError(f"{path}: found no network ({error}); accepted: {WRITTEN}") from error
    return model


def _check(model: Model, path: Path) -> None:
    if not model.weights:
        raise KeyError("W1")
    fan_in = model.sizes[0]
    for place, (weights, biases) in enumerate(zip(model.weights, model.biases, strict=True), 1):
        if weights.ndim != 2 or weights.shape[0] != fan_in or biases.shape != (weights.shape[1],):
            raise DeriveError(
                f"{path}: W{place} has the shape {weights.shape} and B{place} {biases.shape}; "
                f"accepted: ({fan_in}, n) and (n,)"
            )
        if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
            raise DeriveError(f"{path}: W{place} or B{place} holds NaN or an infinite number; accepted: finite numbers")
        fan_in = weights.shape[1]


# -- .npz without pickle


def pack(arrays: dict[str, Array], texts: dict[str, Any]) -> bytes:
    """An .npz of arrays of numbers and of texts in JSON; the same content gives the same bytes."""
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(name)
    made = {name: np.frombuffer(json.dumps(text).encode(), np.uint8) for name, text in texts.items()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, array in (arrays | {f"{name}.json": text for name, text in made.items()}).items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return stream.getvalue()


def unpack(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays and the texts of a file that `pack` made; raises DeriveError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        texts = {
            name.removesuffix(".json"): json.loads(arrays.pop(name).tobytes())
            for name in [*arrays]
            if name.endswith(".json")
        }
    except (ValueError, EOFError, zipfile.BadZipFile, KeyError, AttributeError, TypeError) as error:
        raise DeriveError(
            f"{path}: cannot be read ({error}); accepted: {WRITTEN}"
        ) from error
    return arrays, texts
