"""`amlops job resume` and `amlops job replay` with jobs of batch endpoints."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pandas as pd
import pytest
from amlops_support import SmallProject
from batch_support import BatchProject, InProcess, table, wait_for

from amlops.files import read_json
from amlops.local.parallel.minibatches import MiniBatch, Piece, TableRows
from amlops.local.parallel.worklist import WorkList

pytestmark = pytest.mark.slow
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture
def batch(project: SmallProject) -> BatchProject:
    return BatchProject.make(project)


@pytest.fixture
def amlops(batch: BatchProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> InProcess:
    return InProcess(batch.root, monkeypatch, capsys)


def rows(record: dict) -> list[str]:
    return Path(record["output_file"]).read_text(encoding="utf-8").splitlines()


@POSIX
def test_a_killed_job_is_resumed(batch: BatchProject) -> None:
    batch.deploy("settings.mini_batch_size=1")
    names = [f"{n:02}.txt" for n in range(12)]
    images = batch.images(dict.fromkeys(names, "ok") | {"06.txt": "hang"})
    command = batch.files.start("batch-endpoint", "invoke", "-n", "scorer", "--input", str(images), "--job-name", "j")
    wait_for(lambda: len(batch.trace("run")) >= 12)
    command.send_signal(signal.SIGKILL)
    command.communicate(timeout=10)
    shown = batch.files.run("job", "show", "-n", "j").json
    assert (shown["status"], shown["error"].partition(";")[2]) == (
        "Failed",
        " `amlops job resume -n j` goes on with it",
    )
    (images / "06.txt").write_text("ok", encoding="utf-8")
    resumed = batch.files.run("job", "resume", "-n", "j")
    said = (
        "amlops: note: the input has changed since the job's first start: 06.txt; what was scored before is not scored"
    )
    assert (resumed.code, resumed.line) == (0, f"{said} again")
    record = resumed.json
    assert (record["status"], record["starts"], rows(record)) == ("Completed", 2, [f"{name} w1 ok" for name in names])
    assert len(batch.trace("run")) <= 12 + 2  # what the two workers were at is done again, nothing else
    again = batch.files.run("job", "resume", "-n", "j")
    assert (again.code, again.line) == (1, "amlops: --name: job 'j' is completed, so there is nothing to resume")


def test_a_job_that_failed_by_its_threshold_tries_again_what_had_failed(batch: BatchProject, amlops: InProcess) -> None:
    batch.deploy("settings.mini_batch_size=1", "settings.max_concurrency_per_instance=1")
    images = batch.images({"1.txt": "ok", "2.txt": "skip", "3.txt": "ok"})
    batch.invoke(images, sets=["error_threshold=0"], job_name="j")
    (images / "2.txt").write_text("ok", encoding="utf-8")
    resumed = amlops("job", "resume", "-n", "j")
    assert (resumed.code, rows(resumed.json)) == (0, ["1.txt w1 ok", "2.txt w1 ok", "3.txt w1 ok"])
    runs = [Path(entry["items"][0]).name for entry in batch.trace("run")]
    assert runs == ["1.txt", "2.txt", "2.txt", "3.txt"]


def test_a_resumed_job_can_change_its_thresholds_but_not_its_work(batch: BatchProject, amlops: InProcess) -> None:
    batch.deploy("settings.mini_batch_size=1")
    images = batch.images({"1.txt": "ok", "2.txt": "skip"})
    batch.invoke(images, sets=["error_threshold=0"], job_name="j")
    refused = amlops("job", "resume", "-n", "j", "--set", "mini_batch_size=5")
    assert (refused.code, refused.line) == (
        1,
        "amlops: --set: 'mini_batch_size' is fixed when a job starts; replay or a new job can change it",
    )
    resumed = amlops("job", "resume", "-n", "j", "--set", "error_threshold=5")
    assert (resumed.code, resumed.json["items"]) == (0, {"total": 2, "succeeded": 1, "failed": 1})
    assert resumed.json["settings"]["error_threshold"] == 5


def test_replay_scores_only_what_has_failed(batch: BatchProject, amlops: InProcess) -> None:
    batch.deploy("settings.mini_batch_size=3", "settings.retry_settings.max_retries=1")
    images = batch.images({f"{n}.txt": "ok" for n in range(9)} | {"2.txt": "raise", "7.txt": "skip"})
    batch.invoke(images, job_name="first")
    for name in ("2.txt", "7.txt"):
        (images / name).write_text("ok", encoding="utf-8")
    calls = len(batch.trace("run"))
    replayed = amlops("job", "replay", "-n", "first", "--job-name", "second", "--set", "mini_batch_size=2")
    assert replayed.code == 0
    record = replayed.json
    assert (record["name"], record["replays"], record["endpoint_name"]) == ("second", "first", "scorer")
    # All of the mini-batch that raised, in mini-batches of two, and the one item that was missing.
    assert rows(record) == [f"{n}.txt w1 ok" for n in (0, 1, 2, 7)]
    sizes = sorted(len(entry["items"]) for entry in batch.trace("run")[calls:])
    assert sizes == [1, 1, 2]
    assert read_json(batch.root / ".amlops/jobs/first/job.json")["items"]["failed"] == 4  # stays what it was
    merged = pd.read_parquet(record["merged_file"])
    assert merged["item"].tolist() == [f"{n}.txt" for n in range(9)]
    assert merged["value"].tolist() == [f"{n}.txt w1 ok" for n in range(9)]
    again = amlops("job", "replay", "-n", "second")
    assert (again.code, again.line) == (
        1,
        "amlops: --name: no item of job 'second' has failed, so there is nothing to replay",
    )


def test_replay_keeps_the_copy_that_the_job_ran_with(batch: BatchProject, amlops: InProcess) -> None:
    batch.deploy()
    images = batch.images({"1.txt": "skip", "2.txt": "ok"})
    batch.invoke(images, job_name="first")
    batch.deploy(driver="def init(): pass\ndef run(batch): return ['new' for _ in batch]")
    (images / "1.txt").write_text("ok", encoding="utf-8")
    assert rows(amlops("job", "replay", "-n", "first").json) == ["1.txt w1 ok"]


def test_where_nobody_can_tell_which_item_failed_all_of_the_mini_batch_are_replayed(batch: BatchProject) -> None:
    driver = """
from pathlib import Path
def init(): pass
def run(batch): return [1.5 for item in batch if Path(item).read_text() != "skip"]
"""
    batch.deploy("settings.mini_batch_size=3", driver=driver)
    images = batch.images({f"{n}.txt": "ok" for n in range(6)} | {"4.txt": "skip"})
    first = batch.invoke(images, job_name="first")
    assert pd.read_parquet(first["typed_file"])["item"].isna().tolist() == [False] * 3 + [True] * 2
    (images / "4.txt").write_text("ok", encoding="utf-8")
    second = batch.files.run("job", "replay", "-n", "first").json
    assert second["items"] == {"total": 3, "succeeded": 3, "failed": 0}
    assert pd.read_parquet(second["merged_file"])["item"].tolist() == [f"{n}.txt" for n in range(6)]


@pytest.mark.parametrize("verb", ["resume", "replay"])
def test_a_job_that_runs_is_left_alone(batch: BatchProject, amlops: InProcess, verb: str) -> None:
    batch.deploy("settings.mini_batch_size=1")
    images = batch.images({"1.txt": "hang"})
    command = batch.files.start("batch-endpoint", "invoke", "-n", "scorer", "--input", str(images), "--job-name", "j")
    wait_for(lambda: batch.trace("run"))
    refused = amlops("job", verb, "-n", "j")
    command.terminate()
    command.communicate(timeout=10)
    said = {
        "resume": "job 'j' is running; `amlops job show -n j` shows it",
        "replay": "job 'j' is running; its failed items are known at its end",
    }
    assert refused.code == 1
    assert refused.line.startswith(f"amlops: --name: {said[verb]}")


def test_rows_of_a_table_are_kept_and_chosen_as_rows(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("a\n1\n", encoding="utf-8")
    pieces = [Piece(str(file), [[0, 4]], offset=2, length=8), Piece(str(file), [[4, 6], [8, 9]], offset=10, length=6)]
    rows = [MiniBatch(n, table=TableRows("delimited", [piece], {"header": True})) for n, piece in enumerate(pieces)]
    work = WorkList.of([*rows, MiniBatch(2, [str(file)], {"store": "x"})])
    work.save(tmp_path)
    assert WorkList.load(tmp_path) == work
    some = work.only({0: {f"{file}#{n}" for n in range(4)}, 1: {f"{file}#5", f"{file}#8"}}, size=1)
    whole, chosen = [batch.table.pieces[0] for batch in some.batches if batch.table]
    assert whole == pieces[0]
    assert (chosen.spans, chosen.offset) == ([[5, 6], [8, 9]], -1)  # the file has to be read to find them
    assert [list(some.places(n)) for n in range(2)] == [[0, 1, 2, 3], [5, 6]]


@pytest.mark.parametrize("verb", ["resume", "replay"])
def test_what_cannot_be_taken_up_gets_one_line(batch: BatchProject, amlops: InProcess, verb: str) -> None:
    missing = amlops("job", verb, "-n", "nothing")
    assert (missing.code, missing.line) == (
        1,
        "amlops: --name: there is no job 'nothing'; `amlops job list` shows them",
    )


def test_failed_items_have_the_hash_of_their_traceback(batch: BatchProject) -> None:
    batch.deploy("settings.mini_batch_size=1", "settings.retry_settings.max_retries=1")
    record = batch.invoke(batch.images({"1.txt": "raise", "2.txt": "raise", "3.txt": "skip", "4.txt": "ok"}))
    hashes = [row["traceback_hash"] for row in table(record["failed_items_file"])]
    assert len(hashes[0]) == 8
    assert hashes[2] == ""
