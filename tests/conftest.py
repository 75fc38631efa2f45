"""Rules for the whole run: where CI is set nothing may be skipped, and slow machines are no reason to fail."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}

if not IN_CI:  # in CI Hypothesis loads its own profile: no deadline, the same examples every time
    settings.register_profile("here", deadline=None)
    settings.load_profile("here")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `data` where the MNIST files are not."""
    folder = os.environ.get("DERIVE_MNIST", "")
    if item.get_closest_marker("data") and not (folder and Path(folder).is_dir()):
        pytest.skip("DERIVE_MNIST names no folder with the MNIST files")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI everything is installed that a test can need, so a skip hides a hole in the set-up."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped in CI: {reason}"
