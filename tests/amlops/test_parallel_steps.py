"""Parallel steps of pipelines: real processes, on files and on tables; what a.1 to a.5 of the notes say of them."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from amlops_support import SmallProject

from amlops.errors import UserError
from amlops.jobspec import load_job
from amlops.local.jobs.execution import check_programs

pytestmark = pytest.mark.slow

SCRIPT = """\
import argparse, json, os, sys, time
from pathlib import Path

def init():
    global options
    parser = argparse.ArgumentParser()
    for name in ("factor", "word", "trace", "model"):
        parser.add_argument(f"--{name}")
    options, _ = parser.parse_known_args()
    variables = {k: v for k, v in os.environ.items() if k.startswith("MY_")}
    seen = {"argv": sys.argv[1:], "cwd": os.getcwd(), "env": variables}
    Path(options.trace, f"{os.getpid()}.json").write_text(json.dumps(seen))

def run(mini_batch):
    rows = []
    for item in mini_batch:
        text = Path(item).read_text()
        if text == "raise":
            raise ValueError("a bad file")
        if text == "hang":
            time.sleep(600)
        if text == "stop":
            breakpoint()
        if text != "skip":
            rows.append(f"{Path(item).name} {float(text) * float(options.factor):g}")
    return rows
"""

STEP = """\
    type: parallel
    inputs:
      files: {type: uri_folder, path: ../files, mode: ro_mount}
      factor: ${{parent.inputs.factor}}
      word: two words
    outputs:
      rows: {type: uri_file, path: "${{parent.outputs.rows}}"}
      trace: {type: uri_folder}
    input_data: ${{inputs.files}}
    mini_batch_size: "2"
    resources: {instance_count: 2}
    max_concurrency_per_instance: 1
    retry_settings: {max_retries: 1, timeout: 30}
    logging_level: DEBUG
    environment_variables: {MY_NUMBER: 7}
    task:
      type: run_function
      code: ../src
      entry_script: score.py
      environment: azureml:e@latest
      program_arguments: >-
        --factor ${{inputs.factor}} --word ${{inputs.word}} --trace ${{outputs.trace}}
        --allowed_failed_percent 50
      append_row_to: ${{outputs.rows}}
"""

JOB = f"""\
type: pipeline
settings: {{default_compute: azureml:cpu-cluster}}
inputs: {{factor: 2}}
outputs: {{rows: {{type: uri_file}}}}
jobs:
  score:
{STEP}
"""
FILE = "pipelines/score.yml"


def with_files(project: SmallProject, *texts: str) -> SmallProject:
    project.write("src/score.py", SCRIPT)
    project.write(FILE, JOB)
    for number, text in enumerate(texts):
        project.write(f"files/{number:02d}.txt", text)
    return project


def change(project: SmallProject, old: str, new: str) -> None:
    text = (project.root / FILE).read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    project.write(FILE, text.replace(old, new))


def step(record: dict[str, Any], name: str = "score") -> dict[str, Any]:
    return record["steps"][name]


def test_files_are_scored_in_mini_batches_by_workers(project: SmallProject) -> None:
    with_files(project, *map(str, range(5)))
    result = project.run("job", "create", "-f", FILE, "--name", "five", "--set", "inputs.factor=10")
    assert result.code == 0, result.err
    rows = Path(result.json["outputs"]["rows"]).read_text(encoding="utf-8").splitlines()
    assert rows == [f"{number:02d}.txt {number * 10}" for number in range(5)]
    shown = step(project.run("job", "show", "-n", "five").json)
    assert shown["status"] == "Completed" and shown["type"] == "parallel"
    assert shown["items"] == {"total": 5, "succeeded": 5, "failed": 0}
    assert shown["mini_batches"]["total"] == 3 and shown["workers"] == 2
    assert (
        Path(shown["report_file"]).is_file() and Path(shown["typed_file"]).parent == Path(shown["output_file"]).parent
    )
    assert "Status: Completed" in Path(shown["logs"], "job_result.txt").read_text(encoding="utf-8")
    seen = [json.loads(file.read_text()) for file in Path(shown["outputs"]["trace"]).iterdir()]
    assert 1 <= len(seen) <= 2
    for worker in seen:
        assert worker["env"] == {"MY_NUMBER": "7"}
        arguments = worker["argv"]
        assert arguments[arguments.index("--factor") + 1] == "10"
        assert arguments[arguments.index("--word") + 1] == "two words", "a value stays one word"
        assert arguments[arguments.index("--trace") + 1] == shown["outputs"]["trace"]
        assert Path(worker["cwd"]) != project.root / "src", "a private working folder"


COMPONENT = """\
type: parallel
name: score
version: 1
inputs: {files: {type: uri_folder}, factor: {type: number, default: 3}, word: {type: string, optional: true}}
outputs: {rows: {type: uri_folder}, trace: {type: uri_folder}}
input_data: ${{inputs.files}}
mini_batch_size: "1"
retry_settings: {max_retries: 2, timeout: 30}
resources: {instance_count: 1}
task:
  type: run_function
  code: ../src
  entry_script: score.py
  environment: azureml:e@latest
  program_arguments: >-
    --factor ${{inputs.factor}} $[[--word ${{inputs.word}}]] --trace ${{outputs.trace}}
  append_row_to: ${{outputs.rows}}
"""
WITH_COMPONENT = """\
type: pipeline
settings: {default_compute: azureml:cpu-cluster}
jobs:
  score:
    type: parallel
    component: ./component.yml
    mini_batch_size: "4"
    retry_settings: {timeout: 20}
    inputs: {files: {type: uri_folder, path: ../files}}
"""


def test_a_step_changes_what_its_component_says_key_by_key(project: SmallProject) -> None:
    with_files(project, *map(str, range(4)))
    project.write("pipelines/component.yml", COMPONENT)
    project.write(FILE, WITH_COMPONENT)
    result = project.run("job", "create", "-f", FILE, "--name", "changed")
    assert result.code == 0, result.err
    done = step(result.json)
    assert done["mini_batches"]["total"] == 1, "four files in one mini-batch, as the step says"
    plan = json.loads((project.root / ".amlops/jobs/changed/steps/score/plan.json").read_text(encoding="utf-8"))
    settings = plan["settings"]
    assert (settings["timeout"], settings["max_retries"]) == (20, 2), "one of the step, one of the component"
    # An output that is a folder gets the rows under the name that Azure ML's runner has for them.
    rows = Path(done["outputs"]["rows"], "parallel_run_step.txt").read_text(encoding="utf-8").splitlines()
    assert rows[3] == "03.txt 9"
    seen = json.loads(next(Path(done["outputs"]["trace"]).iterdir()).read_text(encoding="utf-8"))
    assert "--word" not in seen["argv"], "an optional input without a value leaves its part out"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    logging_level: DEBUG", "    error_threshold: 1", "error_threshold"),
        ("    logging_level: DEBUG", "    mini_batch_error_threshold: 0", "mini_batch_error_threshold"),
        ("--allowed_failed_percent 50", "--allowed_failed_percent 20", "allowed_failed_percent"),
        ("--allowed_failed_percent 50", "--error_thresh 1", "error_threshold"),
    ],
    ids=["items", "mini-batches", "percent", "an option that is cut short"],
)
def test_a_threshold_that_is_exceeded_fails_the_step(project: SmallProject, old: str, new: str, says: str) -> None:
    with_files(project, "1", "2", "raise", "4", "5", "6")
    change(project, old, new)
    result = project.run("job", "create", "-f", FILE, "--name", "failing")
    assert result.code == 3
    failed = step(result.json)
    assert failed["status"] == "Failed" and says in failed["reason"], failed
    assert "ValueError: a bad file" in result.err, "what went wrong in the script is shown"
    assert Path(failed["failed_items_file"]).read_text(encoding="utf-8").count("a bad file") == 2


def test_without_a_threshold_failed_items_are_told_and_the_step_completes(project: SmallProject) -> None:
    with_files(project, "1", "2", "raise", "4", "skip", "6")
    change(project, "--allowed_failed_percent 50", "")
    result = project.run("job", "create", "-f", FILE)
    assert result.code == 0, result.err
    done = step(result.json)
    assert done["items"] == {"total": 6, "succeeded": 3, "failed": 3}
    table = Path(done["failed_items_file"]).read_text(encoding="utf-8")
    items = [row["item"] for row in csv.DictReader(table.splitlines())]
    assert items == ["02.txt", "03.txt", "04.txt"]
    assert re.search(
        r"^score: completed in [\d.]+ s; 3 of 6 items failed: .+failed_items\.csv$", result.err, re.MULTILINE
    )
    refused = project.run("job", "replay", "-n", f"{result.json['name']}.score")
    assert "is a step; this goes with jobs of deployments of models. Start the whole job again" in refused.line


def test_an_output_that_is_only_bound_has_the_type_of_the_pipelines_output(project: SmallProject) -> None:
    with_files(project, "1", "2")
    change(project, 'rows: {type: uri_file, path: "${{parent.outputs.rows}}"}', 'rows: "${{parent.outputs.rows}}"')
    result = project.run("job", "create", "-f", FILE)
    assert result.code == 0, result.err
    assert Path(result.json["outputs"]["rows"]).read_text(encoding="utf-8").splitlines() == ["00.txt 2", "01.txt 4"]


def test_a_breakpoint_in_a_step_says_how_to_get_a_terminal(project: SmallProject) -> None:
    with_files(project, "stop")
    limits = "environment: local\nlimits: {nodes: 1, cores: 1, workers: 0}\n"
    project.write(".cloud/environments/local.yml", limits)
    result = project.run("job", "create", "-f", FILE, "--name", "j")
    assert result.code == 3
    assert "run the step alone: python -P -m amlops.local.parallel .amlops/jobs/j/steps/score" in result.err


def test_a_component_may_be_written_in_the_step(project: SmallProject) -> None:
    with_files(project, "1")
    inline = "\n".join(f"      {line}" for line in COMPONENT.splitlines())
    project.write(FILE, WITH_COMPONENT.replace(" ./component.yml", f"\n{inline}"))
    task = load_job(project.root / FILE).steps["score"].component.parallel
    assert task is not None and task.append_row_to == "rows" and task.entry_script == Path("score.py")
    assert task.settings["mini_batch_size"] == "4" and task.settings["retry_settings"]["max_retries"] == 2


def test_rows_are_never_put_over_those_of_another_job(project: SmallProject) -> None:
    with_files(project, "1")
    place = 'path: "azureml://datastores/workspaceblobstore/paths/scores.csv"'
    change(project, "outputs: {rows: {type: uri_file}}", f"outputs: {{rows: {{type: uri_file, {place}}}}}")
    first = project.run("job", "create", "-f", FILE, "--name", "first")
    assert first.code == 0, first.err
    rows = Path(first.json["outputs"]["rows"])
    assert (
        rows == project.root / ".amlops/datastores/workspaceblobstore/scores.csv" and rows.read_text() == "00.txt 2\n"
    )
    second = project.run("job", "create", "-f", FILE, "--name", "second")
    assert second.code == 1 and "scores.csv exists, and rows are never put over others" in second.line
    assert not (project.root / ".amlops" / "jobs" / "second").exists()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def hanging(project: SmallProject) -> tuple[subprocess.Popen[str], list[int]]:
    """A job whose parallel step hangs in two workers, and the numbers of their processes."""
    with_files(project, "hang", "hang")
    change(project, 'mini_batch_size: "2"', 'mini_batch_size: "1"')
    process = project.start("job", "create", "-f", FILE, "--name", "hanging")
    trace = project.root / ".amlops/jobs/hanging/steps/score/outputs/trace"
    until = time.monotonic() + 60
    while len(workers := list(trace.glob("*.json"))) < 2:
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)
    pids = [int(file.stem) for file in workers]
    assert all(map(alive, pids))
    return process, pids


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
def test_cancel_ends_the_workers_of_a_parallel_step(project: SmallProject) -> None:
    process, pids = hanging(project)
    result = project.run("job", "cancel", "-n", "hanging")
    assert result.code == 0 and result.json["status"] == "Canceled", result.err
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not any(map(alive, pids))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
def test_a_killed_job_leaves_no_workers(project: SmallProject) -> None:
    process, pids = hanging(project)
    process.kill()
    process.communicate()
    until = time.monotonic() + 30
    while any(map(alive, pids)):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert project.run("job", "show", "-n", "hanging").json["status"] == "Failed"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    input_data: ${{inputs.files}}\n", "", "input_data: must say which input is cut into mini-batches"),
        ("${{inputs.files}}", "${{inputs.fils}}", "input_data: there is no input 'fils'; inputs: files, factor, word"),
        ("${{inputs.files}}", "${{inputs.word}}", "input_data: the input 'word' is string, not data"),
        ("entry_script: score.py", "entry_script: scores.py", "entry_script: 'scores.py' is not in the code folder"),
        ("entry_script: score.py", "entry_script: ../job.py", "entry_script: '../job.py' is outside the code folder"),
        ('mini_batch_size: "2"', "mini_batch_size: 2", "mini_batch_size: '2' must be text; quote it"),
        ("max_retries: 1", "max_retries: -1", "retry_settings.max_retries: '-1' must be at least 0"),
        ("timeout: 30", "timeout: 0", "retry_settings.timeout: '0' must be at least 1"),
        ("logging_level: DEBUG", "logging_level: debug", "logging_level: 'debug' is not allowed"),
        ("append_row_to: ${{outputs.rows}}", "append_row_to: ${{outputs.row}}", "append_row_to: '${{outputs.row}}'"),
        ("append_row_to: ${{outputs.rows}}", "append_to: ${{outputs.rows}}", "append_to: is not a key of a parallel"),
        ("--factor ${{inputs.factor}}", "--factor ${{inputs.fact}}", "${{inputs.fact}} is not declared"),
        ("--allowed_failed_percent 50", "--allowed_failed_percent 500", "'500' must be 0 to 100"),
        ("type: run_function", "type: command", "'command' is not run on the laptop; type must be run_function"),
    ],
)
def test_a_wrong_parallel_step_is_refused(project: SmallProject, old: str, new: str, says: str) -> None:
    with_files(project, "1")
    change(project, old, new)
    with pytest.raises(UserError) as error:
        check_programs(load_job(project.root / FILE))
    assert says in str(error.value)
