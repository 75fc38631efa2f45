"""Small stand-ins for MNIST: files of the same kind, and scikit-learn's digits laid out like MNIST's images."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.mlp import mnist
from derive.mlp.idx import Expected
from derive.mlp.mnist import Mnist


def idx(array: NDArray[np.uint8], kind: int = 8) -> bytes:
    """An IDX file of an array."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, kind, array.ndim)) + sizes + array.tobytes()


@dataclass(frozen=True, slots=True)
class Small:
    """Four files like those of MNIST with 7 training and 3 test images, and what is expected of them."""

    contents: dict[str, bytes]
    expected: dict[str, Expected]

    def write(self, folder: Path, *, packed: bool = False) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents.items():
            path = folder / (f"{name}.gz" if packed else name)
            path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
        return folder


@cache
def small() -> Small:
    generator = np.random.default_rng(5)
    contents, expected = {}, {}
    for file in mnist.FILES:
        count = 7 if file.name.startswith("train") else 3
        high = 256 if len(file.shape) == 3 else 10
        array = generator.integers(0, high, (count, *file.shape[1:]), np.uint8)
        contents[file.name] = idx(array)
        digest = hashlib.sha256(contents[file.name]).hexdigest()
        expected[file.name] = Expected(file.name, file.content, array.shape, digest)
    return Small(contents, expected)


def use_small(monkeypatch: Any) -> Small:
    """Let `derive.mlp.mnist` expect the small files."""
    made = small()
    files = tuple(made.expected[file.name] for file in mnist.FILES)
    monkeypatch.setattr(mnist, "FILES", files)
    monkeypatch.setattr(mnist, "OF", {"train": files[:2], "test": files[2:]})
    packed = {name: hashlib.sha256(gzip.compress(text, mtime=0)).hexdigest() for name, text in made.contents.items()}
    monkeypatch.setattr(mnist, "SERVED_SHA256", packed)
    return made


@cache
def digits() -> Mnist:
    """scikit-learn's 1,797 digits of 8 × 8 as images of 28 × 28: 1,400 to train on, 397 to test."""
    from sklearn.datasets import load_digits

    found = load_digits()
    grey = np.clip(found.images * 16, 0, 255).astype(np.uint8)
    large = np.pad(grey.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2))).reshape(-1, 784)
    labels = found.target.astype(np.uint8)
    return Mnist(large[:1400], labels[:1400], large[1400:], labels[1400:])
