"""What a resource id of Azure Resource Manager says about itself. Ids are compared without case, as Azure does."""

from __future__ import annotations

import re

_GROUP = re.compile(r"(/subscriptions/[^/]+/resourceGroups/[^/]+)(/|$)", re.IGNORECASE)
# Children that come and go with their parent, each under one name.
_SINGLETONS: dict[str, str] = {
    **{
        f"microsoft.storage/storageaccounts/{service}": "default"
        for service in ("blobservices", "fileservices", "queueservices", "tableservices")
    },
    "microsoft.sql/servers/databases": "master",
}
_ID = re.compile(r"/subscriptions/[^/\s]+/resourceGroups/[^\s]+", re.IGNORECASE)


def key(arm_id: str) -> str:
    """The form under which a document is kept and found."""
    return arm_id.rstrip("/").lower()


def name(arm_id: str) -> str:
    return arm_id.rstrip("/").rsplit("/", 1)[-1]


def is_arm_id(value: str) -> bool:
    """Whether `value` is the id of something inside a resource group."""
    return _ID.fullmatch(value) is not None


def resource_group(arm_id: str) -> str | None:
    """The id of the resource group that the resource is in; None for what is not in one."""
    match = _GROUP.match(arm_id)
    return match[1] if match else None


def parent(arm_id: str) -> str:
    """The id of the resource above: the parent of a child, the scope of an extension, the group of a resource.

    The parent of a resource group is its subscription, the parent of a subscription is "".
    """
    segments = arm_id.strip("/").split("/")
    # …/providers/<namespace>/<type>/<name> hangs on what stands before `providers`; a child hangs on <type>/<name>
    # before it.
    width = 4 if len(segments) >= 4 and segments[-4].lower() == "providers" else 2
    above = segments[:-width]
    return "/" + "/".join(above) if above else ""


def arm_type(arm_id: str) -> str:
    """The resource type of an id, for example "Microsoft.Storage/storageAccounts/blobServices"."""
    start = arm_id.lower().rfind("/providers/")
    if start < 0:
        return "Microsoft.Resources/resourceGroups" if resource_group(arm_id) else "Microsoft.Resources/subscriptions"
    namespace, *pairs = arm_id[start:].strip("/").split("/")[1:]
    return "/".join([namespace, *pairs[::2]])


def is_singleton(arm_id: str) -> bool:
    """Whether the resource is there with its parent (`…/blobServices/default`): to create it is to configure it.

    Its type decides and not its name: a container may be called "default" too.
    """
    return _SINGLETONS.get(arm_type(arm_id).lower()) == name(arm_id).lower()
