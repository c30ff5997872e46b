"""stream, cancel, download and list of jobs, from a process other than the one that runs them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from amlops_support import SmallProject

pytestmark = pytest.mark.slow

# Says that it is there, waits until somebody makes a file called `go`, and ends as the file says.
WAITING = """\
import pathlib, sys, time
print("waiting", flush=True)
go = pathlib.Path(sys.argv[1])
while not go.exists():
    time.sleep(0.05)
print("going on")
pathlib.Path(sys.argv[2], "result.txt").write_text("done")
sys.exit(int(go.read_text() or 0))
"""
JOB = """\
type: pipeline
settings: {default_compute: azureml:c}
outputs: {result: {type: uri_folder}}
jobs:
  wait:
    type: command
    code: src
    command: python main.py ${{inputs.go}} ${{outputs.out}}
    environment: azureml:e@latest
    inputs: {go: GO}
    outputs: {out: "${{parent.outputs.result}}"}
  after:
    type: command
    command: python -c "print('after')" ${{inputs.data}}
    environment: azureml:e@latest
    inputs: {data: "${{parent.jobs.wait.outputs.out}}"}
"""


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until and (process is None or process.poll() is None)
        time.sleep(0.02)


@contextmanager
def running(project: SmallProject, name: str = "long") -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A job whose first step waits, and the file that it waits for."""
    go = project.root / "go"
    project.write("src/main.py", WAITING)
    project.write("job.yml", JOB.replace("GO", f"'{go}'"))
    process = project.start("job", "create", "-f", "job.yml", "--name", name)
    log = project.root / ".amlops" / "jobs" / name / "logs" / "wait.log"
    try:
        wait_for(lambda: log.exists() and "waiting" in log.read_text(encoding="utf-8"), process)
        yield process, go
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_stream_follows_a_job_of_another_process_to_its_end(project: SmallProject) -> None:
    with running(project) as (process, go):
        follower = project.start("job", "stream", "-n", "long")
        assert follower.stdout is not None
        assert follower.stdout.readline() == "wait | waiting\n", "what was written before is shown too"
        go.write_text("0", encoding="utf-8")
        out, err = follower.communicate(timeout=60)
        assert process.wait(60) == 0
    assert follower.returncode == 0, err
    assert "wait | going on\n" in out and "after | after\n" in out
    assert out.index("wait: Completed") < out.index("after: Completed")
    assert err == "job 'long': Completed\n"
    again = project.run("job", "stream", "-n", "long")
    assert again.code == 0 and "after | after" in again.out, "of a job that has ended, what is there"


def test_stream_of_a_failing_job_ends_with_its_exit_code(project: SmallProject) -> None:
    with running(project) as (_, go):
        go.write_text("7", encoding="utf-8")
        result = project.run("job", "stream", "-n", "long")
    assert result.code == 3
    assert result.line == "amlops: job 'long' failed: step 'wait' ended with exit code 7"


def test_wait_tells_the_status_alone_and_ends_with_the_job(project: SmallProject) -> None:
    with running(project) as (_, go):
        over = project.run("job", "wait", "-n", "long", "--timeout", "0.001")
        assert over.code == 1 and "is Running after 0.001 minutes and goes on" in over.err.splitlines()[-1]
        go.write_text("7", encoding="utf-8")
        result = project.run("job", "wait", "-n", "long")
    assert result.code == 3 and result.json["status"] == "Failed"
    assert "going on" not in result.err
    assert result.err.splitlines()[-1] == "amlops: job 'long' failed: step 'wait' ended with exit code 7"


def test_cancel_stops_a_job_of_another_process(project: SmallProject) -> None:
    with running(project) as (process, go):
        result = project.run("job", "cancel", "-n", "long")
        assert result.code == 0, result.err
        assert result.json["status"] == "Canceled"
        assert result.json["error"] == "canceled by `amlops job cancel`"
        assert {step["status"] for step in result.json["steps"].values()} == {"Canceled"}
        assert process.wait(60) == 130
        assert not go.exists()
    again = project.run("job", "cancel", "-n", "long")
    assert again.code == 1 and "job 'long' has ended already: Canceled" in again.line


def test_download_copies_where_az_does(project: SmallProject, tmp_path: Path) -> None:
    with running(project) as (process, go):
        early = project.run("job", "download", "-n", "long")
        assert early.code == 1 and "is Running; it can be downloaded when it has ended" in early.line
        go.write_text("0", encoding="utf-8")
        assert process.wait(60) == 0
    # Azure ML: named-outputs/<output> for an output, artifacts for the rest; the current folder by default.
    here = tmp_path / "here"
    here.mkdir()
    words = ("job", "download", "--name", "long")
    assert project.run(*words, "--output-name", "result", cwd=here, AMLOPS_ROOT=str(project.root)).code == 0
    assert (here / "named-outputs" / "result" / "result.txt").read_text(encoding="utf-8") == "done"
    assert not (here / "artifacts").exists()
    logs = tmp_path / "logs"
    assert project.run(*words, "--download-path", str(logs)).code == 0
    assert (logs / "artifacts" / "logs" / "wait.log").read_text(encoding="utf-8").startswith("waiting")
    assert not (logs / "named-outputs").exists()
    everything = tmp_path / "all"
    assert project.run(*words, "--all", "--download-path", str(everything)).code == 0
    assert (everything / "named-outputs" / "result" / "result.txt").exists() and (everything / "artifacts").exists()
    unknown = project.run(*words, "--output-name", "score")
    assert unknown.code == 1 and "has no output 'score'; it has: result" in unknown.line


def test_list_is_cut_and_knows_the_steps_of_a_job(project: SmallProject) -> None:
    project.write("job.yml", "type: command\ncommand: python -V\nenvironment: azureml:e@latest\ncompute: azureml:c\n")
    for name in ("one", "two", "three"):
        assert project.run("job", "create", "-f", "job.yml", "--name", name).code == 0
    assert project.run("job", "list", "--max-results", "2", "--query", "[].name").json == ["three", "two"]
    words = ("--parent-job-name", "two", "--query", "[?created_at].name", "-o", "tsv")
    steps = project.run("job", "list", *words).out.split()
    assert steps == ["two.command"]
    assert project.run("job", "show", "-n", steps[0], "--query", "status").json == "Completed"
    wrong = project.run("job", "show", "-n", "two.train")
    assert wrong.code == 1 and "its steps: two.command" in wrong.line


@pytest.mark.parametrize("verb", ["stream", "cancel", "download"])
def test_a_job_that_is_not_there(project: SmallProject, verb: str) -> None:
    result = project.run("job", verb, "-n", "nobody")
    assert result.code == 1 and "there is no job 'nobody'" in result.line


def test_a_batch_job_is_followed_canceled_resumed_and_downloaded(project: SmallProject, tmp_path: Path) -> None:
    go = project.root / "go"
    project.write("weights/w.txt", "1")
    project.write("code/score.py", SCORE)
    project.write("endpoint.yml", "name: scorer\n")
    project.write("deployment.yml", DEPLOYMENT.replace("GO", str(go)))
    for number in range(4):
        project.write(f"images/{number}.txt", str(number))
    assert project.run("batch-endpoint", "create", "-f", "endpoint.yml").code == 0
    result = project.run("batch-deployment", "create", "-f", "deployment.yml", "--set-default")
    assert result.code == 0, result.err
    words = ("batch-endpoint", "invoke", "-n", "scorer", "--input", "images", "--job-name", "b")
    process = project.start(*words)
    wait_for((project.root / ".amlops/jobs/b/job.json").exists, process)
    follower = project.start("job", "stream", "-n", "b")
    assert follower.stdout is not None
    assert follower.stdout.readline().endswith("| scoring 0.txt\n"), "what the scoring script prints"
    canceled = project.run("job", "cancel", "-n", "b")
    assert canceled.code == 0 and canceled.json["error"] == "canceled by `amlops job cancel`", canceled.err
    assert process.wait(60) == 130
    process.communicate()
    assert "job 'b' was canceled" in follower.communicate(timeout=60)[1] and follower.returncode == 3
    go.write_text("", encoding="utf-8")
    resumed = project.run("job", "resume", "-n", "b")
    assert resumed.code == 0 and resumed.json["status"] == "Completed", resumed.err
    target = tmp_path / "download"
    assert project.run("job", "download", "-n", "b", "--output-name", "score", "-p", str(target)).code == 0
    rows = (target / "named-outputs" / "score" / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert rows == [f"{number}.txt" for number in range(4)]


SCORE = """\
import os, pathlib, time
def init(): pass
def run(mini_batch):
    print("scoring", pathlib.Path(mini_batch[0]).name)
    while not pathlib.Path(os.environ["WAIT_FOR"]).exists():
        time.sleep(0.05)
    return [pathlib.Path(item).name for item in mini_batch]
"""
DEPLOYMENT = """\
type: model
name: only
endpoint_name: scorer
model: {path: weights}
code_configuration: {code: code, scoring_script: score.py}
environment: {image: python}
compute: azureml:c
settings: {mini_batch_size: 1, retry_settings: {timeout: 600}, environment_variables: {WAIT_FOR: 'GO'}}
"""


def test_a_record_that_cannot_be_read_does_not_hide_the_others(project: SmallProject) -> None:
    good = '{"name": "good", "type": "batch", "status": "Completed", "created_at": "2026-01-01T00:00:00.000Z"}'
    project.write(".amlops/jobs/good/job.json", good)
    project.write(".amlops/jobs/damaged/job.json", good[:20])
    result = project.run("job", "list", "--query", "[].name")
    assert (result.code, result.json) == (0, ["good"])
    assert "note: .amlops/jobs/damaged/job.json: the job's record is not valid JSON" in result.err
    assert project.run("job", "show", "--name", "damaged").code == 1
