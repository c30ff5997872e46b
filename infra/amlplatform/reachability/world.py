"""What a plan's bodies say of the network: services with their doors, private ways, and where consumers stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amlplatform.policies import arm
from amlplatform.policies.values import at, entries, items
from amlplatform.reachability.model import Place, Planned
from amlplatform.reachability.needs import KUBERNETES_ATTACHED, STREAM_TO_SQL

# Where one service's type is not the whole story: key of the matrix, its type, its sub-resource of private link.
_OF_OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("ai-services", arm.AI_SERVICES, "account"),
    ("sql", arm.SQL_SERVER, "sqlServer"),
    ("event-hubs", arm.EVENT_HUBS, "namespace"),
    ("data-factory", arm.DATA_FACTORY, "dataFactory"),
    ("synapse", arm.SYNAPSE, "Dev"),
    ("databricks", arm.DATABRICKS, "databricks_ui_api"),
    ("kubernetes", arm.AKS, "management"),
)
_MANAGED_ENDPOINT_OF_FACTORY = f"{arm.DATA_FACTORY}/managedVirtualNetworks/managedPrivateEndpoints"
_TRUSTED_ACCESS_TO_KUBERNETES = f"{arm.AKS}/trustedAccessRoleBindings"
_ML_REGISTRY_RULE = "amlregistry"


@dataclass(frozen=True)
class Service:
    """One column of the matrix. `body`: None for what is central: its owner decides about doors and endpoints."""

    arm_id: str
    arm_type: str
    group: str
    body: Mapping[str, Any] | None


class World:
    """Read once from the planned resources of an environment. Ids are compared without case, as Azure does it."""

    def __init__(self, planned: Sequence[Planned]) -> None:
        self._planned = planned
        self._by_id = {one.arm_id.lower(): one for one in planned}
        self.workspace = self._first(arm.ML_WORKSPACE)
        self.services = dict(self._services())
        self.private_endpoints = frozenset(self._private_endpoints())
        self.outbound = frozenset(self._outbound())
        self.factory_endpoints = frozenset(self._factory_endpoints())

    def of(self, *arm_types: str) -> list[Planned]:
        return [one for one in self._planned if one.arm_type in arm_types]

    def _first(self, arm_type: str) -> Planned | None:
        return next(iter(self.of(arm_type)), None)

    def below(self, arm_id: str, arm_type: str) -> list[Planned]:
        """The children of a resource that are of this type."""
        return [one for one in self.of(arm_type) if one.arm_id.lower().startswith(f"{arm_id}/")]

    # --- Services ------------------------------------------------------------------------------------

    def _services(self) -> Iterator[tuple[str, Service]]:
        if self.workspace is not None:
            yield "workspace", self._service(self.workspace.arm_id, "amlworkspace")
            of_workspace = self.workspace.body["properties"]
            for group in ("blob", "file", "queue", "table"):
                yield f"storage-{group}", self._service(of_workspace["storageAccount"], group)
            yield "key-vault", self._service(of_workspace["keyVault"], "vault")
            yield "container-registry", self._service(of_workspace["containerRegistry"], "registry")
            yield "logs-sent", self._service(of_workspace["applicationInsights"], "")
        lake = self._lake_id()
        if lake:
            for group in ("blob", "dfs"):
                yield f"lake-{group}", self._service(lake, group)
        yield from self._logs()
        for target, group in self._outbound():
            if group == _ML_REGISTRY_RULE:
                yield "ml-registry", self._service(target, group)
        for key, arm_type, group in _OF_OPTIONS:
            for one in self.of(arm_type):
                yield key, self._service(one.arm_id, group)

    def _service(self, arm_id: str, group: str) -> Service:
        one = self._by_id.get(arm_id.lower())
        arm_type = one.arm_type if one else ""
        return Service(arm_id.lower(), arm_type, group, one.body if one else None)

    def _lake_id(self) -> str:
        """The account that the data stores name."""
        for store in self.of(arm.DATASTORE):
            where = store.body["properties"]
            group = f"/subscriptions/{where['subscriptionId']}/resourceGroups/{where['resourceGroup']}"
            return f"{group}/providers/{arm.STORAGE}/{where['accountName']}"
        return ""

    def _logs(self) -> Iterator[tuple[str, Service]]:
        for insights in self.of(arm.APP_INSIGHTS):
            yield "logs-read", self._service(str(at(insights.body, "properties.WorkspaceResourceId")), "")

    # --- Private ways --------------------------------------------------------------------------------

    def _private_endpoints(self) -> Iterator[tuple[str, str]]:
        """Target and sub-resource of every private endpoint in a subnet of the organisation."""
        for endpoint in self.of(arm.PRIVATE_ENDPOINT):
            for connection in items(endpoint.body, "properties.privateLinkServiceConnections"):
                for group in items(connection, "properties.groupIds"):
                    yield str(at(connection, "properties.privateLinkServiceId")).lower(), group

    def _outbound(self) -> Iterator[tuple[str, str]]:
        """The same of every outbound rule of the workspace's managed network."""
        rules = [rule for one in self.of(arm.OUTBOUND_RULE) for rule in (at(one.body, "properties"),)]
        if self.workspace is not None:
            rules += [rule for _, rule in entries(self.workspace.body, "properties.managedNetwork.outboundRules")]
        for rule in rules:
            if at(rule, "type") == "PrivateEndpoint":
                target = str(at(rule, "destination.serviceResourceId")).lower()
                yield target, str(at(rule, "destination.subresourceTarget"))

    def _factory_endpoints(self) -> Iterator[tuple[str, str]]:
        for endpoint in self.of(_MANAGED_ENDPOINT_OF_FACTORY):
            properties = at(endpoint.body, "properties")
            yield str(at(properties, "privateLinkResourceId")).lower(), str(at(properties, "groupId"))

    @property
    def isolation(self) -> str:
        """The mode of the workspace's managed network."""
        mode = at(self.workspace.body, "properties.managedNetwork.isolationMode") if self.workspace else "Disabled"
        return mode if isinstance(mode, str) else "Disabled"

    @property
    def of_workspace(self) -> frozenset[tuple[str, str]]:
        """What a managed network has endpoints to by itself.

        learn.microsoft.com/azure/machine-learning/how-to-managed-network, "List of required rules": workspace, default
        storage, vault and registry. Of the storage blob and file only: "Scenario: Use batch endpoints".
        """
        keys = ("workspace", "storage-blob", "storage-file", "key-vault", "container-registry")
        return frozenset((self.services[key].arm_id, self.services[key].group) for key in keys if key in self.services)

    # --- Places --------------------------------------------------------------------------------------

    def computes(self, compute_type: str) -> list[Place]:
        """Where the nodes of a kind of compute stand, for example of "AmlCompute"."""
        return [
            self._place_of_nodes(at(one.body, "properties.properties"))
            for one in self.of(arm.COMPUTE)
            if at(one.body, "properties.computeType") == compute_type
        ]

    def _place_of_nodes(self, nodes: Any) -> Place:
        if self.isolation != "Disabled":
            return Place.MANAGED
        if isinstance(at(nodes, "subnet.id"), str):
            return Place.SUBNET
        # Without an address and a network of its own, a node gets nowhere: how-to-secure-training-vnet, "no public IP".
        return Place.INTERNET if at(nodes, "enableNodePublicIp") is True else Place.NOWHERE

    def image_builder(self) -> list[Place]:
        """The cluster that the workspace names; AZURE where the registry itself builds."""
        if self.workspace is None:
            return []
        if isinstance(at(self.workspace.body, "properties.imageBuildCompute"), str):
            return self.computes("AmlCompute")
        return [Place.AZURE]

    def deployments(self) -> list[Place]:
        """Managed online deployments, which the project makes in whatever workspace there is."""
        if self.workspace is None:
            return []
        if self.isolation != "Disabled":
            return [Place.MANAGED]
        closed = at(self.workspace.body, "properties.publicNetworkAccess") == "Disabled"
        return [Place.DEPLOYMENT if closed else Place.INTERNET]

    def factories(self) -> list[Place]:
        runtimes = self.of(arm.INTEGRATION_RUNTIME)
        managed = any(isinstance(at(one.body, "properties.managedVirtualNetwork"), Mapping) for one in runtimes)
        return [Place.FACTORY if managed else Place.INTERNET for _ in self.of(arm.DATA_FACTORY)]

    def synapse_pools(self) -> list[Place]:
        return [
            Place.SYNAPSE if at(one.body, "properties.managedVirtualNetwork") == "default" else Place.INTERNET
            for one in self.of(arm.SYNAPSE)
        ]

    def databricks_clusters(self) -> list[Place]:
        path = "properties.parameters.customVirtualNetworkId.value"
        return [
            Place.SUBNET if isinstance(at(one.body, path), str) else Place.INTERNET for one in self.of(arm.DATABRICKS)
        ]

    def pods(self) -> list[Place]:
        return [
            Place.SUBNET
            if any(
                isinstance(at(pool, "vnetSubnetID"), str) for pool in items(one.body, "properties.agentPoolProfiles")
            )
            else Place.INTERNET
            for one in self.of(arm.AKS)
        ]

    @property
    def conditions(self) -> frozenset[str]:
        """Which conditions of needs hold."""
        outputs = [output for job in self.of(arm.STREAM_ANALYTICS) for output in items(job.body, "properties.outputs")]
        to_sql = any("Microsoft.Sql" in str(at(output, "properties.datasource.type")) for output in outputs)
        attached = any(at(one.body, "properties.computeType") == "Kubernetes" for one in self.of(arm.COMPUTE))
        held = {STREAM_TO_SQL: to_sql, KUBERNETES_ATTACHED: attached}
        return frozenset(condition for condition, holds in held.items() if holds)

    @property
    def kubernetes_trusts_azure_ml(self) -> bool:
        """learn.microsoft.com/azure/aks/trusted-access-feature."""
        return bool(self.of(_TRUSTED_ACCESS_TO_KUBERNETES))

    @property
    def synapse_keeps_data_in(self) -> bool:
        path = "properties.managedVirtualNetworkSettings.preventDataExfiltration"
        return any(at(one.body, path) is True for one in self.of(arm.SYNAPSE))

    def synapse_lake_endpoint(self, account_id: str) -> bool:
        """Whether Synapse has an endpoint to this account, which it makes for its own default lake alone."""
        path = "properties.defaultDataLakeStorage"
        return any(
            at(one.body, f"{path}.createManagedPrivateEndpoint") is True
            and account_id in str(at(one.body, f"{path}.resourceId")).lower()
            for one in self.of(arm.SYNAPSE)
        )
