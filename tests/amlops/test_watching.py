"""What is wrong in an environment, and what the logs of a job say: `status`, `job logs`, `job timings`."""

from __future__ import annotations

from pathlib import Path

import pytest
from amlops_support import SmallProject

from amlops.errors import UserError
from amlops.watching import duration, reasons, search
from amlops.workspace.jobs import LogFile

pytestmark = pytest.mark.slow

JOB = """\
type: pipeline
display_name: nightly
experiment_name: nightly
settings: {default_compute: azureml:c}
inputs: {broken: true}
jobs:
  load:
    type: command
    command: python -c "print('read 12 rows')"
    environment: azureml:e@latest
  score:
    type: command
    code: src
    command: python main.py ${{inputs.broken}}
    environment: azureml:e@latest
    inputs: {broken: "${{parent.inputs.broken}}"}
"""
SCRIPT = """\
import sys
print("error: a word that is no reason", file=sys.stderr)
if sys.argv[1] == "True":
    raise KeyError("store 17 has no rows")
"""


@pytest.fixture
def nightly(project: SmallProject) -> SmallProject:
    project.write("src/main.py", SCRIPT)
    project.write("job.yml", JOB)
    return project


def test_a_failed_job_comes_first_with_the_line_that_says_why(nightly: SmallProject) -> None:
    assert nightly.run("job", "create", "-f", "job.yml", "--name", "one").code == 3
    result = nightly.run("status", "--check")
    assert result.code == 3
    (problem,) = result.json["problems"]
    assert (problem["kind"], problem["name"], problem["step"]) == ("job", "one", "score")
    assert problem["why"] == "KeyError: 'store 17 has no rows'"
    path, _, number = problem["log"].rpartition(":")
    log = nightly.root / ".amlops" / "jobs" / "one" / path
    assert "store 17" in log.read_text().splitlines()[int(number) - 1]
    shown = nightly.run("status", "-o", "table").out
    assert shown.splitlines()[1:3] == [
        "1 problem",
        f"  job one: Failed, step score: {problem['why']} ({problem['log']})",
    ]


def test_a_failure_is_over_when_the_same_work_has_completed_since(nightly: SmallProject) -> None:
    nightly.run("job", "create", "-f", "job.yml", "--name", "one")
    assert nightly.run("job", "create", "-f", "job.yml", "--name", "two", "--set", "inputs.broken=false").code == 0
    result = nightly.run("status", "--check")
    assert result.code == 0 and result.json["problems"] == []
    assert result.json["jobs"] == {"Completed": 1, "Failed": 1}


def test_old_failures_are_not_told(nightly: SmallProject) -> None:
    nightly.run("job", "create", "-f", "job.yml", "--name", "one")
    assert nightly.run("status", "--check", "--within", "0s").code == 0
    refused = nightly.call("status", "--within", "soon")
    assert refused.code == 1 and "--within: 'soon' must be a number and s, m, h or d" in refused.line


def test_the_logs_of_all_steps_are_searched_in_one_place(nightly: SmallProject) -> None:
    nightly.run("job", "create", "-f", "job.yml", "--name", "one")
    found = nightly.run("job", "logs", "-n", "one", "--grep", "ROWS", "-o", "json").json
    assert next((Path(row["log"]).name, row["text"]) for row in found) == ("load.log", "read 12 rows")
    assert any("store 17" in row["text"] for row in found)
    one = nightly.run("job", "logs", "-n", "one", "--step", "load")
    assert one.code == 0 and one.out.splitlines() == ["logs/load.log:1: read 12 rows"]
    nothing = nightly.call("job", "logs", "-n", "one", "--grep", "not there")
    assert nothing.code == 1 and "--grep: 'not there' is in no log of job 'one'" in nothing.line
    assert nightly.call("job", "logs", "-n", "one", "--grep", "(").code == 1


def test_timings_per_step(nightly: SmallProject) -> None:
    nightly.run("job", "create", "-f", "job.yml", "--name", "one")
    told = nightly.run("job", "timings", "-n", "one").json
    assert [step["step"] for step in told["steps"]] == ["load", "score"]
    assert all(step["seconds"] >= 0 and step["waited_s"] >= 0 for step in told["steps"])
    assert told["mini_batches"] == []


def logs(**texts: str) -> list[LogFile]:
    return [
        LogFile(name.replace("__", "/") + ".txt", None, lambda text=text: iter(text.splitlines()))
        for name, text in texts.items()
    ]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (logs(a="started\nValueError: no rows\nclean up"), "ValueError: no rows"),
        (logs(a="x.py:3: FutureWarning: old\nsome.module.BadData: x\nazure.core.exceptions.HttpError: 403"), "403"),
        (logs(a="DeprecationWarning: old\ndone"), "done"),
        (logs(a="fatal: no such disk\nbye"), "fatal: no such disk"),
        (logs(user__stdout="TypeError: later", job_error="too many failed items: 3 of 4, error_threshold 2"), "Type"),
        (logs(a="\n\n"), None),
        ([], None),
    ],
)
def test_the_line_that_says_why(files: list[LogFile], says: str | None) -> None:
    line = reasons.why(files)
    assert (line is None) if says is None else (line is not None and says in line.text)


def test_spans_of_time() -> None:
    assert duration.parse("90m", "--within").total_seconds() == 5400
    for wrong in ("", "h", "1.5h", "-1d", "1 week", "999999999d"):
        with pytest.raises(UserError, match="--within"):
            duration.parse(wrong, "--within")


def test_lines_are_numbered_from_one() -> None:
    (line,) = search.lines(logs(a="x\nneedle"), search.pattern("Needle"))
    assert str(line) == "a.txt:2: needle"
