"""What is shipped: the sdist, the wheel built from it, and the wheel installed in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Shipped:
    """The names of the files in the sdist (below its top folder) and in the wheel; the wheel's metadata."""

    sdist: frozenset[str]
    wheel: frozenset[str]
    wheel_file: Path
    metadata: Message
    entry_points: str


def files_below(folder: str, pattern: str = "*") -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern) if path.is_file()}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    out = tmp_path_factory.mktemp("dist")
    # Without --wheel and --sdist the wheel is built from the unpacked sdist, as an installer does where no wheel fits.
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        cwd=out, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    (sdist_file,), (wheel_file,) = out.glob("*.tar.gz"), out.glob("*.whl")
    with tarfile.open(sdist_file) as sdist:
        members = {member.name.partition("/")[2] for member in sdist.getmembers() if member.isfile()}
    with zipfile.ZipFile(wheel_file) as wheel:
        info = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(wheel.read(info))
        entry_points = wheel.read(info.replace("METADATA", "entry_points.txt")).decode()
        return Shipped(frozenset(members), frozenset(wheel.namelist()), wheel_file, metadata, entry_points)


@pytest.fixture(scope="module")
def installed(shipped: Shipped, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target),
         str(shipped.wheel_file)],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return target


def python(installed: Path, cwd: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=os.environ | {"PYTHONPATH": str(installed), "PYTHONUTF8": "1"},
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_package_the_templates_and_the_problems(shipped: Shipped) -> None:
    templates = {f"derive/{name}" for name in files_below("templates")}
    problems = files_below("derive/problems", "*.toml")
    code = files_below("derive", "*.py")
    assert templates
    assert problems
    assert templates | problems | code | {"derive/py.typed"} <= shipped.wheel


def test_the_wheel_holds_nothing_else(shipped: Shipped) -> None:
    tops = {name.partition("/")[0] for name in shipped.wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"derive"}
    assert not {name for name in shipped.wheel if "__pycache__" in name}


def test_the_sdist_holds_the_sources(shipped: Shipped) -> None:
    sources = files_below("templates") | files_below("derive", "*.py") | files_below("derive/problems", "*.toml")
    assert sources | files_below("tests", "*.py") | {"LICENSE", "README.md", "pyproject.toml"} <= shipped.sdist


def test_the_metadata_names_the_distribution(shipped: Shipped) -> None:
    assert shipped.metadata["Name"] == "derive-nn"
    assert shipped.metadata["License-Expression"] == "MIT"
    assert shipped.metadata["Requires-Python"] == ">=3.11"
    assert {"test", "witness"} <= set(shipped.metadata.get_all("Provides-Extra", []))
    assert "derive = derive.cli:main" in shipped.entry_points
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in shipped.wheel)


def test_the_installed_package_renders_a_page(installed: Path, tmp_path: Path) -> None:
    where = python(installed, tmp_path, "-c", "import derive; print(derive.__file__)")
    assert Path(where.strip()).is_relative_to(installed)
    assert "0.08217" in python(installed, tmp_path, "-m", "derive", "show", "backprop-2-2-1")
