"""Parallel steps of pipelines: real processes, on files and on tables; what a.1 to a.5 of the notes say of them."""

from __future__ import annotations

import csv
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from amlops_support import SmallProject

SCRIPT = """\
import argparse, json, os, sys, time
from pathlib import Path

def init():
    global options
    parser = argparse.ArgumentParser()
    for name in ("factor", "word", "trace", "model"):
        parser.add_argument(f"--{name}")
    options, _ = parser.parse_known_args()
    seen = {"argv": sys.argv[1:], "cwd": os.getcwd(), "env": {k: v for k, v in os.environ.items() if k.startswith("MY_")}}
    Path(options.trace, f"{os.getpid()}.json").write_text(json.dumps(seen))

def run(mini_batch):
    rows = []
    for item in mini_batch:
        text = Path(item).read_text()
        if text == "raise":
            raise ValueError("a bad file")
        if text == "hang":
            time.sleep(600)
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
