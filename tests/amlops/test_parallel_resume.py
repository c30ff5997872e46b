"""Parallel jobs in a plain folder: run as a process, killed at any moment, resumed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from batch_support import wait_for
from parallel_job import ParallelJob

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
    # The end of the traceback follows at once: people look there first.
    assert '  | raise ValueError(f"cannot read {Path(item).name}")' in said.partition("job scores failed")[0]


def test_an_attempt_that_was_made_good_is_not_what_went_wrong(job: ParallelJob) -> None:
    script = """
import os
from pathlib import Path
def init(): pass
def run(batch):
    mark = Path(os.environ["TRACE"])
    if not mark.exists():
        mark.touch()
        raise OSError("for a moment")
    return [item for item in batch if not item.endswith("3.txt")]
"""
    job.plan({f"{n}.txt": "" for n in range(4)}, script=script, max_retries=2, error_threshold=0, workers=1).save(
        job.folder
    )
    code, said = job.run()
    first = next(line for line in said.splitlines() if line.startswith("amlops:"))
    assert (code, first) == (3, "amlops: 3.txt: missing from the result of run()")


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


def typed(job: ParallelJob) -> pd.DataFrame:
    return pd.read_parquet(job.root / "out" / "predictions.parquet")


def prepared(folder: Path, items: dict[str, str]) -> ParallelJob:
    folder.mkdir()
    job = ParallelJob(folder)
    job.plan(items, mini_batch_size=3, max_retries=3).save(job.folder)
    return job


def killed_at_random(job: ParallelJob, chance: random.Random, most: int) -> int:
    """Start the job, kill it, start it again, until it is done; how often it was killed, `most` times at most."""
    for kills in range(most):
        process = job.start()
        try:
            process.wait(chance.uniform(0.0, 1.1))
        except subprocess.TimeoutExpired:
            if chance.random() < 0.3:  # a worker first
                with suppress(ProcessLookupError, IndexError):
                    os.kill(int(job.lines[-1].split()[0]), signal.SIGKILL)
            process.send_signal(signal.SIGKILL) if chance.random() < 0.5 else os.killpg(process.pid, signal.SIGKILL)
        if process.wait() == 0:
            return kills
    return most


@POSIX
def test_twenty_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(11)
    items = {f"{n % 7}/{n:03}.txt": f"sleep 0.0{chance.randint(1, 6)}" for n in range(300)}
    items |= {f"3/{n:03}.txt": "skip" for n in (310, 311)} | {"4/320.txt": "raise"}
    calm = prepared(tmp_path / "calm", items)
    assert calm.run()[0] == 0
    kills = number = 0
    while kills < 20:  # a fast machine ends a job before it was killed so often
        number += 1
        job = prepared(tmp_path / f"killed-{number}", items)
        killed = killed_at_random(job, chance, 20 - kills)
        kills += killed
        code, said = job.run()
        assert code == 0, said
        assert job.rows == calm.rows
        pd.testing.assert_frame_equal(typed(job), typed(calm))
        assert typed(job)["item"].is_unique
        assert job.result["items"] == calm.result["items"] == {"total": 303, "succeeded": 299, "failed": 4}
        # Whatever was finished was not run again: each kill costs at most what the two workers were at, and two
        # attempts of the mini-batch of two items that never succeeds.
        again = len(job.calls) - len(calm.calls)
        assert again <= killed * (2 * 3 + 2 * 2)


@POSIX
def test_a_job_that_is_canceled_goes_on_too(job: ParallelJob) -> None:
    job.plan({f"{n:02}.txt": "sleep 0.05" for n in range(30)}).save(job.folder)
    process = job.start()
    wait_for(lambda: len(job.calls) > 6)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 130
    assert job.result["status"] == "Canceled"
    assert job.run()[0] == 0
    assert len(job.rows) == 30
    assert len(job.calls) <= 30 + 2 * 2


def test_two_processes_never_run_the_same_job(job: ParallelJob) -> None:
    job.plan({"1.txt": "sleep 2"}).save(job.folder)
    first = job.start()
    wait_for(lambda: job.calls)
    code, said = job.run()
    assert code == 1
    assert said.endswith("another process runs the job 'scores'\n")
    assert first.wait(timeout=10) == 0


def test_half_a_line_in_the_journal_is_cut_off(job: ParallelJob) -> None:
    items = {f"{n}.txt": "ok" for n in range(6)} | {"6.txt": "skip"}
    job.plan(items, error_threshold=0, workers=1).save(job.folder)
    assert job.run()[0] == 3
    with (job.folder / "journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('{"event": "result", "mini_ba')
    (job.root / "in" / "6.txt").write_text("ok", encoding="utf-8")
    assert job.run()[0] == 0
    assert job.rows == [f"{n}.txt ok" for n in range(7)]
    assert sorted(Counter(job.calls).items()) == [(f"{n}.txt", 2 if n == 6 else 1) for n in range(7)]


def test_rows_that_are_not_what_the_journal_says_are_made_again(job: ParallelJob) -> None:
    job.plan({f"{n}.txt": "ok" for n in range(5)} | {"5.txt": "raise"}, error_threshold=0, workers=1).save(job.folder)
    assert job.run()[0] == 3
    parts = sorted((job.folder / "parts").rglob("*.part"))
    parts[0].write_text("0.txt", encoding="utf-8")  # the machine lost power
    parts[1].with_suffix(".rows").unlink()
    (job.root / "in" / "5.txt").write_text("ok", encoding="utf-8")
    assert job.run()[0] == 0
    assert job.rows == [f"{n}.txt ok" for n in range(6)]
