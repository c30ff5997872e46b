"""What must hold before Azure creates or changes a resource: parents, names, references, properties fixed at creation.

Each check takes the request and the state, and raises AzureError with Azure's own code. Sources: "Common ARM
deployment errors" (learn.microsoft.com) for the codes of Resource Manager; the issues named at the tables for those
of the services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amlplatform.armtypes.catalogue import RESOURCE_TYPES, ResourceType
from amlplatform.cloud import arm_ids, project_rules
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.state import CloudState, Document
from amlplatform.fixed_properties import CREATIONS, changes, facts

_KNOWN_TYPES = frozenset(kind.arm_type.lower() for kind in RESOURCE_TYPES.values())


@dataclass(frozen=True)
class Put:
    """A PUT request: what is to exist under `arm_id`. `previous` is the document that is there now."""

    kind: ResourceType
    arm_id: str
    body: Mapping[str, Any]
    previous: Document | None

    @property
    def name(self) -> str:
        return arm_ids.name(self.arm_id)

    @property
    def properties(self) -> Mapping[str, Any]:
        return self.body.get("properties") or {}


def check(put: Put, state: CloudState) -> None:
    """Raise AzureError for the first precondition that does not hold."""
    for precondition in _PRECONDITIONS:
        precondition(put, state)


# --- Parents --------------------------------------------------------------------------------------


def _group_exists(put: Put, state: CloudState) -> None:
    group = arm_ids.resource_group(put.arm_id)
    if _hangs_elsewhere(put, state):
        return
    if group and arm_ids.key(group) != arm_ids.key(put.arm_id) and state.get(group) is None:
        raise AzureError(404, "ResourceGroupNotFound", f"Resource group '{arm_ids.name(group)}' could not be found.")


def _hangs_elsewhere(put: Put, state: CloudState) -> bool:
    """A role and the like on something that the offline Azure never made: a subnet or a lake of the organisation, or
    its resource group with the private DNS zones. They are taken to exist."""
    group = arm_ids.resource_group(put.arm_id)
    on_group = put.kind.arm_type == "Microsoft.Authorization/roleAssignments"
    extension = on_group or put.arm_id.lower().count("/providers/") > 1
    return extension and group is not None and state.get(group) is None


def _parent_exists(put: Put, state: CloudState) -> None:
    parent = arm_ids.parent(put.arm_id)
    if project_rules.is_container_of(put.arm_id):
        parent = arm_ids.parent(parent)
    if not arm_ids.is_arm_id(parent) or exists(parent, state) or _hangs_elsewhere(put, state):
        return
    if arm_ids.arm_type(put.arm_id).lower().startswith(arm_ids.arm_type(parent).lower() + "/"):
        raise AzureError(
            404,
            "ParentResourceNotFound",
            "Can not perform requested operation on nested resource. "
            f"Parent resource '{arm_ids.name(parent)}' not found.",
        )
    raise not_found(parent)


def exists(arm_id: str, state: CloudState) -> bool:
    """Whether the resource is there. The services of an account (`…/blobServices/default`) are there with it."""
    if state.get(arm_id) is not None:
        return True
    return arm_ids.is_singleton(arm_id) and state.get(arm_ids.parent(arm_id)) is not None


def not_found(arm_id: str) -> AzureError:
    group = arm_ids.resource_group(arm_id)
    if group is None or arm_ids.key(group) == arm_ids.key(arm_id):
        return AzureError(404, "ResourceGroupNotFound", f"Resource group '{arm_ids.name(arm_id)}' could not be found.")
    resource = f"{arm_ids.arm_type(arm_id)}/{arm_ids.name(arm_id)}"
    message = f"The Resource '{resource}' under resource group '{arm_ids.name(group)}' was not found."
    return AzureError(404, "ResourceNotFound", message)


# --- Names ----------------------------------------------------------------------------------------

# Names that are unique in the whole of Azure. Wordings: pulumi-azure-native and azure-cli issues that quote them, for
# example Azure/azure-powershell#15115 (vault), Azure/azure-cli#13951 (registry).
_GLOBAL_NAMES: dict[str, tuple[str, str]] = {
    "Microsoft.Storage/storageAccounts": (
        "StorageAccountAlreadyTaken",
        "The storage account named {name} is already taken.",
    ),
    "Microsoft.KeyVault/vaults": (
        "VaultAlreadyExists",
        "The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is "
        "already taken.",
    ),
    "Microsoft.ContainerRegistry/registries": (
        "AlreadyInUse",
        "The registry DNS name {name}.azurecr.io is already in use.",
    ),
}


def _name_is_free(put: Put, state: CloudState) -> None:
    rule = _GLOBAL_NAMES.get(put.kind.arm_type)
    if rule is None or put.previous is not None:
        return
    if any(other["name"].lower() == put.name.lower() for other in state.of_type(put.kind.arm_type)):
        code, message = rule
        raise AzureError(409, code, message.format(name=put.name))


# --- References -----------------------------------------------------------------------------------


def _references_exist(put: Put, state: CloudState) -> None:
    identities = (put.body.get("identity") or {}).get("userAssignedIdentities") or {}
    for identity in identities:
        if _is_missing(identity, state):
            raise AzureError(
                400,
                "FailedIdentityOperation",
                f"Identity operation for resource '{put.arm_id}' failed: the resource {identity} was not found.",
            )
    for reference in _ids_in(put.body):
        if arm_ids.key(reference) != arm_ids.key(put.arm_id) and _is_missing(reference, state):
            raise AzureError(
                400,
                "InvalidResourceReference",
                f"Resource {reference} referenced by resource {put.arm_id} was not found. Please make sure that the "
                "referenced resource exists, and that both resources are in the same region.",
            )


def _is_missing(arm_id: str, state: CloudState) -> bool:
    """Whether the resource ought to be here and is not.

    What lies in a resource group that the offline Azure never made (a central Log Analytics workspace, given by id)
    and kinds of resources that it does not know are taken to exist.
    """
    group = arm_ids.resource_group(arm_id)
    if group is None or state.get(group) is None or arm_ids.arm_type(arm_id).lower() not in _KNOWN_TYPES:
        return False
    return not exists(arm_id, state)


def _ids_in(value: Any) -> Iterator[str]:
    if isinstance(value, str) and arm_ids.is_arm_id(value):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _ids_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids_in(inner)


# --- Fixed at creation ----------------------------------------------------------------------------


def _location_stays(put: Put, _state: CloudState) -> None:
    old, new = (put.previous or {}).get("location"), put.body.get("location")
    if not old or not new or normal_location(old) == normal_location(new):
        return
    if put.kind.arm_type == "Microsoft.Resources/resourceGroups":
        raise AzureError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{new}'. The Resource group already exists in location '{old}'.",
        )
    raise AzureError(
        409,
        "InvalidResourceLocation",
        f"The resource '{put.name}' already exists in location '{old}'. A resource with the same name cannot be "
        f"created in location '{new}'. Please select a new resource name.",
    )


def normal_location(location: str) -> str:
    """ "West Europe" and "westeurope" are one region."""
    return location.replace(" ", "").lower()


def _fixed_properties_stay(put: Put, _state: CloudState) -> None:
    creation = CREATIONS.get(put.kind.arm_type)
    if put.previous is None or creation is None:
        return
    fixed = [one for one in creation.properties if not one.by_choice]
    for change in changes(fixed, facts(fixed, put.previous), facts(fixed, put.body)):
        message = f"The property '{change.path}' cannot be changed from '{change.before}' to '{change.after}'."
        raise AzureError(400, "PropertyChangeNotAllowed", message)


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


# --- Role assignments -----------------------------------------------------------------------------


def _role_assignment(put: Put, state: CloudState) -> None:
    if put.kind.arm_type != "Microsoft.Authorization/roleAssignments":
        return
    if put.previous is not None:
        before = put.previous.get("properties") or {}
        if _folded(before.get("principalId")) != _folded(put.properties.get("principalId")):
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise AzureError(400, "RoleAssignmentUpdateNotPermitted", message)
        return
    scope = arm_ids.key(arm_ids.parent(put.arm_id))
    for other in state.of_type(put.kind.arm_type):
        same_scope = arm_ids.key(arm_ids.parent(other["id"])) == scope
        if same_scope and _grant(other["properties"]) == _grant(put.properties):
            raise AzureError(409, "RoleAssignmentExists", "The role assignment already exists.")


def _grant(properties: Mapping[str, Any]) -> tuple[str, str]:
    """Who gets which role: the role by its GUID, since its id may be written with or without the subscription."""
    principal = str(properties.get("principalId")).lower()
    return principal, arm_ids.name(str(properties.get("roleDefinitionId"))).lower()


def _project(put: Put, state: CloudState) -> None:
    project_rules.check_put(put.kind.arm_type, put.arm_id, put.body, put.previous, state)


_PRECONDITIONS: tuple[Callable[[Put, CloudState], None], ...] = (
    _group_exists,
    _parent_exists,
    _name_is_free,
    _location_stays,
    _references_exist,
    _role_assignment,
    _fixed_properties_stay,
    _project,
)
