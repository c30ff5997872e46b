"""Where Pulumi keeps its state: a storage account without keys, and a key in a vault that encrypts its secrets."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import keyvault, storage

from amlplatform.components.keyvault import KeyVault
from amlplatform.components.settings import Settings
from amlplatform.components.storage import storage_account

_RETENTION_DAYS = 90


class StateStore(pulumi.ComponentResource):
    """One container and one key for each product, so that no product's identity reads the state of another."""

    account: storage.StorageAccount
    vault: KeyVault
    containers: dict[str, storage.BlobContainer]
    keys: dict[str, keyvault.Key]

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        *,
        tenant_id: pulumi.Input[str],
        products: Sequence[str],
        ip_ranges: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`ip_ranges`: from where it is reached; empty: from everywhere, after sign-in."""
        super().__init__("amlplatform:bootstrap:StateStore", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.account = storage_account(
            "state",
            settings.names.storage_account,
            settings,
            resource_group,
            hierarchical=False,
            parent=self,
            ip_ranges=ip_ranges,
        )
        blobs = storage.BlobServiceProperties(
            "state-blobs",
            blob_services_name="default",
            account_name=self.account.name,
            resource_group_name=resource_group,
            # Every state that was ever written can be brought back: that is the backup.
            is_versioning_enabled=True,
            delete_retention_policy=storage.DeleteRetentionPolicyArgs(
                enabled=True, days=_RETENTION_DAYS, allow_permanent_delete=False
            ),
            container_delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=_RETENTION_DAYS),
            opts=child,
        )
        self.vault = KeyVault("state-vault", settings, resource_group, tenant_id, child, ip_ranges=ip_ranges)
        protected = settings.holds_data(self, pulumi.ResourceOptions(depends_on=[blobs]))
        self.containers = {
            product: storage.BlobContainer(
                f"state-{product}",
                container_name=f"state-{product}",
                account_name=self.account.name,
                resource_group_name=resource_group,
                public_access=storage.PublicAccess.NONE,
                opts=protected,
            )
            for product in products
        }
        self.keys = {product: self._key(product, settings, resource_group) for product in products}
        self.register_outputs({"account": self.account.name})

    def _key(self, product: str, settings: Settings, resource_group: pulumi.Input[str]) -> keyvault.Key:
        return keyvault.Key(
            f"key-{product}",
            key_name=f"pulumi-{product}",
            vault_name=self.vault.vault.name,
            resource_group_name=resource_group,
            properties=keyvault.KeyPropertiesArgs(
                kty=keyvault.JsonWebKeyType.RSA,
                key_size=3072,
                key_ops=[keyvault.JsonWebKeyOperation.ENCRYPT, keyvault.JsonWebKeyOperation.DECRYPT],
                attributes=keyvault.KeyAttributesArgs(enabled=True, exportable=False),
            ),
            tags=settings.tags,
            opts=settings.holds_data(self),
        )
