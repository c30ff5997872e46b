"""The same files under azure-ai-ml: it loads and validates what we run, and our tables are those of its schemas.

Importing azure-ai-ml takes seconds, so it is done once, in a process of its own that answers as JSON.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from amlops_support import LOCAL_YML, PROJECT, SmallProject
from job_files import FILE, PIPELINE, small_pipeline

from amlops.jobspec import keys, load_job
from amlops.jobspec.values import as_text

ASK = """
import json, logging, sys, warnings
from pathlib import Path
warnings.filterwarnings("ignore"); logging.disable(logging.CRITICAL)
from azure.ai.ml import load_job
from azure.ai.ml._schema.component.command_component import CommandComponentSchema
from azure.ai.ml._schema.component.parallel_component import ParallelComponentSchema
from azure.ai.ml._schema.component.parallel_task import ComponentParallelTaskSchema
from azure.ai.ml._schema.component.input_output import InputPortSchema, ParameterSchema
from azure.ai.ml._schema.job import CommandJobSchema
from azure.ai.ml._schema.job.input_output_entry import DataInputSchema, OutputSchema
from azure.ai.ml._schema.pipeline.component_job import CommandSchema, ParallelSchema
from azure.ai.ml._schema.pipeline.pipeline_component import PipelineComponentSchema, PipelineSchema
from azure.ai.ml._schema.pipeline.pipeline_job import PipelineJobSchema
from azure.ai.ml._schema.pipeline.settings import PipelineJobSettingsSchema

def fields(*schemas):
    found = set()
    for schema in schemas:
        made = schema(context={"base_path": Path(".")})
        found |= {field.data_key or name for name, field in made.fields.items() if not field.dump_only}
    return sorted(found)

answer = {"fields": {
    "COMMAND_JOB": fields(CommandJobSchema),
    "PIPELINE_JOB": fields(PipelineJobSchema),
    "COMMAND_STEP": fields(CommandSchema),
    "COMMAND_COMPONENT": fields(CommandComponentSchema),
    "SETTINGS": fields(PipelineJobSettingsSchema),
    "COMPONENT_INPUT": fields(ParameterSchema, InputPortSchema),
    "JOB_INPUT": fields(DataInputSchema),
    "JOB_OUTPUT": fields(OutputSchema),
    "PARALLEL_COMPONENT": fields(ParallelComponentSchema),
    "PARALLEL_TASK": fields(ComponentParallelTaskSchema),
    "PARALLEL_STEP": fields(ParallelSchema),
    "PIPELINE_COMPONENT": fields(PipelineComponentSchema),
    "PIPELINE_STEP": fields(PipelineSchema),
}, "jobs": {}}
for name in sys.argv[1:]:
    job = load_job(name)
    result = job._validate()
    rest = job._to_rest_object().properties
    answer["jobs"][name] = {
        "errors": result.error_messages,
        "inputs": {k: getattr(v, "value", None) for k, v in (rest.inputs or {}).items()},
        "steps": sorted(getattr(rest, "jobs", None) or []),
    }
print(json.dumps(answer))
"""


@pytest.fixture(scope="session")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What azure-ai-ml says about the small pipeline, as written and as rendered, and about the workload's own
    files.
    """
    pytest.importorskip("azure.ai.ml")
    project = SmallProject(tmp_path_factory.mktemp("azure"), tmp_path_factory.mktemp("cache"))
    project.write(".cloud/environments/local.yml", LOCAL_YML)
    project.write(
        ".cloud/environments/dev.yml",
        "environment: dev\nresource_group: rg\nworkspace: w\ncompute: {cpu-cluster: big}\n",
    )
    small_pipeline(project)
    for folder in ("code/image-scoring", "pipelines/image-scoring"):
        shutil.copytree(PROJECT / folder, project.root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    bound = PIPELINE.replace('{sleep: "${{parent.inputs.sleep}}"}', '{data: "${{parent.inputs.images}}"}')
    project.write("pipelines/small/open.yml", bound.replace("inputs:\n  rate", OPEN, 1))
    rendered = project.run("render", "--env", "dev", "-o", "build/dev")
    assert rendered.code == 0, rendered.err
    files = [FILE, f"build/dev/{FILE}", "build/dev/pipelines/small/open.yml", "pipelines/image-scoring/train.yml"]
    command = [sys.executable, "-c", ASK, *files]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "root": str(project.root)}


OPEN = "inputs:\n  images: {type: uri_folder}\n  rate"


def test_it_loads_what_we_run(answer: dict[str, Any]) -> None:
    assert len(answer["jobs"]) == 4
    for name, job in answer["jobs"].items():
        assert job["errors"] == {}, name
        spec = load_job(Path(answer["root"], name))
        assert job["steps"] == sorted(spec.steps), name


def test_literals_are_the_same_text(answer: dict[str, Any]) -> None:
    spec = load_job(Path(answer["root"], FILE))
    assert answer["jobs"][FILE]["inputs"] == {name: as_text(value) for name, value in spec.inputs.items()}
    assert answer["jobs"][FILE]["inputs"]["fail"] == "False"


def test_an_open_input_is_gone_after_rendering(answer: dict[str, Any]) -> None:
    assert "images" not in answer["jobs"]["build/dev/pipelines/small/open.yml"]["inputs"]


# Keys that the schemas do not list: `$schema` and `id` are read-only there; a step takes any key, of which we know
# those that its entity has; init and finalize steps are a preview; `value` is a schema of its own.
NOT_LISTED = {
    "COMMAND_JOB": {"$schema"},
    "PIPELINE_JOB": {"$schema"},
    "COMMAND_STEP": {"$schema", "name", "display_name", "description", "experiment_name", "tags"},
    "COMMAND_COMPONENT": set(),
    "SETTINGS": {"default_environment", "on_init", "on_finalize"},
    "COMPONENT_INPUT": set(),
    "JOB_INPUT": {"value"},
    "JOB_OUTPUT": set(),
    "PARALLEL_COMPONENT": {"properties"},
    "PARALLEL_TASK": set(),
    "PARALLEL_STEP": {"$schema", "name", "display_name", "description", "experiment_name", "tags"},
    "PIPELINE_COMPONENT": {"properties"},
    "PIPELINE_STEP": {"$schema", "name", "display_name", "description", "tags", "compute", "settings"},
}


@pytest.mark.parametrize("table", NOT_LISTED)
def test_our_keys_are_those_of_its_schemas(answer: dict[str, Any], table: str) -> None:
    assert getattr(keys, table) - NOT_LISTED[table] == set(answer["fields"][table]) - {"id"}
