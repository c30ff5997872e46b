"""`amlops schedule` in Azure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops import yamlfile
from amlops.azure import records
from amlops.azure.errors import azure_errors
from amlops.azure.preflight import check_computes
from amlops.scheduling import jobfile
from amlops.scheduling.record import job_of, record_of
from amlops.workspace import Record
from amlops.yamlfile import YamlFile

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

_LIST = "schedules"
_ACTIONS = {"createjob": "job", "createmonitor": "monitor", "importdata": "data_import"}


class AzureSchedules:
    """See `amlops.workspace.Schedules`. The job is uploaded with the schedule, and stays as it is then."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    def create(self, file: Path, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Make a schedule, or change the one of that name; see `amlops.workspace.Schedules.create`."""
        document = jobfile.read(file, {"name": name}, sets, self._azure.project)
        data = document.data
        named = jobfile.reference(document)
        if named is not None and "/" not in str(data["create_job"]):
            # azure-ai-ml 1.35.2 sends the bare name where the REST reference wants an id.
            data = {**data, "create_job": f"azureml:{self._azure.workspace_id}/jobs/{named}"}
        what = f"schedule '{data['name']}'"
        with self._azure.source(document.path, data) as (text, origin):
            self._check_job(document, yamlfile.loads(text.read(), origin))
            text.seek(0)
            with azure_errors(self._azure, what, file=file):
                # azure-ai-ml 1.35.2 does not export it, as it does every other loader.
                from azure.ai.ml.entities._load_functions import load_schedule

                schedule = load_schedule(text, relative_origin=str(origin))
                # It leaves out this key of the file, and Azure then enables the schedule.
                schedule._is_enabled = data.get("is_enabled", True)
                self._azure.ml.schedules.begin_create_or_update(schedule).result()
        return self.show(data["name"])

    def _check_job(self, document: YamlFile, rendered: YamlFile) -> None:
        """Check the job that would be created, as before it is submitted. Raises UserError."""
        named = jobfile.reference(document)
        if named is None:
            jobfile.job_document(document)  # tells faults at the user's own file
            check_computes(self._azure, jobfile.job_document(rendered).data)
            return
        with azure_errors(self._azure, f"job '{named}'"):
            ran = self._azure.rest.find(f"jobs/{named}")
        if ran is None:
            workspace = self._azure.environment.workspace
            raise document.error(f"there is no job '{named}' in workspace '{workspace}'", "create_job")
        jobfile.check_kind(document, named, str((ran.get("properties") or {}).get("jobType")).lower())

    def list(self, *, include_disabled: bool = False, disabled_only: bool = False) -> list[Record]:
        """The enabled schedules, by name; see `amlops.workspace.Schedules.list`."""
        view = "DisabledOnly" if disabled_only else "All" if include_disabled else "EnabledOnly"
        with azure_errors(self._azure, "schedules"):
            found = [_record(document) for document in self._azure.rest.workspace_list(_LIST, listViewType=view)]
        return sorted(found, key=lambda record: record["name"])

    def show(self, name: str) -> Record:
        """One schedule; see `amlops.workspace.Schedules.show`."""
        with azure_errors(self._azure, f"schedule '{name}'"):
            return _record(self._azure.rest.workspace(f"{_LIST}/{name}"))

    def enable(self, name: str) -> Record:
        """Let a schedule start runs; see `amlops.workspace.Schedules.enable`."""
        with azure_errors(self._azure, f"schedule '{name}'"):
            self._azure.ml.schedules.begin_enable(name).result()
        return self.show(name)

    def disable(self, name: str) -> Record:
        """Let a schedule start none; see `amlops.workspace.Schedules.disable`."""
        with azure_errors(self._azure, f"schedule '{name}'"):
            self._azure.ml.schedules.begin_disable(name).result()
        return self.show(name)

    def delete(self, name: str) -> Record:
        """Delete a schedule; see `amlops.workspace.Schedules.delete`."""
        record = self.show(name)
        with azure_errors(self._azure, f"schedule '{name}'"):
            self._azure.ml.schedules.begin_delete(name).result()
        return record


def _record(document: Mapping[str, Any]) -> Record:
    """A schedule as Resource Manager describes it, with the keys of the laptop's record."""
    properties = document.get("properties") or {}
    action = properties.get("action") or {}
    job = action.get("jobDefinition")
    kind = str(action.get("actionType") or "")
    return record_of(
        {
            "name": document["name"],
            "display_name": properties.get("displayName"),
            "description": properties.get("description"),
            "tags": properties.get("tags"),
            "properties": properties.get("properties"),
            "trigger": _trigger(properties.get("trigger") or {}),
        },
        id=str(document.get("id") or ""),
        type=_ACTIONS.get(kind.lower(), kind),
        is_enabled=properties.get("isEnabled") is not False,
        create_job=None if job is None else _job(job),
        provisioning_state=properties.get("provisioningState"),
        created_at=records.time_of((document.get("systemData") or {}).get("createdAt")),
    )


def _trigger(data: Mapping[str, Any]) -> Record:
    """A trigger with the keys of the YAML."""
    pattern = data.get("schedule") or {}
    return {
        "type": str(data.get("triggerType") or "").lower(),
        "expression": data.get("expression"),
        "frequency": data.get("frequency"),
        "interval": data.get("interval"),
        "schedule": {
            "hours": pattern.get("hours"),
            "minutes": pattern.get("minutes"),
            "week_days": pattern.get("weekDays"),
            "month_days": pattern.get("monthDays"),
        },
        # azure-ai-ml sends them with a space between date and time.
        "start_time": str(data.get("startTime") or "").replace(" ", "T"),
        "end_time": str(data.get("endTime") or "").replace(" ", "T"),
        "time_zone": data.get("timeZone"),
    }


def _job(definition: Mapping[str, Any]) -> Record:
    source = str(definition.get("sourceJobId") or "").rpartition("/")[2]
    return job_of(
        type=str(definition.get("jobType") or "").lower(),
        display_name=definition.get("displayName"),
        experiment_name=definition.get("experimentName"),
        inputs=records.inputs(definition),
        steps=list(definition.get("jobs") or {}),
        compute=(definition.get("settings") or {}).get("default_compute") or definition.get("computeId"),
        file=None,
        job=source or None,
    )
