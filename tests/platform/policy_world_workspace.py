"""The workspace, compute and networks of the hand-made prod environment. See policy_world."""

from __future__ import annotations

from policy_parts import GROUP_ID, LOCATION, PEOPLE, SUBNET, TENANT, Body, acts_as, id_of, identity_id, resource

from amlplatform.policies import arm
from amlplatform.policies.rule import Options, Resource


def _outbound(target: str, part: str) -> Body:
    destination = {"serviceResourceId": target, "subresourceTarget": part, "sparkEnabled": False}
    return {"type": "PrivateEndpoint", "category": "UserDefined", "destination": destination}


def machine_learning() -> list[Resource]:
    workspace = id_of(arm.ML_WORKSPACE, "mlw")
    scale = {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT300S"}
    return [
        resource(
            "workspace",
            arm.ML_WORKSPACE,
            {
                "kind": "Default",
                "identity": acts_as("workspace"),
                "properties": {
                    "primaryUserAssignedIdentity": identity_id("workspace"),
                    "systemDatastoresAuthMode": "Identity",
                    "hbiWorkspace": True,
                    "v1LegacyMode": False,
                    "publicNetworkAccess": "Disabled",
                    "allowPublicAccessWhenBehindVnet": False,
                    "managedNetwork": {
                        "isolationMode": "AllowOnlyApprovedOutbound",
                        "outboundRules": {"lake-dfs": _outbound(id_of(arm.STORAGE, "dl"), "dfs")},
                    },
                    "provisionNetworkNow": True,
                    "imageBuildCompute": "cpu-cluster",
                    "serverlessComputeSettings": {"serverlessComputeNoPublicIP": True},
                    "storageAccount": id_of(arm.STORAGE, "st"),
                    "keyVault": id_of(arm.VAULT, "kv"),
                    "containerRegistry": id_of(arm.REGISTRY, "cr"),
                    "applicationInsights": id_of(arm.APP_INSIGHTS, "appi"),
                },
            },
            last="mlw",
            options=Options(protect=True, replace_on_changes=()),
        ),
        resource(
            "cpu-cluster",
            arm.COMPUTE,
            {
                "identity": acts_as("cluster"),
                "properties": {
                    "computeType": "AmlCompute",
                    "disableLocalAuth": True,
                    "properties": {
                        "osType": "Linux",
                        "vmSize": "Standard_D4ds_v4",
                        "vmPriority": "Dedicated",
                        "enableNodePublicIp": False,
                        "remoteLoginPortPublicAccess": "Disabled",
                        "scaleSettings": scale,
                    },
                },
            },
            scope=workspace,
        ),
        resource("kubernetes", arm.COMPUTE, _kubernetes_compute(), scope=workspace),
        resource(
            "datastore-raw",
            arm.DATASTORE,
            {
                "properties": {
                    "datastoreType": "AzureDataLakeGen2",
                    "accountName": "dl",
                    "filesystem": "raw",
                    "resourceGroup": "rg-churn-prod",
                    "subscriptionId": GROUP_ID.split("/")[2],
                    "credentials": {"credentialsType": "None"},
                    "serviceDataAccessAuthIdentity": "WorkspaceUserAssignedIdentity",
                    "protocol": "https",
                    "endpoint": "core.windows.net",
                }
            },
            scope=workspace,
            tags=False,
        ),
        resource(
            "model-registry",
            arm.ML_REGISTRY,
            {
                "identity": {"type": "SystemAssigned"},
                "properties": {
                    "publicNetworkAccess": "Disabled",
                    "regionDetails": [{"location": LOCATION, "acrDetails": [], "storageAccountDetails": []}],
                },
            },
        ),
        resource(
            "outbound-rule",
            arm.OUTBOUND_RULE,
            {"properties": _outbound(id_of(arm.SQL_SERVER, "sql"), "sqlServer")},
            scope=workspace,
            tags=False,
        ),
    ]


def _kubernetes_compute() -> Body:
    return {
        "identity": acts_as("cluster"),
        "properties": {
            "computeType": "Kubernetes",
            "disableLocalAuth": True,
            "resourceId": id_of(arm.AKS, "aks"),
            "properties": {"namespace": "churn"},
        },
    }


def instance() -> Resource:
    """A compute instance as dev may have it; prod has none."""
    user = {"objectId": PEOPLE, "tenantId": TENANT}
    return resource(
        "instance",
        arm.COMPUTE,
        {
            "properties": {
                "computeType": "ComputeInstance",
                "disableLocalAuth": True,
                "properties": {
                    "vmSize": "Standard_D4ds_v4",
                    "applicationSharingPolicy": "Personal",
                    "computeInstanceAuthorizationType": "personal",
                    "personalComputeInstanceSettings": {"assignedUser": user},
                    "sshSettings": {"sshPublicAccess": "Disabled"},
                    "enableNodePublicIp": False,
                    "enableSSO": True,
                    "idleTimeBeforeShutdown": "PT30M",
                },
            }
        },
        scope=id_of(arm.ML_WORKSPACE, "mlw"),
    )


def network(services: list[Resource]) -> list[Resource]:
    rule = {
        "name": "from-the-office",
        "properties": {
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "Tcp",
            "priority": 100,
            "sourceAddressPrefix": "198.51.100.0/24",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "443",
        },
    }
    nsg = id_of(arm.NSG, "nsg")
    made = [
        resource("nsg", arm.NSG, {"properties": {"securityRules": [rule]}}),
        resource(
            "subnet",
            arm.SUBNET,
            {"properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": nsg}}},
            scope=id_of(arm.VIRTUAL_NETWORK, "vnet"),
            tags=False,
        ),
    ]
    for service in services:
        connection = {"name": service.name, "properties": {"privateLinkServiceId": service.arm_id, "groupIds": ["x"]}}
        endpoint = resource(
            f"pe-{service.name}",
            arm.PRIVATE_ENDPOINT,
            {"properties": {"subnet": {"id": SUBNET}, "privateLinkServiceConnections": [connection]}},
        )
        zone = {"name": "zone", "properties": {"privateDnsZoneId": id_of(arm.PRIVATE_ZONE, "privatelink.example")}}
        names = resource(
            f"pe-{service.name}-names",
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
            {"properties": {"privateDnsZoneConfigs": [zone]}},
            scope=endpoint.arm_id,
            last="default",
            tags=False,
        )
        made += [endpoint, names]
    return made
