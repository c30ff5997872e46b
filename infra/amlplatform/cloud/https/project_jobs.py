"""Jobs: what becomes of one from the moment it is submitted, and what the run history tells about it.

The offline Azure runs no code. A job is under way for as many looks as its course says, and ends as it says; what it
has logged lies in blob storage, where the run history's addresses lead to.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from amlplatform.cloud import arm_ids, sas
from amlplatform.cloud.computed_project import JOB
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import default_datastores
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.resource_manager import Call
from amlplatform.cloud.state import Document

ENDED = ("Completed", "Failed", "Canceled")
_NOTE = "job"
_ADDRESS_LIFE = datetime.timedelta(hours=1)
_ASSET = "azureml://artifacts/"
_STD_LOG = "user_logs/std_log.txt"


def look(document: Document, azure: Azure) -> Document:
    """The job as one sees it who looks now; each look brings it nearer to its end."""
    if document["type"] != JOB or document["properties"]["status"] in ENDED:
        return document
    with azure.state.transaction():
        kept = azure.state.notes(_NOTE).get(arm_ids.key(document["id"]))
        kept = kept or {**asdict(azure.behaviour.take_course()), "seen": 0, "created": _now()}
        kept["seen"] += 1
        is_over = kept["seen"] > kept["looks"]
        document["properties"]["status"] = kept["end"] if is_over else ("Starting", "Running")[kept["seen"] > 1]
        if is_over:
            kept["ended"] = _now()
        azure.state.note(_NOTE, document["id"], kept)
        azure.state.put(document)
    if is_over:
        _write_files(document, kept, azure)
    return document


def cancel(document: Document, azure: Azure) -> None:
    """Raises AzureError (400) for a job that has ended."""
    if document["properties"]["status"] in ENDED:
        message = f"Job {document['name']} has ended already: {document['properties']['status']}."
        raise AzureError(400, "UserError", message)
    document["properties"]["status"] = "Canceled"
    azure.state.put(document)


def steps_of(document: Document) -> list[str]:
    """The steps of a pipeline."""
    return list(document["properties"].get("jobs") or {})


# --- The run history --------------------------------------------------------------------------------


def run(request: Request, azure: Azure) -> Response:
    """`…/runs/{run}`."""
    document, step = _asked(request, azure)
    return Response(200, _run(document, step, azure))


def details(request: Request, azure: Azure) -> Response:
    """`…/runs/{run}/details`: with the addresses of its logs."""
    document, step = _asked(request, azure)
    kept = _kept(document, azure)
    files = {path: _address(document, step, path, azure) for path in _logs(kept, step)} if "ended" in kept else {}
    return Response(200, {**_run(document, step, azure), "logFiles": files, "target": None})


def children(request: Request, azure: Azure) -> Response:
    """`…/runs/{run}/children`."""
    document, _ = _asked(request, azure)
    return Response(200, {"value": [_run(document, step, azure) for step in steps_of(document)]})


def run_data(request: Request, azure: Azure) -> Response:
    """`…/rundata`: a run with the ids of its outputs; `default` are its artifacts, logs among them."""
    asked = str(request.document().get("runId"))
    document, step = _asked(replace(request, values={**request.values, "run": asked}), azure)
    outputs = {"default": {"assetId": f"{_ASSET}{_folder(document, step)}", "type": "uri_folder"}}
    return Response(200, {"runMetadata": {**_run(document, step, azure), "outputs": outputs}})


def output_addresses(request: Request, _azure: Azure) -> Response:
    """Where outputs lie, by the ids that `run_data` gave."""
    asked = [str(value) for value in request.document().get("values") or []]
    store = f"azureml://datastores/{default_datastores.ARTIFACTS}/paths/"
    found = {one: {"uri": f"{store}{one.removeprefix(_ASSET)}/", "type": "uri_folder"} for one in asked}
    return Response(200, {"values": found})


def _asked(request: Request, azure: Azure) -> tuple[Document, str]:
    """The job of the request, and which of its steps. Raises AzureError (403, 404)."""
    values = request.values
    workspace = (
        f"/subscriptions/{values['subscription']}/resourceGroups/{values['group']}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{values['workspace']}"
    )
    azure.manager(request.caller).arrive(Call("GET", f"{workspace}/experiments/runs/{values['run']}"))
    name, step = values["run"], ""
    document = azure.state.get(f"{workspace}/jobs/{name}")
    if document is None:
        name, _, step = name.partition("_step_")
        document = azure.state.get(f"{workspace}/jobs/{name}")
    if document is None or (step and step not in steps_of(document)):
        message = f"Run {values['run']} was not found in workspace {values['workspace']}."
        raise AzureError(404, "UserError", message)
    return document, step


def _kept(document: Document, azure: Azure) -> dict[str, Any]:
    return azure.state.notes(_NOTE).get(arm_ids.key(document["id"])) or {}


def _run(document: Document, step: str, azure: Azure) -> dict[str, Any]:
    kept, properties = _kept(document, azure), document["properties"]
    status, ended = properties["status"], kept.get("ended")
    if step and ended and status == "Failed":
        status = "Failed" if step == kept.get("failed_step") else "Completed"
    error = kept.get("error") if status == "Failed" else None
    return {
        "runId": _run_id(document, step),
        "parentRunId": document["name"] if step else None,
        "displayName": step or properties.get("displayName"),
        "status": status,
        "createdUtc": kept.get("created") or document["systemData"]["createdAt"],
        "startTimeUtc": kept.get("created"),
        "endTimeUtc": ended,
        "runType": "azureml.StepRun" if step else "azureml.PipelineRun" if steps_of(document) else "command",
        "tags": properties.get("tags") or {},
        "properties": properties.get("properties") or {},
        "error": {"error": {"code": "UserError", "message": error}} if error else None,
    }


def _run_id(document: Document, step: str) -> str:
    return f"{document['name']}_step_{step}" if step else document["name"]


# --- What a job has written -------------------------------------------------------------------------


def _logs(kept: Mapping[str, Any], step: str) -> dict[str, str]:
    """Path and text of the logs of a job, or of one of its steps."""
    said = dict(kept.get("logs") or {})
    own = {
        path.partition(":")[2] if step else path: text
        for path, text in said.items()
        if (path.partition(":")[0] == step if step else ":" not in path)
    }
    return own or {_STD_LOG: f"{kept.get('error') or 'done'}\n"}


def _write_files(document: Document, kept: Mapping[str, Any], azure: Azure) -> None:
    if azure.containers is None:
        return
    account, container = _store(document, azure)
    for step in ["", *steps_of(document)]:
        for path, text in _logs(kept, step).items():
            azure.containers.put(account, container, f"{_folder(document, step)}/{path}", text.encode())
    for path, text in (kept.get("outputs") or {}).items():
        azure.containers.put(account, container, f"{_folder(document, '')}/{path}", text.encode())


def _folder(document: Document, step: str) -> str:
    return f"ExperimentRun/dcid.{_run_id(document, step)}"


def _store(document: Document, azure: Azure) -> tuple[str, str]:
    """Account and container of the artifacts."""
    workspace = azure.state.get(arm_ids.parent(document["id"])) or {}
    account = arm_ids.name(str(workspace["properties"].get("storageAccount")))
    return account, default_datastores.container(workspace, default_datastores.ARTIFACTS)


def _address(document: Document, step: str, path: str, azure: Azure) -> str:
    workspace = azure.state.get(arm_ids.parent(document["id"])) or {}
    account_id = str(workspace["properties"].get("storageAccount"))
    account, container = _store(document, azure)
    base, _, query = sas.container_url(
        account, container, azure.state.secret(account_id, "key1"), _ADDRESS_LIFE
    ).partition("?")
    return f"{base}/{_folder(document, step)}/{path}?{query}"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
