"""Rows of a.2 to a.6 that need no process of their own: the script runs in this one, as with `workers: 0`."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from amlops_support import SmallProject
from parallel_support import Engine, read_typed

from amlops.errors import UserError
from amlops.local.parallel import outcome as outcome_module
from amlops.local.parallel.amlops_worker import returned
from amlops.local.parallel.amlops_worker.entryscript import ScriptError
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.minibatches import MiniBatch, Piece, TableRows
from amlops.local.parallel.outcome import Rules
from amlops.local.parallel.settings import ParallelSettings
from amlops.project import Disputed, Limits, Project


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def settings(**given: Any) -> ParallelSettings:
    known: dict[str, Any] = {
        "instance_count": 1,
        "max_concurrency_per_instance": 2,
        "mini_batch_size": 1,
        "output_action": "append_row",
        "output_file_name": "predictions.csv",
        "max_retries": 3,
        "timeout": 30,
        "error_threshold": -1,
        "logging_level": "info",
        "environment_variables": {},
    }
    return ParallelSettings(**{**known, **given})


def test_a3_fewer_elements_are_failed_items_and_a_failed_mini_batch(engine: Engine) -> None:
    outcome = engine.run({"1": "ok", "2": "skip", "3": "ok"}, size=3)
    (result,) = outcome.results
    assert (result.status, result.succeeded, result.failed, result.attempts) == ("succeeded", 2, 1, 1)
    assert (outcome.failed, outcome.failed_mini_batches) == (1, 1)
    assert engine.text(outcome) == "1 ok\n3 ok\n"


def test_a3_more_elements_are_capped_and_logged(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    outcome = engine.run({"1": "more", "2": "ok"}, size=2)
    assert (outcome.succeeded, outcome.failed, outcome.failed_mini_batches) == (2, 0, 0)
    assert outcome.results[0].returned == 3
    assert "run() returned 3 elements for 2 items; 2 are counted" in caplog.text


@pytest.mark.parametrize("value", ["None", "'text'", "{'a': 1}", "iter([1])", "5"])
def test_a3_anything_else_fails_the_mini_batch(engine: Engine, value: str) -> None:
    engine.script = f"def init(): pass\ndef run(mini_batch): return {value}"
    outcome = engine.run({"1": ""}, attempts=2)
    assert (outcome.results[0].status, outcome.results[0].attempts, outcome.failed) == ("failed", 2, 1)
    assert engine.failures[0].type == ScriptError.__name__


def test_a4_a_mini_batch_that_fails_goes_to_the_end_of_the_queue(engine: Engine) -> None:
    outcome = engine.run({"1": "raise", "2": "ok", "3": "ok"}, attempts=2)
    assert [entry["items"] for entry in engine.trace("run")] == [["1"], ["2"], ["3"], ["1"]]
    assert [(failure.mini_batch, failure.attempt) for failure in engine.failures] == [(0, 1), (0, 2)]
    assert outcome.results[0].error is engine.failures[1]
    assert engine.text(outcome) == "2 ok\n3 ok\n"


def test_a4_all_items_of_a_mini_batch_that_failed_have_failed(engine: Engine) -> None:
    outcome = engine.run({"1": "ok", "2": "raise", "3": "ok"}, size=3)
    assert (outcome.succeeded, outcome.failed, engine.text(outcome)) == (0, 3, "")


@pytest.mark.parametrize(
    ("max_retries", "means", "attempts"),
    [(0, "tries", 1), (1, "tries", 1), (3, "tries", 3), (0, "retries", 1), (3, "retries", 4)],
)
def test_a4_max_retries_is_tries_or_retries(max_retries: int, means: str, attempts: int) -> None:
    assert settings(max_retries=max_retries, disputed=Disputed(max_retries=means)).attempts == attempts


@pytest.mark.parametrize(("threshold", "stopped"), [(-1, ""), (2, ""), (1, "error_threshold"), (0, "error_threshold")])
def test_a5_error_threshold_counts_items_strictly(engine: Engine, threshold: int, stopped: str) -> None:
    outcome = engine.run({"1": "skip", "2": "raise", "3": "ok"}, error_threshold=threshold)
    assert outcome.stopped_by == stopped


@pytest.mark.parametrize(
    ("threshold", "stopped"), [(-1, ""), (2, ""), (1, "mini_batch_error_threshold"), (0, "mini_batch_error_threshold")]
)
def test_a5_mini_batch_error_threshold_counts_mini_batches(engine: Engine, threshold: int, stopped: str) -> None:
    items = {"1": "skip", "2": "skip", "3": "raise", "4": "raise", "5": "ok", "6": "ok"}
    outcome = engine.run(items, size=2, mini_batch_error_threshold=threshold)
    assert outcome.stopped_by == stopped
    if stopped:
        assert outcome.failed_mini_batches == threshold + 1


@pytest.mark.parametrize(("percent", "stopped"), [(100, ""), (50, ""), (49.9, "allowed_failed_percent")])
def test_a5_allowed_failed_percent_is_judged_when_all_were_handed_out(
    engine: Engine, percent: float, stopped: str
) -> None:
    outcome = engine.run({"1": "raise", "2": "raise", "3": "ok", "4": "ok"}, allowed_failed_percent=percent)
    assert outcome.stopped_by == stopped
    # Two of the first two have failed, and yet the third and the fourth are run.
    assert len(engine.trace("run")) == 4
    if stopped:
        assert outcome.stopped == "2 of 4 mini-batches failed (50 %), more than the allowed_failed_percent of 49.9"


@pytest.mark.parametrize(
    ("rules", "stopped"),
    [
        ({"error_threshold": 0, "mini_batch_error_threshold": 5}, "error_threshold"),
        ({"error_threshold": 5, "mini_batch_error_threshold": 0}, "mini_batch_error_threshold"),
        (
            {"error_threshold": 5, "mini_batch_error_threshold": 5, "allowed_failed_percent": 0},
            "allowed_failed_percent",
        ),
    ],
)
def test_a5_thresholds_count_by_themselves_and_the_first_exceeded_wins(
    engine: Engine, rules: dict[str, int], stopped: str
) -> None:
    assert engine.run({"1": "raise", "2": "ok"}, **rules).stopped_by == stopped


@pytest.mark.parametrize(
    ("short_results", "error_threshold", "stopped"),
    [("counted", -1, True), ("ignored", -1, False), ("ignored", 100, True)],
)
def test_a3_short_results_count_for_mini_batches_unless_ignored(
    engine: Engine, short_results: str, error_threshold: int, stopped: bool
) -> None:
    rules = {"short_results": short_results, "error_threshold": error_threshold, "mini_batch_error_threshold": 0}
    outcome = engine.run({"1": "ok", "2": "skip"}, size=2, **rules)
    assert (outcome.stopped_by == "mini_batch_error_threshold") == stopped
    assert ("disputed.short_results: ignored" in outcome.stopped) == (stopped and error_threshold < 0)
    assert outcome.failed == 1


def test_a5_more_than_one_threshold_can_be_refused() -> None:
    both = settings(error_threshold=1, mini_batch_error_threshold=1)
    both.limited(Limits(1, 1))
    with pytest.raises(UserError, match="only one threshold"):
        both.limited(Limits(1, 1, disputed=Disputed(several_thresholds="one")))


@pytest.mark.parametrize(("given", "disputed", "expected"), [(None, 30, 30), (None, 600, 600), (5, 600, 5)])
def test_a5_task_overhead_timeout_has_a_disputed_default(given: float | None, disputed: int, expected: float) -> None:
    chosen = settings(task_overhead_timeout=given, disputed=Disputed(task_overhead_timeout=disputed))
    assert chosen.overhead_timeout == expected
    assert chosen.progress_timeout == 3 * (30 + expected)  # a.5: dynamically calculated


def test_a5_the_disputed_default_comes_from_the_laptops_limits() -> None:
    limits = Limits(2, 2, memory=512, gpus=1, disputed=Disputed(max_retries="retries"))
    limited = settings().limited(limits)
    assert (limited.memory, limited.gpus, limited.attempts, limited.workers) == (512, 1, 4, None)
    nodes, note = settings().limited(limits, workers=0).nodes(limits)
    assert nodes == []
    assert "timeouts and the memory limit are not enforced" in note


def test_limits_and_what_is_disputed_are_read_from_local_yml(project: SmallProject) -> None:
    text = (
        "environment: local\nlimits: {nodes: 1, cores: 3, memory: 512, gpus: 1, workers: 0}\n"
        "disputed: {max_retries: retries, several_thresholds: one, short_results: ignored,\n"
        "  task_overhead_timeout: 600}\n"
    )
    project.write(".cloud/environments/local.yml", text)
    assert Project(project.root).limits == Limits(1, 3, 0, 512, 1, Disputed("retries", "one", "ignored", 600))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limits: {workers: 2}", "limits.workers: '2' must be 0"),
        ("limits: {memory: 1.5}", "limits.memory: '1.5' must be a whole number"),
        ("disputed: {max_retries: maybe}", "disputed.max_retries: 'maybe' must be tries or retries"),
        ("disputed: {max_tries: 1}", "disputed.max_tries: must be one of max_retries, several_thresholds"),
        ("disputed: {task_overhead_timeout: 0}", "disputed.task_overhead_timeout: '0' must be a number of seconds"),
    ],
)
def test_limits_that_cannot_be_are_one_line(project: SmallProject, text: str, said: str) -> None:
    project.write(".cloud/environments/local.yml", f"environment: local\n{text}\n")
    with pytest.raises(UserError) as caught:
        _ = Project(project.root).limits
    assert said in str(caught.value)
    assert project.run("validate", ".cloud/environments/local.yml").code == 1


@pytest.mark.parametrize("first_task", [0.0])
def test_a5_first_task_creation_timeout(engine: Engine, first_task: float) -> None:
    source = engine.files({f"{n}/x": "" for n in range(3)})
    assert len(source.mini_batches(1, within=600)) == 3
    with pytest.raises(UserError, match="--first_task_creation_timeout: no mini-batch was there in time"):
        source.mini_batches(1, within=first_task)


def test_a1_run_is_not_called_for_a_mini_batch_without_rows(engine: Engine) -> None:
    empty = MiniBatch(0, table=TableRows("delimited", [Piece("/nowhere.csv", [[0, 0]])]))
    outcome = engine.run([empty, *[MiniBatch(1, batch.files) for batch in engine.files({"1": "ok"}).mini_batches(1)]])
    assert [(result.status, result.attempts) for result in outcome.results] == [("succeeded", 0), ("succeeded", 1)]
    assert len(engine.trace("run")) == 1


def test_a1_a_table_gives_run_a_frame_and_the_partition(engine: Engine) -> None:
    folder = engine.root / "input"
    folder.mkdir()
    (folder / "MLTable").write_text("paths: [{file: x.csv}]\ntransformations: [read_delimited]\n", encoding="utf-8")
    (folder / "x.csv").write_text("store,n\n1,10\n2,20\n1,30\n", encoding="utf-8")
    engine.script = (
        "import pandas as pd\ndef init(): pass\ndef run(rows, mini_batch_context):\n"
        "    assert isinstance(rows, pd.DataFrame)\n"
        "    assert isinstance(mini_batch_context.partition_key_value, dict)\n"
        "    return rows.assign(key=mini_batch_context.partition_key_value['store'])\n"
    )
    outcome = engine.run(BatchInput(folder, folder, "mltable").mini_batches("1mb", ["store"]))
    assert engine.text(outcome) == "1 10 1\n1 30 1\n2 20 2\n"
    assert [read_typed(result)["positions"] for result in outcome.results] == [[0, 1], [0]]


def test_a2_workers_0_is_the_calling_process_and_leaves_it_as_it_was(engine: Engine) -> None:
    engine.options["program_arguments"] = ["--mode", "fast"]
    before = (dict(os.environ), list(sys.argv), list(sys.path), Path.cwd(), set(sys.modules))
    engine.run({"1": "ok"})
    (init,) = engine.trace("init")
    assert init["pid"] == os.getpid()
    assert init["argv"][1:] == ["--logging_level", "INFO", "--mode", "fast"]
    assert Path(init["cwd"]) == engine.root / "work" / "node0" / "process000"
    assert len(engine.trace("shutdown")) == 1
    assert before[:4] == (dict(os.environ), list(sys.argv), list(sys.path), Path.cwd())
    assert "driver" not in set(sys.modules) - before[4]


def test_a2_logging_and_the_helper_work_in_the_calling_process(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    engine.script = (
        "import logging\nfrom azureml_user.parallel_run import EntryScript\ndef init(): logging.info('loaded')\n"
        "def run(mini_batch):\n    EntryScript().logger.warning('seen %s', len(mini_batch))\n    return mini_batch\n"
    )
    for _ in range(2):
        engine.run({"1": ""})
    assert capsys.readouterr().err.count("INFO root: loaded") == 2
    assert logging.getLogger().handlers == []
    assert engine.log("user", "entry_script_log", "node0", "process000.log.txt").count("seen 1") == 2


def test_only_the_first_of_very_many_failures_are_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome_module, "FAILURES_KEPT", 2)
    outcome = engine.run({f"{n}": "raise" for n in range(5)})
    assert [failure.mini_batch for failure in outcome.failures] == [0, 1]
    assert len(engine.failures) == 5  # each was told when it happened


def test_a4_init_that_raises_fails_the_job_in_this_process_too(engine: Engine) -> None:
    engine.script = "def init(): raise OSError('no weights')\ndef run(mini_batch): return mini_batch"
    outcome = engine.run({"1": ""})
    assert (outcome.stopped_by, engine.failures[0].message) == ("init", "no weights")


def test_a4_a_script_that_exits_fails_its_mini_batch(engine: Engine) -> None:
    engine.script = "import sys\ndef init(): pass\ndef run(mini_batch): sys.exit(42)"
    assert engine.run({"1": ""}).results[0].status == "failed"
    assert (engine.failures[0].type, engine.failures[0].message) == ("SystemExit", "42")


def test_a7_summary_only_counts_and_writes_nothing(engine: Engine) -> None:
    engine.options["append_row"] = False
    outcome = engine.run({"1": "ok", "2": "skip"}, size=2)
    assert (outcome.succeeded, outcome.failed, outcome.results[0].part) == (1, 1, None)
    assert [Path(item).name for item in outcome.results[0].not_named] == ["2"]
    assert list((engine.root / "parts").iterdir()) == []


def test_results_of_an_earlier_start_count_and_are_not_run_again(engine: Engine) -> None:
    from amlops.local.parallel.scheduler import Scheduler

    first = engine.run({"1": "ok", "2": "raise"})
    rules = Rules([], attempts=1, timeout=30, error_threshold=0)
    batches = [result.batch for result in first.results]
    second = Scheduler(batches, engine.spec, rules, finished=first.results).run()
    assert (second.succeeded, second.failed, second.stopped_by) == (1, 1, "error_threshold")
    assert len(engine.trace("run")) == 2


# ---- a.6: the text, and the typed rows beside it


def rows(result: Any, items: list[str], *, table: bool = False) -> dict[str, Any]:
    return returned.typed(result, items, table=table)


def test_a6_types_survive_beside_the_text(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "file": ["a.png", "b c.png"],
            "p": [0.1, float("nan")],
            "n": [1, 2],
            "ok": [True, False],
            "at": [pd.Timestamp(2024, 1, 2), None],
            "label": ["x", None],
            "vector": [[1, 2.5], None],
        }
    )
    part = tmp_path / "000000.1.part"
    text = returned.write_part(part, frame, ["/d/b c.png", "/d/a.png"], table=False)
    assert (
        text == part.read_text(encoding="utf-8") == 'a.png 0.1 1 True 2024-01-02 x "[1, 2.5]"\n"b c.png"  2 False   \n'
    )
    import json

    typed = json.loads(part.with_suffix(".rows").read_text(encoding="utf-8"))
    assert (typed["kind"], typed["keyed_by"], typed["positions"]) == ("frame", "name", [1, 0])
    assert typed["header"] == "file p n ok at label vector\n"
    values = {column["name"]: column["values"] for column in typed["columns"]}
    assert values["p"][0] == 0.1
    assert values["p"][1] != values["p"][1]
    assert [values[name] for name in ("n", "ok", "at", "label", "vector")] == [
        [1, 2],
        [True, False],
        ["2024-01-02T00:00:00", None],
        ["x", None],
        [[1, 2.5], None],
    ]
    assert {column["name"]: column["dtype"] for column in typed["columns"]}["at"].startswith("datetime64")


@pytest.mark.parametrize(
    ("result", "keyed_by", "positions"),
    [
        (["b.png 0.5", "a.png 0.1"], "name", [1, 0]),
        ([{"image": "b.png", "p": 1}, {"p": 2}], "name", [1, None]),
        ([("x", "/d/a.png")], "name", [0]),
        (["/d/a.png"], "name", [0]),
        (["a.png and b.png"], "", [None]),
        ([0.1, 0.2], "position", [0, 1]),
        ([0.1], "", [None]),
        (pd.DataFrame({"file": ["b.png", None]}), "name", [1, None]),
        (pd.DataFrame({"p": [1, 2]}), "position", [0, 1]),
        (pd.DataFrame({"p": [1]}), "", [None]),
        (pd.DataFrame(), "", []),
        ([], "", []),
    ],
)
def test_a6_rows_are_keyed_by_the_item_that_they_name(result: Any, keyed_by: str, positions: list[int | None]) -> None:
    typed = rows(result, ["/d/a.png", "/d/b.png"])
    assert (typed["keyed_by"], typed["positions"]) == (keyed_by, positions)


@pytest.mark.parametrize(
    ("result", "keyed_by", "positions"),
    [
        (pd.DataFrame({"p": [1, 2, 3]}), "position", [0, 1, 2]),
        (pd.DataFrame({"p": [1, 2]}, index=[0, 2]), "position", [0, 2]),
        (pd.DataFrame({"p": [1, 2]}), "", [None, None]),  # reset_index() may have been called
        (pd.DataFrame({"p": [1, 2]}, index=["x", "y"]), "", [None, None]),
        ([1, 2, 3], "position", [0, 1, 2]),
    ],
)
def test_a6_rows_of_a_table_are_keyed_by_their_index(result: Any, keyed_by: str, positions: list[int | None]) -> None:
    typed = rows(result, [f"/d/x.csv#{n}" for n in range(3)], table=True)
    assert (typed["keyed_by"], typed["positions"]) == (keyed_by, positions)


def test_a6_values_that_json_cannot_hold_are_text() -> None:
    import datetime

    import numpy as np

    values = [np.float64(0.5), np.int8(3), np.array([1, 2]), datetime.date(2024, 1, 2), {1: (2,)}, b"x", float("inf")]
    (column,) = rows(values, [])["columns"]
    assert column["values"] == [0.5, 3, [1, 2], "2024-01-02", {"1": [2]}, "b'x'", float("inf")]
    assert [type(value) for value in column["values"][:2]] == [float, int]


def test_a6_a_result_whose_types_cannot_be_told_is_written_all_the_same(engine: Engine) -> None:
    engine.script = (
        "def init(): pass\ndef run(mini_batch):\n    row = {'file': mini_batch[0]}\n    row['itself'] = row\n"
        "    return [row]"
    )
    outcome = engine.run({"1": ""})
    assert (outcome.succeeded, outcome.failed) == (1, 0)
    assert read_typed(outcome.results[0])["columns"][0]["values"] == engine.text(outcome).splitlines()


# ---- faults of the input


@pytest.mark.parametrize(
    ("data", "error"), [(b"n\n1\n\xff\xfe\n", "UnicodeDecodeError"), (b'n\n1\n"never closed\n', "ParserError")]
)
def test_a4_a_corrupt_file_of_a_table_fails_its_mini_batch_alone(engine: Engine, data: bytes, error: str) -> None:
    folder = engine.root / "input"
    folder.mkdir()
    (folder / "MLTable").write_text(
        "paths: [{pattern: ./*.csv}]\ntransformations: [read_delimited]\n", encoding="utf-8"
    )
    (folder / "a.csv").write_bytes(data)
    (folder / "b.csv").write_text("n\n7\n", encoding="utf-8")
    engine.script = "def init(): pass\ndef run(rows): return rows\n"
    outcome = engine.run(BatchInput(folder, folder, "mltable").mini_batches("1mb"))
    assert [result.status for result in outcome.results] == ["failed", "succeeded"]
    assert engine.failures[0].type == error
    assert engine.text(outcome) == "7\n"


def test_a4_a_table_that_has_shrunk_since_the_job_began(engine: Engine) -> None:
    folder = engine.root / "input"
    folder.mkdir()
    (folder / "MLTable").write_text("paths: [{file: a.csv}]\ntransformations: [read_delimited]\n", encoding="utf-8")
    (folder / "a.csv").write_text("n\n1\n2\n3\n", encoding="utf-8")
    batches = BatchInput(folder, folder, "mltable").mini_batches("1mb")
    (folder / "a.csv").write_text("n\n1\n", encoding="utf-8")
    engine.script = "def init(): pass\ndef run(rows): return rows\n"
    assert engine.run(batches).failed == 3
    assert "a.csv has other rows than when the job began" in engine.failures[0].message
