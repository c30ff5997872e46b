"""Deployments of ARM templates: what a template lists comes to be, and stays when the deployment is deleted.

Only templates without expressions, parameters and links: the platform sends no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.state import CloudState, Document

ARM_TYPE = "Microsoft.Resources/deployments"


def run(document: Document, state: CloudState) -> None:
    """Make what the deployment's template lists. Raises AzureError when the template has more than that."""
    made = list(_resources(document))
    for resource in made:
        parent = arm_ids.parent(resource["id"])
        if state.get(parent) is None:
            message = f"Can not perform requested operation on nested resource. Parent '{parent}' not found."
            raise AzureError(404, "ParentResourceNotFound", message)
        state.put(resource)
    properties = document["properties"]
    properties["provisioningState"] = "Succeeded"
    properties["outputResources"] = [{"id": resource["id"]} for resource in made]
    # Azure keeps the hash of a template, not the template.
    properties.pop("template", None)


def _resources(document: Mapping[str, Any]) -> Iterator[Document]:
    group = arm_ids.resource_group(document["id"])
    for resource in document["properties"]["template"]["resources"]:
        if "[" in resource["name"]:
            raise AzureError(
                400, "InvalidTemplate", f"'{resource['name']}': the offline Azure evaluates no expressions"
            )
        namespace, *types = resource["type"].split("/")
        pairs = "/".join(f"{kind}/{name}" for kind, name in zip(types, resource["name"].split("/"), strict=True))
        arm_id = f"{group}/providers/{namespace}/{pairs}"
        yield {
            "id": arm_id,
            "name": arm_ids.name(arm_id),
            "type": resource["type"],
            "properties": dict(resource.get("properties") or {}),
        }
