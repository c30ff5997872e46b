"""Private endpoints: the way into what is closed to the internet, from a subnet that exists already."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import network

from amlplatform.components.context import Part
from amlplatform.components.settings import Settings

# learn.microsoft.com/azure/private-link/private-endpoint-dns, public cloud: the zones that each sub-resource's names
# stand in.
ZONES: dict[str, tuple[str, ...]] = {
    "amlworkspace": ("privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"),
    "blob": ("privatelink.blob.core.windows.net",),
    "file": ("privatelink.file.core.windows.net",),
    "queue": ("privatelink.queue.core.windows.net",),
    "table": ("privatelink.table.core.windows.net",),
    "dfs": ("privatelink.dfs.core.windows.net",),
    "vault": ("privatelink.vaultcore.azure.net",),
    "registry": ("privatelink.azurecr.io",),
    "sqlServer": ("privatelink.database.windows.net",),
    "namespace": ("privatelink.servicebus.windows.net",),
    "account": (
        "privatelink.cognitiveservices.azure.com",
        "privatelink.openai.azure.com",
        "privatelink.services.ai.azure.com",
    ),
    "dataFactory": ("privatelink.datafactory.azure.net",),
    "portal": ("privatelink.adf.azure.com",),
    "Sql": ("privatelink.sql.azuresynapse.net",),
    "SqlOnDemand": ("privatelink.sql.azuresynapse.net",),
    "Dev": ("privatelink.dev.azuresynapse.net",),
    "databricks_ui_api": ("privatelink.azuredatabricks.net",),
    "browser_authentication": ("privatelink.azuredatabricks.net",),
}


class PrivateEndpoints(pulumi.ComponentResource):
    """One for each sub-resource of each part, with its names in the zones, where these are given."""

    endpoints: dict[tuple[str, str], network.PrivateEndpoint]
    """By name of the part and sub-resource."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        *,
        parts: Sequence[Part],
        subnet: str,
        dns_zones: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`subnet`: its id; `dns_zones`: id of the zones' resource group, "" where a policy registers the names.

        The subnet's network must be in the environment's region: Azure makes endpoints where the network is.
        """
        super().__init__("amlplatform:private_endpoints:PrivateEndpoints", name, None, opts)
        self._settings, self._resource_group = settings, resource_group
        self.endpoints = {}
        for part in parts:
            before: list[pulumi.Resource] = []
            for sub_resource in part.endpoints:
                endpoint = self._endpoint(part, sub_resource, subnet, before)
                if dns_zones:
                    self._names(part, sub_resource, endpoint, dns_zones)
                self.endpoints[part.name, sub_resource] = endpoint
                # One after the other: two connections of one target that are made at once can fail with a conflict.
                before = [endpoint]
        self.register_outputs({})

    def _endpoint(
        self, part: Part, sub_resource: str, subnet: str, before: Sequence[pulumi.Resource]
    ) -> network.PrivateEndpoint:
        azure_name = self._settings.names.private_endpoint(part.name, sub_resource)
        return network.PrivateEndpoint(
            f"endpoint-{part.name}-{sub_resource}",
            private_endpoint_name=azure_name,
            resource_group_name=self._resource_group,
            location=self._settings.location,
            # Not SubnetArgs: the SDK would add properties of the subnet, which is somebody else's.
            subnet={"id": subnet},
            custom_network_interface_name=f"nic-{azure_name}",
            private_link_service_connections=[
                network.PrivateLinkServiceConnectionArgs(
                    name=sub_resource,
                    private_link_service_id=part.resource.id,
                    group_ids=[sub_resource],
                )
            ],
            tags=self._settings.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(before),
                # Azure fills it, and empties it when the zone group is made: after a refresh that looks like a change.
                ignore_changes=["customDnsConfigs"],
                # A new endpoint has the name of the old one.
                delete_before_replace=True,
            ),
        )

    def _names(self, part: Part, sub_resource: str, endpoint: network.PrivateEndpoint, dns_zones: str) -> None:
        network.PrivateDnsZoneGroup(
            f"names-{part.name}-{sub_resource}",
            private_dns_zone_group_name="default",
            private_endpoint_name=endpoint.name,
            resource_group_name=self._resource_group,
            private_dns_zone_configs=[
                network.PrivateDnsZoneConfigArgs(
                    name=zone.replace(".", "-"),
                    private_dns_zone_id=f"{dns_zones}/providers/Microsoft.Network/privateDnsZones/{zone}",
                )
                for zone in ZONES[sub_resource]
            ],
            # Azure does not move the names of a group to other zones: hashicorp/terraform-provider-azurerm#27559.
            opts=pulumi.ResourceOptions(
                parent=self, replace_on_changes=["privateDnsZoneConfigs"], delete_before_replace=True
            ),
        )
