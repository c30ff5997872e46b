"""Scoring addresses: `https://<endpoint>.<region>.inference.ml.azure.com/jobs` of a batch endpoint."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.computed_project import BATCH_ENDPOINT, JOB
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import lists, project_jobs, registry_sharing, tokens
from amlplatform.cloud.https.azure import Azure, Seen
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.resource_manager import Call
from amlplatform.cloud.state import Document

# What an invocation may change: azure-ai-ml 1.35.2, BatchJobSchema; the service refuses other names.
_KNOWN = {
    "inputData", "outputData", "outputDataset", "outputFileName", "miniBatchSize", "errorThreshold", "retrySettings",
    "compute", "name", "properties", "loggingLevel", "description", "tags", "partitionId",
}  # fmt: skip
# What a job is known by here; Azure's answers have the names only.
_OURS = ("azureml.endpointid", "azureml.deploymentid")


def invoke(request: Request, azure: Azure) -> Response:
    """Start a job of a batch endpoint. Raises AzureError: 401, 403, 404 for no such deployment, 400 for the body."""
    caller = tokens.caller_of(request.headers.get("authorization"), azure.ml_audiences)
    azure.seen.append(
        Seen(request.method, f"/{request.headers.get('host', '')}/jobs", request.json(), caller.object_id)
    )
    azure.behaviour.check_rate()
    endpoint = _endpoint(request, azure)
    asked = request.headers.get("azureml-model-deployment")
    default = (endpoint["properties"].get("defaults") or {}).get("deploymentName")
    deployment = azure.state.get(f"{endpoint['id']}/deployments/{asked or default}")
    if not (asked or default) or deployment is None:
        which = f"deployment '{asked or default}'" if asked or default else "default deployment"
        raise AzureError(404, "NotFound", f"The endpoint '{endpoint['name']}' has no {which}.")
    properties = request.document().get("properties")
    if not isinstance(properties, dict):
        raise AzureError(400, "BadArgument", "properties: an object is expected.")
    unknown = sorted(properties.keys() - _KNOWN)
    if unknown:
        raise AzureError(400, "BadArgument", f"properties.{unknown[0]}: the service knows no such property.")
    name = str(properties.get("name") or f"batchjob-{uuid.uuid4()}")
    job_id = f"{arm_ids.parent(endpoint['id'])}/jobs/{name}"
    # learn.microsoft.com, "Authorization on batch endpoints": the action that starts a job.
    azure.manager(caller).arrive(Call("PUT", f"{deployment['id']}/jobs/{name}"))
    if azure.state.get(job_id) is not None:
        raise AzureError(409, "Conflict", f"A job with the name '{name}' exists.")
    document = _job(job_id, name, endpoint, deployment, properties)
    azure.state.put(document)
    return Response(201, _resource(document))


def jobs_of(request: Request, azure: Azure) -> Response:
    """The jobs of a batch endpoint, or of one of its deployments, as the front end of a region lists them."""
    path = request.path.removeprefix(registry_sharing.FRONT_END)
    azure.manager(request.caller).arrive(Call("GET", path))
    owner = arm_ids.key(path.rpartition("/")[0])
    key = "azureml.deploymentid" if "/deployments/" in owner else "azureml.endpointid"
    found = [job for job in azure.state.of_type(JOB) if arm_ids.key(_own(job).get(key, "")) == owner]
    listed = [_resource(project_jobs.look(job, azure)) for job in found]
    return lists.page(request, azure, listed, f"https://{request.headers.get('host', '')}")


def _own(job: Document) -> Mapping[str, str]:
    return job["properties"].get("properties") or {}


def _resource(job: Document) -> Document:
    """A job as a child of its deployment: another form than that of `jobs/{name}`, which has more.

    Form: BatchJobResource of azure-ai-ml, v2020_09_01_dataplanepreview; an answer of Azure's in that form is in
    ansible-collections/azure, azure_rm_ml_batch_endpoint_info.
    """
    properties, own = job["properties"], _own(job)
    shown = {
        "name": properties["displayName"],
        "status": properties["status"],
        "inputData": properties["inputs"],
        "outputData": properties["outputs"],
        "interactionEndpoints": properties["services"],
        "properties": {key: value for key, value in own.items() if key not in _OURS},
        "tags": properties["tags"],
        "provisioningState": "Succeeded",
    }
    arm_type = "Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments/jobs"
    arm_id = f"{own['azureml.deploymentid']}/jobs/{job['name']}"
    address = {"id": arm_id, "name": job["name"], "type": arm_type}
    return {**address, "properties": shown, "systemData": job["systemData"]}


def _endpoint(request: Request, azure: Azure) -> Document:
    name, _, rest = request.headers.get("host", "").partition(".")
    region = rest.partition(".")[0]
    for endpoint in azure.state.of_type(BATCH_ENDPOINT):
        if endpoint["name"].lower() == name.lower() and f".{region}." in endpoint["properties"]["scoringUri"]:
            return endpoint
    raise AzureError(404, "NotFound", f"There is no batch endpoint '{name}' in {region}.")


def _job(arm_id: str, name: str, endpoint: Document, deployment: Document, asked: dict[str, Any]) -> Document:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    own = {
        "azureml.endpointid": endpoint["id"],
        "azureml.deploymentid": deployment["id"],
        "azureml.endpointname": endpoint["name"],
        "azureml.deploymentname": deployment["name"],
    }
    properties = {
        "jobType": "Pipeline",
        "status": "NotStarted",
        "displayName": name,
        "experimentName": endpoint["name"],
        "jobs": {},
        "inputs": asked.get("inputData") or {},
        "outputs": asked.get("outputData") or {},
        "properties": {**(asked.get("properties") or {}), **own},
        "tags": asked.get("tags") or {},
        "services": {},
    }
    address = {"id": arm_id, "name": name, "type": JOB}
    system = {"createdAt": now, "createdByType": "Application", "lastModifiedAt": now}
    return {**address, "properties": properties, "systemData": system}
