"""Services that use an identity of the customer refuse it until its roles have spread.

Which roles a workspace's identity needs: learn.microsoft.com/azure/machine-learning,
how-to-identity-based-service-authentication ("Workspace": control plane Contributor on each associated resource) and
how-to-attach-kubernetes-to-workspace. That the workspace is refused with 403 on `vaults/read` was seen in public
reports; the words for a cluster are those of Azure/AML-Kubernetes#279.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlplatform.cloud import arm_ids, authorization
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.required import Right
from amlplatform.cloud.resource_manager import Call, Hindrance
from amlplatform.cloud.state import CloudState

_WORKSPACE = "microsoft.machinelearningservices/workspaces"
_ASSOCIATED = ("storageAccount", "keyVault", "containerRegistry", "applicationInsights")
_CLUSTER_RIGHTS = (
    "Microsoft.ContainerService/managedClusters/read",
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
    "Microsoft.KubernetesConfiguration/extensions/read",
)


def need_roles(spread_s: float) -> Hindrance:
    """Roles count after `spread_s` seconds."""

    def hindrance(call: Call, state: CloudState) -> None:
        if call.method != "PUT":
            return
        if call.arm_type == _WORKSPACE and state.get(call.arm_id) is None:
            _check_workspace(call, state, spread_s)
        if call.arm_type == f"{_WORKSPACE}/computes":
            _check_cluster(call, state, spread_s)

    return hindrance


def _check_workspace(call: Call, state: CloudState, spread_s: float) -> None:
    principal, client = _primary_identity(call.body, state)
    if not principal:
        return
    properties = call.body.get("properties") or {}
    for name in _ASSOCIATED:
        scope = properties.get(name)
        if not scope:
            continue
        right = Right(f"{arm_ids.arm_type(scope)}/read", scope)
        if not authorization.is_allowed(principal, right, state, spread_s):
            raise AzureError(
                403,
                "AuthorizationFailed",
                f"The client '{client}' with object id '{principal}' does not have authorization to perform action "
                f"'{right.action}' over scope '{scope}' or the scope is invalid. If access was recently granted, "
                "please refresh your credentials.",
            )


def _check_cluster(call: Call, state: CloudState, spread_s: float) -> None:
    properties = call.body.get("properties") or {}
    cluster = properties.get("resourceId")
    if properties.get("computeType") != "Kubernetes" or not cluster:
        return
    workspace = state.get(arm_ids.parent(call.arm_id)) or {}
    principal, _client = _primary_identity(workspace, state)
    if principal and not all(
        authorization.is_allowed(principal, Right(action, cluster), state, spread_s) for action in _CLUSTER_RIGHTS
    ):
        message = "AKS role check failed for user assigned identity. Please check the role assignment."
        raise AzureError(400, "BadRequest", message)


def _primary_identity(workspace: Mapping[str, Any], state: CloudState) -> tuple[str, str]:
    """Object id and client id of the identity that a workspace acts as; "" when it is the service's own."""
    primary = (workspace.get("properties") or {}).get("primaryUserAssignedIdentity")
    assigned = list((workspace.get("identity") or {}).get("userAssignedIdentities") or {})
    identity = state.get(str(primary or (assigned[0] if assigned else "")))
    properties = (identity or {}).get("properties") or {}
    return str(properties.get("principalId") or ""), str(properties.get("clientId") or "")
