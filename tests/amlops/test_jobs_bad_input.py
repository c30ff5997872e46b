"""Job files and arguments that are wrong: one line each with the place and the rule, exit code 1 or 2, and
nothing half-made.
"""

from __future__ import annotations

import pytest
from amlops_support import SmallProject
from job_files import COMPONENT, FILE, PIPELINE, small_pipeline
from pydantic import BaseModel

from amlops.jobspec import keys
from amlops.validate.schema import jobs, parallel

STEP_FILE = "pipelines/small/step.yml"

# what is replaced in the pipeline, by what, and what the line must say
PIPELINE_FAULTS = {
    "unknown parent input": (
        "parent.inputs.rate}}",
        "parent.inputs.speed}}",
        "no input 'speed'; inputs: rate, sleep, fail, log",
    ),
    "unknown step": (
        "parent.jobs.a.outputs.out",
        "parent.jobs.z.outputs.out",
        "there is no step 'z'; steps: d, a, b, c",
    ),
    "unknown output of a step": (
        "parent.jobs.a.outputs.out",
        "parent.jobs.a.outputs.model",
        "has no output 'model'; outputs: out",
    ),
    "unknown parent output": ("parent.outputs.final", "parent.outputs.last", "no output 'last'; outputs: final"),
    "text beside a binding": (
        "data: ${{parent.jobs.a.outputs.out}}",
        "data: ${{parent.jobs.a.outputs.out}}/x",
        "mixes text",
    ),
    "not an expression": ("${{parent.jobs.a.outputs.out}}", "${{parent.jobs.a.out}}", "is not an expression"),
    "above the maximum": ("rate: 0.5", "rate: 1.5", "'1.5' is above the maximum 1"),
    "not a number": ("rate: 0.5", "rate: fast", "'fast' is not a number; for example 0.1"),
    "not a boolean": ("fail: false", "fail: maybe", "'maybe' is not a boolean"),
    "unknown input of the component": (
        '{sleep: "${{parent.inputs.sleep}}"}',
        "{slep: 1}",
        "no such input; it has: data, note",
    ),
    "unknown key": ("display_name: A", "displayname: A", "did you mean 'display_name'?"),
    "unknown key of a step": ("    component: ./step.yml", "    componnt: ./step.yml", "did you mean 'component'?"),
    "component file missing": ("./step.yml", "./steps.yml", "'./steps.yml' does not exist"),
    "registered component": ("./step.yml", "azureml:step@latest", "the component 'step' is not registered"),
    "kind of step": ("    type: command\n    component", "    type: sweep\n    component", "'sweep' steps are not run"),
    "kind of job": ("type: pipeline\ndisplay", "type: automl\ndisplay", "'automl' jobs are not run"),
    "step name": ("  a:\n    type", "  A-1:\n    type", "a step's name must be"),
    "data where a value is needed": (
        "rate: 0.5",
        "rate: {type: uri_folder, path: .}",
        "the value is uri_folder, the component needs number",
    ),
    "value where data is needed": (
        "data: ${{parent.jobs.a.outputs.out}}",
        "data: ${{parent.inputs.rate}}",
        "the value is number, the component needs uri_folder",
    ),
    "step output where a value is needed": (
        "rate: ${{parent.inputs.rate}}",
        "rate: ${{parent.jobs.a.outputs.out}}",
        "the output is uri_folder, the component needs number",
    ),
    "circle": (
        'inputs: {sleep: "${{parent.inputs.sleep}}"}',
        'inputs: {data: "${{parent.jobs.c.outputs.out}}"}',
        "the steps wait for each other",
    ),
    "output that nobody writes": (
        "final: {type: uri_folder}",
        "final: {type: uri_folder}\n  rest: {}",
        "no step writes this output",
    ),
    "output that two steps write": (
        '{data: "${{parent.jobs.b.outputs.out}}"}',
        '{data: "${{parent.jobs.b.outputs.out}}"}\n    outputs: {out: "${{parent.outputs.final}}"}',
        "is written by two steps, 'd' and 'c'",
    ),
    "output registered by name": (
        "final: {type: uri_folder}",
        "final: {type: custom_model, name: a/b}",
        "'a/b' must be letters, digits",
    ),
    "type of an output": ("final: {type: uri_folder}", "final: {type: folder}", "'folder' is not a type of an output"),
    "data that is not there": (
        "  rate: 0.5",
        "  rate: 0.5\n  images: {type: uri_folder, path: ./images}",
        "'./images' does not exist",
    ),
    "file where a folder is needed": (
        "  rate: 0.5",
        "  rate: 0.5\n  images: {type: uri_folder, path: ./step.yml}",
        "uri_folder needs a folder",
    ),
    "data asset": (
        "  rate: 0.5",
        "  rate: 0.5\n  images: {type: uri_folder, path: 'azureml:images:1'}",
        "the data asset 'images' is not registered; there is none yet",
    ),
    "data in the cloud": (
        "  rate: 0.5",
        "  rate: 0.5\n  images: {type: uri_file, path: 'abfss://raw@lake.dfs.core.windows.net/a'}",
        "is not reached from the laptop",
    ),
    "model that is not there": (
        "  rate: 0.5",
        "  rate: 0.5\n  m: {type: custom_model, path: 'azureml:m:1'}",
        "'m' is not registered",
    ),
    "typed literal": ("  rate: 0.5", "  rate: {type: number, default: 0.5}", "is not a key of a job's input"),
    "no steps": ("jobs:", "jobs: {}\nx:", "is not a key of a pipeline job"),
    "wait for init": ("settings:", "settings:\n  on_init: a", "are not run on the laptop"),
    "continue": ("continue_on_step_failure: true", "continue_on_step_failure: 1", "must be true or false"),
    "key twice": ("  rate: 0.5", "  rate: 0.5\n  rate: 0.6", "the key 'rate' appears twice"),
    "not YAML": ("inputs:\n  rate", "inputs: [\n  rate", "not valid YAML"),
    "variables": (
        "    component: ./step.yml\n    inputs: {data",
        "    component: ./step.yml\n    environment_variables: {A: [1]}\n    inputs: {data",
        "environment_variables.A: must be text",
    ),
}

COMPONENT_FAULTS = {
    "undeclared input": (
        "${{inputs.rate}}",
        "${{inputs.speed}}",
        "${{inputs.speed}} is not declared; inputs: data, note",
    ),
    "undeclared output": ("${{outputs.out}}", "${{outputs.model}}", "${{outputs.model}} is not declared; outputs: out"),
    "shell": ("--out ${{outputs.out}}", "--out ${{outputs.out}} && ls", "needs a shell"),
    "program": (
        "  python main.py",
        "  no-such-program main.py",
        "the program 'no-such-program' is not on this machine",
    ),
    "optional without brackets": (
        "$[[--data ${{inputs.data}}]]",
        "--data ${{inputs.data}}",
        "is optional and must stand in $[[…]]",
    ),
    "code": ("code: ../../code/the step", "code: ../../code/missing", "'../../code/missing' does not exist"),
    "type of an input": ("type: string", "type: text", "'text' is not a type of an input"),
    "default": ("type: number, default: 0.1", "type: number, default: 7", "'7' is above the maximum 1"),
    "default of a string enum": (
        "type: string, default: none",
        "type: string, default: c, enum: [a, b]",
        "'c' is not allowed; one of a, b",
    ),
    "limit of a string": (
        "type: string, default: none",
        "type: string, default: none, max: 3",
        "a limit needs type number or integer",
    ),
    "name of an input": ("  note: {", "  my-note: {", "a name must be letters, digits and '_'"),
    "missing value": (
        "note: {type: string, default: none}",
        "note: {type: string}",
        "the input 'note' (string) needs a value",
    ),
    "kind": ("type: command\nname", "type: spark\nname", "'spark' components are not run"),
    "no command": ("command: >-", "description: >-", "a command is needed"),
    "unknown key": ("environment: azureml", "enviroment: azureml", "did you mean 'environment'?"),
}


def check(project: SmallProject, says: str, *words: str, code: int = 1) -> None:
    """The command is refused in one line that says `says`, and no job was made."""
    result = project.call(*words)
    assert result.code == code, result.err
    assert result.out == ""
    assert says in result.line
    assert not (project.root / ".amlops" / "jobs").exists()


@pytest.mark.parametrize("fault", PIPELINE_FAULTS)
def test_pipeline_faults(project: SmallProject, fault: str) -> None:
    old, new, says = PIPELINE_FAULTS[fault]
    assert old in PIPELINE
    small_pipeline(project).write(FILE, PIPELINE.replace(old, new))
    check(project, says, "job", "create", "-f", FILE)
    line = project.call("job", "create", "-f", FILE).line
    assert line.startswith(f"amlops: {FILE}:"), line


@pytest.mark.parametrize("fault", COMPONENT_FAULTS)
def test_component_faults(project: SmallProject, fault: str) -> None:
    old, new, says = COMPONENT_FAULTS[fault]
    assert old in COMPONENT
    small_pipeline(project).write(STEP_FILE, COMPONENT.replace(old, new))
    check(project, says, "job", "create", "-f", FILE)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--set", "inputs.rate"], 1, "must be KEY=VALUE"),
        (["--set", "=3"], 1, "must be KEY=VALUE"),
        (
            ["--set", "inputs.rat=1"],
            1,
            "--set: 'inputs.rat' is not an input of this job; did you mean 'rate'? it has",
        ),
        (["--set", "inputs.zz.path=x"], 1, "--set: 'inputs.zz' is not an input of this job; it has: rate, "),
        (["--set", "inputs={zz: 1}"], 1, "'inputs.zz' is not an input of this job"),
        (["--set", "inputs.rate.x=1"], 1, "goes below 'inputs.rate', which is a plain value"),
        (["--set", "inputs.rate=[1"], 1, "is not a YAML value"),
        (["--set", "inputs.rate=7"], 1, "'7' is above the maximum 1"),
        (["--set", "jobs.z.type=command"], 1, "jobs.z"),
        (["--name", "a/b"], 1, "'a/b' must be letters"),
        (["--tag", "stage"], 2, "'stage' must be KEY=VALUE"),
        (["-o", "xml"], 2, "'xml' is not a format"),
        (["--env", "prod"], 1, "'prod' is not an environment of this project; one of local"),
        (["--print-az"], 2, "--print-az: the environment 'local' is not in Azure"),
    ],
)
def test_arguments(project: SmallProject, words: list[str], code: int, says: str) -> None:
    check(small_pipeline(project), says, "job", "create", "-f", FILE, *words, code=code)


@pytest.mark.slow
def test_an_input_that_a_command_job_does_not_declare(project: SmallProject) -> None:
    job = "type: command\ncommand: python -V\nenvironment: azureml:e@latest\ncompute: azureml:c\n"
    project.write("job.yml", job)
    words = ("job", "create", "-f", "job.yml", "--set")
    check(project, "'inputs.rate' is not an input of this job; it has: none", *words, "inputs.rate=1")
    project.write("job.yml", f"{job}inputs: {{rate: 2}}\n")
    assert project.run(*words, "inputs.rate=1", "--query", "inputs.rate").json == 1


def test_a_file_that_is_not_a_job(project: SmallProject) -> None:
    project.write("e.yml", "name: scorer\n")
    check(project, "e.yml: is not a job: it has neither 'type: pipeline' nor 'command'", "job", "create", "-f", "e.yml")


def test_limits_and_environment_files(project: SmallProject) -> None:
    small_pipeline(project)
    for text, says in (
        ("environment: local\nlimits: {cores: many}\n", "'many' must be a whole number"),
        ("environment: local\nlimits: {cores: -1}\n", "'-1' must be a whole number, 0 or more"),
        ("environment: dev\n", "'dev' must be 'local'"),
        ("environment: local\nlimits: 4\n", "must be a mapping"),
        ("environment: [", "not valid YAML"),
    ):
        project.write(".cloud/environments/local.yml", text)
        check(project, says, "job", "create", "-f", FILE)


def test_outside_of_a_project(project: SmallProject) -> None:
    outside = project.root.parent / "elsewhere"
    outside.mkdir()
    result = project.run("job", "list", cwd=outside)
    assert result.code == 1 and "is not in a project" in result.line


@pytest.mark.parametrize(
    ("table", "shape"),
    [
        ("COMMAND_JOB", jobs.CommandJob),
        ("PIPELINE_JOB", jobs.PipelineJob),
        ("COMMAND_COMPONENT", jobs.CommandComponent),
        ("COMMAND_STEP", jobs.CommandStep),
        ("SETTINGS", jobs.PipelineSettings),
        ("COMPONENT_OUTPUT", jobs.ComponentOutput),
        ("JOB_INPUT", jobs.JobInput),
        ("PARALLEL_COMPONENT", parallel.ParallelComponent),
        ("PARALLEL_TASK", parallel.ParallelTask),
        ("PARALLEL_STEP", parallel.ParallelStep),
        ("PIPELINE_COMPONENT", jobs.PipelineComponent),
        ("PIPELINE_STEP", jobs.PipelineStep),
    ],
)
def test_running_and_validating_know_the_same_keys(table: str, shape: type[BaseModel]) -> None:
    assert getattr(keys, table) == {field.alias or name for name, field in shape.model_fields.items()}
