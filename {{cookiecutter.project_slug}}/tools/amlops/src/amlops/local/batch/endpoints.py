"""Batch endpoints of the laptop: a name, a default deployment, and `invoke`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlops import references, yamlfile
from amlops.errors import UserError
from amlops.local.batch import documents, invocation, mlflow_models
from amlops.local.batch.inputs import batch_input
from amlops.local.batch.jobs import JOB_TYPE, OUTPUT, BatchJobs, jobs_of
from amlops.local.batch.records import EndpointRecords, Record
from amlops.local.batch.settings import changed
from amlops.local.batch.snapshot import check_snapshot
from amlops.local.data import LocalData
from amlops.local.jobrecords import JobRecord, JobRecords, utc_now
from amlops.local.models import ModelStore
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.plan import ParallelPlan
from amlops.local.parallel.settings import ParallelSettings
from amlops.local.parallel.worklist import WorkList
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.yamlfile import YamlFile

_KIND = "batch-endpoint"


class LocalBatchEndpoints:
    """See `amlops.workspace.BatchEndpoints`."""

    def __init__(self, state: LocalState, models: ModelStore, project: Project) -> None:
        self._state = state
        self._models = models
        self._project = project
        self._records = EndpointRecords(state)

    def create(self, file: Path | None = None, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Make an endpoint, or change the one of that name; its deployments stay. Raises UserError."""
        document = yamlfile.load(file) if file else documents.from_data({}, Path.cwd() / "endpoint")
        return self._save(documents.changed(document, sets, name=name))

    def update(self, name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change an endpoint, for example `defaults.deployment_name`. Raises UserError."""
        document = self._document(self._records.endpoint(name))
        if file is not None:
            given = yamlfile.load(file)
            document = YamlFile(given.path, {**document.data, **given.data}, given.lines)
        return self._save(documents.changed(document, sets, name=name))

    def show(self, name: str) -> Record:
        """One endpoint. Raises UserError."""
        return self._records.endpoint(name)

    def list(self) -> list[Record]:
        """All endpoints."""
        return self._records.endpoints()

    def delete(self, name: str) -> Record:
        """Delete an endpoint and its deployments; its jobs stay, as in Azure.

        Returns the endpoint, with the names of its `deployments`. Raises UserError.
        """
        record = self._records.endpoint(name)
        deployments = [deployment["name"] for deployment in self._records.deployments(name)]
        self._records.delete_endpoint(name)
        return {**record, "deployments": deployments}

    def list_jobs(self, name: str) -> list[Record]:
        """The jobs that scored with any deployment of an endpoint, newest first. Raises UserError."""
        self._records.endpoint(name)
        return jobs_of(self._state, name)

    def invoke(
        self,
        name: str,
        *,
        input: str | None = None,
        input_type: str | None = None,
        deployment_name: str | None = None,
        mini_batch_size: int | None = None,
        instance_count: int | None = None,
        output_path: str | None = None,
        job_name: str | None = None,
        sets: Sequence[str] = (),
        file: Path | None = None,
        overwrite: bool = False,
        workers: int | None = None,
    ) -> Record:
        """Score the files at `input`, or run the pipeline that is deployed, and return the job's record.

        Args:
            output_path: folder for the predictions; default `outputs/score` of the job.
            overwrite: replace a predictions file that is there already.
            workers: 0 runs the scoring script in this process.

        Raises:
            UserError: something is wrong before the job starts; nothing has been made.
            JobFailed: the job ran and failed.
        """
        deployment = self._deployment(name, deployment_name)
        given = invocation.read(file, sets)
        if deployment["type"] == "pipeline":
            flags = {
                "input": input,
                "input_type": input_type,
                "mini_batch_size": mini_batch_size,
                "instance_count": instance_count,
                "output_path": output_path,
                "overwrite": overwrite,
                "workers": workers,
            }
            return self._run_pipeline(deployment, given, job_name, flags)
        input, input_type = given.only_input(input, input_type)
        settings = changed(deployment["spec"], given.sets, mini_batch_size, instance_count)
        settings = settings.limited(self._project.limits, workers)
        output_path = given.only_output(output_path)
        return self._score(deployment, settings, input, input_type, output_path, job_name, overwrite=overwrite)

    def _score(
        self,
        deployment: Record,
        settings: ParallelSettings,
        input: str,
        input_type: str | None,
        output_path: str | None,
        job_name: str | None,
        *,
        overwrite: bool,
    ) -> Record:
        """Score with a deployment of a model; see `invoke`."""
        data = LocalData(self._project, self._state)
        with JobRecords(self._state).reserved(job_name, deployment["endpoint_name"], "--job-name") as reserved:
            source = batch_input(input, input_type, Path.cwd(), data, self._state.jobs / reserved / "inputs")
            batches = source.mini_batches(settings.mini_batch_size, settings.partition_keys)
            work = WorkList.of(mlflow_models.readable(source, batches) if deployment.get("scored_by") else batches)
            output = self._output(data, output_path, settings.output_file_name, overwrite)
            code, model = self._deployed_files(deployment)
            nodes, limit_note = settings.nodes(self._project.limits)
            notes = [text for text in (limit_note, settings.never_exceeded(work.items)) if text]
            record = self._start(reserved, deployment, source, settings, notes)
            if references.is_remote(input):
                record.update(input_reference=references.without_secrets(input))
        output = output or record.outputs / OUTPUT
        plan = ParallelPlan(
            name=record.name,
            source=source,
            settings=settings,
            code=code,
            script=code / (deployment.get("scored_by") or deployment["code_configuration"]["scoring_script"]),
            nodes=nodes,
            cores=self._project.limits.cores,
            output=output,
            output_file=output / settings.output_file_name if settings.append_row else None,
            summary_file=None if settings.append_row else output / settings.output_file_name,
            overwrite=overwrite,
            variables={"AZUREML_MODEL_DIR": str(model), "AZUREML_BI_OUTPUT_PATH": str(output)},
            notes=notes,
        )
        return BatchJobs(self._state, self._models, self._project).begin(record, plan, work)

    def _run_pipeline(
        self, deployment: Record, given: invocation.Invocation, job_name: str | None, flags: dict[str, Any]
    ) -> Record:
        from amlops.local.batch.pipelines import PipelineDeployments

        return PipelineDeployments(self._state, self._models, self._project).invoke(deployment, given, job_name, flags)

    def _save(self, document: YamlFile) -> Record:
        data = documents.checked(document, _KIND, self._project, ignoring={"default-deployment"}).data
        name = data["name"]
        old: dict[str, Any] = self._records.endpoint(name) if self._records.has_endpoint(name) else {}
        defaults = data.get("defaults") or old.get("defaults") or {}
        self._check_default(document, name, defaults.get("deployment_name"), exists=bool(old))
        record = {
            "name": name,
            "description": data.get("description", ""),
            "tags": data.get("tags", {}),
            "properties": data.get("properties", {}),
            "auth_mode": data.get("auth_mode", "aad_token"),
            "defaults": {"deployment_name": defaults.get("deployment_name")},
            "provisioning_state": "Succeeded",
            "scoring_uri": None,
            "created_at": old.get("created_at") or utc_now(),
        }
        self._records.save_endpoint(record)
        return record

    def _check_default(self, document: YamlFile, name: str, default: str | None, *, exists: bool) -> None:
        if default is None:
            return
        known = [record["name"] for record in self._records.deployments(name)] if exists else []
        if default not in known:
            raise document.error(
                f"the endpoint '{name}' has no deployment '{default}' yet (it has: {', '.join(known) or 'none'}); "
                "leave it out, and create the deployment with --set-default",
                "defaults",
                "deployment_name",
            )

    def _document(self, record: Record) -> YamlFile:
        keys = ("name", "description", "tags", "properties", "auth_mode", "defaults")
        data = {key: record[key] for key in keys if record[key]}
        if not record["defaults"]["deployment_name"]:
            data.pop("defaults")
        return documents.from_data(data, self._state.endpoints / record["name"] / "endpoint.json")

    def _deployment(self, endpoint: str, name: str | None) -> Record:
        default = self._records.endpoint(endpoint)["defaults"]["deployment_name"]
        name = name or default
        if name is None:
            known = ", ".join(record["name"] for record in self._records.deployments(endpoint))
            hint = (
                f"--deployment-name one of {known}" if known else "amlops batch-deployment create -f FILE --set-default"
            )
            raise UserError(f"--name: the endpoint '{endpoint}' has no default deployment; {hint}")
        return self._records.deployment(endpoint, name)

    def _output(self, data: LocalData, folder: str | None, file_name: str | None, overwrite: bool) -> Path | None:
        """The folder the user chose for the output; None for the job's own."""
        if folder is None:
            return None
        if references.is_remote(folder):
            try:
                path = data.output(folder)
            except UserError as error:
                raise UserError(f"--output-path: {error.message}") from None
        else:
            path = Path(folder).expanduser().resolve()
        if path.exists() and not path.is_dir():
            raise UserError(f"--output-path: '{folder}' is a file; give a folder, for example ./predictions")
        if file_name and (path / file_name).exists() and not overwrite:
            raise UserError(
                f"--output-path: '{path / file_name}' exists; --overwrite replaces it, "
                "--set output_file_name=… writes beside it"
            )
        return path

    def _deployed_files(self, deployment: Record) -> tuple[Path, Path]:
        """The deployment's code folder and model folder. Raises UserError when they are gone or changed."""
        code, model = Path(deployment["code_path"]), Path(deployment["model_path"])
        for path in (code, model):
            if not path.is_dir():
                raise UserError(f"deployment '{deployment['name']}': {path} is gone; create the deployment again")
        if references.is_reference(deployment["model"]):
            self._models.resolve(deployment["model"])
        else:
            check_snapshot(model)
        return code, model

    def _start(
        self, name: str, deployment: Record, source: BatchInput, settings: ParallelSettings, notes: list[str]
    ) -> JobRecord:
        fields: dict[str, Any] = {
            "display_name": f"{deployment['endpoint_name']}/{deployment['name']}",
            "endpoint_name": deployment["endpoint_name"],
            "deployment_name": deployment["name"],
            "model": deployment["model"],
            "input": str(source.path),
            "input_type": source.type,
            "settings": settings.as_record(),
            "notes": notes,
        }
        return JobRecords(self._state).start(JOB_TYPE, name=name, fields=fields, reserved=True)
