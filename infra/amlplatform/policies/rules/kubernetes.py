"""Kubernetes: Entra logins only, an API server that is not open, nodes that are hardened and update themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.checks import absent, each, equals, given, where
from amlplatform.policies.rule import (
    ADVISED_IN_PROD,
    EVERYWHERE,
    NOT_IN_DEV,
    PROD,
    Context,
    Resource,
    ResourceCheck,
    ResourceRule,
    Rule,
)
from amlplatform.policies.values import ABSENT, at, is_empty, items, shown
from amlplatform.regions import REGIONS

_OPEN = frozenset({"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0"})
_MOST_NODES = 100
_API = "properties.apiServerAccessProfile"

Pool = Callable[[Any, Context, Resource], Iterator[str]]


def _pools(check: Pool) -> ResourceCheck:
    """Each pool of nodes, in the cluster's body or as a resource of its own."""

    def on_each(resource: Resource, context: Context) -> Iterator[str]:
        if resource.arm_type == arm.AGENT_POOL:
            yield from check(at(resource.body, "properties"), context, resource)
        for pool in items(resource.body, "properties.agentPoolProfiles"):
            for text in check(pool, context, resource):
                yield f"pool {at(pool, 'name')}: {text}"

    return on_each


def _wants(value: Any, path: str, *allowed: Any) -> Iterator[str]:
    found = at(value, path)
    if found != UNKNOWN and not any(found == one and type(found) is type(one) for one in allowed):
        yield f"{path} is {shown(found)}, must be {' or '.join(shown(one) for one in allowed)}"


def _hardened(pool: Any, _context: Context, _resource: Resource) -> Iterator[str]:
    yield from _wants(pool, "enableNodePublicIP", False)
    yield from _wants(pool, "enableEncryptionAtHost", True)
    yield from _wants(pool, "osDiskType", "Ephemeral")
    yield from _wants(pool, "type", "VirtualMachineScaleSets")
    yield from _wants(pool, "osType", "Linux")
    yield from _wants(pool, "securityProfile.sshAccess", "Disabled")
    pods = at(pool, "maxPods")
    if pods is ABSENT or (isinstance(pods, int) and pods < 50):
        yield f"maxPods is {shown(pods)}, must be at least 50"


def _scaled(pool: Any, _context: Context, _resource: Resource) -> Iterator[str]:
    yield from _wants(pool, "enableAutoScaling", True)
    most, least = at(pool, "maxCount"), at(pool, "minCount")
    if most != UNKNOWN and (not isinstance(most, int) or most > _MOST_NODES):
        yield f"maxCount is {shown(most)}, must be at most {_MOST_NODES}"
    if least is ABSENT:
        yield f"minCount is {shown(least)}, must be given"


def _in_zones(pool: Any, _context: Context, resource: Resource) -> Iterator[str]:
    region = REGIONS.get(str(at(resource.body, "location")))
    zones = at(pool, "availabilityZones")
    enough = zones == UNKNOWN or (isinstance(zones, list) and len(zones) > 1)
    if region is not None and region.zones and not enough:
        yield "availabilityZones has fewer than two zones, and the region has them"


def _api_server(resource: Resource, _context: Context) -> Iterator[str]:
    private = at(resource.body, f"{_API}.enablePrivateCluster")
    ranges = items(resource.body, "properties.apiServerAccessProfile.authorizedIPRanges")
    if private in (True, UNKNOWN):
        return
    if is_empty(resource.body, "properties.apiServerAccessProfile.authorizedIPRanges"):
        yield "properties.apiServerAccessProfile has neither a private cluster nor authorizedIPRanges"
    yield from (
        f"properties.apiServerAccessProfile.authorizedIPRanges has {one}, the whole internet"
        for one in ranges
        if one in _OPEN
    )


def _one_door(resource: Resource, _context: Context) -> Iterator[str]:
    """A private cluster has no public door beside it, and goes out through the network's firewall. Others have one."""
    private = at(resource.body, f"{_API}.enablePrivateCluster")
    if private is True:
        yield from _wants(resource.body, f"{_API}.enablePrivateClusterPublicFQDN", False)
        yield from _wants(resource.body, "properties.networkProfile.outboundType", "userDefinedRouting")
    if private != UNKNOWN:
        yield from _wants(resource.body, "properties.publicNetworkAccess", "Disabled" if private is True else "Enabled")


def _dataplane(resource: Resource, _context: Context) -> Iterator[str]:
    policy, plane = (at(resource.body, f"properties.networkProfile.network{name}") for name in ("Policy", "Dataplane"))
    if UNKNOWN not in (policy, plane) and (policy == "cilium") is not (plane == "cilium"):
        yield f"properties.networkProfile: networkPolicy is {shown(policy)}, and networkDataplane {shown(plane)}"


def _addon(name: str) -> ResourceCheck:
    return equals(f"properties.addonProfiles.{name}.enabled", True)


def _rotation(resource: Resource, _context: Context) -> Iterator[str]:
    path = "properties.addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation"
    # Azure's type is a map of strings.
    if str(at(resource.body, path)).lower() not in ("true", UNKNOWN):
        yield f"{path} is {shown(at(resource.body, path))}, must be 'true'"


def _extension_setting(name: str, wanted: str) -> ResourceCheck:
    """A setting of the Azure ML extension. Azure's type is a map of strings."""
    path = f"properties.configurationSettings.{name}"

    def check(resource: Resource, _context: Context) -> Iterator[str]:
        value = at(resource.body, path)
        if str(value).lower() not in (wanted.lower(), UNKNOWN):
            yield f"{path} is {shown(value)}, must be '{wanted}'"

    return where("properties.extensionType", "Microsoft.AzureML.Kubernetes", then=check)


_CLUSTER, _NODES = (arm.AKS,), (arm.AKS, arm.AGENT_POOL)
RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="kubernetes-entra-only",
        protects="Who uses the cluster does so with an Entra identity and an Azure role: no local administrator",
        remedy="set disableLocalAccounts, enableRBAC and aadProfile with managed and enableAzureRBAC",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_5",
            "CKV_AZURE_141",
            "PSRule Azure.AKS.LocalAccounts",
            "PSRule Azure.AKS.AzureRBAC",
        ),
        types=_CLUSTER,
        check=each(
            equals("properties.disableLocalAccounts", True),
            equals("properties.enableRBAC", True),
            equals("properties.aadProfile.managed", True),
            equals("properties.aadProfile.enableAzureRBAC", True),
        ),
    ),
    ResourceRule(
        name="kubernetes-no-admin-group-without-people",
        protects="No group of people is administrator of a cluster where nobody has access",
        remedy="leave adminGroupObjectIDs out",
        severity=NOT_IN_DEV,
        sources=("CAF data-science-best-practices",),
        types=_CLUSTER,
        check=absent("properties.aadProfile.adminGroupObjectIDs"),
    ),
    ResourceRule(
        name="kubernetes-api-not-open",
        protects="The API server takes no calls from the whole internet",
        remedy="make the cluster private without a second door, or name the addresses that may call",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_6",
            "CKV_AZURE_115",
            "PSRule Azure.AKS.AuthorizedIPs",
        ),
        types=_CLUSTER,
        check=each(
            _api_server,
            _one_door,
            # Commands that go through Azure Resource Manager would pass the network and the namespaces by.
            equals(f"{_API}.disableRunCommand", True),
        ),
    ),
    ResourceRule(
        name="kubernetes-pods-separated",
        protects="A pod reaches only the pods that a network policy allows",
        remedy="set networkPlugin azure, networkPolicy with the data plane that it needs, loadBalancerSku standard",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_7",
            "PSRule Azure.AKS.NetworkPolicy",
        ),
        types=_CLUSTER,
        check=each(
            equals("properties.networkProfile.networkPolicy", "azure", "calico", "cilium"),
            equals("properties.networkProfile.networkPlugin", "azure"),
            # The tier basic has no rules for the addresses that may call.
            equals("properties.networkProfile.loadBalancerSku", "standard"),
            _dataplane,
        ),
    ),
    ResourceRule(
        name="kubernetes-acts-by-identity",
        protects="Cluster and pods have identities: no client secret of a service principal lies in the cluster",
        remedy="set a managed identity, the OIDC issuer and workload identity",
        severity=EVERYWHERE,
        sources=("own",),
        types=_CLUSTER,
        check=each(
            equals("identity.type", "UserAssigned", "SystemAssigned"),
            absent("properties.servicePrincipalProfile.secret"),
            absent("properties.linuxProfile"),
            equals("properties.oidcIssuerProfile.enabled", True),
            equals("properties.securityProfile.workloadIdentity.enabled", True),
        ),
    ),
    ResourceRule(
        name="kubernetes-watched",
        protects="Logs of the cluster arrive in Log Analytics, and Azure Policy sees what runs in it",
        remedy="turn the add-ons omsagent and azurepolicy on",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_4",
            "CKV_AZURE_116",
        ),
        types=_CLUSTER,
        check=each(
            _addon("omsagent"),
            given("properties.addonProfiles.omsagent.config.logAnalyticsWorkspaceResourceID"),
            _addon("azurepolicy"),
        ),
    ),
    ResourceRule(
        name="kubernetes-secrets-rotated",
        protects="A secret that was renewed in the vault reaches the pods",
        remedy="turn the add-on azureKeyvaultSecretsProvider on, with enableSecretRotation 'true'",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_172",
            "PSRule Azure.AKS.SecretStoreRotation",
        ),
        types=_CLUSTER,
        check=each(_addon("azureKeyvaultSecretsProvider"), _rotation),
    ),
    ResourceRule(
        name="kubernetes-updates-itself",
        protects="Known holes of Kubernetes and of the nodes are closed without anybody's doing",
        remedy="set upgradeChannel stable or patch, and nodeOSUpgradeChannel NodeImage or SecurityPatch",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_171",
            "PSRule Azure.AKS.AutoUpgrade",
        ),
        types=_CLUSTER,
        check=each(
            equals("properties.autoUpgradeProfile.upgradeChannel", "stable", "patch"),
            equals("properties.autoUpgradeProfile.nodeOSUpgradeChannel", "NodeImage", "SecurityPatch"),
            # Old images with known holes go.
            equals("properties.securityProfile.imageCleaner.enabled", True),
        ),
    ),
    ResourceRule(
        name="kubernetes-nodes-hardened",
        protects="Nodes have no public address and no SSH, and nothing of them stays readable on a disk",
        remedy="set the pool's properties as said",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_143",
            "CKV_AZURE_168",
            "CKV_AZURE_169",
            "CKV_AZURE_226",
            "CKV_AZURE_227",
        ),
        types=_NODES,
        check=_pools(_hardened),
    ),
    ResourceRule(
        name="kubernetes-scales-within-bounds",
        protects="Nodes come and go with the load, up to a limit that was asked for",
        remedy="turn autoscaling on with minCount and maxCount",
        severity=EVERYWHERE,
        sources=("PSRule Azure.AKS.MinNodeCount",),
        types=_NODES,
        check=_pools(_scaled),
    ),
    ResourceRule(
        name="kubernetes-has-an-sla",
        protects="The API server of prod is available as promised",
        remedy="take the tier Standard or Premium",
        severity=PROD,
        sources=(
            "CKV_AZURE_170",
            "PSRule Azure.AKS.UptimeSLA",
        ),
        types=_CLUSTER,
        check=equals("sku.tier", "Standard", "Premium"),
    ),
    ResourceRule(
        name="kubernetes-in-zones",
        protects="The cluster of prod lives on when a zone fails",
        remedy="spread the pools over zones",
        severity=ADVISED_IN_PROD,
        sources=("PSRule Azure.AKS.AvailabilityZone",),
        types=_CLUSTER,
        check=_pools(_in_zones),
    ),
    ResourceRule(
        name="kubernetes-namespace-not-taken-over",
        protects="A namespace of another project stays with that project",
        remedy="set adoptionPolicy to IfIdentical or Never",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.AKS_NAMESPACE,),
        check=equals("properties.adoptionPolicy", "IfIdentical", "Never"),
    ),
    ResourceRule(
        name="kubernetes-extension-updates-itself",
        protects="Known holes of the extension are closed without anybody's doing",
        remedy="set autoUpgradeMinorVersion to true",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.AKS_EXTENSION,),
        check=equals("properties.autoUpgradeMinorVersion", True),
    ),
    ResourceRule(
        name="kubernetes-endpoints-encrypted",
        protects="Real-time endpoints on the cluster answer over TLS only",
        remedy="set allowInsecureConnections to 'False' and enableInference to 'True'",
        severity=EVERYWHERE,
        sources=("AML how-to-deploy-kubernetes-extension",),
        types=(arm.AKS_EXTENSION,),
        check=each(
            _extension_setting("allowInsecureConnections", "False"), _extension_setting("enableInference", "True")
        ),
    ),
    ResourceRule(
        name="kubernetes-routers-redundant",
        protects="Requests in prod find a router when one fails",
        remedy="set inferenceRouterHA to 'True'",
        severity=PROD,
        sources=("AML how-to-deploy-kubernetes-extension",),
        types=(arm.AKS_EXTENSION,),
        check=_extension_setting("inferenceRouterHA", "True"),
    ),
)
