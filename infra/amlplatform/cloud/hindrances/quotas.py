"""Cores of Azure ML per VM family: what there is, and the refusal of a cluster that would not get a single node.

The words are those of Azure/mlops-v2#81 and MicrosoftDocs/azure-docs#52413. A limit is of the subscription and set by
a person, so it does not pass with time.
"""

from __future__ import annotations

from amlplatform import vm_sizes
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.resource_manager import Call
from amlplatform.cloud.state import CloudState

SETTING = "quota"
"""Setting of the state: cores by family, for example {"standardNCSv3Family": 0}; LOW_PRIORITY for all of these."""
LOW_PRIORITY = "lowPriority"
DEFAULT = 100
"""Cores per family and region. Azure's own limits differ from subscription to subscription; this one is made up."""

_COMPUTES = "microsoft.machinelearningservices/workspaces/computes"
_PAGE = "https://docs.microsoft.com/azure/machine-learning/how-to-manage-quotas#request-quota-increases"


def limit(family: str, state: CloudState) -> int:
    """Cores that may be used of a family."""
    return int((state.setting(SETTING) or {}).get(family, DEFAULT))


def refuse_beyond_limit(call: Call, state: CloudState) -> None:
    """A hindrance: a cluster or an instance needs quota for its smallest number of nodes, and for one at least."""
    if call.method != "PUT" or call.arm_type != _COMPUTES:
        return
    properties = call.body.get("properties") or {}
    details = properties.get("properties") or {}
    size = vm_sizes.find(str(details.get("vmSize")))
    if size is None or properties.get("computeType") not in ("AmlCompute", "ComputeInstance"):
        return
    low_priority = details.get("vmPriority") == "LowPriority"
    family = LOW_PRIORITY if low_priority else size.family
    set_limits = state.setting(SETTING) or {}
    if family not in set_limits:
        return  # What is made up refuses nobody.
    nodes = max(1, int((details.get("scaleSettings") or {}).get("minNodeCount") or 0))
    cores = nodes * size.vcpus
    if cores > int(set_limits[family]):
        name = "total low priority" if low_priority else family
        raise AzureError(
            400,
            "BadRequest",
            f"The specified subscription has a {name} vCPU quota of {set_limits[family]} and cannot accomodate for at "
            f"least {nodes} requested managed compute node which maps to {cores} vCPUs. Talk to your Subscription "
            f"Admin or refer to {_PAGE} to increase the quota.",
        )
