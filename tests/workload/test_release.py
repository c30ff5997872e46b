"""The release file of the workload on this machine: two commits go all the way, batch and real time, a third is bad."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from workload_support import ROOT, Project

sys.path.insert(0, str(ROOT / "tools"))
import envs

pytestmark = pytest.mark.slow

_FILE = ".cloud/release/image-scoring.yml"
_COMMITS = [digit * 40 for digit in "abc"]
_NAMES = [f"r-{commit[:12]}" for commit in _COMMITS]


def amlops(project: Project, *words: str) -> Any:
    done = project.python("-m", "amlops", *words, "-o", "json", AMLOPS_ONLINE_PYTHON=str(envs.online_python()))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else done.stderr


@pytest.fixture
def with_real_time(project: Project) -> Iterator[Project]:
    """The release with its real-time lines uncommented, as its comment says; quick, and for this machine."""
    file = project.root / _FILE
    head, _, lines = file.read_text(encoding="utf-8").partition("# real_time:")
    lines = "real_time:" + lines.replace("\n# ", "\n")
    data = yaml.safe_load(head + lines)
    (entry,) = data["real_time"]
    entry["rollout"] |= {"hold": 2, "rate": 20, "max_p95_ms": 2000}
    entry["stress"] |= {"environment": "local", "rates": [10], "min_rate": 5, "duration": 2}
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    validated = project.python("-m", "amlops", "validate", _FILE)
    assert validated.returncode == 0, validated.stdout
    yield project
    project.python("-m", "amlops", "online-endpoint", "delete", "--name", "image-scoring-online", "--yes")


def serving(project: Project) -> tuple[str, dict[str, int]]:
    """The default of the batch endpoint, and the shares above 0 of the other."""
    batch = amlops(project, "batch-endpoint", "show", "--name", "image-scoring")
    online = amlops(project, "online-endpoint", "show", "--name", "image-scoring-online")
    return batch["defaults"]["deployment_name"], {name: share for name, share in online["traffic"].items() if share}


def test_two_commits_serve_one_after_the_other_and_a_bad_one_does_not(with_real_time: Project) -> None:
    project, online = with_real_time, {}
    for number, (commit, name) in enumerate(zip(_COMMITS[:2], _NAMES[:2], strict=True), start=1):
        amlops(project, "release", "train", "--commit", commit)
        batch, online = amlops(project, "release", "deploy", "--commit", commit)
        assert batch["model"] == online["model"] == f"azureml:image-classifier:{number}"
        assert serving(project) == (name, {name: 100})
        assert (online["smoke"], online["stress"]["highest_rate_held"]) == (4, 10)
    assert [stage["stage"] for stage in online["rollout"]] == ["10 %", "50 %", "100 %"]
    # The way back is there.
    left = amlops(project, "online-deployment", "list", "--endpoint-name", "image-scoring-online")
    assert {one["name"] for one in left} == set(_NAMES[:2])

    driver = project.root / "code/image-scoring/score_online/online_driver.py"
    text = driver.read_text(encoding="utf-8")
    driver.write_text(text.replace("predictions(_model, pixels)", "predictions(_model, 255 - pixels)"), "utf-8")
    amlops(project, "release", "train", "--commit", _COMMITS[2])
    said = project.python(
        "-m", "amlops", "release", "deploy", "--commit", _COMMITS[2], AMLOPS_ONLINE_PYTHON=str(envs.online_python())
    )
    assert said.returncode == 3
    assert "image-scoring-online: smoke test 'the digit" in said.stderr.splitlines()[-1]
    assert serving(project)[1] == {_NAMES[1]: 100}
