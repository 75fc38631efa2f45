"""The same work in one process, in several, or on a cluster: the results come in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from derive.errors import DeriveError

PATIENCE = 10
"""So many seconds a scheduler has to answer."""

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Workers:
    """How many processes work (1: this one alone), and the address of a dask scheduler ("": none)."""

    jobs: int = 1
    cluster: str = ""

    @property
    def alone(self) -> bool:
        """Whether this process does all the work."""
        return self.jobs == 1 and not self.cluster

    @property
    def wave(self) -> int:
        """How many tasks keep everybody busy for a while; one where nobody else works."""
        return 1 if self.alone else 16

    def map(self, work: Callable[[str, Task], Result], plan: str, tasks: Iterable[Task]) -> Iterator[Result]:
        """`work(plan, task)` for each task, in their order; later tasks may have begun when the reader stops."""
        if self.alone:
            for task in tasks:
                yield work(plan, task)
            return
        joblib = _joblib()
        with self._backend(joblib):
            parallel = joblib.Parallel(n_jobs=self.jobs if not self.cluster else -1, return_as="generator")
            yield from parallel(joblib.delayed(work)(plan, task) for task in tasks)

    @contextmanager
    def _backend(self, joblib: Any) -> Iterator[None]:
        if not self.cluster:
            yield
            return
        distributed = _distributed()
        try:
            client = distributed.Client(self.cluster, timeout=PATIENCE)
        except (OSError, ValueError, TimeoutError) as error:
            raise DeriveError(f"--cluster {self.cluster}: no scheduler answers there ({error})") from None
        try:
            with joblib.parallel_config(backend="dask", wait_for_workers_timeout=60):
                yield
        finally:
            client.close()


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise DeriveError('--cluster needs dask: pip install "derive-nn[cluster]"') from None
    return distributed


def _joblib() -> Any:
    try:
        import joblib
    except ImportError:
        raise DeriveError('--jobs and --cluster need joblib: pip install "derive-nn[cluster]"') from None
    return joblib
