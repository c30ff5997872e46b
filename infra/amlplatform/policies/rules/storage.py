"""Storage accounts: identities instead of keys, nothing anonymous, encrypted, redundant, restorable."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.checks import absent, between, each, equals, given, where
from amlplatform.policies.rule import (
    DURABLE,
    EVERYWHERE,
    NOT_IN_DEV,
    Context,
    Resource,
    ResourceRule,
    Rule,
    Stack,
    StackRule,
)
from amlplatform.policies.values import at, is_known_id, shown
from amlplatform.regions import REGIONS

_SERVICES = ("blob", "file", "queue", "table")


def _redundant(resource: Resource, _context: Context) -> Iterator[str]:
    sku, location = at(resource.body, "sku.name"), at(resource.body, "location")
    region = REGIONS.get(str(location))
    if UNKNOWN in (sku, location) or region is None:
        return
    # Facts of the region decide what can be asked for; the best of it is demanded.
    accepted = [
        name
        for name, offered in (
            ("Standard_GZRS", region.paired and region.zones),
            ("Standard_RAGZRS", region.paired and region.zones),
            ("Standard_GRS", region.paired and not region.zones),
            ("Standard_RAGRS", region.paired and not region.zones),
            ("Standard_ZRS", region.zones and not region.paired),
            ("Standard_LRS", not region.zones and not region.paired),
        )
        if offered
    ]
    if sku not in accepted:
        yield f"sku.name is {shown(sku)}, must be {' or '.join(accepted)} in {location}"


def _without_deletion_policy(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    services = stack.of(arm.BLOB_SERVICE)
    for account in stack.of(arm.STORAGE):
        if not any(stack.is_below(service, account) for service in services):
            yield account, "has no blob service with soft delete"


def _workspace_account(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    for workspace in stack.of(arm.ML_WORKSPACE):
        for account in stack.of(arm.STORAGE):
            if not stack.points_at(workspace, at(workspace.body, "properties.storageAccount"), account):
                continue
            own = at(workspace.body, "properties.storageAccount")
            if own == UNKNOWN or not is_known_id(account.arm_id):
                continue  # the lake is among what the workspace depends on, too
            value = at(account.body, "properties.isHnsEnabled")
            if value not in (UNKNOWN, False):
                yield account, f"properties.isHnsEnabled is {shown(value)}, must be false for a workspace's own account"


def _lake(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    lakes = {
        at(store.body, "properties.accountName")
        for store in stack.of(arm.DATASTORE)
        if at(store.body, "properties.datastoreType") == "AzureDataLakeGen2"
    }
    for account in stack.of(arm.STORAGE):
        flat = at(account.body, "properties.isHnsEnabled") not in (True, UNKNOWN)
        if flat and account.arm_id.rpartition("/")[2] in lakes:
            yield account, "properties.isHnsEnabled is not true, and data stores of type AzureDataLakeGen2 name it"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="storage-general-purpose",
        protects="All features that the rules demand are there: other kinds and tiers lack some of them",
        remedy="take the kind StorageV2 and a SKU of the tier Standard",
        severity=EVERYWHERE,
        sources=("AML concept-workspace",),
        types=(arm.STORAGE,),
        check=each(
            equals("kind", "StorageV2"),
            equals("sku.name", *(f"Standard_{one}" for one in ("LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS"))),
        ),
    ),
    ResourceRule(
        name="storage-keys-off",
        protects="No account key or SAS opens all data: who reads or writes does so with an identity and a role",
        remedy="set allowSharedKeyAccess to false and defaultToOAuthAuthentication to true",
        severity=EVERYWHERE,
        sources=(
            "CKV2_AZURE_40",
            "PSRule Azure.Storage.LocalAuth",
            "AML how-to-disable-local-auth-storage",
        ),
        types=(arm.STORAGE,),
        check=each(
            equals("properties.allowSharedKeyAccess", False), equals("properties.defaultToOAuthAuthentication", True)
        ),
    ),
    ResourceRule(
        name="storage-anonymous-access-off",
        protects="Nobody reads a blob without an identity",
        remedy="set allowBlobPublicAccess to false",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_59",
            "PSRule Azure.Storage.BlobPublicAccess",
        ),
        types=(arm.STORAGE,),
        check=equals("properties.allowBlobPublicAccess", False),
    ),
    ResourceRule(
        name="container-private",
        protects="Nobody lists or reads a container without an identity",
        remedy="set publicAccess to None",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_34",
            "PSRule Azure.Storage.BlobAccessType",
        ),
        types=(arm.CONTAINER,),
        check=equals("properties.publicAccess", "None"),
    ),
    ResourceRule(
        name="storage-transport-encrypted",
        protects="Data is not read on its way",
        remedy="set supportsHttpsTrafficOnly to true and minimumTlsVersion to TLS1_2",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_3",
            "CKV_AZURE_44",
            "PSRule Azure.Storage.SecureTransfer",
            "PSRule Azure.Storage.MinTLS",
        ),
        types=(arm.STORAGE,),
        check=each(
            equals("properties.supportsHttpsTrafficOnly", True),
            equals("properties.minimumTlsVersion", "TLS1_2", "TLS1_3"),
        ),
    ),
    ResourceRule(
        name="storage-other-protocols-off",
        protects="SFTP and local users have passwords and keys of their own, NFS has no identities at all",
        remedy="set isSftpEnabled, isLocalUserEnabled and isNfsV3Enabled to false",
        severity=EVERYWHERE,
        sources=("PSRule Azure.Storage.LocalAuth",),
        types=(arm.STORAGE,),
        check=each(
            *(equals(f"properties.is{door}Enabled", False) for door in ("Sftp", "LocalUser", "NfsV3")),
        ),
    ),
    ResourceRule(
        name="storage-stays-in-the-tenant",
        protects="Data is not replicated to an account of another organisation",
        remedy="set allowCrossTenantReplication to false",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.STORAGE,),
        check=equals("properties.allowCrossTenantReplication", False),
    ),
    ResourceRule(
        name="storage-encrypted",
        protects="All services of the account are encrypted, with keys that Azure or the vault holds",
        remedy="set encryption for blob, file, queue and table",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.STORAGE,),
        check=each(
            equals("properties.encryption.keySource", "Microsoft.Storage", "Microsoft.Keyvault"),
            where(
                "properties.encryption.keySource",
                "Microsoft.Keyvault",
                then=given("properties.encryption.keyvaultproperties"),
            ),
            *(equals(f"properties.encryption.services.{one}.enabled", True) for one in _SERVICES),
            # Of kind Service, the keys of queues and tables could not be replaced by the organisation's.
            *(equals(f"properties.encryption.services.{one}.keyType", "Account") for one in _SERVICES),
        ),
    ),
    ResourceRule(
        name="storage-encrypted-twice",
        protects="One broken algorithm or key does not open the data",
        remedy="set encryption.requireInfrastructureEncryption to true; it is fixed when the account is made",
        severity=NOT_IN_DEV,
        sources=("own",),
        types=(arm.STORAGE,),
        check=equals("properties.encryption.requireInfrastructureEncryption", True),
    ),
    ResourceRule(
        name="storage-redundant",
        protects="Data survives the loss of a zone or a region, as far as the region has partners",
        remedy="take the SKU that the region offers",
        severity=DURABLE,
        sources=(
            "CKV_AZURE_206",
            "PSRule Azure.Storage.UseReplication",
        ),
        types=(arm.STORAGE,),
        check=_redundant,
    ),
    ResourceRule(
        name="blobs-can-be-restored",
        protects="What a job or a person deletes by mistake comes back",
        remedy="turn soft delete of blobs and containers on for the days that the environment asks for",
        severity=EVERYWHERE,
        sources=(
            "PSRule Azure.Storage.SoftDelete",
            "PSRule Azure.Storage.ContainerSoftDelete",
        ),
        types=(arm.BLOB_SERVICE,),
        check=each(
            *(
                part
                for policy in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy")
                for part in (
                    equals(f"properties.{policy}.enabled", True),
                    between(f"properties.{policy}.days", lambda bounds: bounds.blob_retention, lambda _bounds: 365),
                )
            ),
            equals("properties.deleteRetentionPolicy.allowPermanentDelete", False),
        ),
    ),
    StackRule(
        name="account-has-soft-delete",
        protects="No account is left without soft delete",
        remedy="add its blob service properties",
        severity=EVERYWHERE,
        sources=("PSRule Azure.Storage.SoftDelete",),
        types=(arm.STORAGE, arm.BLOB_SERVICE),
        check=_without_deletion_policy,
    ),
    StackRule(
        name="workspace-account-is-flat",
        protects="Azure ML does not take an account with hierarchical namespace as its own",
        remedy="keep the workspace's account and the lake apart",
        severity=EVERYWHERE,
        sources=("AML concept-workspace",),
        types=(arm.ML_WORKSPACE, arm.STORAGE),
        check=_workspace_account,
    ),
    StackRule(
        name="lake-is-hierarchical",
        protects="The lake has folders with rights of their own, which data stores of its type need",
        remedy="set isHnsEnabled to true; it is fixed when the account is made",
        severity=EVERYWHERE,
        sources=("AML concept-workspace",),
        types=(arm.DATASTORE, arm.STORAGE),
        check=_lake,
    ),
    ResourceRule(
        name="file-share-can-be-restored",
        protects="Notebooks and code on file shares come back after a mistake",
        remedy="turn soft delete of shares on",
        severity=EVERYWHERE,
        sources=("PSRule Azure.Storage.FileShareSoftDelete",),
        types=(arm.FILE_SERVICE,),
        check=each(
            equals("properties.shareDeleteRetentionPolicy.enabled", True),
            between(
                "properties.shareDeleteRetentionPolicy.days", lambda bounds: bounds.blob_retention, lambda _bounds: 365
            ),
        ),
    ),
    ResourceRule(
        name="network-rules-need-no-exception",
        protects="The account's firewall has no hole for a single resource of another tenant",
        remedy="leave resourceAccessRules out",
        severity=NOT_IN_DEV,
        sources=("own",),
        types=(arm.STORAGE,),
        check=absent("properties.networkAcls.resourceAccessRules"),
    ),
)
