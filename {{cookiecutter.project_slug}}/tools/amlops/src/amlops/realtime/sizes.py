"""What a deployment would run on in Azure: a VM size, or an instance type of a Kubernetes cluster."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

# Sizes of managed online endpoints (learn.microsoft.com/azure/machine-learning/
# reference-managed-online-endpoints-vm-sku-list), as of 2026-11: name, vCPUs, GiB. There are larger ones.
_SIZES = (
    ("Standard_F2s_v2", 2, 4),
    ("Standard_DS2_v2", 2, 7),
    ("Standard_E2s_v3", 2, 16),
    ("Standard_F4s_v2", 4, 8),
    ("Standard_DS3_v2", 4, 14),
    ("Standard_E4s_v3", 4, 32),
    ("Standard_F8s_v2", 8, 16),
    ("Standard_DS4_v2", 8, 28),
    ("Standard_F16s_v2", 16, 32),
    ("Standard_DS5_v2", 16, 56),
)
# The system, the image's own services and the monitoring agent of a managed instance; a careful guess.
_SYSTEM_GIB = 1.5
# Memory grows with requests in ways a short load does not show.
_HEADROOM = 1.5
_STEP_MIB = 128


@dataclass(frozen=True)
class VmSize:
    """Memory in GiB."""

    name: str
    vcpus: int
    memory_gib: float


SIZES = tuple(VmSize(*row) for row in _SIZES)


def vm_size(cores: int, memory_gib: float) -> VmSize | None:
    """The smallest size with so many cores and room for so much memory in use; None when none is large enough."""
    fitting = (
        size for size in SIZES if size.vcpus >= cores and size.memory_gib >= memory_gib * _HEADROOM + _SYSTEM_GIB
    )
    return next(fitting, None)


def instance_type(name: str, cores: int, memory_gib: float) -> dict[str, Any]:
    """The resource that a cluster needs for it (how-to-manage-kubernetes-instance-types): apply it with kubectl."""
    resources = {
        "requests": {"cpu": str(cores), "memory": _mebibytes(memory_gib)},
        "limits": {"cpu": str(cores), "memory": _mebibytes(memory_gib * _HEADROOM)},
    }
    return {
        "apiVersion": "amlarc.azureml.com/v1alpha1",
        "kind": "InstanceType",
        "metadata": {"name": name},
        "spec": {"resources": resources},
    }


def _mebibytes(gib: float) -> str:
    return f"{max(1, math.ceil(gib * 1024 / _STEP_MIB)) * _STEP_MIB}Mi"
