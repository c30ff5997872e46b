"""The kinds of resources that a project makes in its workspace: assets, jobs, schedules, endpoints and deployments.

The platform makes none of them. The offline Azure has them, with Microsoft's types, for the tools of the project.
"""

from __future__ import annotations

from amlplatform.armtypes.kinds import ResourceType, below

_SDK = "machinelearningservices"
_ASSETS = (
    ("codes", "Code"),
    ("components", "Component"),
    ("data", "Data"),
    ("environments", "Environment"),
    ("models", "Model"),
)


def project_types(workspace: ResourceType) -> tuple[ResourceType, ...]:
    """The kinds below a workspace that belong to projects."""
    found: list[ResourceType] = []
    for segment, noun in _ASSETS:
        container = below(workspace, f"{_SDK}:{noun}Container", segment, "name", nested=True)
        found += [container, below(container, f"{_SDK}:{noun}Version", "versions", "version", nested=True)]
    for segment, noun in (("batchEndpoints", "Batch"), ("onlineEndpoints", "Online")):
        endpoint = below(workspace, f"{_SDK}:{noun}Endpoint", segment, "endpointName", nested=True)
        found += [endpoint, below(endpoint, f"{_SDK}:{noun}Deployment", "deployments", "deploymentName", nested=True)]
    found.append(below(workspace, f"{_SDK}:Job", "jobs", "id", nested=True))
    found.append(below(workspace, f"{_SDK}:Schedule", "schedules", "name", nested=True))
    return tuple(found)
