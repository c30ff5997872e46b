"""What the report of a job measures, counts, suggests and simulates."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parallel_job import ParallelJob

from amlops.files import read_json
from amlops.local.parallel.advice import Measured, advise
from amlops.local.parallel.report_page import duration
from amlops.local.parallel.runner import run_parallel
from amlops.local.parallel.settings import ParallelSettings
from amlops.local.parallel.sizing import Costs, cut, simulate
from amlops.local.parallel.timeline import Times

SETTINGS = ParallelSettings(1, 2, 10, "append_row", "predictions.csv", 3, 30, -1, "info", {})


def test_whoever_is_free_takes_the_next() -> None:
    # Two workers, ready after 1 s: 4 | 3 1 | then 2 goes to who is free first.
    done = simulate([4, 3, 1, 2], nodes=1, workers=2, costs=Costs(worker=1))
    assert (done.seconds, done.node_seconds) == (7, 7)
    assert done.busy == pytest.approx(10 / (2 * 7))


def test_nodes_and_their_workers_are_interchangeable_but_nodes_are_paid() -> None:
    runs, costs = [0.5] * 40, Costs(node=60, worker=2, mini_batch=0.01)
    few, many = simulate(runs, 1, 8, costs), simulate(runs, 8, 1, costs)
    assert few.seconds == many.seconds == pytest.approx(60 + 2 + 5 * 0.51)
    assert many.node_seconds == pytest.approx(8 * few.node_seconds)


def test_more_workers_than_mini_batches_do_not_help() -> None:
    assert simulate([1, 1], 1, 2, Costs()).seconds == simulate([1, 1], 8, 8, Costs()).seconds == 1


def test_cut_costs_each_call_what_it_costs() -> None:
    assert cut([1, 2, 3, 4, 5], 2, fixed=10) == [13, 17, 15]
    assert cut([], 2) == []


@pytest.mark.parametrize(
    ("measured", "size", "timeout"),
    [
        (Measured(1.0, 0, 0.002, 2.0, 50), 10, 60),  # 3 x 10 items x 2 s; the size stays
        (Measured(0.0001, 0, 0.002, 0.0002, 50), 250, 10),  # overhead asks for 380, the even share allows 250
        (Measured(0.001, 0.1, 0.002, 0.001, 50), 250, 10),  # loading something in each run() is overhead too
        (Measured(20.0, 0, 0.002, 30.0, 50), 3, 300),  # one run again may cost a minute
        (Measured(0.002, 0, 0.002, 0.002, 50), 20, 10),  # 19 x 2 ms / 2 ms, rounded up
    ],
)
def test_advice(measured: Measured, size: int, timeout: int) -> None:
    advice = advise(measured, SETTINGS, items=2000, mini_batches=200, workers=2)
    assert (advice.mini_batch_size, advice.timeout) == (size, timeout), advice.reasons


def test_advice_for_a_table_is_bytes_and_none_for_partitions() -> None:
    measured = Measured(0.002, 0, 0.002, 0.002, 50)
    table = advise(measured, replace(SETTINGS, mini_batch_size="10kb"), items=2000, mini_batches=200, workers=2)
    assert table.mini_batch_size == "20kb"
    keys = advise(measured, replace(SETTINGS, partition_keys=["store"]), items=2000, mini_batches=200, workers=2)
    assert keys.mini_batch_size is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00083, "0.83 ms"), (12.44, "12.4 s"), (185, "3 min 5 s"), (300, "5 min"), (7800, "2 h 10 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def run(tmp_path: Path, items: dict[str, str], **settings: Any) -> tuple[dict[str, Any], ParallelJob]:
    job = ParallelJob(tmp_path)
    return run_parallel(job.plan(items, **settings), job.folder), job


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_the_simulation_is_what_the_job_did(tmp_path: Path, workers: int) -> None:
    """Both sides are the times that the journal recorded, so that a slow machine makes no difference."""
    items = {f"{n:02}.txt": f"sleep {0.01 * (1 + n * 7 % 5)}" for n in range(40)}
    _, job = run(tmp_path, items, workers=workers)
    times = Times.read(job.folder / "journal.jsonl", [2] * 20)
    runs = {each.mini_batch: each.seconds for worker in times.workers for each in worker.runs}
    costs = Costs(worker=times.ready_after, mini_batch=times.overhead_mean)
    simulated = simulate([runs[index] for index in sorted(runs)], 1, workers, costs)
    assert simulated.seconds == pytest.approx(max(worker.seconds for worker in times.workers), rel=0.15)
    assert simulated.busy == pytest.approx(sum(worker.busy for worker in times.workers) / workers, rel=0.15)


@pytest.mark.slow
def test_the_report_tells_how_the_items_were_counted(tmp_path: Path) -> None:
    """MachineLearningNotebooks#1309: what counts as failed, and against which limit."""
    items = {f"{n}.txt": "ok" for n in range(5)} | {"5.txt": "skip", "6.txt": "raise", "7.txt": "ok"}
    result, job = run(tmp_path, items, max_retries=2, error_threshold=5)
    assert result["items"] == {"total": 8, "succeeded": 5, "failed": 3}
    told = read_json(job.folder / "logs" / "report.json")
    assert [line.split(":")[0].split()[:2] for line in told["arithmetic"][1:5]] == [
        ["5", "scored"],
        ["1", "failed"],
        ["1", "of"],  # the same mini-batch, for thresholds that count mini-batches
        ["2", "failed"],
    ]
    assert told["arithmetic"][5:] == [
        "attempts per mini-batch: 2 (max_retries 2, read as tries)",
        "1 mini-batch(es) were tried more than once",
        "error_threshold: 3 of 5 items used, kept",
        "mini_batch_error_threshold: 2 mini-batches failed; none is too many (-1)",
        "allowed_failed_percent: 50 % of the mini-batches failed; none is too many (100)",
    ]
    assert "error_threshold: 3 of 5 items used, kept" in (job.folder / "logs" / "job_result.txt").read_text()


@pytest.mark.slow
def test_the_report_is_a_page_that_needs_nothing_else(tmp_path: Path) -> None:
    items = {"a.txt": "ok", "<b>&.txt": "raise", "c.txt": "ok"}
    result, _ = run(tmp_path, items, mini_batch_size=1)
    page = Path(result["report_file"]).read_text(encoding="utf-8")
    assert "&lt;b&gt;&amp;.txt" in page
    assert "<b>&.txt" not in page
    assert "src=" not in page
    assert "http" not in page
    for title in ("Failed items", "Suggested settings", "Error budgets", "Workers", "Slowest items", "other nodes"):
        assert title in page


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["raise", "skip"])
def test_links_of_the_page_lead_to_files(tmp_path: Path, fault: str) -> None:
    result, _ = run(tmp_path, {"a.txt": "ok", "b.txt": fault}, mini_batch_size=1)
    page = Path(result["report_file"])
    links = re.findall(r"href=([^ >]+)", page.read_text(encoding="utf-8"))
    assert "failed_items.csv" in links
    assert [link for link in links if not (page.parent / link).is_file()] == []


@pytest.mark.slow
def test_a_job_that_fails_has_a_report_too(tmp_path: Path) -> None:
    result, _ = run(tmp_path, {"1.txt": "raise"}, error_threshold=0)
    assert result["status"] == "Failed"
    page = Path(result["report_file"]).read_text(encoding="utf-8")
    assert "1 item(s) failed, more than the error_threshold of 0 allows" in page
    none, _ = run(
        tmp_path / "other", {"1.txt": "ok"}, script="def init(): raise OSError('no weights')\ndef run(b): pass"
    )
    assert none["advice"] is None
    assert Path(none["report_file"]).is_file()
