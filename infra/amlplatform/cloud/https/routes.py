"""Which handler answers which path. The first route that fits is taken.

`{name}` is one segment; paths are compared without case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import (
    actions,
    address,
    control,
    discovery,
    image_registry,
    lists,
    login,
    online_credentials,
    online_scoring,
    project_actions,
    project_jobs,
    quota,
    registry_sharing,
    resources,
    role_definitions,
    scoring,
    soft_deleted,
    subscriptions,
    tokens,
)
from amlplatform.cloud.https.azure import Azure, Seen
from amlplatform.cloud.https.egress import DOOR_SUFFIXES
from amlplatform.cloud.https.messages import Request, Response

Handler = Callable[[Request, Azure], Response]
_PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Route:
    """`is_open`: no token is asked for."""

    methods: frozenset[str]
    pattern: re.Pattern[str]
    handler: Handler
    is_open: bool = False


def _route(methods: str, template: str, handler: Handler, *, is_open: bool = False) -> Route:
    pattern = _PART.sub(lambda part: f"(?P<{part[1]}>[^/]+)", template)
    return Route(frozenset(methods.split()), re.compile(pattern, re.IGNORECASE), handler, is_open)


def _by_shape(request: Request, azure: Azure) -> Response:
    """A resource, a collection or an action of a resource provider."""
    shape = address.parse(request.path, request.method).shape
    if shape == "action":
        return actions.action(request, azure)
    if shape == "resource" and request.method != "POST":
        return resources.resource(request, azure)
    if shape == "collection" and request.method == "GET":
        return lists.collection(request, azure)
    raise AzureError(405, "MethodNotAllowed", f"{request.method} is not allowed at '{request.path}'.")


_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_VAULTS = f"{_SUBSCRIPTION}/providers/Microsoft.KeyVault"
_ACCOUNTS = f"{_SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
_ROLES = "/providers/Microsoft.Authorization/roleDefinitions"
_ML = f"{_SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/{{location}}"
_REGISTRIES = f"{registry_sharing.FRONT_END}{_GROUP}/providers/Microsoft.MachineLearningServices/registries"

_WORKSPACE = f"{_GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{{workspace}}"
_VERSION = f"{_WORKSPACE}/{{assets}}/{{name}}/versions/{{version}}"
_ONLINE = f"{_WORKSPACE}/onlineEndpoints/{{endpoint}}"
_HISTORY = f"/history/v1.0{_WORKSPACE}"
_RUN = f"{_HISTORY}/runs/{{run}}"
_BATCH = f"{registry_sharing.FRONT_END}{_WORKSPACE}/batchEndpoints/{{endpoint}}"

ROUTES = (
    _route("GET", "/metadata/endpoints", discovery.metadata, is_open=True),
    _route("GET", "/msi/token", login.managed_identity, is_open=True),
    _route("POST", "/{tenant}/oauth2/v2.0/token", login.oauth_token, is_open=True),
    _route("PUT", "/offline/behaviour", control.behave, is_open=True),
    _route("GET", "/discovery", discovery.services, is_open=True),
    _route("POST", "/jobs", scoring.invoke, is_open=True),
    _route("POST", "/score", online_scoring.score, is_open=True),
    _route(
        "POST",
        f"{_VERSION}/startPendingUpload",
        project_actions.pending_upload,
    ),
    _route("POST", f"{_ONLINE}/token", online_credentials.token),
    _route("POST", f"{_ONLINE}/regenerateKeys", online_credentials.regenerate_keys),
    _route("POST", f"{_ONLINE}/deployments/{{deployment}}/getLogs", online_scoring.logs),
    _route("GET", _RUN, project_jobs.run),
    _route("GET", f"{_RUN}/details", project_jobs.details),
    _route("GET", f"{_RUN}/children", project_jobs.children),
    _route("POST", f"{_HISTORY}/rundata", project_jobs.run_data),
    _route("POST", f"/data/v1.0{_WORKSPACE}/dataversion/batchGetResolvedUris", project_jobs.output_addresses),
    _route("GET", f"{_BATCH}/jobs", scoring.jobs_of),
    _route("GET", f"{_BATCH}/deployments/{{deployment}}/jobs", scoring.jobs_of),
    _route("GET", "/tenants", subscriptions.tenants),
    _route("GET", "/subscriptions", subscriptions.subscriptions),
    _route("GET", _SUBSCRIPTION, subscriptions.subscription),
    _route("GET", f"{_SUBSCRIPTION}/locations", subscriptions.locations),
    _route("GET", f"{_SUBSCRIPTION}/providers", subscriptions.providers),
    _route("GET", f"{_SUBSCRIPTION}/providers/{{namespace}}", subscriptions.provider),
    _route("POST", f"{_SUBSCRIPTION}/providers/{{namespace}}/register", subscriptions.provider),
    _route("GET", f"{_SUBSCRIPTION}/resources", lists.all_resources),
    _route("GET", f"{_SUBSCRIPTION}/resourceGroups", lists.resource_groups),
    _route("GET HEAD PUT PATCH DELETE", _GROUP, resources.resource_group),
    _route("GET", f"{_GROUP}/resources", lists.all_resources),
    _route("GET", f"{_VAULTS}/deletedVaults", soft_deleted.vaults),
    _route("GET", f"{_VAULTS}/locations/{{location}}/deletedVaults/{{name}}", soft_deleted.vault),
    _route("POST", f"{_VAULTS}/locations/{{location}}/deletedVaults/{{name}}/purge", soft_deleted.purge_vault),
    _route("GET", f"{_ACCOUNTS}/deletedAccounts", soft_deleted.accounts),
    _route(
        "DELETE",
        f"{_ACCOUNTS}/locations/{{location}}/resourceGroups/{{group}}/deletedAccounts/{{name}}",
        soft_deleted.purge_account,
    ),
    _route("GET", f"(?:/.*)?{_ROLES}", role_definitions.definitions),
    _route("GET", f"(?:/.*)?{_ROLES}/{{name}}", role_definitions.definition),
    _route("GET", f"{_ML}/usages", quota.usages),
    _route("GET", f"{_ML}/vmSizes", quota.sizes),
    _route(
        "GET",
        f"{_SUBSCRIPTION}/providers/{{namespace}}/locations/{{location}}/operationStatuses/{{operation}}",
        resources.operation_status,
    ),
    _route("GET", "/registrymanagement/v1.0/registries/{registry}/discovery", registry_sharing.discovery, is_open=True),
    _route("POST", f"{_REGISTRIES}/{{registry}}/import", registry_sharing.share),
    _route("GET", f"{_REGISTRIES}/.+", registry_sharing.assets),
    _route("GET HEAD PUT PATCH POST DELETE", "/.*/?providers/.+", _by_shape),
)


def answer(request: Request, azure: Azure) -> Response:
    """The answer to a request. Raises AzureError."""
    if request.headers.get("host", "").partition(":")[0].endswith(image_registry.SUFFIX):
        return image_registry.answer(request, azure)
    for route in ROUTES:
        match = route.pattern.fullmatch(request.path)
        if match and request.method in route.methods:
            with_values = replace(request, values=match.groupdict())
            return route.handler(with_values if route.is_open else _authenticated(with_values, azure), azure)
    _authenticated(request, azure)
    raise AzureError(404, "NotFound", f"The offline Azure answers nothing at '{request.method} {request.path}'.")


def _authenticated(request: Request, azure: Azure) -> Request:
    """The request with its caller. Raises AzureError: 401 without a good token, 429, 400 without an api-version."""
    host = request.headers.get("host", "")
    audiences = azure.ml_audiences if host.endswith(DOOR_SUFFIXES) else azure.audiences
    caller = tokens.caller_of(request.headers.get("authorization"), audiences)
    azure.seen.append(Seen(request.method, request.path, request.json(), caller.object_id))
    azure.behaviour.check_rate()
    if not request.parameter("api-version") and not request.path.startswith(("/history/", "/data/")):
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise AzureError(400, "MissingApiVersionParameter", message)
    return replace(request, caller=caller)
