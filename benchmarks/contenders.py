"""One training loop in a process of its own: `python -m benchmarks.contenders NAME BATCH FOLDER`.

784-128-10, ReLU, softmax with cross-entropy, Adam at 1e-3, float32, one thread.  Each line on standard input asks for
one more epoch over the 60,000 images, shuffled anew; its seconds and peak memory are answered as a line of JSON.
Loading, first weights and compilation lie in epochs that the caller does not count.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from derive.mlp.threads import use_one

RATE = 1e-3
HIDDEN = 128
Epochs = Iterator[None]


def data(folder: str) -> tuple[Any, Any]:
    from derive.mlp.mnist import load

    found = load(folder)
    return found.train_images.reshape(len(found.train_images), -1), found.train_labels


def ours(batch: int, folder: str) -> Epochs:
    import threading
    from queue import Queue

    from derive.mlp import MLP

    images, labels = data(folder)
    turn: Queue[bool] = Queue()
    done: Queue[bool] = Queue()

    def wait(*_: object) -> None:
        done.put(True)
        turn.get()

    model = MLP((HIDDEN,), learning_rate=RATE, batch_size=batch, epochs=10_000)
    threading.Thread(target=lambda: model.fit(images, labels, on_epoch=wait), daemon=True).start()
    while True:
        done.get()
        yield
        turn.put(True)


def _torch_parts(**adam: Any) -> tuple[Any, Any, Any, Any]:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(784, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 10))
    return torch, model, torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=RATE, **adam)


def _torch_data(folder: str) -> tuple[Any, Any]:
    import torch

    images, labels = data(folder)
    return torch.from_numpy(images).float().div_(255), torch.from_numpy(labels).long()


def torch_documented(batch: int, folder: str) -> Epochs:
    """The loop of PyTorch's tutorials, on tensors in memory."""
    torch, model, loss_of, optimizer = _torch_parts()
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(*_torch_data(folder)), batch_size=batch, shuffle=True
    )
    while True:
        for x, y in loader:
            loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        yield


def torch_tuned(batch: int, folder: str) -> Epochs:
    """Batches by slicing, fused Adam, denormals flushed."""
    torch, model, loss_of, optimizer = _torch_parts(fused=True)
    torch.set_flush_denormal(True)
    images, labels = _torch_data(folder)
    while True:
        order = torch.randperm(len(images))
        for start in range(0, len(images), batch):
            chosen = order[start : start + batch]
            optimizer.zero_grad(set_to_none=True)
            loss_of(model(images[chosen]), labels[chosen]).backward()
            optimizer.step()
        yield


def scikit_learn(batch: int, folder: str) -> Epochs:
    import numpy as np
    from sklearn.neural_network import MLPClassifier

    images, labels = data(folder)
    x = np.divide(images, 255, dtype=np.float32)
    model = MLPClassifier((HIDDEN,), batch_size=batch, learning_rate_init=RATE, alpha=0.0, random_state=0)
    classes = np.unique(labels)
    while True:
        model.partial_fit(x, labels, classes=classes)
        yield


def _jax_step(batch: int, folder: str) -> tuple[Any, ...]:
    """The data on the device, the first state, and one step of it on the samples of given numbers."""
    import jax
    import jax.numpy as jnp

    images, labels = data(folder)
    x, y = jnp.asarray(images), jnp.asarray(labels, jnp.int32)
    keys = jax.random.split(jax.random.key(0))
    weights = [
        (jax.random.normal(key, (n, m)) * (2 / n) ** 0.5, jnp.zeros(m))
        for key, n, m in zip(keys, (784, HIDDEN), (HIDDEN, 10), strict=True)
    ]
    zeros = jax.tree.map(jnp.zeros_like, weights)

    def loss_of(weights: Any, x: Any, y: Any) -> Any:
        (w1, b1), (w2, b2) = weights
        logits = jax.nn.relu(x @ w1 + b1) @ w2 + b2
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()

    def step(state: Any, chosen: Any, x: Any, y: Any) -> tuple[Any, Any]:
        weights, m, v, t = state
        loss, g = jax.value_and_grad(loss_of)(weights, x[chosen].astype(jnp.float32) / 255, y[chosen])
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        first, second = 1 - 0.9**t, 1 - 0.999**t
        weights = jax.tree.map(
            lambda w, m, v: w - RATE * (m / first) / (jnp.sqrt(v / second) + 1e-8), weights, m, v
        )
        return (weights, m, v, t), loss

    return jax, x, y, (weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros((), jnp.float32)), step, batch


def _orders(samples: int, batch: int) -> Iterator[Any]:
    """The numbers of the samples in a new order for each epoch, a row for each whole batch."""
    import numpy as np

    generator = np.random.default_rng(0)
    while True:
        yield generator.permutation(samples).astype(np.int32)[: samples // batch * batch].reshape(-1, batch)


def jax_loop(batch: int, folder: str) -> Epochs:
    jax, x, y, state, step, _ = _jax_step(batch, folder)
    jitted = jax.jit(step, donate_argnums=0)
    for order in _orders(len(x), batch):
        for chosen in order:
            state, _ = jitted(state, chosen, x, y)
        jax.block_until_ready(state)
        yield


def jax_scan(batch: int, folder: str) -> Epochs:
    jax, x, y, state, step, _ = _jax_step(batch, folder)
    epoch = jax.jit(
        lambda state, order, x, y: jax.lax.scan(lambda now, chosen: step(now, chosen, x, y), state, order),
        donate_argnums=0,
    )
    for order in _orders(len(x), batch):
        state, _ = epoch(state, order, x, y)
        jax.block_until_ready(state)
        yield


CONTENDERS: Mapping[str, tuple[str, str, Callable[[int, str], Epochs]]] = {
    "ours": ("derive.mlp", "numpy", ours),
    "torch-documented": ("PyTorch, the documented DataLoader loop", "torch", torch_documented),
    "torch-tuned": ("PyTorch, tuned: slicing, fused Adam, denormals flushed", "torch", torch_tuned),
    "scikit-learn": ("scikit-learn MLPClassifier", "sklearn", scikit_learn),
    "jax-loop": ("JAX, jitted step in a Python loop", "jax", jax_loop),
    "jax-scan": ("JAX, whole epoch in lax.scan", "jax", jax_scan),
}
"""What each is called, the module that it needs, and its epochs."""


def main() -> None:
    name, batch, folder = sys.argv[1:]
    use_one()
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    os.environ["JAX_PLATFORMS"] = "cpu"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    epochs = CONTENDERS[name][2](int(batch), folder)
    for _ in sys.stdin:
        start = time.perf_counter()
        next(epochs)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
        print(json.dumps({"seconds": seconds, "megabytes": peak}), flush=True)


if __name__ == "__main__":
    main()
