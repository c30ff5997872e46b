"""run.py again and again in one project: a second run goes on with a new version, a poor model goes nowhere."""

from __future__ import annotations

import json

import pytest
from workload_support import RUN, Project, told


@pytest.mark.slow
def test_a_second_run_goes_on_with_a_new_version(project: Project) -> None:
    for version in ("1", "2"):
        done = project.python(RUN)
        assert done.returncode == 0, done.stderr
        found = told(done.stdout)
        assert found["model"] == f"image-classifier:{version}"
        assert float(found["accuracy"]) >= 0.95
        assert int(found["images"]) >= 500
    shown = project.python("-m", "amlops", "batch-endpoint", "show", "--name", "image-scoring", "--output", "json")
    assert json.loads(shown.stdout)["defaults"]["deployment_name"] == "default"
    page = (project.root / found["report"]).read_text(encoding="utf-8")
    assert "image-classifier version 2" in page

    sets = ("inputs.min_accuracy=1", "inputs.epochs=1", "inputs.hidden_units=4")
    words = [word for entry in sets for word in ("--set", entry)]
    poor = project.python("-m", "amlops", "job", "create", "-f", "pipelines/image-scoring/train.yml", *words)
    assert poor.returncode == 3
    assert "below min_accuracy 1.0" in poor.stderr
    assert "Traceback" not in poor.stderr
    models = project.python("-m", "amlops", "model", "list", "--name", "image-classifier", "--output", "json")
    assert len(json.loads(models.stdout)) == 2
