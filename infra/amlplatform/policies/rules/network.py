"""Doors to the internet. What must be closed where people have no access is a table by type."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.checks import absent, equals, given, where
from amlplatform.policies.rule import (
    ADVISED,
    CLOSED,
    EVERYWHERE,
    NOT_IN_DEV,
    Context,
    Resource,
    ResourceCheck,
    ResourceRule,
    Rule,
    Stack,
    StackRule,
)
from amlplatform.policies.values import ABSENT, at, entries, is_known, items, shown

_CLOSED = equals("properties.publicNetworkAccess", "Disabled")
PUBLIC_ACCESS: dict[str, ResourceCheck] = {
    **dict.fromkeys(
        (
            arm.STORAGE,
            arm.VAULT,
            arm.REGISTRY,
            arm.ML_WORKSPACE,
            arm.ML_REGISTRY,
            arm.AI_SERVICES,
            arm.SQL_SERVER,
            arm.SYNAPSE,
            arm.DATABRICKS,
            arm.DATA_FACTORY,
            arm.EVENT_HUBS,
            arm.EVENT_HUBS_NETWORK,
        ),
        _CLOSED,
    ),
    # A private cluster has no public API server at all; a public one takes only named addresses.
    arm.AKS: equals("properties.apiServerAccessProfile.enablePrivateCluster", True),
}
"""Services that have a public address of their own, and what says that it is closed."""

_DENY = "Deny"
FIREWALLS: dict[str, str] = {
    arm.STORAGE: "properties.networkAcls",
    arm.VAULT: "properties.networkAcls",
    arm.AI_SERVICES: "properties.networkAcls",
    arm.REGISTRY: "properties.networkRuleSet",
    arm.EVENT_HUBS_NETWORK: "properties",
}
"""Where a service's firewall is."""

_OPEN_SOURCES = frozenset({"*", "0.0.0.0/0", "::/0", "internet", "any"})


def _public_access(resource: Resource, context: Context) -> Iterator[str]:
    yield from PUBLIC_ACCESS[resource.arm_type](resource, context)


def _firewall(resource: Resource, context: Context) -> Iterator[str]:
    path = FIREWALLS[resource.arm_type]
    yield from equals(f"{path}.defaultAction", _DENY)(resource, context)
    for rules in ("ipRules", "virtualNetworkRules"):
        yield from absent(f"{path}.{rules}")(resource, context)


def _closed_and_open(resource: Resource, context: Context) -> Iterator[str]:
    if at(resource.body, "properties.publicNetworkAccess") == "Disabled":
        yield from equals(f"{FIREWALLS[resource.arm_type]}.defaultAction", _DENY)(resource, context)


_TRUSTED: dict[str, ResourceCheck] = {
    **dict.fromkeys((arm.STORAGE, arm.VAULT), equals("properties.networkAcls.bypass", "AzureServices")),
    arm.REGISTRY: equals("properties.networkRuleBypassOptions", "AzureServices"),
    arm.EVENT_HUBS_NETWORK: equals("properties.trustedServiceAccessEnabled", True),
}


def _trusted_services(resource: Resource, context: Context) -> Iterator[str]:
    yield from _TRUSTED[resource.arm_type](resource, context)


def _open_inbound(resource: Resource, _context: Context) -> Iterator[str]:
    for rule in items(resource.body, "properties.securityRules"):
        inbound = at(rule, "properties.direction") == "Inbound" and at(rule, "properties.access") == "Allow"
        one = at(rule, "properties.sourceAddressPrefix")
        sources = [one, *items(rule, "properties.sourceAddressPrefixes")]
        if inbound and any(str(source).lower() in _OPEN_SOURCES for source in sources if is_known(source)):
            yield f"the rule {shown(at(rule, 'name'))} lets the whole internet in"


def _broad_outbound(resource: Resource, _context: Context) -> Iterator[str]:
    for name, rule in entries(resource.body, "properties.managedNetwork.outboundRules"):
        yield from _broad(f"the outbound rule {name}", rule)
    if resource.arm_type == arm.OUTBOUND_RULE:
        yield from _broad("the outbound rule", at(resource.body, "properties"))


def _broad(subject: str, rule: object) -> Iterator[str]:
    destination = at(rule, "destination")
    if at(rule, "type") == "FQDN" and "*" in str(destination):
        yield f"{subject} allows {shown(destination)}, must name each host"
    tag = str(at(destination, "serviceTag"))
    if at(rule, "type") == "ServiceTag" and tag.partition(".")[0] in ("Internet", "AzureCloud"):
        yield f"{subject} allows all of {tag}"


# An API server has a door of another kind, and a registry of models belongs to several workspaces.
_WITH_THE_WORKSPACE = tuple(one for one in PUBLIC_ACCESS if one not in (arm.AKS, arm.ML_REGISTRY, arm.ML_WORKSPACE))


def _consistent(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    """What touches the network of a workspace and its compute comes as one set; other mixtures do not work."""
    for workspace in stack.of(arm.ML_WORKSPACE):
        closed = at(workspace.body, "properties.publicNetworkAccess")
        isolation = at(workspace.body, "properties.managedNetwork.isolationMode")
        if not (is_known(closed) and is_known(isolation)):
            continue
        managed = isolation != "Disabled"
        yield from _workspace_set(workspace, closed=closed == "Disabled", managed=managed)
        for compute in stack.of(arm.COMPUTE):
            yield from _compute_set(compute, closed=closed == "Disabled", managed=managed)
        for service in stack.of(*_WITH_THE_WORKSPACE):
            door = at(service.body, "properties.publicNetworkAccess")
            if is_known(door) and door != closed:
                yield service, f"properties.publicNetworkAccess is {shown(door)}, the workspace's is {shown(closed)}"


def _workspace_set(workspace: Resource, *, closed: bool, managed: bool) -> Iterator[tuple[Resource, str]]:
    wanted = {
        "properties.provisionNetworkNow": managed,
        # Serverless compute without a public address works where the workspace is closed, and only there.
        "properties.serverlessComputeSettings.serverlessComputeNoPublicIP": closed,
    }
    for path, value in wanted.items():
        found = at(workspace.body, path)
        if found != UNKNOWN and found is not value:
            yield workspace, f"{path} is {shown(found)}, must be {shown(value)} in this network"
    builder = at(workspace.body, "properties.imageBuildCompute")
    if closed and builder is ABSENT:
        yield workspace, "properties.imageBuildCompute is not set: Azure's own builders do not reach a closed registry"
    if managed and not closed:
        yield workspace, "a managed network isolates nothing while the workspace is open to the internet"


def _compute_set(compute: Resource, *, closed: bool, managed: bool) -> Iterator[tuple[Resource, str]]:
    if at(compute.body, "properties.computeType") not in ("AmlCompute", "ComputeInstance"):
        return
    public = at(compute.body, "properties.properties.enableNodePublicIp")
    if public is ABSENT or (is_known(public) and public is closed):
        state = "is closed" if closed else "has no private endpoint, so that nodes need an address"
        yield compute, f"properties.properties.enableNodePublicIp is {shown(public)}, and the workspace {state}"
    subnet = at(compute.body, "properties.properties.subnet.id")
    if managed and subnet is not ABSENT:
        yield compute, "properties.properties.subnet is set, and compute in a managed network takes none"
    if closed and not managed and subnet is ABSENT:
        yield compute, "properties.properties.subnet is not set, and the workspace has no managed network"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="public-network-access-off",
        protects="The internet cannot knock at what holds data, secrets or models",
        remedy="choose a network profile that is closed: managed-vnet or own-vnet",
        severity=CLOSED,
        sources=(
            "CKV_AZURE_59",
            "CKV_AZURE_189",
            "CKV_AZURE_139",
            "CKV_AZURE_144",
            "CKV2_AZURE_49",
            "CKV_AZURE_134",
            "CKV_AZURE_113",
            "CKV_AZURE_158",
            "CKV_AZURE_104",
            "CKV_AZURE_6",
            "PSRule AZR-000406",
            "DMZ Deny-MachineLearning-PublicNetworkAccess",
            "azure-policy 40cec1dd",
        ),
        types=tuple(PUBLIC_ACCESS),
        check=_public_access,
    ),
    ResourceRule(
        name="firewall-denies-by-default",
        protects="A service that is opened by mistake still lets nobody in who is not named",
        remedy="set the default action to Deny, without address or network rules",
        severity=CLOSED,
        sources=(
            "CKV_AZURE_35",
            "CKV_AZURE_109",
            "PSRule AZR-000402",
            "PSRule Azure.Storage.Firewall",
        ),
        types=tuple(FIREWALLS),
        check=_firewall,
    ),
    ResourceRule(
        name="only-trusted-services-pass-the-firewall",
        protects="Azure's own services reach storage, vault and registry, among them Azure ML; nobody else passes by",
        remedy="set the bypass to AzureServices",
        severity=EVERYWHERE,
        sources=("CKV_AZURE_36",),
        types=tuple(_TRUSTED),
        check=_trusted_services,
    ),
    ResourceRule(
        name="closed-service-denies-by-default",
        protects="Who opens the door of a closed service does not open its firewall with it",
        remedy="set the default action to Deny",
        severity=EVERYWHERE,
        sources=("CKV_AZURE_35", "CKV_AZURE_109"),
        types=tuple(FIREWALLS),
        check=_closed_and_open,
    ),
    StackRule(
        name="network-properties-fit-together",
        protects="Workspace, its accounts and compute are in one network: mixtures either leak or do not start",
        remedy="take all network properties from one network profile",
        severity=EVERYWHERE,
        sources=(
            "CKV2_AZURE_50",
            "PSRule AZR-000405",
            "azure-policy 6ddb1705",
            "azure-policy 7804b5c7",
            "DMZ Deny-MachineLearning-SubnetId",
        ),
        types=(arm.ML_WORKSPACE, arm.COMPUTE, *_WITH_THE_WORKSPACE),
        check=_consistent,
    ),
    ResourceRule(
        name="outbound-only-where-approved",
        protects="Jobs in a managed network reach what was approved, and not the whole internet",
        remedy="set isolationMode to AllowOnlyApprovedOutbound",
        severity=NOT_IN_DEV,
        sources=("azure-policy 6ddb1705", "AML how-to-managed-network"),
        types=(arm.ML_WORKSPACE,),
        check=equals("properties.managedNetwork.isolationMode", "AllowOnlyApprovedOutbound", "Disabled"),
    ),
    ResourceRule(
        name="outbound-rules-name-their-targets",
        protects="Jobs in a managed network cannot send data to places that nobody approved",
        remedy="name the hosts, or use a private endpoint",
        severity=EVERYWHERE,
        sources=("AML how-to-managed-network",),
        types=(arm.ML_WORKSPACE, arm.OUTBOUND_RULE),
        check=_broad_outbound,
    ),
    ResourceRule(
        name="no-inbound-from-the-internet",
        protects="No machine in a subnet is reached from the whole internet, by SSH, RDP or anything else",
        remedy="name the addresses that may come in",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_9",
            "CKV_AZURE_10",
        ),
        types=(arm.NSG,),
        check=_open_inbound,
    ),
    ResourceRule(
        name="subnet-has-a-security-group",
        protects="Traffic in a subnet is filtered",
        remedy="attach a network security group",
        severity=ADVISED,
        sources=("CKV2_AZURE_31",),
        types=(arm.SUBNET,),
        check=given("properties.networkSecurityGroup.id"),
    ),
    ResourceRule(
        name="workspace-not-opened-behind-a-network",
        protects="A workspace in a network does not answer the internet after all",
        remedy="set allowPublicAccessWhenBehindVnet to false",
        severity=EVERYWHERE,
        sources=("DMZ Deny-MachineLearning-PublicAccessWhenBehindVnet",),
        types=(arm.ML_WORKSPACE,),
        check=where("kind", "Default", then=equals("properties.allowPublicAccessWhenBehindVnet", False)),
    ),
)
