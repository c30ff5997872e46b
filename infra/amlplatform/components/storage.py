"""Storage: the workspace's own account, and the lake with the product's data.

Two accounts, because Azure ML does not take an account with hierarchical namespace as the workspace's own, and the lake
needs one (learn.microsoft.com/azure/machine-learning/concept-workspace).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import storage

from amlplatform.components.settings import Settings
from amlplatform.profiles import EnvironmentProfile

LAKE_CONTAINERS: dict[str, str] = {
    "raw": "data as it arrived",
    "curated": "data that was prepared for use",
    "output": "what jobs write",
}


def storage_account(
    name: str,
    azure_name: str,
    settings: Settings,
    resource_group: pulumi.Input[str],
    *,
    hierarchical: bool,
    parent: pulumi.Resource,
    ip_ranges: Sequence[str] = (),
) -> storage.StorageAccount:
    """A storage account without keys and without anonymous access. `hierarchical` makes it a data lake.

    `ip_ranges`: only these public addresses reach it; empty: what the network profile says.
    """
    profile, network = settings.profile, settings.network
    return storage.StorageAccount(
        name,
        account_name=azure_name,
        resource_group_name=resource_group,
        location=settings.location,
        kind=storage.Kind.STORAGE_V2,
        sku=storage.SkuArgs(name=profile.storage_sku(settings.region)),
        access_tier=storage.AccessTier.HOT,
        is_hns_enabled=hierarchical,
        allow_shared_key_access=False,
        default_to_o_auth_authentication=True,
        allow_blob_public_access=False,
        allow_cross_tenant_replication=False,
        is_local_user_enabled=False,
        is_sftp_enabled=False,
        enable_nfs_v3=False,
        enable_https_traffic_only=True,
        minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
        public_network_access=network.public_network_access,
        network_rule_set=storage.NetworkRuleSetArgs(
            default_action=storage.DefaultAction("Deny" if ip_ranges else network.firewall_default_action),
            bypass=storage.Bypass.AZURE_SERVICES,
            ip_rules=[storage.IPRuleArgs(i_p_address_or_range=one, action=storage.Action.ALLOW) for one in ip_ranges],
            virtual_network_rules=[],
        ),
        encryption=_encryption(profile),
        tags=settings.tags,
        opts=settings.holds_data(parent),
    )


def _encryption(profile: EnvironmentProfile) -> storage.EncryptionArgs:
    service = storage.EncryptionServiceArgs(enabled=True, key_type=storage.KeyType.ACCOUNT)
    return storage.EncryptionArgs(
        key_source=storage.KeySource.MICROSOFT_STORAGE,
        require_infrastructure_encryption=profile.infrastructure_encryption,
        services=storage.EncryptionServicesArgs(blob=service, file=service, queue=service, table=service),
    )


def _blob_service(
    name: str,
    settings: Settings,
    resource_group: pulumi.Input[str],
    account: storage.StorageAccount,
    parent: pulumi.Resource,
    *,
    access_times: bool,
) -> storage.BlobServiceProperties:
    """`access_times`: Azure notes, once a day at most, when a blob was last read."""
    days = settings.profile.blob_retention
    return storage.BlobServiceProperties(
        name,
        blob_services_name="default",
        account_name=account.name,
        resource_group_name=resource_group,
        delete_retention_policy=storage.DeleteRetentionPolicyArgs(
            enabled=True, days=days, allow_permanent_delete=False
        ),
        container_delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=days),
        last_access_time_tracking_policy=storage.LastAccessTimeTrackingPolicyArgs(
            enable=True, name=storage.Name.ACCESS_TIME_TRACKING, tracking_granularity_in_days=1, blob_type=["blockBlob"]
        )
        if access_times
        else None,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _lifecycle(
    settings: Settings,
    resource_group: pulumi.Input[str],
    account: storage.StorageAccount,
    blobs: storage.BlobServiceProperties,
    parent: pulumi.Resource,
) -> None:
    """Files that nobody reads move to cheaper storage. Nothing is deleted: that is for the product to decide.

    By the last read and not by the last change, because training reads the same files again and again, and reading from
    cool storage costs extra. Old versions need no rule: an account with hierarchical namespace keeps none.
    """
    days = settings.profile.lake_cool_after
    storage.ManagementPolicy(
        "lake-lifecycle",
        management_policy_name="default",
        account_name=account.name,
        resource_group_name=resource_group,
        policy=storage.ManagementPolicySchemaArgs(
            rules=[
                storage.ManagementPolicyRuleArgs(
                    name="cool-when-unread",
                    enabled=True,
                    type=storage.RuleType.LIFECYCLE,
                    definition=storage.ManagementPolicyDefinitionArgs(
                        filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"]),
                        actions=storage.ManagementPolicyActionArgs(
                            base_blob=storage.ManagementPolicyBaseBlobArgs(
                                tier_to_cool=storage.DateAfterModificationArgs(
                                    days_after_last_access_time_greater_than=days
                                ),
                                enable_auto_tier_to_hot_from_cool=True,
                            )
                        ),
                    ),
                )
            ]
        ),
        # Azure refuses a rule over access times that nobody notes.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[blobs]),
    )


class WorkspaceStorage(pulumi.ComponentResource):
    """The workspace's own account: code, logs, job outputs, notebooks. Azure ML makes its containers and shares."""

    account: storage.StorageAccount

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("amlplatform:storage:WorkspaceStorage", name, None, opts)
        self.account = storage_account(
            "storage", settings.names.storage_account, settings, resource_group, hierarchical=False, parent=self
        )
        _blob_service("storage-blobs", settings, resource_group, self.account, self, access_times=False)
        storage.FileServiceProperties(
            "storage-files",
            file_services_name="default",
            account_name=self.account.name,
            resource_group_name=resource_group,
            share_delete_retention_policy=storage.DeleteRetentionPolicyArgs(
                enabled=True, days=settings.profile.blob_retention
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"name": self.account.name})


@dataclass(frozen=True)
class Lake:
    """The lake of an environment: made here, or containers of a central one. By purpose: raw, curated, output.

    `made` is the account, and `resources` what must exist before the lake is used; empty for a central lake.
    """

    account_id: pulumi.Input[str]
    account_name: str
    subscription_id: pulumi.Input[str]
    resource_group: str
    containers: Mapping[str, str]
    container_ids: Mapping[str, pulumi.Input[str]]
    made: storage.StorageAccount | None = None
    resources: Mapping[str, pulumi.Resource] = field(default_factory=dict)


def central_lake(account_id: str, containers: Mapping[str, str]) -> Lake:
    """Containers of an account that exists already, by purpose. Its network and its policies are its owner's."""
    _, _, subscription_id, _, resource_group, *_, account_name = account_id.split("/")
    return Lake(
        account_id=account_id,
        account_name=account_name,
        subscription_id=subscription_id,
        resource_group=resource_group,
        containers=containers,
        container_ids={
            purpose: f"{account_id}/blobServices/default/containers/{name}" for purpose, name in containers.items()
        },
    )


class LakeStorage(pulumi.ComponentResource):
    """The data lake with its containers."""

    account: storage.StorageAccount
    containers: dict[str, storage.BlobContainer]

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("amlplatform:storage:LakeStorage", name, None, opts)
        self.account = storage_account(
            "lake", settings.names.lake_account, settings, resource_group, hierarchical=True, parent=self
        )
        blobs = _blob_service("lake-blobs", settings, resource_group, self.account, self, access_times=True)
        self.containers = {
            container: storage.BlobContainer(
                f"lake-{container}",
                container_name=container,
                account_name=self.account.name,
                resource_group_name=resource_group,
                public_access=storage.PublicAccess.NONE,
                opts=settings.holds_data(self, pulumi.ResourceOptions(depends_on=[blobs])),
            )
            for container in LAKE_CONTAINERS
        }
        _lifecycle(settings, resource_group, self.account, blobs, self)
        self.register_outputs({"name": self.account.name})

    def as_lake(self, settings: Settings, subscription_id: pulumi.Input[str]) -> Lake:
        return Lake(
            account_id=self.account.id,
            account_name=settings.names.lake_account,
            subscription_id=subscription_id,
            resource_group=settings.names.resource_group,
            containers={name: name for name in self.containers},
            container_ids={name: container.id for name, container in self.containers.items()},
            made=self.account,
            resources=self.containers,
        )
