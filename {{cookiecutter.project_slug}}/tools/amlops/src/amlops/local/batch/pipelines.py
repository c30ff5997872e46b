"""Batch deployments that are pipeline components: `type: pipeline`. An invocation is a pipeline job.

Facts (Azure ML, "How to deploy pipelines with batch endpoints"): a deployment keeps the component, with its code, as it
was when it was created; it takes any number of data and literal inputs and has any number of outputs, which go to blob
data stores. `job_definition` makes the component of a pipeline job: its inputs are those of the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlops import references, yamlfile
from amlops.errors import UserError
from amlops.files import sha256
from amlops.jobspec.model import DATA_TYPES, LITERAL_TYPES
from amlops.jobspec.nodes import PipelineComponent, load_component
from amlops.local.batch.invocation import Invocation
from amlops.local.batch.records import Record
from amlops.local.components import LocalComponents
from amlops.local.jobrecords import JobRecords
from amlops.local.jobs import LocalJobs
from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.yamlfile import YamlFile

TYPE = "pipeline"
# Flags of an invocation that change how a model deployment scores; a pipeline has no such settings.
_FOR_MODELS = ("input", "input_type", "mini_batch_size", "instance_count", "output_path", "overwrite", "workers")


class PipelineDeployments:
    """What a pipeline deployment keeps, and the jobs that its invocations are."""

    def __init__(self, state: LocalState, models: ModelStore, project: Project) -> None:
        self._state = state
        self._models = models
        self._project = project
        self._components = LocalComponents(project, state)

    def deployed(self, document: YamlFile) -> Record:
        """What the deployment's record says of its pipeline. Raises UserError."""
        data = document.data
        given, job = data.get("component"), data.get("job_definition")
        if bool(given) == bool(job):
            raise document.error(
                "a pipeline deployment needs a component or a job_definition, and not both; for example "
                "component: ./pipeline.yml",
                "component" if given else "job_definition" if job else "type",
            )
        if isinstance(job, dict):
            given, job = job.get("component"), None
        if job:
            frozen, name = self._of_job(document, str(job)), str(job)
        elif references.is_reference(given):
            frozen, name = self._registered(document, str(given))
        else:
            frozen, name = self._of_file(document, given)
        component = self._checked(document, frozen)
        return {
            "component": name,
            "component_path": str(frozen),
            "inputs": {
                key: _described(spec.type, spec.default, spec.optional) for key, spec in component.inputs.items()
            },
            "outputs": {key: {"type": spec.type} for key, spec in component.outputs.items()},
            "settings": dict(data.get("settings") or {}),
        }

    def invoke(self, deployment: Record, given: Invocation, job_name: str | None, flags: Mapping[str, Any]) -> Record:
        """Run the pipeline and return the job's record.

        Args:
            flags: the other flags of the invocation, by their names in `BatchEndpoints.invoke`.

        Raises:
            UserError: an input, an output or a flag is wrong; nothing has been made.
            JobFailed: the job ran and failed.
        """
        endpoint, name = deployment["endpoint_name"], deployment["name"]
        _refuse_flags(deployment, flags, given)
        component = Path(deployment["component_path"])
        if not component.is_file():
            raise UserError(f"deployment '{name}': {component} is gone; create the deployment again")
        settings = deployment["settings"]
        go_on = settings.get("continue_on_step_failure")
        data = {
            "type": "pipeline",
            "component": str(component),
            "display_name": f"{endpoint}/{name}",
            "experiment_name": endpoint,
            "settings": {
                **({} if go_on is None else {"continue_on_step_failure": go_on}),
                "default_datastore": settings.get("default_datastore") or "",
            },
            "inputs": {key: _value(entry) for key, entry in given.inputs.items()},
            "outputs": {key: dict(entry) for key, entry in given.outputs.items()},
        }
        # Relative paths start where the shell is.
        jobs = LocalJobs(self._state, self._models, self._project)
        try:
            spec = jobs.load(YamlFile(Path.cwd() / "invocation", data))
        except UserError as error:
            if error.file is None or error.file.name != "invocation":
                raise
            raise UserError(error.message) from None
        return jobs.run(
            spec,
            name=job_name,
            prefix=endpoint,
            option="--job-name",
            blob_only=True,
            fields={"endpoint_name": endpoint, "deployment_name": name, "file": deployment["file"]},
        )

    def _of_file(self, document: YamlFile, given: object) -> tuple[Path, str]:
        if not isinstance(given, str) or references.is_address(given):
            raise document.error(
                f"'{given}' must be a file or azureml:NAME:VERSION; for example ./pipeline.yml", "component"
            )
        path = document.resolve(given.removeprefix("file:"))
        if not path.is_file():
            raise document.error(f"'{given}' does not exist (looked at {path})", "component")
        return self._components.frozen(yamlfile.load(path)), self._project.shown(path)

    def _registered(self, document: YamlFile, reference: str) -> tuple[Path, str]:
        try:
            return self._components.resolve(reference), self._components.pinned(reference)
        except UserError as error:
            raise document.error(error.message, "component") from None

    def _of_job(self, document: YamlFile, reference: str) -> Path:
        """The component that a pipeline job makes: its inputs become the component's, literals with their values."""
        name = reference.removeprefix("azureml:")
        record = JobRecords(self._state).show(name)
        if record["type"] != TYPE:
            raise document.error(f"'{name}' is a {record['type']} job; a pipeline job is needed", "job_definition")
        file = self._project.root / record["file"]
        job = yamlfile.load(file)
        if sha256(file) != record.get("file_sha256"):
            raise document.error(
                f"{record['file']} has changed since job '{name}' ran; run it again, and name the new job",
                "job_definition",
            )
        kept = {key: job.data[key] for key in ("display_name", "description", "tags", "jobs") if key in job.data}
        if "jobs" not in kept:
            raise document.error(
                f"job '{name}' is a component already; name that: {job.data.get('component')}", "job_definition"
            )
        inputs = {key: _declared(value) for key, value in job.section("inputs").values.items()}
        outputs = {key: _declared_output(value) for key, value in job.section("outputs").values.items()}
        component = {"type": TYPE, "name": "from_job", **kept, "inputs": inputs, "outputs": outputs}
        return self._components.frozen(YamlFile(job.path, component, job.lines))

    def _checked(self, document: YamlFile, frozen: Path) -> PipelineComponent:
        component = load_component(frozen, default=TYPE)
        if not isinstance(component, PipelineComponent):
            raise document.error("the component is not a pipeline; its type must be pipeline", "component")
        return component


def _described(kind: str, default: object, optional: bool) -> Record:
    return {
        "type": kind,
        **({"default": default} if isinstance(default, str | int | float | bool) else {}),
        **({"optional": True} if optional else {}),
    }


def _declared(value: Any) -> Record:
    """A job's input as a component declares it."""
    given = value.get("value", value) if isinstance(value, dict) else value
    if isinstance(given, dict):
        return {"type": given.get("type") or "uri_folder"}
    kinds: dict[type, str] = {bool: "boolean", int: "integer", float: "number"}
    return {"type": kinds.get(type(given), "string"), "default": given}


def _declared_output(value: Any) -> Record:
    return (
        {"type": (value or {}).get("type") or "uri_folder"}
        if isinstance(value, dict | None)
        else {"type": "uri_folder"}
    )


def _value(entry: Mapping[str, Any]) -> Any:
    """An input of an invocation as a job writes it."""
    if entry["type"] in LITERAL_TYPES:
        return entry["default"]
    return {key: value for key, value in entry.items() if key in ("type", "path", "mode")}


def _refuse_flags(deployment: Record, flags: Mapping[str, Any], given: Invocation) -> None:
    """Raise UserError for a flag that only model deployments have."""
    what = f"the deployment '{deployment['name']}' is a pipeline"
    inputs = deployment["inputs"]
    data = next((key for key, spec in inputs.items() if spec["type"] in DATA_TYPES), None)
    example = (
        f"--set inputs.{data}.type={inputs[data]['type']} inputs.{data}.path=./data" if data else "--file inputs.yml"
    )
    for name in _FOR_MODELS:
        if flags.get(name) not in (None, False):
            flag = f"--{name.replace('_', '-')}"
            hint = f"give its inputs by name, for example {example}" if name.startswith("input") else "leave it out"
            raise UserError(f"{flag}: {what}; {hint}")
    if given.sets:
        key = given.sets[0].partition("=")[0]
        raise UserError(f"--set: '{key}' cannot be changed, because {what}; its inputs can, for example {example}")
