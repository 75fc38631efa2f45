"""Where MNIST is looked for, how it is downloaded, and what is said when it is not there."""

from __future__ import annotations

import gzip
import os
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from derive.cli import cli
from derive.errors import DeriveError
from derive.mlp import mnist
from derive.mlp.mnist import data_folder, download, load
from derive.mlp.model import Model
from digits import Small, use_small


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Small:
    monkeypatch.delenv("DERIVE_MNIST", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "platform", "linux")
    return use_small(monkeypatch)


@pytest.mark.parametrize("packed", [False, True])
def test_load(files: Small, packed: bool, tmp_path: Path) -> None:
    found = load(files.write(tmp_path / "data", packed=packed))
    assert (found.train_images.shape, found.test_images.shape) == ((7, 784), (3, 784))
    assert (found.train_labels.shape, found.test_labels.shape) == ((7,), (3,))
    assert found.train_images.dtype == found.train_labels.dtype == np.uint8
    assert found.train_images.tobytes() == files.contents["train-images-idx3-ubyte"][16:]


def test_the_other_spelling(files: Small, tmp_path: Path) -> None:
    folder = files.write(tmp_path / "data")
    for path in folder.iterdir():
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert len(load(folder).train_labels) == 7


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "unsigned bytes, 7, the size of train-labels-idx1"),
        ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte", "3 × 28 × 28, the size of t10k-images-idx3-ubyte"),
        ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte", "found unsigned bytes, 3, the size of t10k-labels-idx1"),
    ],
)
def test_swapped(files: Small, one: str, other: str, found: str, tmp_path: Path) -> None:
    folder = files.write(tmp_path / "data")
    (folder / one).write_bytes(files.contents[other])
    (folder / other).write_bytes(files.contents[one])
    with pytest.raises(DeriveError) as caught:
        load(folder)
    assert f"{folder / one}: " in str(caught.value)
    assert found in str(caught.value)
    assert "are two files swapped?" in str(caught.value)


@pytest.mark.parametrize("name", [file.name for file in mnist.FILES])
def test_a_file_that_is_not_there(files: Small, name: str, tmp_path: Path) -> None:
    folder = files.write(tmp_path / "data")
    (folder / name).unlink()
    with pytest.raises(DeriveError, match=f"{name} is not there; accepted: a folder with train-images-idx3-ubyte, "):
        load(folder)


def test_no_folder(files: Small, tmp_path: Path) -> None:  # noqa: ARG001 (it sets the scene)
    with pytest.raises(DeriveError, match="there is no such folder"):
        load(tmp_path / "none")


# --- which folder ----------------------------------------------------------------------------------------------------


def test_the_order_of_places(files: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = files.write(tmp_path / "cache" / "derive" / "mnist")
    assert data_folder() == cache
    monkeypatch.setenv("DERIVE_MNIST", "/named")
    assert data_folder() == Path("/named")
    assert data_folder("given") == Path("given")


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", {}, ".cache/derive/mnist"),
        ("linux", {"XDG_CACHE_HOME": "{home}/x"}, "x/derive/mnist"),
        ("darwin", {}, "Library/Caches/derive/mnist"),
        ("win32", {}, "AppData/Local/derive/mnist"),
    ],
)
def test_the_cache_of_the_user(
    platform: str, variable: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variable.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", platform)
    assert mnist.cache_folder() == tmp_path / expected


# --- downloads -------------------------------------------------------------------------------------------------------

Answer = Callable[[str], bytes | None]


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Answer]], tuple[str, ...]]]:
    """A server with a folder for each mirror; answers are the content of a file, or None for 404."""
    servers = []

    def start(mirrors: dict[str, Answer]) -> tuple[str, ...]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                _, mirror, name = self.path.split("/")
                content = mirrors[mirror](name)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return tuple(f"http://127.0.0.1:{server.server_port}/{mirror}" for mirror in mirrors)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def served(files: Small) -> Answer:
    return lambda name: gzip.compress(files.contents[name.removesuffix(".gz")], mtime=0)


def nothing(_: str) -> None:
    return None


class Seen:
    """A progress that remembers."""

    def __init__(self, name: str) -> None:
        self.name, self.total, self.done, self.closed = name, 0, 0, False
        shown.append(self)

    def update(self, count: int) -> None:
        self.done += count

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        self.closed = True


shown: list[Seen] = []

Serve = Callable[[dict[str, Answer]], tuple[str, ...]]


def test_downloaded_once_and_checked(
    served: Answer, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.clear()
    monkeypatch.setattr(mnist, "MIRRORS", serve({"a": served}))
    folder = data_folder(progress=Seen)
    assert folder == tmp_path / "cache" / "derive" / "mnist"
    assert len(load(folder).train_images) == 7
    assert [each.name for each in shown] == [f"{file.name}.gz" for file in mnist.FILES]
    assert all(each.closed and each.done == each.total > 0 for each in shown)
    monkeypatch.setattr(mnist, "download", None)  # not called again
    assert data_folder() == folder
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{file.name}.gz" for file in mnist.FILES)


@pytest.mark.parametrize("first", [nothing, lambda _: b"something else", lambda _: b""], ids=["404", "other", "empty"])
def test_the_second_mirror(first: Answer, served: Answer, serve: Serve, tmp_path: Path) -> None:
    download(tmp_path / "d", serve({"a": first, "b": served}))
    assert len(load(tmp_path / "d").test_images) == 3


def test_no_mirror_has_it(files: Small, serve: Serve, tmp_path: Path) -> None:  # noqa: ARG001
    with pytest.raises(DeriveError) as caught:
        download(tmp_path / "d", serve({"a": nothing, "b": lambda _: b"x"}))
    text = str(caught.value)
    assert "train-images-idx3-ubyte.gz could not be downloaded: 127.0.0.1" in text
    assert "cannot be reached (HTTPError)" in text
    assert "sent other content (its SHA-256 differs)" in text
    assert "--data DIR or DERIVE_MNIST=DIR; or put them into" in text
    assert not list((tmp_path / "d").glob("*"))


def test_no_network(files: Small, tmp_path: Path) -> None:  # noqa: ARG001
    with pytest.raises(DeriveError, match=r"127\.0\.0\.1:9 cannot be reached \(ConnectionError\)"):
        download(tmp_path / "d", ("http://127.0.0.1:9/x",))


def test_without_pooch(files: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DeriveError, match=r"to download them needs pooch: pip install 'derive-nn\[mnist\]'"):
        download(tmp_path / "d")


@pytest.mark.parametrize("arguments", [["train", "--out", "run"], ["gradient", "W1[1,1]", "--model", "run/model.npz"]])
def test_the_command_says_what_to_do(
    arguments: list[str], files: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any(Path(name).exists() for name in files.contents)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/x",))
    model = Model((np.ones((784, 10), np.float32),), (np.ones(10, np.float32),), "relu", "softmax", "cross-entropy", {})
    Path("run").mkdir()
    Path("run/model.npz").write_bytes(model.as_bytes())
    result = CliRunner().invoke(cli, ["mnist", *arguments])
    assert result.exit_code == 2
    assert "Put train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and" in result.output
    assert "--data DIR or DERIVE_MNIST=DIR" in result.output
    assert not Path("run/checkpoint.npz").exists()


# --- the real files --------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_the_real_files() -> None:
    found = load(os.environ["DERIVE_MNIST"])
    assert (found.train_images.shape, found.test_images.shape) == ((60_000, 784), (10_000, 784))
    assert np.bincount(found.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert found.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert found.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert round(float(found.train_images.mean()) / 255, 4) == 0.1307  # the mean that everybody normalises with
