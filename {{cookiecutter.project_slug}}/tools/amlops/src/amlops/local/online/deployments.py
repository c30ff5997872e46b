"""Deployments of real-time endpoints on the laptop: code, model and settings as they were when they were created."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlops import references, serving, yamlfile
from amlops.errors import UserError
from amlops.local.batch import documents
from amlops.local.batch.snapshot import snapshot_code, snapshot_model
from amlops.local.environments import LocalEnvironments
from amlops.local.jobrecords import utc_now
from amlops.local.models import ModelStore
from amlops.local.online.endpoints import LocalOnlineEndpoints
from amlops.local.online.host import Host
from amlops.local.online.interpreter import online_python
from amlops.local.online.records import OnlineRecords, Record
from amlops.local.parallel.progress import note
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.validate import kinds
from amlops.validate.schema.online import Probe, RequestSettings
from amlops.yamlfile import YamlFile

_HIDDEN = "(not shown)"


class LocalOnlineDeployments:
    """See `amlops.workspace.OnlineDeployments`."""

    def __init__(self, state: LocalState, models: ModelStore, project: Project) -> None:
        self._state = state
        self._models = models
        self._project = project
        self._records = OnlineRecords(state)
        self._endpoints = LocalOnlineEndpoints(state, project)
        self._snapshots = state.root / "snapshots"

    def create(
        self,
        file: Path,
        *,
        name: str | None = None,
        endpoint_name: str | None = None,
        all_traffic: bool = False,
        sets: Sequence[str] = (),
    ) -> Record:
        document = documents.changed(yamlfile.load(file), sets, name=name, endpoint_name=endpoint_name)
        record = self._deploy(document)
        if all_traffic:
            self._endpoints.set_traffic(record["endpoint_name"], {record["name"]: 100})
        return record

    def update(self, name: str, endpoint_name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        old = self._records.deployment(endpoint_name, name)
        document = yamlfile.load(file) if file else documents.from_data(old["spec"], Path(old["file"]))
        return self._deploy(documents.changed(document, sets, name=name, endpoint_name=endpoint_name), old)

    def copy(self, name: str, endpoint_name: str, new_name: str, *, sets: Sequence[str] = ()) -> Record:
        old = self._records.deployment(endpoint_name, name)
        document = documents.from_data(old["spec"], Path(old["file"]))
        return self._deploy(documents.changed(document, sets, name=new_name, endpoint_name=endpoint_name), old)

    def show(self, name: str, endpoint_name: str) -> Record:
        return self._shown(self._records.deployment(endpoint_name, name))

    def list(self, endpoint_name: str) -> list[Record]:
        folder = self._records.existing(endpoint_name, "--endpoint-name")
        return [self._shown(record) for record in folder.deployments()]

    def delete(self, name: str, endpoint_name: str) -> Record:
        record = self.show(name, endpoint_name)
        folder = self._records.existing(endpoint_name)
        endpoint = folder.endpoint()
        serving.check_no_traffic(endpoint, name, endpoint_name)
        shares = {key: {other: share for other, share in endpoint[key].items() if other != name} for key in _SHARES}
        folder.save_endpoint({**endpoint, **shares})
        host = Host(folder)
        host.ensure()
        host.order("apply")
        host.order("withdraw", {"name": name})
        return record

    def get_logs(self, name: str, endpoint_name: str, *, lines: int = 50) -> str:
        self._records.deployment(endpoint_name, name)
        try:
            text = self._records.folder(endpoint_name).log(name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "".join(text.splitlines(keepends=True)[-lines:])

    def _deploy(self, document: YamlFile, old: Record | None = None) -> Record:
        data = documents.checked(
            document, kinds.online_deployment(document.data), self._project, ignoring={"endpoint-name"}
        ).data
        if not self._records.folder(data["endpoint_name"]).exists():
            raise document.error(
                f"there is no online endpoint '{data['endpoint_name']}' yet; make it first: "
                "amlops online-endpoint create -f FILE",
                "endpoint_name",
            )
        if not data.get("code_configuration"):
            raise document.error(
                "a deployment without a scoring script (of an MLflow model) runs in Azure only; "
                "add 'code_configuration:' with code and scoring_script"
            )
        record = self._record(document, old)
        host = Host(self._records.folder(record["endpoint_name"]))
        host.ensure()
        host.order("deploy", record)
        return self._shown(record)

    def _record(self, document: YamlFile, old: Record | None) -> Record:
        data = document.data
        model, model_path, model_spec = self._model(document)
        configuration = data["code_configuration"]
        code = snapshot_code(document.resolve(configuration["code"]), self._snapshots / "code")
        spec = {**data, "model": model_spec, "code_configuration": {**configuration, "code": str(code)}}
        shown_code = {**configuration, "code": self._project.shown(document.resolve(configuration["code"]))}
        record: dict[str, Any] = {
            "name": data["name"],
            "endpoint_name": data["endpoint_name"],
            "type": "kubernetes" if kinds.on_kubernetes(document.data) else "managed",
            "description": data.get("description", ""),
            "tags": data.get("tags", {}),
            "properties": data.get("properties", {}),
            "model": model,
            "model_path": model_path,
            "code_configuration": shown_code,
            "code_path": str(code),
            "environment": LocalEnvironments(self._project, self._state).pinned(data.get("environment"), note),
            "instance_type": data.get("instance_type"),
            "instance_count": data.get("instance_count", 1),
            "python": online_python(self._project.root),
            "file": str(document.path),
            "created_at": utc_now(),
            "spec": spec,
        }
        for key in ("model", "code_configuration"):  # what was deployed from a copy is called what that was copied from
            if old is not None and spec.get(key) == old["spec"].get(key):
                record[key] = old[key]
        return record

    def _model(self, document: YamlFile) -> tuple[str, str, Any]:
        """What the model is called, what AZUREML_MODEL_DIR will be, and how the YAML names exactly this one."""
        given = document.get("model")
        value = given["path"] if isinstance(given, dict) else given
        if references.is_reference(value):
            try:
                model = self._models.resolve(value)
            except UserError as error:
                raise document.error(error.message.removeprefix("model: "), "model") from None
            return model.reference, str(model.directory), model.reference
        if references.is_address(value):
            raise document.error(f"'{value}' is not on this machine; register the model, or give its folder", "model")
        path = document.resolve(value)
        folder = snapshot_model(path, self._snapshots / "models")
        return self._project.shown(path), str(folder), {**given, "path": str(folder / path.name)}

    def _shown(self, record: Record) -> Record:
        """What is printed: settings with their defaults, environment variables by name only, its servers."""
        spec = record["spec"]
        servers = Host(self._records.folder(record["endpoint_name"])).status().get(record["name"])
        variables = dict.fromkeys(sorted(spec.get("environment_variables", {})), _HIDDEN)
        return {
            **{key: value for key, value in record.items() if key not in ("spec", "python")},
            "environment_variables": variables,
            "request_settings": RequestSettings.model_validate(spec.get("request_settings", {})).model_dump(),
            "readiness_probe": Probe.model_validate(spec.get("readiness_probe", {})).model_dump(),
            "liveness_probe": Probe.model_validate(spec.get("liveness_probe", {})).model_dump(),
            "provisioning_state": "Succeeded",
            "state": "stopped" if servers is None else "running" if servers["ready"] else "starting",
            "instances": [] if servers is None else servers["instances"],
        }


_SHARES = ("traffic", "mirror_traffic")
