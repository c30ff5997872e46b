"""Jobs that run, with real processes: order, data flow, failure, interruption, and what is written down."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from amlops_support import SmallProject
from job_files import FILE, PIPELINE, small_pipeline


@pytest.fixture
def small(project: SmallProject) -> SmallProject:
    return small_pipeline(project)


def seen(record: dict[str, Any], step: str) -> dict[str, Any]:
    """What a step of the small pipeline saw."""
    return json.loads(Path(record["steps"][step]["outputs"]["out"], "seen.json").read_text(encoding="utf-8"))


def test_steps_run_in_order_and_pass_data_on(small: SmallProject) -> None:
    result = small.run("job", "create", "-f", FILE, "--set", "inputs.sleep=0.7", "--name", "first", "--tag", "by=test")
    assert result.code == 0, result.err
    record = result.json
    assert record == small.run("job", "show", "-n", "first").json
    assert record["status"] == "Completed"
    assert record["tags"] == {"by": "test"}
    assert {step["status"] for step in record["steps"].values()} == {"Completed"}
    folder = small.root / ".amlops" / "jobs" / "first"
    assert record["outputs"] == {"final": str(folder / "outputs" / "final")}
    a, b, c, d = (seen(record, step) for step in "abcd")
    assert c["before"] == str(folder / "steps" / "a" / "outputs" / "out")
    assert d["before"] == b["out"]
    assert c["rate"] == 0.5 and a["rate"] == 0.1
    assert a["start"] < b["end"] and b["start"] < a["end"], "a and b do not need each other: side by side"
    assert c["start"] > a["end"]
    assert a["cwd"] == str(small.root / "code" / "the step")
    assert (folder / "logs" / "a.log").read_text().startswith("argv: ")
    assert small.run("job", "list", "--query", "[].[name, status]", "-o", "tsv").out == "first\tCompleted\n"


@pytest.mark.slow
def test_one_core_runs_one_step_at_a_time(small: SmallProject) -> None:
    small.write(".cloud/environments/local.yml", "environment: local\nlimits: {nodes: 1, cores: 1}\n")
    record = small.run("job", "create", "-f", FILE, "--set", "inputs.sleep=0.2").json
    spans = sorted((seen(record, step)["start"], seen(record, step)["end"]) for step in "abcd")
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_a_step_knows_its_place_and_no_more_is_written_down(small: SmallProject) -> None:
    job = PIPELINE.replace(
        '    inputs: {sleep: "${{parent.inputs.sleep}}"}\n',
        "    inputs: {sleep: 0}\n    environment_variables: {MY_TOKEN: s3cret-value, MY_NUMBER: 3}\n",
    )
    small.write(FILE, job)
    result = small.run("job", "create", "-f", FILE, "--name", "placed", MY_OTHER_TOKEN="s3cret-other")
    env = seen(result.json, "a")["env"]
    assert env["MY_TOKEN"] == "s3cret-value" and env["MY_NUMBER"] == "3"
    assert env["AMLOPS_ROOT"] == str(small.root) and env["AMLOPS_JOB_NAME"] == "placed" and env["AMLOPS_ENV"] == "local"
    folder = small.root / ".amlops" / "jobs" / "placed"
    texts = [file.read_text() for file in folder.rglob("*") if file.is_file() and file.name != "seen.json"]
    assert not [text for text in (*texts, result.out, result.err) if "s3cret" in text]


def test_a_failing_step_stops_only_what_needs_it(small: SmallProject) -> None:
    result = small.run("job", "create", "-f", FILE, "--set", "inputs.fail=true", "--name", "broken")
    assert result.code == 3
    record = result.json
    statuses = {name: step["status"] for name, step in record["steps"].items()}
    assert statuses == {"a": "Completed", "b": "Failed", "c": "Completed", "d": "Canceled"}
    assert record["status"] == "Failed" and record["steps"]["b"]["exit_code"] == 1
    assert not Path(record["steps"]["d"]["log"]).exists()
    log = small.root / ".amlops" / "jobs" / "broken" / "logs" / "b.log"
    message = result.err[result.err.index("amlops: ") :]
    assert message.startswith("amlops: job 'broken' failed: step 'b' ended with exit code 1")
    assert "  b | broken on purpose" in message and "log: .amlops/jobs/broken/logs/b.log" in message
    assert "broken on purpose" in log.read_text()
    assert "Traceback" not in result.err


def test_without_continue_on_step_failure_the_rest_is_stopped(small: SmallProject) -> None:
    job = PIPELINE.replace("continue_on_step_failure: true", "continue_on_step_failure: false")
    step_a = "a:\n    type: command\n    component: ./step.yml\n    inputs: {sleep: "
    job = job.replace(f'{step_a}"${{{{parent.inputs.sleep}}}}"}}', f"{step_a}60}}")
    assert "{sleep: 60}" in job
    small.write(FILE, job)
    started = time.monotonic()
    result = small.run("job", "create", "-f", FILE, "--set", "inputs.fail=true")
    assert result.code == 3 and time.monotonic() - started < 30
    statuses = {name: step["status"] for name, step in result.json["steps"].items()}
    assert statuses == {"a": "Canceled", "b": "Failed", "c": "Canceled", "d": "Canceled"}


CHILDREN = """\
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(120)
"""


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_stops_children_and_their_children(small: SmallProject, number: signal.Signals) -> None:
    small.write("code/long/main.py", CHILDREN)
    small.write("long.yml", "type: command\ncommand: python main.py ${{outputs.pid}}\ncode: code/long\n"
                            "environment: azureml:e@latest\noutputs: {pid: {type: uri_file}}\n")  # fmt: skip
    process = small.start("job", "create", "-f", "long.yml", "--name", "long")
    pid_file = small.root / ".amlops" / "jobs" / "long" / "outputs" / "pid"
    deadline = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    pid = int(pid_file.read_text())
    assert alive(pid)
    assert small.run("job", "show", "-n", "long").json["status"] == "Running"
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert not alive(pid)
    record = small.run("job", "show", "-n", "long").json
    assert record["status"] == "Canceled" and record["steps"]["command"]["status"] == "Canceled"


@pytest.mark.slow
def test_a_killed_runner_leaves_no_job_that_runs_for_ever(small: SmallProject) -> None:
    process = small.start("job", "create", "-f", FILE, "--set", "inputs.sleep=3", "--name", "killed")
    record_file = small.root / ".amlops" / "jobs" / "killed" / "job.json"
    while not record_file.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.communicate()
    record = small.run("job", "show", "-n", "killed").json
    assert record["status"] == "Failed" and "ended before the job" in record["error"]


@pytest.mark.slow
def test_timeout_stops_a_step(small: SmallProject) -> None:
    small.write("slow.yml", "type: command\ncommand: python -c 'import time; time.sleep(60)'\n"
                            "environment: azureml:e@latest\nlimits: {timeout: 0.5}\n")  # fmt: skip
    started = time.monotonic()
    result = small.run("job", "create", "-f", "slow.yml")
    assert result.code == 3 and time.monotonic() - started < 30
    assert "stopped after 0.5 s (limits.timeout)" in result.err


def test_command_job_with_data_and_outputs(small: SmallProject, tmp_path: Path) -> None:
    (tmp_path / "some data").mkdir()
    (tmp_path / "some data" / "x.txt").write_text("hello")
    small.write(
        "code/copy/main.py", "import shutil, sys; shutil.copy(sys.argv[1] + '/x.txt', sys.argv[2]); print(sys.argv[3:])"
    )
    job = """\
    type: command
    code: code/copy
    command: python main.py ${{inputs.data}} ${{outputs.copy}} ${{inputs.word}} ${{inputs.rate}} ${{inputs.yes}}
    environment: azureml:e@latest
    inputs:
      data: {type: uri_folder, path: ./missing}
      word: two words
      rate: {value: 0.25}
      yes: true
    outputs:
      copy: {type: uri_file}
    """
    small.write("copy.yml", "\n".join(line[4:] for line in job.splitlines()))
    result = small.run(
        "job", "create", "-f", str(small.root / "copy.yml"), "--set", "inputs.data=some data", "--stream",
        cwd=tmp_path, AMLOPS_ROOT=str(small.root),
    )  # fmt: skip
    assert result.code == 0, result.err
    assert Path(result.json["outputs"]["copy"]).read_text() == "hello"
    assert result.json["inputs"]["data"] == str(tmp_path / "some data")
    assert "command | ['two words', '0.25', 'True']" in result.err, "the log is streamed; a value stays one word"


def test_plain_steps_files_and_inline_components(project: SmallProject) -> None:
    project.write("src/write.py", "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])")
    project.write("src/read.py", "import sys, pathlib; print(pathlib.Path(sys.argv[1]).read_text() + sys.argv[2])")
    project.write("job.yml", """\
type: pipeline
inputs: {word: 7}
jobs:
  write:
    type: command
    command: python write.py ${{outputs.file}} ${{inputs.word}}
    code: ./src
    environment: azureml:e@latest
    inputs: {word: "${{parent.inputs.word}}"}
    outputs: {file: {type: uri_file}}
  read:
    component:
      name: read
      type: command
      code: ./src
      command: python read.py ${{inputs.file}} ${{inputs.mark}}
      environment: azureml:e@latest
      inputs: {file: {type: uri_file}, mark: {type: string, default: "!"}}
    inputs: {file: {type: uri_file, path: "${{parent.jobs.write.outputs.file}}"}}
""")  # fmt: skip
    result = project.run("job", "create", "-f", "job.yml")
    assert result.code == 0, result.err
    assert Path(result.json["steps"]["read"]["log"]).read_text() == "7!\n"


def test_model_input_is_resolved_and_verified(project: SmallProject) -> None:
    project.write("weights/w.txt", "0.5")
    assert project.run("model", "create", "-n", "m", "-p", "weights").code == 0
    project.write("src/main.py", "import sys, pathlib; print(pathlib.Path(sys.argv[1], 'w.txt').read_text())")
    project.write("job.yml", "type: command\ncode: src\nenvironment: azureml:e@latest\n"
                             "command: python main.py ${{inputs.model}}\n"
                             "inputs: {model: {type: custom_model, path: 'azureml:m@latest'}}\n")  # fmt: skip
    result = project.run("job", "create", "-f", "job.yml")
    assert result.code == 0, result.err
    assert Path(result.json["steps"]["command"]["log"]).read_text() == "0.5\n"
    (project.root / ".amlops" / "models" / "m" / "1" / "weights" / "w.txt").write_text("0.6")
    result = project.run("job", "create", "-f", "job.yml")
    assert result.code == 1 and "azureml:m:1 is damaged: weights/w.txt has changed" in result.line


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ("3", "3"),
        ("'3'", "3"),
        ("true", "True"),
        ("0.5", "0.5"),
        ("a b", "a b"),
        ("2026-01-31", "2026-01-31"),
        ("a=b", "a=b"),
    ],
)
def test_set_is_typed_like_yaml_and_reaches_a_string_as_text(project: SmallProject, given: str, argument: str) -> None:
    project.write("main.py", "import sys; print(repr(sys.argv[1]))")
    project.write("c.yml", "type: command\nname: c\ncode: .\nenvironment: azureml:e@latest\n"
                           "command: python main.py ${{inputs.word}}\n"
                           "inputs: {word: {type: string}}\n")  # fmt: skip
    project.write(
        "job.yml",
        "type: pipeline\ninputs: {word: x}\n"
        "jobs: {s: {component: ./c.yml, inputs: {word: '${{parent.inputs.word}}'}}}\n",
    )
    result = project.run("job", "create", "-f", "job.yml", "--set", f"inputs.word={given}")
    assert result.code == 0, result.err
    assert Path(result.json["steps"]["s"]["log"]).read_text() == f"{argument!r}\n"


@pytest.mark.slow
def test_names_are_used_once_and_given_by_the_file(small: SmallProject) -> None:
    small.write(
        "named.yml",
        f"name: nightly\ntype: command\ncommand: {Path(sys.executable).name} -c pass\nenvironment: azureml:e@latest\n",
    )
    assert small.run("job", "create", "-f", "named.yml").json["name"] == "nightly"
    result = small.run("job", "create", "-f", "named.yml")
    assert result.code == 1 and "job 'nightly' exists" in result.line
    assert small.run("job", "create", "-f", "named.yml", "-n", "../up").code == 1
    assert sorted(path.name for path in (small.root / ".amlops" / "jobs").iterdir()) == ["nightly"]


def test_a_data_input_without_a_path_is_left_out(small: SmallProject) -> None:
    job = PIPELINE.replace("inputs:\n  rate", "inputs:\n  images: {type: uri_folder}\n  rate", 1)
    job = job.replace('inputs: {sleep: "${{parent.inputs.sleep}}"}', 'inputs: {data: "${{parent.inputs.images}}"}')
    small.write(FILE, job)
    small.write("given/seen.json", '{"out": "from outside"}')
    open_job = small.run("job", "create", "-f", FILE).json
    assert "images" not in open_job["inputs"] and seen(open_job, "a")["data"] is None
    words = ["job", "create", "-f", f"../{FILE}", "--set", "inputs.images=../given"]
    filled = small.run(*words, cwd=small.root / "code").json
    assert seen(filled, "a")["before"] == "from outside"
