"""Key vault: the secrets of the workspace's connections. Access by Entra roles only."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import keyvault

from amlplatform.components.settings import Settings


class KeyVault(pulumi.ComponentResource):
    """The workspace's key vault."""

    vault: keyvault.Vault

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        tenant_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
        *,
        ip_ranges: Sequence[str] = (),
    ) -> None:
        """`ip_ranges`: only these public addresses reach it; empty: what the network profile says."""
        super().__init__("amlplatform:keyvault:KeyVault", name, None, opts)
        profile, network = settings.profile, settings.network
        self.vault = keyvault.Vault(
            "key-vault",
            vault_name=settings.names.key_vault,
            resource_group_name=resource_group,
            location=settings.location,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=tenant_id,
                sku=keyvault.SkuArgs(family=keyvault.SkuFamily.A, name=keyvault.SkuName.STANDARD),
                # Explicit, because the default depends on the API version: roles from 2026-02-01, access policies
                # before.
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=profile.vault_retention,
                # Azure takes true or nothing: false is an invalid value, and true cannot be taken back.
                enable_purge_protection=True if profile.purge_protection else None,
                enabled_for_deployment=False,
                enabled_for_disk_encryption=False,
                enabled_for_template_deployment=False,
                public_network_access=network.public_network_access,
                network_acls=keyvault.NetworkRuleSetArgs(
                    default_action="Deny" if ip_ranges else network.firewall_default_action,
                    bypass=keyvault.NetworkRuleBypassOptions.AZURE_SERVICES,
                    ip_rules=[keyvault.IPRuleArgs(value=one) for one in ip_ranges],
                    virtual_network_rules=[],
                ),
            ),
            tags=settings.tags,
            opts=settings.holds_data(self),
        )
        self.register_outputs({"uri": self.vault.properties.vault_uri})
