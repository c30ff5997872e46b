"""Parallel jobs in a plain folder: run as a process, killed at any moment, resumed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from batch_support import wait_for
from parallel_support import ParallelJob

from amlops.local.parallel.codec import to_json
from amlops.local.parallel.plan import ParallelPlan

pytestmark = pytest.mark.slow
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture
def job(tmp_path: Path) -> ParallelJob:
    return ParallelJob(tmp_path)


def test_a_plan_is_what_it_was_after_a_file(job: ParallelJob) -> None:
    plan = job.plan({"1.txt": "ok"})
    plan.save(job.folder)
    assert to_json(ParallelPlan.load(job.folder)) == to_json(plan)
    assert (job.folder / "plan.json").stat().st_mode & 0o077 == 0 or os.name == "nt"


def test_a_job_is_a_process_of_its_own(job: ParallelJob) -> None:
    job.plan({f"{n}.txt": "ok" for n in range(5)} | {"5.txt": "skip"}).save(job.folder)
    code, said = job.run()
    assert code == 0
    assert job.rows == [f"{n}.txt ok" for n in range(5)]
    lines = said.splitlines()
    assert (lines[0], lines[-2]) == ("scores: 0 of 6 items, 0 failed", "scores: 6 of 6 items, 1 failed")
    assert lines[-1].startswith("amlops: note: 1 of 6 items failed: ")


def test_a_job_that_fails_has_exit_code_3_and_says_first_what_went_wrong(job: ParallelJob) -> None:
    job.plan({"1.txt": "ok", "2.txt": "raise", "3.txt": "ok"}, error_threshold=0).save(job.folder)
    code, said = job.run()
    assert code == 3
    first = next(line for line in said.splitlines() if line.startswith("amlops:"))
    said_first = "amlops: 1.txt (and 1 more in its mini-batch): ValueError: cannot read 2.txt (score.py, line "
    assert first.startswith(said_first)


@POSIX
def test_a_killed_job_goes_on_where_it_was(job: ParallelJob) -> None:
    items = {f"{n:02}.txt": "sleep 0.02" for n in range(40)}
    job.plan(items).save(job.folder)
    process = job.start()
    wait_for(lambda: len(job.calls) > 12)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (job.root / "out" / "predictions.csv").exists()
    code, _ = job.run()
    assert code == 0
    assert job.rows == [f"{n:02}.txt sleep 0.02" for n in range(40)]
    # Only what the two workers were at when they were killed is done again.
    assert len(job.calls) <= 40 + 2 * 2
    assert job.result["starts"] == 2
