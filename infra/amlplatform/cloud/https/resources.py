"""GET, HEAD, PUT, PATCH and DELETE of one resource by its id, whatever its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlplatform.armtypes.catalogue import ResourceType
from amlplatform.cloud import arm_ids, computed_project, preconditions
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import address, default_datastores, project_jobs, sent_by_clients, soft_deleted
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response, invalid_content
from amlplatform.cloud.https.operations import Operation, is_long_running
from amlplatform.cloud.settable import settable

_ADDRESS = frozenset({"id", "name", "type"})
_ENVELOPE = {"location": str, "kind": str, "tags": dict, "identity": dict, "properties": dict}


def resource(request: Request, azure: Azure) -> Response:
    """A resource of a resource provider."""
    return _METHODS[request.method](request, azure, address.parse(request.path, request.method).kind)


def resource_group(request: Request, azure: Azure) -> Response:
    return _METHODS[request.method](request, azure, address.RESOURCE_GROUP)


def _get(request: Request, azure: Azure, _kind: ResourceType) -> Response:
    default_datastores.ensure(request.path, azure.state)
    document = azure.manager(request.caller).get(request.path)
    if document["type"] == default_datastores.TYPE:
        default_datastores.ensure_container(document, azure)
    return Response(200, azure.operations.seen(project_jobs.look(document, azure)))


def _head(request: Request, azure: Azure, _kind: ResourceType) -> Response:
    azure.manager(request.caller).get(request.path)
    return Response(204)


def _put(request: Request, azure: Azure, kind: ResourceType) -> Response:
    body = _sent(request.document())
    sent_by_clients.put_right(kind, body)
    return _write(request, azure, kind, body)


def _patch(request: Request, azure: Azure, kind: ResourceType) -> Response:
    changes = _sent(request.document(), keep_nulls=True)
    with azure.state.transaction():
        previous = azure.state.get(request.path)
        if previous is None:
            raise preconditions.not_found(request.path)
        return _write(request, azure, kind, merged(settable(kind, previous), changes))


def _write(request: Request, azure: Azure, kind: ResourceType, body: Mapping[str, Any]) -> Response:
    if kind.arm_type in _ONE_AT_A_TIME and azure.operations.under_way(request.path) is not None:
        name = arm_ids.name(request.path)
        raise AzureError(409, "Conflict", f"An operation on {name} is in progress. Try again when it has ended.")
    is_new = azure.state.get(request.path) is None
    document = azure.manager(request.caller).put(kind, request.path, body)
    failure = _planned_failure(request, azure, kind)
    if failure is not None:
        _mark_failed(request.path, azure)
    status = 201 if is_new else 200
    if not is_long_running(kind.arm_type, request.method):
        return Response(status, document)
    operation = _begin(request, azure, failure, is_new=is_new)
    return Response(status, azure.operations.seen(document), _polling(azure, kind, operation))


# Of these Azure takes no second request while one is under way.
_ONE_AT_A_TIME = frozenset({*computed_project.ENDPOINTS, *computed_project.DEPLOYMENTS})


def _delete(request: Request, azure: Azure, kind: ResourceType) -> Response:
    if azure.state.get(request.path) is None:
        return _nothing_to_delete(request, azure, kind)
    failure = _planned_failure(request, azure, kind)
    if failure is None:
        azure.manager(request.caller).delete(request.path, request.query)
    if not is_long_running(kind.arm_type, request.method):
        return Response(200)
    return accepted(request, azure, kind, failure)


def accepted(request: Request, azure: Azure, kind: ResourceType, failure: AzureError | None = None) -> Response:
    """202: what was asked for is done, and will be said to be in progress for some time."""
    headers = _polling(azure, kind, _begin(request, azure, failure, is_new=False))
    return Response(202, None, {**headers, "Location": headers["Azure-AsyncOperation"] + "&result=true"})


def _nothing_to_delete(request: Request, azure: Azure, kind: ResourceType) -> Response:
    """204, as Azure says it; but 404 when the resource group itself is not there. A deleted workspace may be purged."""
    group = arm_ids.resource_group(request.path)
    if group is not None and azure.state.get(group) is None:
        raise preconditions.not_found(group)
    azure.manager(request.caller).delete(request.path, request.query)
    is_purge = kind.arm_type == soft_deleted.WORKSPACES and request.parameter("forceToPurge") == "true"
    purged = is_purge and soft_deleted.purge_workspace(request.path, azure)
    return Response(200 if purged else 204)


_METHODS = {"GET": _get, "HEAD": _head, "PUT": _put, "PATCH": _patch, "DELETE": _delete}


def _planned_failure(request: Request, azure: Azure, kind: ResourceType) -> AzureError | None:
    """How the long-running operation that the request is to begin will end; None: well."""
    is_long = is_long_running(kind.arm_type, request.method)
    return azure.behaviour.take_failure(kind.arm_type) if is_long else None


def _begin(request: Request, azure: Azure, failure: AzureError | None, *, is_new: bool) -> Operation:
    return azure.operations.begin(request.method, request.path, azure.behaviour.polls, failure, is_new=is_new)


def _polling(azure: Azure, kind: ResourceType, operation: Operation) -> dict[str, str]:
    subscription = operation.resource.strip("/").split("/")[1]
    namespace = kind.arm_type.split("/")[0]
    where = f"{azure.url}/subscriptions/{subscription}/providers/{namespace}/locations/global/operationStatuses"
    return {"Azure-AsyncOperation": f"{where}/{operation.name}?api-version=2024-01-01", **azure.behaviour.wait()}


def operation_status(request: Request, azure: Azure) -> Response:
    """How an operation is getting on: as Azure-AsyncOperation (a status) or as Location (202 until it has ended)."""
    operation = azure.operations.poll(request.values["operation"])
    if operation is None:
        raise AzureError(404, "OperationNotFound", f"There is no operation '{request.values['operation']}'.")
    name = {"id": request.path, "name": operation.name}
    if not operation.is_over:
        return Response(202 if _by_location(request) else 200, name | {"status": "InProgress"}, azure.behaviour.wait())
    if operation.failure is not None:
        error = {"code": operation.failure.code, "message": operation.failure.message}
        status = operation.failure.status if _by_location(request) else 200
        return Response(status, name | {"status": "Failed", "error": error})
    return Response(204) if _by_location(request) else Response(200, name | {"status": "Succeeded"})


def _by_location(request: Request) -> bool:
    return request.parameter("result") == "true"


def _mark_failed(arm_id: str, azure: Azure) -> None:
    with azure.state.transaction():
        document = azure.state.get(arm_id) or {}
        properties = document.get("properties") or {}
        if "provisioningState" in properties:
            properties["provisioningState"] = "Failed"
            azure.state.put(document)


def _sent(body: Mapping[str, Any], *, keep_nulls: bool = False) -> dict[str, Any]:
    """The body without its address, which stands in the path, and without nulls, which a PUT takes for absent."""
    inner = {key: value for key, value in body.items() if key not in _ADDRESS}
    _check_envelope(inner)
    return inner if keep_nulls else _without_nulls(inner)


def _check_envelope(body: Mapping[str, Any]) -> None:
    """Raise AzureError (400) for an envelope that Resource Manager itself cannot read."""
    identity = body.get("identity")
    assigned = identity.get("userAssignedIdentities") if isinstance(identity, dict) else None
    values = {**{name: body.get(name) for name in _ENVELOPE}, "identity.userAssignedIdentities": assigned}
    for name, value in values.items():
        wanted = _ENVELOPE.get(name, dict)
        if value is not None and not isinstance(value, wanted):
            expected = "text" if wanted is str else "an object"
            raise invalid_content(f"{name}: {value!r} must be {expected}")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def merged(document: Any, changes: Any) -> Any:
    """`document` after a JSON merge patch (RFC 7396): objects are merged, null removes, all else replaces."""
    if not isinstance(changes, Mapping):
        return changes
    result = dict(document) if isinstance(document, Mapping) else {}
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
