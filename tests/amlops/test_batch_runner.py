"""Batch jobs with real worker processes: each test is a row of what Azure ML says of batch deployments."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from amlops_support import SmallProject
from batch_support import DRIVER, BatchProject, alive, table, wait_for

from amlops.errors import UserError
from amlops.files import read_json
from amlops.local.parallel.processes import THREAD_VARIABLES

pytestmark = pytest.mark.slow

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture
def batch(project: SmallProject) -> BatchProject:
    return BatchProject.make(project)


def rows(record: dict) -> list[str]:
    return Path(record["output_file"]).read_text(encoding="utf-8").splitlines()


def failed(record: dict) -> list[tuple[str, str, str]]:
    path = record["failed_items_file"]
    return [(row["item"], row["attempt"], row["error_type"]) for row in table(path)] if path else []


def test_rows_come_in_the_order_of_the_input(batch: BatchProject) -> None:
    batch.deploy()
    names = [f"{folder}/{number}.txt" for folder in ("b", "a", "a/c") for number in range(3)]
    record = batch.invoke(batch.images(dict.fromkeys(names, "ok")))
    assert record["status"] == "Completed"
    assert rows(record) == [f"{number}.txt w1 ok" for _ in range(3) for number in range(3)]
    assert record["items"] == {"total": 9, "succeeded": 9, "failed": 0}
    # Three folders with three files each and mini-batches of two: a mini-batch never mixes folders.
    sizes = sorted(len(entry["items"]) for entry in batch.trace("run"))
    assert sizes == [1, 1, 1, 2, 2, 2]
    assert record["mini_batches"] == {"total": 6, "succeeded": 6, "failed": 0}
    assert failed(record) == []
    assert all(Path(item).is_absolute() for entry in batch.trace("run") for item in entry["items"])


def test_init_and_shutdown_are_called_once_per_process(batch: BatchProject) -> None:
    batch.deploy("settings.mini_batch_size=1")
    record = batch.invoke(batch.images({f"{n}.txt": "ok" for n in range(20)}))
    inits, shutdowns = batch.trace("init"), batch.trace("shutdown")
    assert record["workers"] == len(inits) == 2
    assert {entry["pid"] for entry in inits} == {entry["pid"] for entry in shutdowns}
    assert len(batch.trace("run")) == 20


def test_what_a_worker_finds(batch: BatchProject) -> None:
    batch.deploy("settings.environment_variables.MY_LEVEL=7", "settings.logging_level=DEBUG")
    record = batch.invoke(batch.images({"1.txt": "ok", "2.txt": "ok", "3.txt": "ok"}))
    first, second = batch.trace("init")
    assert first["cwd"] != second["cwd"]  # a private working folder each, gone afterwards
    assert not Path(first["cwd"]).exists()
    variables = first["env"]
    assert (Path(variables["AZUREML_MODEL_DIR"]) / "digits" / "weights.txt").is_file()
    assert variables["AZUREML_BI_OUTPUT_PATH"] == record["output_path"]
    assert variables["MY_LEVEL"] == "7"
    assert variables["OMP_NUM_THREADS"] == "2"  # 4 cores for 2 workers
    script_folder, code_folder = map(Path, first["path"][:2])
    assert (script_folder.name, script_folder.parent) == ("score", code_folder)
    assert first["argv"][1:] == ["--logging_level", "DEBUG"]


def test_threads_set_by_the_user_stay(batch: BatchProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREAD_VARIABLES[0], "1")
    batch.deploy()
    batch.invoke(batch.images({"1.txt": "ok", "2.txt": "ok", "3.txt": "ok"}))
    assert {entry["env"]["OMP_NUM_THREADS"] for entry in batch.trace("init")} == {"1"}


def test_what_a_script_prints_is_in_the_logs(batch: BatchProject) -> None:
    driver = (
        DRIVER
        + "import logging, subprocess\nlogging.getLogger('x').info('loaded')\nsubprocess.run(['echo', 'child'])\n"
    )
    batch.deploy(driver=driver)
    record = batch.invoke(batch.images({"1.txt": "ok"}))
    logs = Path(record["logs"])
    assert logs.joinpath("user/stdout/node0/process000.stdout.txt").read_text().split("\n")[:2] == [
        "child",
        "scoring 1 items",
    ]
    assert "INFO x: loaded" in logs.joinpath("user/stderr/node0/process000.stderr.txt").read_text()
    assert logs.joinpath("job_result.txt").read_text().startswith("Status: Completed\n")
    assert not logs.joinpath("job_error.txt").exists()


@pytest.mark.parametrize(("max_retries", "attempts"), [(0, 1), (1, 1), (3, 3)])
def test_an_exception_fails_all_items_of_the_mini_batch(batch: BatchProject, max_retries: int, attempts: int) -> None:
    batch.deploy(f"settings.retry_settings.max_retries={max_retries}")
    record = batch.invoke(batch.images({"1.txt": "ok", "2.txt": "raise", "3.txt": "ok", "4.txt": "ok"}))
    assert record["status"] == "Completed"  # error_threshold -1 ignores failed items
    assert rows(record) == ["3.txt w1 ok", "4.txt w1 ok"]
    assert failed(record) == [("1.txt", str(attempts), "ValueError"), ("2.txt", str(attempts), "ValueError")]
    assert len(batch.trace("run")) == 1 + attempts
    errors = Path(record["logs"], "user", "error.txt").read_text(encoding="utf-8")
    assert errors.count("ValueError: cannot read 2.txt\nTraceback") == attempts
    report = table(Path(record["logs"], "sys", "job_report", "processed_mini-batches.csv"))
    assert [(row["status"], row["attempts"], row["failed"]) for row in report] == [
        ("failed", str(attempts), "2"),
        ("succeeded", "1", "0"),
    ]


def test_a_retry_that_succeeds_counts_once(batch: BatchProject) -> None:
    flaky = DRIVER.replace(
        'if text == "raise":',
        'if text == "raise" and not os.path.exists(item + ".seen"):\n            open(item + ".seen", "w")',
    )
    batch.deploy(driver=flaky)
    record = batch.invoke(batch.images({"1.txt": "raise", "2.txt": "ok"}))
    assert rows(record) == ["1.txt w1 raise", "2.txt w1 ok"]
    assert record["items"] == {"total": 2, "succeeded": 2, "failed": 0}
    assert failed(record) == []


def test_missing_elements_are_failed_items_and_not_tried_again(batch: BatchProject) -> None:
    batch.deploy("settings.mini_batch_size=4")
    record = batch.invoke(batch.images({"1.txt": "ok", "2.txt": "skip", "3.txt": "ok", "4.txt": "skip"}))
    assert record["items"] == {"total": 4, "succeeded": 2, "failed": 2}
    assert len(batch.trace("run")) == 1
    assert failed(record) == [("2.txt", "1", "Missing"), ("4.txt", "1", "Missing")]
    assert table(record["failed_items_file"])[0]["message"] == "missing from the result of run()"


def test_missing_elements_that_cannot_be_told_apart(batch: BatchProject) -> None:
    batch.deploy(driver="def init(): pass\ndef run(batch): return [1] * (len(batch) - 1)")
    record = batch.invoke(batch.images({"1.txt": "", "2.txt": ""}))
    (row,) = table(record["failed_items_file"])
    assert (row["item"], row["message"]) == (
        "",
        "1 of 2 items missing from the result of run(); it does not tell which",
    )


def test_more_elements_than_items_count_as_items(batch: BatchProject) -> None:
    batch.deploy(driver="def init(): pass\ndef run(batch): return ['a', 'b'] * len(batch)")
    record = batch.invoke(batch.images({"1.txt": "", "2.txt": ""}))
    assert record["items"] == {"total": 2, "succeeded": 2, "failed": 0}
    assert rows(record) == ["a", "b", "a", "b"]


def test_no_element_at_all_fails_an_append_row_job(batch: BatchProject) -> None:
    batch.deploy()
    folder = batch.images({"1.txt": "skip", "2.txt": "skip"})
    record = batch.invoke(folder)
    assert (record["status"], record["output_file"]) == ("Failed", None)
    assert "no item was scored" in record["error"]
    assert Path(record["logs"], "job_error.txt").read_text(encoding="utf-8").strip() == record["error"]
    assert not list(Path(record["output_path"]).iterdir())


def test_summary_only_leaves_a_summary_beside_what_the_script_writes(batch: BatchProject) -> None:
    driver = DRIVER.replace(
        "    return rows",
        "    name = '-'.join(Path(i).stem for i in mini_batch)\n"
        "    Path(os.environ['AZUREML_BI_OUTPUT_PATH'], name).write_text(str(len(rows)))\n    return rows",
    )
    batch.deploy("settings.output_action=summary_only", driver=driver)
    record = batch.invoke(batch.images({"1.txt": "ok", "2.txt": "ok", "3.txt": "ok"}))
    assert (record["status"], record["output_file"]) == ("Completed", None)
    assert sorted(path.name for path in Path(record["output_path"]).iterdir()) == ["1-2", "3", "predictions.csv"]
    assert Path(record["output_path"], "predictions.csv").read_text(encoding="utf-8") == "1.txt 2 2 0\n3.txt 1 1 0\n"
    assert record["items"]["succeeded"] == 3


def test_a_result_of_another_type_fails_the_mini_batch(batch: BatchProject) -> None:
    batch.deploy("settings.retry_settings.max_retries=1")
    record = batch.invoke(batch.images({"1.txt": "none", "2.txt": "ok", "3.txt": "ok"}))
    assert rows(record) == ["3.txt w1 ok"]
    assert failed(record) == [("1.txt", "1", "ScriptError"), ("2.txt", "1", "ScriptError")]
    assert "run() returned NoneType" in table(record["failed_items_file"])[0]["message"]


@POSIX
def test_a_worker_that_takes_too_long_is_killed_and_replaced(batch: BatchProject) -> None:
    # The script's own child must go with it.
    driver = DRIVER.replace(
        "time.sleep(60)",
        "trace(call='child', child=__import__('subprocess').Popen(['sleep', '60']).pid); time.sleep(60)",
    )
    settings = ("retry_settings.timeout=1", "retry_settings.max_retries=2", "max_concurrency_per_instance=1")
    batch.deploy(*(f"settings.{setting}" for setting in settings), driver=driver)
    record = batch.invoke(batch.images({"1.txt": "hang", "2.txt": "ok", "3.txt": "ok"}), mini_batch_size=1)
    assert rows(record) == ["2.txt w1 ok", "3.txt w1 ok"]
    assert failed(record) == [("1.txt", "2", "Timeout")]
    hung = [entry["at"] for entry in batch.trace("run") if entry["items"][0].endswith("1.txt")]
    errors = Path(record["logs"], "user", "error.txt").read_text(encoding="utf-8").split("\n\n")
    killed = [datetime.fromisoformat(line.split()[0]).timestamp() for line in errors if "Timeout" in line]
    assert len(hung) == len(killed) == 2
    for start, end in zip(hung, killed, strict=True):
        assert 0.9 < end - start < 1 + 1  # within a second of the timeout
    assert len(batch.trace("init")) == 2  # the replacement calls init() again
    for entry in batch.trace("child"):
        wait_for(lambda pid=entry["child"]: not alive(pid))


@POSIX
@pytest.mark.parametrize(("text", "said"), [("kill", "signal SIGKILL"), ("exit", "exit code 3")])
def test_a_worker_that_dies_is_replaced(batch: BatchProject, text: str, said: str) -> None:
    batch.deploy("settings.retry_settings.max_retries=2")
    record = batch.invoke(batch.images({"1.txt": text, "2.txt": "ok", "3.txt": "ok", "4.txt": "ok"}), mini_batch_size=1)
    assert rows(record) == ["2.txt w1 ok", "3.txt w1 ok", "4.txt w1 ok"]
    assert failed(record) == [("1.txt", "2", "WorkerDied")]
    assert said in table(record["failed_items_file"])[0]["message"]


@pytest.mark.parametrize(("threshold", "status"), [(-1, "Completed"), (2, "Completed"), (1, "Failed"), (0, "Failed")])
def test_error_threshold_counts_items_of_the_whole_input(batch: BatchProject, threshold: int, status: str) -> None:
    batch.deploy("settings.max_concurrency_per_instance=1")
    folder = batch.images({"1.txt": "skip", "2.txt": "ok", "3.txt": "skip", "4.txt": "ok"})
    record = batch.invoke(folder, sets=[f"error_threshold={threshold}"])
    assert record["status"] == status
    if status == "Failed":
        assert "error_threshold" in record["error"]
        assert record["said"].splitlines()[0] == "1.txt: missing from the result of run()"


def test_a_threshold_that_the_input_cannot_exceed_is_told(batch: BatchProject) -> None:
    batch.deploy("settings.error_threshold=3")
    images = batch.images({"1.txt": "skip", "2.txt": "ok", "3.txt": "skip"})
    [note] = batch.invoke(images)["notes"]
    assert note.startswith("error_threshold 3 is never exceeded by 3 item(s)")
    assert batch.invoke(images, sets=["error_threshold=2"])["notes"] == []


def test_the_job_stops_when_the_threshold_is_passed(batch: BatchProject) -> None:
    batch.deploy("settings.mini_batch_size=1", "settings.max_concurrency_per_instance=1")
    record = batch.invoke(batch.images({f"{n:02}.txt": "skip" for n in range(30)}), sets=["error_threshold=2"])
    assert len(batch.trace("run")) == 3
    assert record["items"] == {"total": 30, "succeeded": 0, "failed": 3}


def test_init_that_fails_fails_the_job_at_once(batch: BatchProject) -> None:
    batch.deploy(driver="def init():\n    raise RuntimeError('no weights')\ndef run(batch): return batch")
    started = time.monotonic()
    record = batch.invoke(batch.images({f"{n}.txt": "" for n in range(9)}))
    assert time.monotonic() - started < 3
    assert record["status"] == "Failed"
    assert record["said"].splitlines()[0] == "init(): RuntimeError: no weights (driver.py, line 2)"
    assert "init() failed in 2 worker" in record["error"]


FAILS_ONCE = """\
import os, time
def init():
    try:
        os.close(os.open(os.environ["TRACE"] + "/mark", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    raise OSError("busy")
def run(batch):
    time.sleep(0.3)
    return batch
"""


@pytest.mark.parametrize(("workers", "status", "started"), [(1, "Failed", 1), (2, "Completed", 3)])
def test_init_that_fails_in_one_process(batch: BatchProject, workers: int, status: str, started: int) -> None:
    # The only worker was never ready: that is the end. Of two, the other one carries on and the first is replaced.
    batch.deploy(f"settings.max_concurrency_per_instance={workers}", driver=FAILS_ONCE)
    record = batch.invoke(batch.images({f"{n}.txt": "" for n in range(6)}))
    assert (record["status"], record["workers_started"]) == (status, started)


def test_the_context_is_given_to_scripts_that_want_it(batch: BatchProject) -> None:
    driver = (
        "def init(): pass\ndef run(batch, mini_batch_context):\n"
        "    key = dict(mini_batch_context.partition_key_value)\n"
        "    return [f'{mini_batch_context.minibatch_index} {key}' for _ in batch]"
    )
    batch.deploy(driver=driver)
    assert rows(batch.invoke(batch.images({"1": "", "2": "", "3": ""}))) == ["0 {}", "0 {}", "1 {}"]


def test_reasons_of_the_script_are_merged(batch: BatchProject) -> None:
    driver = DRIVER.replace(
        'if text != "skip":',
        "if text == 'skip':\n"
        "            folder = Path(os.environ['AZUREML_BI_OUTPUT_PATH'], 'failed_items')\n"
        "            folder.mkdir(exist_ok=True)\n"
        "            row = f'{Path(item).name},\"not an image, really\"'\n"
        "            (folder / (Path(item).stem + '.csv')).write_text(f'item,reason\\n{row}\\n')\n"
        "        else:",
    )
    batch.deploy(driver=driver)
    old = batch.root / "out" / "failed_items" / "old.csv"
    batch.files.write("out/failed_items/old.csv", "item,reason\n2.txt,of an earlier job\n")
    os.utime(old, (time.time() - 60, time.time() - 60))
    batch.files.write("out/failed_items/broken.csv", "nothing\n1\n")
    os.utime(old.with_name("broken.csv"), (time.time() + 5, time.time() + 5))
    folder = batch.images({"1.txt": "ok", "2.txt": "ok", "3.txt": "skip"})
    record = batch.invoke(folder, output_path=str(batch.root / "out"))
    assert [(row["item"], row["error_type"], row["message"]) for row in table(record["failed_items_file"])] == [
        ("3.txt", "Reported", "not an image, really")
    ]
    assert record["notes"] == [
        "failed_items/broken.csv is not read: no columns item and reason; it needs a first line item,reason"
    ]


def test_a_reason_of_an_attempt_that_failed_is_forgotten_when_the_next_succeeds(batch: BatchProject) -> None:
    driver = """
import os
from pathlib import Path

def init(): pass

def run(mini_batch):
    folder = Path(os.environ["AZUREML_BI_OUTPUT_PATH"], "failed_items")
    if not folder.exists():
        folder.mkdir()
        (folder / "a.csv").write_text("item,reason\\n1.txt,disk hiccup\\n", encoding="utf-8")
        raise OSError("disk hiccup")
    return list(mini_batch)
"""
    batch.deploy("settings.mini_batch_size=9", "settings.max_concurrency_per_instance=1", driver=driver)
    record = batch.invoke(batch.images({"1.txt": "", "2.txt": ""}))
    assert record["items"] == {"total": 2, "succeeded": 2, "failed": 0}
    assert not record["failed_items_file"]


def test_output_to_a_folder_of_the_user(batch: BatchProject) -> None:
    batch.deploy()
    folder = batch.images({"1.txt": "ok"})
    out = batch.root / "out"
    record = batch.invoke(folder, output_path=str(out), sets=["output_file_name=scores.txt"])
    assert record["output_file"] == str(out / "scores.txt")
    with pytest.raises(UserError, match="exists; --overwrite replaces it"):
        batch.invoke(folder, output_path=str(out), sets=["output_file_name=scores.txt"])
    assert len(list((batch.root / ".amlops" / "jobs").iterdir())) == 1  # nothing was made for the refused one
    folder.joinpath("1.txt").write_text("again", encoding="utf-8")
    batch.invoke(folder, output_path=str(out), sets=["output_file_name=scores.txt"], overwrite=True)
    assert (out / "scores.txt").read_text() == "1.txt w1 again\n"
    assert sorted(path.name for path in out.iterdir()) == ["scores.parquet", "scores.txt"]


def test_names_with_spaces_and_letters_of_any_kind(batch: BatchProject) -> None:
    batch.deploy()
    names = ["a b.txt", "ü ñ.txt", "数字.txt", "quote'\".txt", "percent%20.txt"]
    record = batch.invoke(batch.images(dict.fromkeys(names, "ok"), folder="my images"))
    assert sorted(rows(record)) == sorted(f"{name} w1 ok" for name in names)


@POSIX
def test_names_that_are_not_utf8(batch: BatchProject) -> None:
    batch.deploy()
    folder = batch.images({"1.txt": "ok", "2.txt": "skip"})
    for name, text in ((b"caf\xe9.txt", b"ok"), (b"bad\xff.txt", b"skip")):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(text)
    record = batch.invoke(folder)
    assert b"caf\xe9.txt w1 ok" in Path(record["output_file"]).read_bytes()
    assert ("bad\\udcff.txt", "1", "Missing") in failed(record)


def test_workers_stay_inside_the_laptops_limits(batch: BatchProject, capsys: pytest.CaptureFixture[str]) -> None:
    batch.files.write(".cloud/environments/local.yml", "environment: local\nlimits: {nodes: 1, cores: 2}\n")
    batch.deploy("resources.instance_count=3", "settings.max_concurrency_per_instance=2")
    record = batch.invoke(batch.images({f"{n}.txt": "ok" for n in range(9)}))
    assert record["workers"] == 2
    assert "6 workers asked for" in capsys.readouterr().err
    assert "allows 1 nodes and 2 cores" in record["notes"][0]


def test_nodes_have_logs_of_their_own(batch: BatchProject) -> None:
    batch.deploy("resources.instance_count=2", "settings.max_concurrency_per_instance=1", "settings.mini_batch_size=1")
    record = batch.invoke(batch.images({f"{n}.txt": "ok" for n in range(9)}))
    logs = Path(record["logs"], "user", "stdout")
    assert sorted(path.relative_to(logs).as_posix() for path in logs.rglob("*.txt")) == [
        "node0/process000.stdout.txt",
        "node1/process000.stdout.txt",
    ]


def test_the_record_is_a_job_like_any_other(batch: BatchProject) -> None:
    batch.deploy()
    record = batch.invoke(batch.images({"1.txt": "ok"}), job_name="my-job")
    stored = read_json(batch.root / ".amlops" / "jobs" / "my-job" / "job.json")
    assert stored == record
    assert (stored["type"], stored["status"], stored["endpoint_name"]) == ("batch", "Completed", "scorer")
    assert stored["model"] == "azureml:digits:1"
    assert "TRACE" in stored["settings"]["environment_variables"]  # names only: values may be secret
    assert str(batch.root / "trace") not in str(stored["settings"])
    folder = batch.root / ".amlops" / "jobs" / "my-job"
    names = {"job.json", "logs", "outputs", "plan.json", "mini_batches.jsonl", "journal.jsonl", "result.json"}
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == names
    assert (folder / "plan.json").stat().st_mode & 0o077 == 0 or os.name == "nt"  # environment variables are in it


def test_a_single_file(batch: BatchProject) -> None:
    batch.deploy()
    folder = batch.images({"1.txt": "ok", "2.txt": "ok"})
    assert rows(batch.invoke(folder / "2.txt", input_type="uri_file")) == ["2.txt w1 ok"]


def test_overhead_per_mini_batch(batch: BatchProject) -> None:
    batch.deploy(driver="def init(): pass\ndef run(batch): return batch")
    count = 600
    folder = batch.images({f"{n:04}": "" for n in range(count)})
    few = batch.invoke(folder, mini_batch_size=count)["seconds"]["total"]
    many = batch.invoke(folder, mini_batch_size=1)["seconds"]["total"]
    per_mini_batch = (many - few) / count
    print(f"overhead per mini-batch: {1000 * per_mini_batch:.2f} ms")
    assert per_mini_batch < 0.005


@POSIX
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_when_the_command_is_stopped(batch: BatchProject, how: signal.Signals) -> None:
    batch.deploy("settings.mini_batch_size=1")
    folder = batch.images({"1.txt": "hang", "2.txt": "hang"})
    command = batch.files.start(
        "batch-endpoint", "invoke", "--name", "scorer", "--input", str(folder), "--job-name", "stopped"
    )
    wait_for(lambda: len(batch.trace("run")) == 2)
    pids = [entry["pid"] for entry in batch.trace("init")]
    command.send_signal(how)
    _, said = command.communicate(timeout=10)
    for pid in pids:
        wait_for(lambda pid=pid: not alive(pid), seconds=3)
    shown = batch.files.run("job", "show", "--name", "stopped").json
    if how == signal.SIGINT:
        assert command.returncode == 130
        assert shown["status"] == "Canceled"
        assert "Traceback" not in said
    else:
        assert shown["status"] == "Failed"


def test_a_script_that_starts_processes_can_import_itself_there(batch: BatchProject) -> None:
    driver = (
        "import multiprocessing\ndef init(): pass\ndef square(x): return x * x\n"
        "def run(batch):\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        return pool.map(square, range(len(batch)))\n"
    )
    batch.deploy(driver=driver)
    assert rows(batch.invoke(batch.images({"1": "", "2": ""}))) == ["0", "1"]


@POSIX
def test_workers_killed_at_random_lose_and_double_nothing(batch: BatchProject) -> None:
    driver = DRIVER.replace("    rows = []", "    rows = []\n    time.sleep(0.01)")
    batch.deploy("settings.retry_settings.max_retries=50", "settings.mini_batch_size=3", driver=driver)
    folder = batch.images({f"{n:03}.txt": "ok" for n in range(300)})
    done = threading.Event()
    killed: list[int] = []

    def kill_now_and_then() -> None:
        chance = random.Random(7)
        while not done.wait(chance.uniform(0.05, 0.2)):
            pid = batch.trace("init")[-1]["pid"] if batch.trace("init") else 0
            if pid and alive(pid):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        record = batch.invoke(folder)
    finally:
        done.set()
        killer.join()
    assert killed
    assert rows(record) == [f"{n:03}.txt w1 ok" for n in range(300)]
    assert record["items"] == {"total": 300, "succeeded": 300, "failed": 0}


@POSIX
def test_workers_that_always_die_in_init_fail_the_job(batch: BatchProject) -> None:
    batch.deploy(driver="import os\ndef init(): os._exit(9)\ndef run(batch): return batch")
    record = batch.invoke(batch.images({f"{n}": "" for n in range(9)}))
    assert record["status"] == "Failed"
    assert "init() failed in 6 worker" in record["error"]  # three times for each of the two
    assert record["said"].splitlines()[0] == "init(): WorkerDied: the worker process ended with exit code 9"
