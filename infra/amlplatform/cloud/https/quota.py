"""Cores of Azure ML per family of VM sizes in a region: what may be used, what is used, and which sizes there are."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from amlplatform import vm_sizes
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.hindrances import quotas
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.preconditions import normal_location
from amlplatform.cloud.resource_manager import Call
from amlplatform.cloud.state import Document
from amlplatform.regions import REGIONS

_COMPUTE = "Microsoft.MachineLearningServices/workspaces/computes"


def usages(request: Request, azure: Azure) -> Response:
    """`/locations/{location}/usages`: cores that clusters use, by family. Clusters without nodes use none."""
    azure.manager(request.caller).arrive(Call("GET", request.path))
    location = _location(request)
    used = _cores_in_use(azure, request.values["subscription"], location)
    families = sorted({size.family for size in vm_sizes.all_sizes()})
    return Response(200, {"value": [_usage(request, location, family, used[family], azure) for family in families]})


def _usage(request: Request, location: str, family: str, used: int, azure: Azure) -> dict[str, Any]:
    subscription = f"/subscriptions/{request.values['subscription']}"
    where = f"{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}"
    return {
        "id": f"{where}/usages/{family}",
        "type": "Microsoft.MachineLearningServices/usages",
        "amlWorkspaceLocation": location,
        "unit": "Count",
        "currentValue": used,
        "limit": quotas.limit(family, azure.state),
        "name": {"value": family, "localizedValue": family},
    }


def _location(request: Request) -> str:
    location = normal_location(request.values["location"])
    if location not in REGIONS:
        message = f"The provided location '{request.values['location']}' is not available for subscription."
        raise AzureError(400, "LocationNotAvailableForSubscription", message)
    return location


def _cores_in_use(azure: Azure, subscription: str, location: str) -> dict[str, int]:
    used: dict[str, int] = defaultdict(int)
    for document in azure.state.of_type(_COMPUTE):
        if document["id"].lower().startswith(f"/subscriptions/{subscription.lower()}/"):
            size, nodes, where = _running(document)
            if size is not None and normal_location(where) == location:
                used[size.family] += size.vcpus * nodes
    return used


def _running(compute: Document) -> tuple[vm_sizes.VmSize | None, int, str]:
    """The VM size of a compute, how many nodes it has now, and where it is."""
    properties = compute.get("properties") or {}
    details = properties.get("properties") or {}
    size = vm_sizes.find(str(details.get("vmSize")))
    nodes = 1 if details.get("state") == "Running" else int(details.get("currentNodeCount") or 0)
    return size, nodes, str(properties.get("computeLocation") or compute.get("location") or "")


def sizes(request: Request, azure: Azure) -> Response:
    """`/locations/{location}/vmSizes`: the sizes of our table, which are those that clusters may have."""
    azure.manager(request.caller).arrive(Call("GET", request.path))
    _location(request)
    value = [
        {
            "name": size.name,
            "family": size.family,
            "vCPUs": size.vcpus,
            "gpus": size.gpus,
            "memoryGB": size.memory_gib,
            "lowPriorityCapable": True,
            "premiumIO": True,
            "osVhdSizeMB": 0,
            "maxResourceVolumeMB": 0,
            "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
        }
        for size in vm_sizes.all_sizes()
    ]
    return Response(200, {"value": value})
