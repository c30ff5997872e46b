"""Container registry: the images in which jobs and deployments run."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerregistry as acr

from amlplatform.components.settings import Settings


@dataclass(frozen=True)
class Registry:
    """The registry that the workspace uses: made here, or a central one. `made` is None for the latter."""

    id: pulumi.Input[str]
    name: pulumi.Input[str]
    made: acr.Registry | None = None


def central(registry_id: str) -> Registry:
    """A registry that exists already. Its network and its policies are its owner's."""
    return Registry(registry_id, registry_id.rsplit("/", 1)[-1])


class ContainerRegistry(pulumi.ComponentResource):
    """The workspace's registry. Always Premium: only that tier has private endpoints, zones and retention."""

    registry: acr.Registry

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("amlplatform:registry:ContainerRegistry", name, None, opts)
        profile, network = settings.profile, settings.network
        self.registry = acr.Registry(
            "container-registry",
            registry_name=settings.names.container_registry,
            resource_group_name=resource_group,
            location=settings.location,
            sku=acr.SkuArgs(name=acr.SkuName.PREMIUM),
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            data_endpoint_enabled=False,
            public_network_access=network.public_network_access,
            network_rule_bypass_options=acr.NetworkRuleBypassOptions.AZURE_SERVICES,
            network_rule_set=acr.NetworkRuleSetArgs(default_action=network.firewall_default_action, ip_rules=[]),
            zone_redundancy=profile.zone_redundancy(settings.region),
            policies=acr.PoliciesArgs(
                # A quarantined image waits until a scanner releases it, and none is here to do so: batch endpoints
                # would hang.
                quarantine_policy=acr.QuarantinePolicyArgs(status=acr.PolicyStatus.DISABLED),
                retention_policy=acr.RetentionPolicyArgs(status=acr.PolicyStatus.ENABLED, days=profile.image_retention),
                export_policy=acr.ExportPolicyArgs(status=network.registry_export),
            ),
            tags=settings.tags,
            opts=settings.holds_data(self),
        )
        self.register_outputs({"loginServer": self.registry.login_server})

    def as_registry(self) -> Registry:
        return Registry(self.registry.id, self.registry.name, self.registry)
