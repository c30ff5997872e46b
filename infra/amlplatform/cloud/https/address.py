"""What the path of a request to Resource Manager names: a resource, a collection of resources, or an action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from amlplatform.armtypes.catalogue import RESOURCE_TYPES, ResourceType
from amlplatform.cloud.errors import AzureError

_KINDS = {kind.arm_type.lower(): kind for kind in RESOURCE_TYPES.values()}
NAMESPACES = {kind.arm_type.split("/")[0].lower(): kind.arm_type.split("/")[0] for kind in RESOURCE_TYPES.values()}
RESOURCE_GROUP = _KINDS["microsoft.resources/resourcegroups"]


@dataclass(frozen=True)
class Address:
    """`/{scope}/providers/{namespace}/{type}/{name}/…`, taken apart.

    `arm_type` is the type of the resource, or of those in the collection. `owner` is the id of what a collection or
    an action belongs to: the scope, the parent, the resource. `action` is "" but for actions.
    """

    shape: Literal["resource", "collection", "action"]
    arm_type: str
    owner: str
    action: str = ""

    @property
    def kind(self) -> ResourceType:
        """The entry of the catalogue. Raises AzureError (404) when the offline Azure has no such type."""
        kind = _KINDS.get(self.arm_type.lower())
        if kind is not None:
            return kind
        namespace, _, rest = self.arm_type.partition("/")
        if namespace.lower() not in NAMESPACES:
            raise AzureError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
        message = f"The resource type '{rest}' could not be found in the namespace '{namespace}'."
        raise AzureError(404, "InvalidResourceType", f"{message} The offline Azure has no such type.")


def parse(path: str, method: str) -> Address:
    """Raises AzureError (404) when `path` is no address of a resource provider."""
    segments = path.strip("/").split("/")
    folded = [segment.lower() for segment in segments]
    if "providers" not in folded or not all(segments):
        raise AzureError(404, "NotFound", f"The offline Azure answers nothing at '{path}'.")
    start = len(segments) - 1 - folded[::-1].index("providers")
    # `…/providers/Microsoft.X` alone, and what stands before it.
    scope, namespace, rest = segments[:start], segments[start + 1 : start + 2], segments[start + 2 :]
    if not namespace or not rest:
        raise AzureError(404, "NotFound", f"The offline Azure answers nothing at '{path}'.")
    above = "/" + "/".join(segments[:-1])
    if len(rest) % 2 == 0:
        return Address("resource", "/".join(namespace + rest[::2]), above)
    if method == "POST":
        return Address("action", "/".join(namespace + rest[:-1:2]), above, rest[-1])
    owner = above if len(rest) > 1 else "/" + "/".join(scope)
    return Address("collection", "/".join(namespace + rest[::2]), owner)
