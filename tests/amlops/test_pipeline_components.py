"""Pipelines inside pipelines, and pipelines that are components."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from amlops_support import SmallProject

from amlops.errors import UserError
from amlops.jobspec import load_job

pytestmark = pytest.mark.slow

# Writes what it was given, with what its input folder holds.
STEP = """\
import argparse, json, pathlib, sys, time
parser = argparse.ArgumentParser()
for name in ("data", "word", "out", "fail"):
    parser.add_argument(f"--{name}")
parser.add_argument("--rate", type=float)
options = parser.parse_args()
started = time.time()
if options.fail == options.word:
    sys.exit("as asked")
before = json.loads(pathlib.Path(options.data, "seen.json").read_text()) if options.data else None
seen = {"word": options.word, "rate": options.rate, "before": before, "started": started, "ended": time.time()}
pathlib.Path(options.out, "seen.json").write_text(json.dumps(seen))
"""
COMPONENT = """\
type: command
name: step
inputs:
  data: {type: uri_folder, optional: true}
  word: {type: string}
  rate: {type: number, default: 0.5}
  fail: {type: string, default: nothing}
outputs: {out: {type: uri_folder}}
code: ../src
environment: azureml:e@latest
command: >-
  python main.py $[[--data ${{inputs.data}}]] --word ${{inputs.word}} --rate ${{inputs.rate}} --fail ${{inputs.fail}}
  --out ${{outputs.out}}
"""
INNER = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json
type: pipeline
name: inner
inputs:
  data: {type: uri_folder}
  word: {type: string}
  rate: {type: number, default: 0.25}
  fail: {type: string, default: nothing}
outputs: {result: {type: uri_folder}}
jobs:
  first:
    type: command
    component: ./step.yml
    inputs: {data: "${{parent.inputs.data}}", word: "${{parent.inputs.word}}", rate: "${{parent.inputs.rate}}"}
    outputs: {out: "${{parent.outputs.result}}"}
  second:
    type: command
    component: ./step.yml
    inputs: {data: "${{parent.jobs.first.outputs.out}}", word: second, fail: "${{parent.inputs.fail}}"}
"""
OUTER = """\
type: pipeline
settings: {default_compute: azureml:c}
inputs: {word: hello, fail: nothing}
outputs: {final: {type: uri_folder}}
jobs:
  last:
    type: command
    component: ./step.yml
    inputs: {data: "${{parent.jobs.score.outputs.result}}", word: last}
    outputs: {out: "${{parent.outputs.final}}"}
  score:
    type: pipeline
    component: ./inner.yml
    inputs:
      data: ${{parent.jobs.prepare.outputs.out}}
      word: ${{parent.inputs.word}}
      fail: ${{parent.inputs.fail}}
  prepare:
    type: command
    component: ./step.yml
    inputs: {word: prepare}
"""
FILE = "pipelines/outer.yml"


@pytest.fixture
def nested(project: SmallProject) -> SmallProject:
    project.write("src/main.py", STEP)
    project.write("pipelines/step.yml", COMPONENT)
    project.write("pipelines/inner.yml", INNER)
    project.write(FILE, OUTER)
    return project


def seen(folder: str) -> dict[str, Any]:
    return json.loads(Path(folder, "seen.json").read_text(encoding="utf-8"))


def test_steps_of_an_inner_pipeline_are_steps_of_the_job(nested: SmallProject) -> None:
    result = nested.run("job", "create", "-f", FILE, "--name", "outer", "--set", "inputs.word=set")
    assert result.code == 0, result.err
    steps = result.json["steps"]
    assert list(steps) == ["prepare", "score.first", "score.second", "last"]
    assert {step["status"] for step in steps.values()} == {"Completed"}
    final = seen(result.json["outputs"]["final"])
    assert final["before"]["word"] == "set", "an input goes through two pipelines to the step"
    assert final["before"]["rate"] == 0.25, "the inner pipeline's default"
    assert final["before"]["before"]["word"] == "prepare", "an output of the outer one is an input of the inner one"
    # Azure ML: the inner pipeline is one step, so its outputs are there when all of it is done.
    assert final["started"] > seen(steps["score.second"]["outputs"]["out"])["ended"]


def test_what_needs_an_inner_pipeline_waits_for_all_of_it(nested: SmallProject) -> None:
    result = nested.run("job", "create", "-f", FILE, "--set", "inputs.fail=second")
    assert result.code == 3
    statuses = {name: step["status"] for name, step in result.json["steps"].items()}
    assert statuses == {
        "prepare": "Completed", "score.first": "Completed", "score.second": "Failed", "last": "Canceled",
    }  # fmt: skip


def test_an_output_of_an_inner_pipeline_is_an_output_of_the_job(nested: SmallProject) -> None:
    component = "    component: ./inner.yml\n"
    bound = '    outputs: {NAME: "${{parent.outputs.final}}"}\n'
    job = OUTER.replace(bound.replace("NAME", "out"), "")
    nested.write(FILE, job.replace(component, component + bound.replace("NAME", "result")))
    result = nested.run("job", "create", "-f", FILE)
    assert result.code == 0, result.err
    assert seen(result.json["outputs"]["final"])["word"] == "hello"
    assert result.json["steps"]["score.first"]["outputs"]["out"] == result.json["outputs"]["final"]


def test_a_job_whose_pipeline_is_a_component(nested: SmallProject) -> None:
    nested.write("data/seen.json", '{"word": "given"}')
    job = "type: pipeline\ncomponent: ./inner.yml\ninputs: {word: w, data: {type: uri_folder, path: ../data}}\n"
    nested.write("pipelines/job.yml", job)
    result = nested.run("job", "create", "-f", "pipelines/job.yml", "--set", "inputs.rate=0.75")
    assert result.code == 0, result.err
    assert result.json["inputs"] == {
        "data": str(nested.root / "data"), "word": "w", "rate": 0.75, "fail": "nothing",
    }  # fmt: skip
    assert list(result.json["steps"]) == ["first", "second"]
    found = seen(result.json["outputs"]["result"])
    assert (found["word"], found["rate"], found["before"]) == ("w", 0.75, {"word": "given"})


def test_a_registered_pipeline_is_a_step_as_it_was_registered(nested: SmallProject) -> None:
    assert nested.run("component", "create", "-f", "pipelines/inner.yml").code == 0
    nested.write("pipelines/inner.yml", "type: pipeline\n")
    nested.write(FILE, OUTER.replace("component: ./inner.yml", "component: azureml:inner@latest"))
    result = nested.run("job", "create", "-f", FILE, "--query", "steps.*.status")
    assert result.code == 0 and set(result.json) == {"Completed"}, result.err


def test_an_output_lies_in_a_data_store_under_the_name_of_the_job(nested: SmallProject) -> None:
    place = "azureml://datastores/${{default_datastore}}/paths/results/${{name}}/final"
    job = OUTER.replace("{final: {type: uri_folder}}", f'{{final: {{type: uri_folder, path: "{place}"}}}}')
    step = '    outputs: {out: {path: "azureml://datastores/workspaceblobstore/paths/first"}}\n'
    nested.write(FILE, job.replace("    inputs: {word: prepare}\n", f"    inputs: {{word: prepare}}\n{step}"))
    result = nested.run("job", "create", "-f", FILE, "--name", "stored")
    assert result.code == 0, result.err
    store = nested.root / ".amlops" / "datastores" / "workspaceblobstore"
    assert result.json["outputs"] == {"final": str(store / "results" / "stored" / "final")}
    assert seen(result.json["outputs"]["final"])["word"] == "last"
    assert seen(str(store / "first"))["word"] == "prepare"
    nested.write(FILE, job.replace("${{default_datastore}}", "nobody"))
    wrong = nested.run("job", "create", "-f", FILE, "--name", "wrong")
    assert wrong.code == 1 and "outputs.final.path: there is no data store 'nobody'" in wrong.line
    assert not (nested.root / ".amlops" / "jobs" / "wrong").exists()


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (FILE, "component: ./inner.yml", "component: ./innr.yml", "score.component: './innr.yml' does not exist"),
        (FILE, "component: ./inner.yml", "component: ./step.yml", "is a command component; write type: command"),
        (FILE, "component: ./inner.yml", "comment: none", "score.component: is missing"),
        (FILE, "outputs.result}", "outputs.results}", "the step 'score' has no output 'results'; outputs: result"),
        (FILE, "      word: ${{parent.inputs.word}}\n", "", "the input 'word' (string) needs a value"),
        (FILE, "      word: ${{", "      words: 1\n      word: ${{", "no such input; it has: data, word"),
        (FILE, "word: prepare}", 'word: prepare, data: "${{parent.jobs.last.outputs.out}}"}', "wait for each other"),
        ("pipelines/inner.yml", "component: ./step.yml", "component: ./inner.yml", "is a pipeline component"),
        ("pipelines/inner.yml", "${{parent.inputs.rate}}", "${{parent.inputs.rat}}", "no input 'rat'; inputs: data"),
        ("pipelines/inner.yml", 'outputs: {out: "${{parent.outputs.result}}"}', "comment: x", "no step writes this"),
        ("pipelines/inner.yml", "name: inner", "settings: {}", "is not a key of a pipeline component"),
    ],
)  # fmt: skip
def test_faults_of_inner_pipelines(nested: SmallProject, file: str, old: str, new: str, says: str) -> None:
    text = (nested.root / file).read_text(encoding="utf-8")
    assert old in text
    nested.write(file, text.replace(old, new, 1))
    with pytest.raises(UserError) as error:
        load_job(nested.root / FILE)
    assert says in str(error.value)


def test_a_pipeline_that_contains_itself_is_refused(nested: SmallProject) -> None:
    again = """\
  again:
    type: pipeline
    component: ./inner.yml
    inputs: {data: "${{parent.inputs.data}}", word: x}
"""
    nested.write("pipelines/inner.yml", INNER + again)
    with pytest.raises(UserError, match="contains itself"):
        load_job(nested.root / FILE)
