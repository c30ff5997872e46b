"""Role definitions: Microsoft's own, which are in no state, beside the custom ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import lists
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.resource_manager import Call
from amlplatform.rbac import permissions

_TYPE = "Microsoft.Authorization/roleDefinitions"


def definitions(request: Request, azure: Azure) -> Response:
    """The list at a scope; `$filter=roleName eq 'Reader'` finds one."""
    azure.manager(request.caller).arrive(Call("GET", request.path))
    custom = azure.state.of_type(_TYPE)
    return lists.page(request, azure, lists.filtered(request, [*_built_in(), *custom]))


def definition(request: Request, azure: Azure) -> Response:
    """One of Microsoft's by its GUID, else the custom role of this very id."""
    azure.manager(request.caller).arrive(Call("GET", request.path))
    name = request.values["name"].lower()
    found = next((role for role in _built_in() if role["name"] == name), azure.state.get(request.path))
    if found is None:
        message = f"The specified role definition with ID '{name}' does not exist."
        raise AzureError(404, "RoleDefinitionDoesNotExist", message)
    return Response(200, found)


def _built_in() -> Iterator[dict[str, Any]]:
    for role in permissions.built_in().values():
        yield {
            "id": f"/providers/{_TYPE}/{role.role_id}",
            "type": _TYPE,
            "name": role.role_id,
            "properties": {
                "roleName": role.name,
                "type": "BuiltInRole",
                "assignableScopes": ["/"],
                "permissions": [_permission(permission) for permission in role.permissions],
            },
        }


def _permission(permission: permissions.Permission) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "actions": list(permission.actions),
        "notActions": list(permission.not_actions),
        "dataActions": list(permission.data_actions),
        "notDataActions": list(permission.not_data_actions),
    }
    if permission.condition:
        shown |= {"condition": permission.condition, "conditionVersion": "2.0"}
    return shown
