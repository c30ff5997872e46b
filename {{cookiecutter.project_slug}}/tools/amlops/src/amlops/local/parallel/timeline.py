"""When which worker did what, from the journal of a job: what the report measures and the sizing table simulates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from amlops.local.parallel.journal import entries


@dataclass(frozen=True)
class Run:
    """A finished mini-batch.

    `seconds` are those in `run()`, all its attempts together; `at` is its end (`time.time()`).
    """

    mini_batch: int
    items: int
    status: str
    succeeded: int
    returned: int
    attempts: int
    seconds: float
    at: float


@dataclass(frozen=True)
class WorkerTime:
    """What one process did in one start of the job. `began` is the beginning of that start (`time.time()`)."""

    worker: str
    began: float
    runs: Sequence[Run]

    @property
    def items(self) -> int:
        """Items of its mini-batches, failed ones too."""
        return sum(run.items for run in self.runs)

    @property
    def run_seconds(self) -> float:
        """Seconds in `run()`."""
        return sum(run.seconds for run in self.runs)

    @property
    def seconds(self) -> float:
        """From the beginning of the start to the end of its last mini-batch."""
        return self.runs[-1].at - self.began

    @property
    def busy(self) -> float:
        """Share of its time that it was in `run()`, from 0 to 1."""
        return min(1.0, self.run_seconds / self.seconds) if self.seconds > 0 else 0.0

    @property
    def ready_after(self) -> float:
        """Seconds until it was ready: start of the process, import, `init()`."""
        first = self.runs[0]
        return max(0.0, first.at - first.seconds - self.began)

    @property
    def gaps(self) -> list[float]:
        """Seconds between two mini-batches: what one costs beside `run()`."""
        pairs = zip(self.runs, self.runs[1:], strict=False)
        return [max(0.0, after.at - after.seconds - before.at) for before, after in pairs]


@dataclass(frozen=True)
class Times:
    """The workers of all starts of a job."""

    workers: Sequence[WorkerTime]

    @classmethod
    def read(cls, journal: Path, items: Sequence[int]) -> Times:
        """The times in a journal; `items` is the number of items of each mini-batch."""
        began, number = 0.0, 0
        found: dict[tuple[int, str], tuple[float, list[Run]]] = {}
        for entry in entries(journal):
            if entry["event"] == "start":
                began, number = entry["at"], number + 1
            elif entry["event"] == "result" and entry["attempts"]:
                found.setdefault((number, entry["worker"]), (began, []))[1].append(_run(entry, items))
        return cls([WorkerTime(worker, start, runs) for (_, worker), (start, runs) in found.items()])

    @property
    def clean(self) -> list[Run]:
        """The mini-batches that ended well at the first attempt: their time is that of one `run()`. All, if none."""
        runs = [run for worker in self.workers for run in worker.runs]
        return [run for run in runs if run.status == "succeeded" and run.attempts == 1] or runs

    @property
    def overhead(self) -> float:
        """Seconds that a mini-batch costs beside `run()`: the median of the gaps."""
        gaps = self._gaps
        return median(gaps) if gaps else 0.0

    @property
    def overhead_mean(self) -> float:
        """The same as a mean, pauses of the machine included: what adds up to the time of the job."""
        gaps = self._gaps
        return mean(gaps) if gaps else 0.0

    @property
    def _gaps(self) -> list[float]:
        return [gap for worker in self.workers for gap in worker.gaps]

    @property
    def ready_after(self) -> float:
        """Seconds until a worker is ready: the median."""
        return median(worker.ready_after for worker in self.workers) if self.workers else 0.0


def _run(entry: Mapping[str, Any], items: Sequence[int]) -> Run:
    return Run(
        mini_batch=entry["mini_batch"],
        items=items[entry["mini_batch"]],
        status=entry["status"],
        succeeded=entry["succeeded"],
        returned=entry["returned"],
        attempts=entry["attempts"],
        seconds=entry["seconds"],
        at=entry["at"],
    )
