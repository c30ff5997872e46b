"""Batch deployments that are pipelines: several data and literal inputs, outputs in blob data stores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from amlops_support import SmallProject

pytestmark = pytest.mark.slow

MAIN = """\
import argparse, json, pathlib
parser = argparse.ArgumentParser()
for name in ("one", "two", "mode", "out", "before", "model"):
    parser.add_argument(f"--{name}")
parser.add_argument("--rate", type=float)
options = parser.parse_args()
def read(folder):
    return sorted(p.read_text() for p in pathlib.Path(folder).rglob("*.txt")) if folder else None
seen = {"one": read(options.one), "two": read(options.two), "mode": options.mode, "rate": options.rate}
if options.before:
    seen = json.loads(pathlib.Path(options.before, "seen.json").read_text())
seen["model"] = read(options.model) or seen.get("model")
pathlib.Path(options.out, "seen.json").write_text(json.dumps(seen))
"""
PIPELINE = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json
type: pipeline
name: score_two
inputs:
  one: {type: uri_folder}
  two: {type: uri_folder}
  mode: {type: string, default: append}
  rate: {type: number, min: 0, max: 1}
outputs: {scores: {type: uri_folder, mode: upload}}
jobs:
  prepare:
    type: command
    component: ./prepare.yml
    inputs:
      one: ${{parent.inputs.one}}
      two: ${{parent.inputs.two}}
      mode: ${{parent.inputs.mode}}
      rate: ${{parent.inputs.rate}}
      model: {type: custom_model, path: azureml:weights@latest}
  finish:
    type: command
    component:
      type: command
      code: ../src
      command: python main.py --before ${{inputs.before}} --out ${{outputs.out}}
      environment: azureml:e@latest
      inputs: {before: {type: uri_folder}}
      outputs: {out: {type: uri_folder}}
    inputs: {before: "${{parent.jobs.prepare.outputs.out}}"}
    outputs: {out: {mode: upload, path: "${{parent.outputs.scores}}"}}
"""
PREPARE = """\
type: command
name: prepare
code: ../src
environment: azureml:e@latest
inputs:
  one: {type: uri_folder}
  two: {type: uri_folder}
  mode: {type: string}
  rate: {type: number}
  model: {type: custom_model}
outputs: {out: {type: uri_folder}}
command: >-
  python main.py --one ${{inputs.one}} --two ${{inputs.two}} --mode ${{inputs.mode}} --rate ${{inputs.rate}}
  --model ${{inputs.model}} --out ${{outputs.out}}
"""
DEPLOYMENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineComponentBatchDeployment.schema.json
name: two-inputs
endpoint_name: scoring
type: pipeline
component: pipelines/score.yml
settings:
  continue_on_step_failure: false
  default_compute: batch-cluster
"""
INPUTS = """\
inputs:
  one: {type: uri_folder, path: first}
  two: {type: uri_folder, path: second}
  mode: {type: string, default: overwrite}
  rate: {type: number, default: 0.5}
outputs:
  scores: {type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/scores/today}
"""
SETS = (
    "--set", "inputs.one.type=uri_folder", "inputs.one.path=first", "inputs.two.type=uri_folder",
    "inputs.two.path=second", "inputs.rate.type=number", "inputs.rate.default=0.25",
)  # fmt: skip


@pytest.fixture
def deployed(project: SmallProject) -> SmallProject:
    project.write("src/main.py", MAIN)
    project.write("pipelines/score.yml", PIPELINE)
    project.write("pipelines/prepare.yml", PREPARE)
    project.write("deployment.yml", DEPLOYMENT)
    project.write("first/a.txt", "1")
    project.write("second/b.txt", "2")
    project.write("weights/w.txt", "old")
    assert project.run("model", "create", "-n", "weights", "-p", "weights").code == 0
    assert project.run("batch-endpoint", "create", "-n", "scoring").code == 0
    result = project.run("batch-deployment", "create", "-f", "deployment.yml", "--set-default")
    assert result.code == 0, result.err
    return project


def invoke(project: SmallProject, *words: str) -> dict[str, object]:
    result = project.run("batch-endpoint", "invoke", "-n", "scoring", *words)
    assert result.code == 0, result.err
    return result.json


def seen(folder: object) -> dict[str, object]:
    return json.loads(Path(str(folder), "seen.json").read_text(encoding="utf-8"))


def test_a_file_gives_two_data_inputs_two_literals_and_the_place_of_an_output(deployed: SmallProject) -> None:
    deployed.write("inputs.yml", INPUTS)
    record = invoke(deployed, "--file", "inputs.yml", "--job-name", "by-file")
    assert record["type"] == "pipeline" and record["name"] == "by-file" and record["status"] == "Completed"
    assert record["endpoint_name"] == "scoring" and record["deployment_name"] == "two-inputs"
    place = deployed.root / ".amlops/datastores/workspaceblobstore/scores/today"
    assert record["outputs"] == {"scores": str(place)}
    assert seen(place) == {"one": ["1"], "two": ["2"], "mode": "overwrite", "rate": 0.5, "model": ["old"]}
    jobs = deployed.run("batch-endpoint", "list-jobs", "-n", "scoring", "--query", "[].name").json
    assert jobs == ["by-file"]
    assert deployed.run("job", "download", "-n", "by-file", "--output-name", "scores").code == 0
    assert seen(deployed.root / "named-outputs" / "scores")["mode"] == "overwrite"


def test_set_gives_inputs_too_and_a_deployment_stays_as_it_was(deployed: SmallProject) -> None:
    # Azure ML keeps component, code and model versions of the moment in which the deployment was created.
    deployed.write("src/main.py", "raise SystemExit('changed')")
    deployed.write("pipelines/prepare.yml", "nonsense: true")
    deployed.write("weights/w.txt", "new")
    assert deployed.run("model", "create", "-n", "weights", "-p", "weights").code == 0
    record = invoke(deployed, *SETS)
    outputs = record["outputs"]
    assert isinstance(outputs, dict)
    found = seen(outputs["scores"])
    assert found == {"one": ["1"], "two": ["2"], "mode": "append", "rate": 0.25, "model": ["old"]}
    shown = deployed.run("batch-deployment", "show", "-n", "two-inputs", "-e", "scoring").json
    assert shown["type"] == "pipeline" and shown["component"] == "pipelines/score.yml"
    assert shown["inputs"]["mode"] == {"type": "string", "default": "append"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--input", "first"), "--input: the deployment 'two-inputs' is a pipeline; give its inputs by name"),
        (("--mini-batch-size", "3", *SETS), "--mini-batch-size: the deployment 'two-inputs' is a pipeline"),
        ((*SETS, "retry_settings.timeout=3"), "'retry_settings.timeout' cannot be changed"),
        (SETS[:-2], "the input 'rate' (number) needs a value"),
        ((*SETS[:-1], "inputs.rate.default=7"), "'7' is above the maximum 1"),
        ((*SETS, "inputs.mode=fast"), "inputs.mode: must say its type: {type: string, default: fast}"),
        ((*SETS, "inputs.three.type=string", "inputs.three.default=x"), "the component has no such input"),
        ((*SETS[:2], "inputs.one.path=nowhere", *SETS[3:]), "nowhere' does not exist"),
        ((*SETS, "outputs.scores.path=azureml://datastores/nobody/paths/x"), "there is no data store 'nobody'"),
        ((*SETS, "outputs.score.type=uri_folder"), "the component has no such output; it has: scores"),
    ],
)
def test_a_wrong_invocation_makes_nothing(deployed: SmallProject, words: tuple[str, ...], says: str) -> None:
    result = deployed.run("batch-endpoint", "invoke", "-n", "scoring", *words)
    assert result.code == 1 and says in result.line, result.err
    assert not list((deployed.root / ".amlops" / "jobs").glob("*"))


def test_outputs_go_to_blob_data_stores_only(deployed: SmallProject) -> None:
    deployed.write("lake.yml", "name: lake\ntype: azure_data_lake_gen2\nfilesystem: data\naccount_name: account\n")
    assert deployed.run("datastore", "create", "-f", "lake.yml").code == 0
    words = (*SETS, "outputs.scores.path=azureml://datastores/lake/paths/x")
    result = deployed.run("batch-endpoint", "invoke", "-n", "scoring", *words)
    assert result.code == 1 and "batch endpoints write only to blob data stores" in result.line


def test_a_deployment_of_a_job_and_of_a_registered_component(deployed: SmallProject) -> None:
    assert deployed.run("component", "create", "-f", "pipelines/score.yml").code == 0
    deployed.write("registered.yml", DEPLOYMENT.replace("pipelines/score.yml", "azureml:score_two@latest"))
    result = deployed.run("batch-deployment", "create", "-f", "registered.yml", "--name", "registered")
    assert result.code == 0 and result.json["component"] == "azureml:score_two:1", result.err
    job = "type: pipeline\ninputs: {word: hello}\njobs:\n  say:\n    type: command\n    environment: azureml:e@latest\n"
    job += '    command: python -c "print(1)" ${{inputs.word}}\n    inputs: {word: "${{parent.inputs.word}}"}\n'
    deployed.write("job.yml", job)
    assert deployed.run("job", "create", "-f", "job.yml", "--name", "a-job").code == 0
    deployed.write(
        "from-job.yml", DEPLOYMENT.replace("component: pipelines/score.yml", "job_definition: azureml:a-job")
    )
    result = deployed.run("batch-deployment", "create", "-f", "from-job.yml", "--name", "from-job")
    assert result.code == 0, result.err
    assert result.json["inputs"] == {"word": {"type": "string", "default": "hello"}}
    record = invoke(deployed, "--deployment-name", "from-job")
    assert record["inputs"] == {"word": "hello"} and record["status"] == "Completed"
    deployed.write("job.yml", job.replace("hello", "other"))
    changed = deployed.run("batch-deployment", "create", "-f", "from-job.yml", "--name", "again")
    assert changed.code == 1 and "job.yml has changed since job 'a-job' ran" in changed.line


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("component: pipelines/score.yml", "component: pipelines/scores.yml", "'pipelines/scores.yml' does not exist"),
        (
            "component: pipelines/score.yml",
            "component: pipelines/prepare.yml",
            "is a command component; name a pipeline component",
        ),
        ("component: pipelines/score.yml", "component: azureml:nobody:1", "nobody"),
        ("component: pipelines/score.yml", "tags: {a: b}", "has neither component nor job_definition"),
        ("component: pipelines/score.yml", "job_definition: azureml:nobody", "there is no job 'nobody'"),
        ("continue_on_step_failure: false", "continue_on_failure: false", "is not a key that Azure ML knows"),
        ("endpoint_name: scoring", "endpoint_name: other", "there is no batch endpoint 'other' yet"),
    ],
)
def test_faults_of_deployments(deployed: SmallProject, old: str, new: str, says: str) -> None:
    assert old in DEPLOYMENT
    deployed.write("deployment.yml", DEPLOYMENT.replace(old, new).replace("name: two-inputs", "name: second"))
    result = deployed.run("batch-deployment", "create", "-f", "deployment.yml")
    assert result.code == 1 and says in result.line, result.err
    assert deployed.run("batch-deployment", "list", "-e", "scoring", "--query", "[].name").json == ["two-inputs"]


SCORE = "from pathlib import Path\ndef init(): pass\ndef run(batch): return [Path(item).name for item in batch]\n"
MODEL_DEPLOYMENT = """\
type: model
name: by-model
endpoint_name: scoring
model: {path: weights}
code_configuration: {code: code, scoring_script: score.py}
environment: {image: python}
compute: azureml:c
settings: {mini_batch_size: 1}
"""


def test_a_model_deployment_takes_its_only_input_and_output_by_name_too(deployed: SmallProject) -> None:
    deployed.write("code/score.py", SCORE)
    deployed.write("model.yml", MODEL_DEPLOYMENT)
    assert deployed.run("batch-deployment", "create", "-f", "model.yml").code == 0
    words = ("--deployment-name", "by-model", "--set", "inputs.anything.type=uri_folder", "inputs.anything.path=first")
    place = "azureml://datastores/workspaceblobstore/paths/by-name"
    record = invoke(deployed, *words, "retry_settings.max_retries=1", f"outputs.score.path={place}")
    assert Path(str(record["output_file"])).read_text(encoding="utf-8") == "a.txt\n"
    assert "datastores/workspaceblobstore/by-name" in str(record["output_file"])
    for more, says in (
        (
            ("inputs.two.type=uri_folder", "inputs.two.path=second"),
            "exactly one data input, and it has 2: anything, two",
        ),
        (("--input", "first"), "--input: inputs are given by name too"),
    ):
        result = deployed.run("batch-endpoint", "invoke", "-n", "scoring", *words, *more)
        assert result.code == 1 and says in result.line, result.err
