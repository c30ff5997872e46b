"""A small project with a pipeline: one component that every step uses, and steps that do what their inputs say."""

from __future__ import annotations

from amlops_support import SmallProject

STEP = """\
import argparse, json, os, pathlib, sys, time

parser = argparse.ArgumentParser()
for name in ("data", "note", "out", "fail", "log"):
    parser.add_argument(f"--{name}")
parser.add_argument("--rate", type=float)
parser.add_argument("--sleep", type=float)
options = parser.parse_args()
started = time.time()
print("argv:", json.dumps(sys.argv[1:]))
time.sleep(options.sleep)
if options.log == "True":
    import mlflow
    mlflow.log_params({"rate": options.rate})
    mlflow.log_metric("accuracy", 0.9)
if options.fail == "True":
    sys.exit("broken on purpose")
seen = {"cwd": os.getcwd(), "mlflow": "mlflow" in sys.modules, "start": started, "end": time.time(), **vars(options)}
seen["env"] = {k: v for k, v in os.environ.items() if k.startswith(("AMLOPS_", "MLFLOW_", "MY_"))}
if options.data:
    seen["before"] = json.loads(pathlib.Path(options.data, "seen.json").read_text())["out"]
pathlib.Path(options.out, "seen.json").write_text(json.dumps(seen))
"""

COMPONENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: step
version: "1"
inputs:
  data: {type: uri_folder, optional: true}
  note: {type: string, default: none}
  rate: {type: number, default: 0.1, min: 0, max: 1}
  sleep: {type: number, default: 0}
  fail: {type: boolean, default: false}
  log: {type: boolean, default: false}
outputs:
  out: {type: uri_folder}
code: ../../code/the step
environment: azureml:training@latest
command: >-
  python main.py $[[--data ${{inputs.data}}]] --note ${{inputs.note}} --rate ${{inputs.rate}}
  --sleep ${{inputs.sleep}} --fail ${{inputs.fail}} --log ${{inputs.log}} --out ${{outputs.out}}
"""

# a and b are independent; c needs a, d needs b.
PIPELINE = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
display_name: A small pipeline
experiment_name: small
settings:
  default_compute: azureml:cpu-cluster
  continue_on_step_failure: true
inputs:
  rate: 0.5
  sleep: 0
  fail: false
  log: false
outputs:
  final: {type: uri_folder}
jobs:
  d:
    type: command
    component: ./step.yml
    inputs: {data: "${{parent.jobs.b.outputs.out}}"}
  a:
    type: command
    component: ./step.yml
    inputs: {sleep: "${{parent.inputs.sleep}}"}
  b:
    type: command
    component: ./step.yml
    inputs: {sleep: "${{parent.inputs.sleep}}", fail: "${{parent.inputs.fail}}"}
  c:
    type: command
    component: ./step.yml
    inputs:
      data: ${{parent.jobs.a.outputs.out}}
      rate: ${{parent.inputs.rate}}
      log: ${{parent.inputs.log}}
    outputs: {out: "${{parent.outputs.final}}"}
"""

FILE = "pipelines/small/train.yml"


def small_pipeline(project: SmallProject) -> SmallProject:
    """Write the pipeline into a project."""
    project.write("code/the step/main.py", STEP)
    project.write("pipelines/small/step.yml", COMPONENT)
    project.write(FILE, PIPELINE)
    return project
