"""Rows of a.2, a.4, a.5 and a.8 that are about worker processes: started, killed, replaced, logged."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from amlops_support import SmallProject
from batch_support import BatchProject, alive, wait_for
from parallel_support import Engine, read_typed

from amlops.local.parallel import scheduler
from amlops.local.parallel.minibatches import MiniBatch, Piece, TableRows

pytestmark = pytest.mark.slow

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def test_a2_arguments_variables_and_folders_of_a_worker(engine: Engine) -> None:
    engine.options |= {"program_arguments": ["--label", "a b"], "logging_level": "warning"}
    engine.script = engine.script.replace(
        "def init():",
        "def init():\n"
        "    import argparse\n"
        "    parser = argparse.ArgumentParser()\n"
        "    parser.add_argument('--label')\n"
        "    assert parser.parse_known_args()[0].label == 'a b'\n",
    )
    outcome = engine.run({"1": "ok", "2": "ok"}, workers=1)
    assert outcome.succeeded == 2
    (init,) = engine.trace("init")
    assert init["argv"][1:] == ["--logging_level", "WARNING", "--label", "a b"]
    assert Path(init["cwd"]) == engine.root / "work" / "node0" / "process000"
    assert len(engine.trace("shutdown")) == 1


def test_a2_gpus_go_to_the_first_workers_of_a_node(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    engine.options["gpus"] = 2
    engine.script = engine.script.replace("rows = []", "rows = []; time.sleep(0.5)", 1)
    engine.run({f"{n}": "ok" for n in range(6)}, workers=3)
    assert sorted(str(entry["gpu"]) for entry in engine.trace("init")) == ["0", "1", "None"]


@POSIX
def test_a2_a_replacement_has_the_gpu_of_the_one_before(engine: Engine) -> None:
    engine.options["gpus"] = 1
    engine.run({"1": "kill", "2": "ok"}, workers=1)
    assert [entry["gpu"] for entry in engine.trace("init")] == ["0", "0"]


def test_a2_the_helper_entry_script(engine: Engine) -> None:
    engine.script = (
        "from azureml_user.parallel_run import EntryScript\n"
        "def init():\n    EntryScript().logger.info('started in %s', EntryScript().agent_name)\n"
        "    EntryScript().logger.debug('not at this level')\n"
        "def run(mini_batch):\n    e = EntryScript()\n"
        "    return ['|'.join([e.working_dir, e.output_dir, e.log_dir]) for _ in mini_batch]\n"
    )
    outcome = engine.run({"1": ""}, workers=1)
    working, output, log = engine.text(outcome).strip().split("|")
    assert Path(working) == engine.root / "work" / "node0" / "process000"
    assert Path(output) == engine.root / "out"
    assert Path(log) == engine.root / "logs" / "user" / "entry_script_log" / "node0"
    text = engine.log("user", "entry_script_log", "node0", "process000.log.txt")
    assert "started in node0_process000" in text
    assert "not at this level" not in text


def test_a3_a_worker_logs_that_there_were_more_elements(engine: Engine) -> None:
    engine.run({"1": "more"}, workers=1)
    assert "run() returned 2 elements for 1 items" in engine.log("user", "stderr", "node0", "process000.stderr.txt")


def test_a4_the_worker_is_killed_within_a_second_of_the_timeout(engine: Engine) -> None:
    outcome = engine.run({"1": "hang", "2": "ok"}, workers=1, timeout=1)
    (failure,) = engine.failures
    assert (failure.type, failure.mini_batch) == ("Timeout", 0)
    assert "longer than 1 s (retry_settings.timeout)" in failure.message
    assert engine.text(outcome) == "2 ok\n"
    pids = [entry["pid"] for entry in engine.trace("init")]
    assert len(set(pids)) == 2
    assert outcome.run_seconds < 1.5


def test_a4_a_process_that_failed_more_than_ten_times_is_replaced(engine: Engine) -> None:
    outcome = engine.run({f"{n:02}": "raise" for n in range(23)}, workers=1)
    pids = [entry["pid"] for entry in engine.trace("run")]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [11, 11, 1]
    assert outcome.workers_started == 3
    assert len(engine.trace("shutdown")) == 3  # it was told to end, not killed
    assert "process000 ended: 11 attempts failed in it" in engine.log("sys", "node", "node0", "overview.txt")


@POSIX
@pytest.mark.parametrize(("text", "said"), [("kill", "SIGKILL"), ("segv", "SIGSEGV")])
def test_a4_a_crash_fails_the_attempt_and_the_worker_is_replaced(engine: Engine, text: str, said: str) -> None:
    outcome = engine.run({"1": text, "2": "ok"}, workers=1, attempts=2)
    assert [failure.type for failure in engine.failures] == ["WorkerDied"] * 2
    assert said in engine.failures[0].message
    assert (outcome.succeeded, outcome.failed, outcome.workers_started) == (1, 1, 2)


@POSIX
def test_a4_memory_beyond_the_limit_fails_the_attempt_and_replaces_the_worker(engine: Engine) -> None:
    engine.options["memory"] = 2048
    outcome = engine.run({"1": "memory", "2": "ok"}, workers=1)
    (failure,) = engine.failures
    assert failure.type == "MemoryError"
    assert "a worker may have 2048 MB (limits.memory)" in failure.message
    assert (engine.text(outcome), outcome.workers_started) == ("2 ok\n", 2)


@POSIX
def test_a4_a_library_that_does_not_fit_into_the_memory_limit(engine: Engine) -> None:
    engine.options["memory"] = 200
    engine.script = "import pandas\ndef init(): pass\ndef run(mini_batch): return mini_batch\n"
    outcome = engine.run({"1": ""}, workers=1)
    assert outcome.stopped_by == "init"
    assert "a worker may have 200 MB" in engine.failures[0].message


def test_a4_init_that_hangs_fails_the_job(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert scheduler.init_timeout(30) == 120  # 3 x timeout + 30
    monkeypatch.setattr(scheduler, "init_timeout", lambda timeout: 3 * timeout)
    engine.script = "import time\ndef init(): time.sleep(60)\ndef run(mini_batch): return mini_batch"
    outcome = engine.run({"1": "", "2": ""}, workers=2, timeout=0.2)
    assert outcome.stopped_by == "init"
    assert "init() took longer than" in outcome.stopped


def test_a4_a_node_stops_after_three_failures_per_process(engine: Engine) -> None:
    # Each process dies in init(): no exception that would tell at once that it goes on like that.
    engine.script = "import os\ndef init(): os._exit(9)\ndef run(mini_batch): return mini_batch"
    outcome = engine.run({f"{n}": "" for n in range(30)}, nodes=["node0", "node1", "node0"])
    assert outcome.stopped_by == "init"
    assert 9 <= outcome.workers_started <= 11
    nodes = [failure.worker.node for failure in engine.failures if failure.worker]
    assert nodes.count("node1") == 3
    assert nodes.count("node0") >= 6


def test_a5_no_progress_fails_the_job(engine: Engine) -> None:
    outcome = engine.run({"1": "hang"}, workers=1, timeout=30, progress_timeout=1.0)
    assert outcome.stopped_by == "progress_update_timeout"
    assert outcome.stopped.startswith("No progress update in 1 seconds")


def test_a5_progress_is_a_finished_mini_batch(engine: Engine) -> None:
    engine.script = engine.script.replace("rows = []", "rows = []; time.sleep(0.4)", 1)
    outcome = engine.run({f"{n}": "ok" for n in range(5)}, workers=1, progress_timeout=1.0)
    assert (outcome.stopped, outcome.succeeded) == ("", 5)


@POSIX
def test_a5_task_overhead_timeout_is_for_reading_the_mini_batch(engine: Engine) -> None:
    pipe = engine.root / "slow.csv"
    os.mkfifo(pipe)  # a file that never comes: opening it waits for a writer
    options = {"encoding": "utf-8", "delimiter": ",", "header": "all_files_same_headers", "infer_column_types": True}
    rows = TableRows("delimited", [Piece(str(pipe), [[0, 1]], 0, 10)], {**options, "empty_as_string": False})
    outcome = engine.run([MiniBatch(0, table=rows)], workers=1, task_overhead_timeout=1.0)
    (failure,) = engine.failures
    assert "reading the mini-batch took longer than 1 s (--task_overhead_timeout)" in failure.message
    assert outcome.results[0].status == "failed"
    assert engine.trace("run") == []


def test_a1_rows_of_a_table_reach_a_worker(engine: Engine) -> None:
    from amlops.local.parallel.inputs import BatchInput

    folder = engine.root / "table"
    folder.mkdir()
    (folder / "MLTable").write_text("paths: [{file: x.csv}]\ntransformations: [read_delimited]\n", encoding="utf-8")
    (folder / "x.csv").write_text("n,name\n" + "".join(f"{n},ü {n}\n" for n in range(50)), encoding="utf-8")
    engine.script = "def init(): pass\ndef run(rows): return rows[rows.n % 10 != 3]\n"
    outcome = engine.run(BatchInput(folder, folder, "mltable").mini_batches(100), workers=2)
    assert len(outcome.results) > 3
    assert (outcome.succeeded, outcome.failed) == (45, 5)
    lines = engine.text(outcome).splitlines()
    assert lines[:4] == ['0 "ü 0"', '1 "ü 1"', '2 "ü 2"', '4 "ü 4"']
    assert read_typed(outcome.results[0])["positions"][:4] == [0, 1, 2, 4]
    # The index of the DataFrame tells which rows have failed.
    left = [item.rpartition("#")[2] for result in outcome.results for item in result.not_named]
    assert left == ["3", "13", "23", "33", "43"]


def test_a8_logs_are_where_people_look(engine: Engine) -> None:
    engine.options["monitor_interval"] = 0.2
    engine.script = engine.script.replace("rows = []", "rows = []; time.sleep(0.3); print('hello')", 1)
    engine.run({f"{n}": "ok" for n in range(4)}, workers=2)
    logs = engine.root / "logs"
    (overview,) = logs.glob("job_progress_overview.*.txt")
    assert "4 of 4 mini-batches done" in overview.read_text(encoding="utf-8")
    assert "node0 hands out the work" in engine.log("sys", "master_role.txt")
    assert "process001 started" in engine.log("sys", "node", "node0", "overview.txt")
    assert "hello" in engine.log("user", "stdout", "node0", "process000.stdout.txt")
    assert (logs / "user" / "stderr" / "node0" / "process001.stderr.txt").is_file()
    for table in ("node_resource_usage", "processes_resource_usage", "node_disk_usage"):
        with (logs / "perf" / "node0" / f"{table}.csv").open(encoding="utf-8") as stream:
            samples = list(csv.DictReader(stream))
        assert len(samples) >= 2
        if sys.platform == "linux":
            assert all(value for value in samples[0].values()), table


def test_names_with_spaces_letters_of_any_kind_and_signs(engine: Engine) -> None:
    names = ["a b.txt", "ü ñ.txt", "数字.txt", "quote'\".txt", "percent%20.txt", "hash#1.txt"]
    outcome = engine.run(dict.fromkeys(names, "ok"), workers=1, size=10)
    assert sorted(engine.text(outcome).splitlines()) == sorted(f"{name} ok" for name in names)
    assert read_typed(outcome.results[0])["positions"] == list(range(len(names)))


def test_workers_end_when_the_engine_is_interrupted(engine: Engine) -> None:
    def interrupt() -> None:
        wait_for(lambda: engine.trace("run"))
        import _thread

        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        engine.run({"1": "hang"}, workers=1)
    thread.join()
    assert not alive(engine.trace("init")[0]["pid"])


@pytest.mark.parametrize(("last", "code", "status"), [("c", 0, "Completed"), ("q", 130, "Canceled")])
def test_a_debugger_stops_in_the_script_with_workers_0(
    project: SmallProject, last: str, code: int, status: str
) -> None:
    batch = BatchProject.make(project)
    driver = "def init(): pass\ndef run(mini_batch):\n    breakpoint()\n    return mini_batch\n"
    batch.deploy(driver=driver)
    folder = batch.images({"1.txt": "", "2.txt": ""})
    words = ("--name", "scorer", "--input", str(folder), "--workers", "0", "--job-name", "debugged")
    process = project.start("batch-endpoint", "invoke", *words, stdin=subprocess.PIPE)
    out, err = process.communicate(f"p len(mini_batch) * 21\n{last}\n", timeout=60)
    assert "(Pdb) 42" in out
    assert "workers: 0: the scoring script runs in this process" in err
    assert process.returncode == code, err
    assert project.run("job", "show", "--name", "debugged").json["status"] == status


def test_a_breakpoint_in_a_worker_says_how_to_get_a_terminal(engine: Engine) -> None:
    engine.run({"1": "stop"}, workers=1)
    assert "invoke with --workers 0" in engine.failures[0].message


def test_100000_files_are_listed_and_scored(engine: Engine) -> None:
    folder = engine.root / "input"
    for part in range(100):
        (folder / f"{part:02}").mkdir(parents=True)
        for number in range(1000):
            (folder / f"{part:02}" / f"{number:03}").touch()
    engine.script = "def init(): pass\ndef run(mini_batch): return mini_batch"
    batches = engine.files({}).mini_batches(100)
    assert len(batches) == 1000
    started = time.monotonic()
    outcome = engine.run(batches, workers=2)
    assert (outcome.succeeded, outcome.failed) == (100_000, 0)
    assert len(set(engine.text(outcome).splitlines())) == 100_000
    print(f"100,000 files in {time.monotonic() - started:.1f} s")
