"""What Azure adds to private endpoints: see `computed`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.state import Document

Properties = dict[str, Any]
Compute = Callable[[Document, Properties, Mapping[str, Any]], None]


def _private_endpoint(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    group = arm_ids.resource_group(document["id"])
    card = properties.get("customNetworkInterfaceName") or f"{document['name']}.nic"
    properties["networkInterfaces"] = [{"id": f"{group}/providers/Microsoft.Network/networkInterfaces/{card}"}]
    properties["provisioningState"] = "Succeeded"
    # Azure fills this for whoever keeps names by hand, and empties it once the endpoint has a zone group.
    properties["customDnsConfigs"] = before.get("customDnsConfigs", [])
    for connection in properties.get("privateLinkServiceConnections") or []:
        # Who makes the endpoint may write to the target as well, so Azure approves the connection by itself.
        connection.setdefault("properties", {}).update(
            privateLinkServiceConnectionState={
                "status": "Approved",
                "description": "Auto-Approved",
                "actionsRequired": "None",
            },
            provisioningState="Succeeded",
        )


def _zone_group(_document: Document, properties: Properties, _before: Mapping[str, Any]) -> None:
    properties["provisioningState"] = "Succeeded"
    for config in properties.get("privateDnsZoneConfigs") or []:
        zone = arm_ids.name(config["properties"]["privateDnsZoneId"])
        config["properties"]["recordSets"] = [
            {"recordType": "A", "recordSetName": zone.partition(".")[2], "provisioningState": "Succeeded", "ttl": 10}
        ]


COMPUTED: dict[str, Compute] = {
    "Microsoft.Network/privateEndpoints": _private_endpoint,
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": _zone_group,
}
"""By ARM type."""
