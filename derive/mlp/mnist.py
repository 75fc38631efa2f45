"""The MNIST images: where they are looked for, how they are downloaded, and that they are what they should be.

LeCun, Cortes and Burges, The MNIST database of handwritten digits: 60,000 training and 10,000 test images of 28 × 28
grey values.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from derive.errors import DeriveError
from derive.mlp.idx import Expected, read_idx

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]
Split = Literal["train", "test"]

SIDE = 28
PIXELS = SIDE * SIDE
CLASSES = 10
VARIABLE = "DERIVE_MNIST"

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)

TRAIN_IMAGES = Expected(
    "train-images-idx3-ubyte", "the training images", (60_000, SIDE, SIDE),
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
)  # fmt: skip
TRAIN_LABELS = Expected(
    "train-labels-idx1-ubyte", "the training labels", (60_000,),
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
)  # fmt: skip
TEST_IMAGES = Expected(
    "t10k-images-idx3-ubyte", "the test images", (10_000, SIDE, SIDE),
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
)  # fmt: skip
TEST_LABELS = Expected(
    "t10k-labels-idx1-ubyte", "the test labels", (10_000,),
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)  # fmt: skip
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
OF: Mapping[Split, tuple[Expected, Expected]] = {
    "train": (TRAIN_IMAGES, TRAIN_LABELS), "test": (TEST_IMAGES, TEST_LABELS),
}  # fmt: skip

SERVED_SHA256 = {
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
"""The packed files as the mirrors serve them."""


@dataclass(frozen=True, slots=True)
class Mnist:
    """Images as rows of 784 grey values (0 to 255), 28 rows from top to bottom; labels 0 to 9."""

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels


class Progress(Protocol):
    """What shows how far a download is: pooch sets `total` and calls the rest."""

    total: int

    def update(self, count: int) -> None: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...


def load(folder: Path | str) -> Mnist:
    """Both sets from a folder with the four files, plain or packed with gzip; raises DeriveError."""
    return Mnist(*load_split(folder, "train"), *load_split(folder, "test"))


def load_split(folder: Path | str, split: Split) -> tuple[Images, Labels]:
    """The images (n, 784) and labels (n,) of one of the two sets; raises DeriveError."""
    folder = Path(folder)
    images, labels = (read_idx(_required(folder, file), file, FILES) for file in OF[split])
    if labels.max(initial=0) >= CLASSES:
        raise DeriveError(f"{folder}: found the label {labels.max()}; accepted: 0 to {CLASSES - 1}")
    return images.reshape(len(images), PIXELS), labels


def spellings(name: str) -> tuple[str, ...]:
    """The names under which a file is known: train-images-idx3-ubyte and train-images.idx3-ubyte, .gz or not."""
    names = (name, name.replace("-idx", ".idx"))
    return (*names, *(f"{each}.gz" for each in names))


def find(folder: Path, name: str) -> Path | None:
    """The file of that plain name in a folder, under any of its spellings."""
    return next((path for spelling in spellings(name) if (path := folder / spelling).is_file()), None)


def _required(folder: Path, file: Expected) -> Path:
    found = find(folder, file.name)
    if found is None:
        what = "there is no such folder" if not folder.is_dir() else f"{file.name} is not there"
        raise DeriveError(f"{folder}: {what}; accepted: a folder with {_four_files()}")
    return found


def _four_files() -> str:
    return f"{', '.join(file.name for file in FILES[:-1])} and {FILES[-1].name} (plain or .gz)"


def is_complete(folder: Path) -> bool:
    return all(find(folder, file.name) for file in FILES)


# -- where the files are


def data_folder(given: str | None = None, progress: Callable[[str], Progress] | None = None) -> Path:
    """The folder with the four files: the one given, else that of DERIVE_MNIST, else the user's cache, downloaded.

    `progress` makes what shows a download of that name.  Raises DeriveError.
    """
    named = given or os.environ.get(VARIABLE)
    if named:
        return Path(named)
    folder = cache_folder()
    if not is_complete(folder):
        download(folder, progress=progress)
    return folder


def cache_folder() -> Path:
    """The folder for downloads: derive/mnist in the cache of the user."""
    home = Path.home()
    places = {
        "win32": os.environ.get("LOCALAPPDATA", str(home / "AppData" / "Local")),
        "darwin": str(home / "Library" / "Caches"),
    }
    return Path(places.get(sys.platform, os.environ.get("XDG_CACHE_HOME") or str(home / ".cache"))) / "derive" / "mnist"


def download(
    folder: Path, mirrors: tuple[str, ...] = (), progress: Callable[[str], Progress] | None = None
) -> None:
    """Fetch what is missing, each file from the first mirror that has it (of MIRRORS); raises DeriveError."""
    try:
        import pooch
    except ImportError as error:
        raise DeriveError(_not_there(folder, "to download them needs pooch: pip install 'derive-nn[mnist]'")) from error
    pooch.get_logger().setLevel("ERROR")
    for file in FILES:
        if find(folder, file.name) is None:
            _fetch(folder, file.name, mirrors or MIRRORS, progress)


def _fetch(folder: Path, name: str, mirrors: tuple[str, ...], progress: Callable[[str], Progress] | None) -> None:
    import pooch
    import requests

    packed, failures = f"{name}.gz", []
    for mirror in mirrors:
        shown = progress(packed) if progress else None
        try:
            pooch.retrieve(
                f"{mirror}/{packed}",
                known_hash=f"sha256:{SERVED_SHA256[name]}",
                fname=packed,
                path=folder,
                downloader=pooch.HTTPDownloader(progressbar=shown or False),
            )
        except requests.RequestException as error:
            failures.append(f"{_host(mirror)} cannot be reached ({type(error).__name__})")
        except ValueError:
            failures.append(f"{_host(mirror)} sent other content (its SHA-256 differs)")
        else:
            return
    raise DeriveError(_not_there(folder, f"{packed} could not be downloaded: {'; '.join(failures)}"))


def _host(mirror: str) -> str:
    return mirror.split("/")[2]


def _not_there(folder: Path, why: str) -> str:
    return (
        f"the MNIST files are not in {folder}, and {why}.\n"
        f"Put {_four_files()} into a folder, and name it with --data DIR or {VARIABLE}=DIR; or put them into {folder}"
    )
