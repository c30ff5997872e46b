"""The functions of azure-native that programs call: who am I, keys of a storage account, a resource that exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from amlplatform.armtypes import catalogue
from amlplatform.cloud import account_keys, shapes, wire

if TYPE_CHECKING:
    from amlplatform.cloud.provider import AzureNativeProvider

Result = dict[str, Any]


class UnknownFunction(Exception):
    """A function that the offline Azure does not have."""


def invoke(token: str, arguments: Mapping[str, Any], provider: AzureNativeProvider) -> Result:
    """Call the function `token`. Raises UnknownFunction, or AzureError when Azure would refuse."""
    module, _, name = catalogue.normal_token(token).removeprefix("azure-native:").rpartition(":")
    function = _FUNCTIONS.get(f"{module}:{name}")
    if function is not None:
        return function(arguments, provider)
    resource = f"azure-native:{module}:{name.removeprefix('get')}"
    if name.startswith("get") and catalogue.is_known(resource):
        return _get(resource, arguments, provider)
    raise UnknownFunction(f"the offline Azure does not have the function {token}")


def _get(token: str, arguments: Mapping[str, Any], provider: AzureNativeProvider) -> Result:
    kind = catalogue.resource_type(token)
    arm_id = catalogue.arm_id(token, arguments, provider.subscription_id)
    document = provider.manager.get(arm_id)
    return {**shapes.outputs(kind, document), "id": document["id"]}


def _client_config(_arguments: Mapping[str, Any], provider: AzureNativeProvider) -> Result:
    return {
        "clientId": provider.manager.caller.client_id,
        "objectId": provider.manager.caller.object_id,
        "subscriptionId": provider.subscription_id,
        "tenantId": provider.tenant_id,
    }


def _client_token(arguments: Mapping[str, Any], provider: AzureNativeProvider) -> Result:
    audience = arguments.get("endpoint") or "https://management.azure.com/"
    return {"token": wire.secret(provider.manager.state.secret("/", f"token for {audience}"))}


def _storage_account_keys(arguments: Mapping[str, Any], provider: AzureNativeProvider) -> Result:
    arm_id = catalogue.arm_id("storage:StorageAccount", arguments, provider.subscription_id)
    keys = provider.manager.act(arm_id, "listKeys", account_keys.list_keys)["keys"]
    return {"keys": [{**key, "value": wire.secret(key["value"])} for key in keys]}


_FUNCTIONS: dict[str, Callable[[Mapping[str, Any], AzureNativeProvider], Result]] = {
    "authorization:getClientConfig": _client_config,
    "authorization:getClientToken": _client_token,
    "storage:listStorageAccountKeys": _storage_account_keys,
}
