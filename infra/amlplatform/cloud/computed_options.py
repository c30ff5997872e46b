"""What Azure adds to the resources of options: see `computed`."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from amlplatform.cloud.state import Document

Properties = dict[str, Any]
Compute = Callable[[Document, Properties, Mapping[str, Any]], None]


def _kept(properties: Properties, before: Mapping[str, Any], name: str, made: str) -> str:
    """Set a property that is made up once."""
    properties[name] = before.get(name, made)
    return properties[name]


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _location(document: Document) -> str:
    return str(document["location"]).replace(" ", "").lower()


def _succeeded(_document: Document, properties: Properties, _before: Mapping[str, Any]) -> None:
    properties["provisioningState"] = "Succeeded"


def _managed_cluster(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    unique, location = _kept(properties, before, "resourceUID", uuid.uuid4().hex), _location(document)
    host = f"{properties.get('dnsPrefix')}-{unique[:8]}"
    private = (properties.get("apiServerAccessProfile") or {}).get("enablePrivateCluster")
    if private:
        properties["privateFQDN"] = f"{host}.{unique[8:16]}.privatelink.{location}.azmk8s.io"
    else:
        properties["fqdn"] = f"{host}.hcp.{location}.azmk8s.io"
    properties |= {
        "currentKubernetesVersion": before.get("currentKubernetesVersion", "1.34.2"),
        "maxAgentPools": 100,
        "powerState": {"code": "Running"},
        "provisioningState": "Succeeded",
    }
    issuer = properties.get("oidcIssuerProfile")
    if isinstance(issuer, dict) and issuer.get("enabled"):
        issuer["issuerURL"] = f"https://{location}.oic.prod-aks.azure.com/{unique}/"
    for pool in properties.get("agentPoolProfiles") or []:
        pool |= {"powerState": {"code": "Running"}, "provisioningState": "Succeeded"}


def _extension(_document: Document, properties: Properties, _before: Mapping[str, Any]) -> None:
    properties |= {"currentVersion": "1.3.5", "isSystemExtension": False, "provisioningState": "Succeeded"}


def _data_factory(_document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    properties |= {"provisioningState": "Succeeded", "version": "2018-06-01"}
    _kept(properties, before, "createTime", "2026-11-20T08:00:00.0000000Z")


def _trigger(_document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    # A PUT neither starts nor stops it.
    properties["runtimeState"] = before.get("runtimeState", "Stopped")


def _managed_private_endpoint(_document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    # Whoever owns the target says yes.
    properties["connectionState"] = before.get("connectionState", {"status": "Pending", "actionsRequired": "None"})
    properties |= {"provisioningState": "Succeeded", "isReserved": False}


def _sql_server(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    # A login that nobody can use: Azure makes one also where only Entra identities may log in.
    _kept(properties, before, "administratorLogin", f"CloudSA{uuid.uuid4().hex[:8]}")
    properties |= {
        "fullyQualifiedDomainName": f"{document['name'].lower()}.database.windows.net",
        "privateEndpointConnections": [],
        "state": "Ready",
    }


def _sql_database(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    sku = document.get("sku") or {}
    _kept(properties, before, "databaseId", str(uuid.uuid4()))
    _kept(properties, before, "creationDate", _now())
    properties.setdefault("collation", "SQL_Latin1_General_CP1_CI_AS")
    properties.setdefault("readScale", "Disabled")
    properties |= {
        "currentBackupStorageRedundancy": properties.get("requestedBackupStorageRedundancy", "Geo"),
        "currentServiceObjectiveName": f"{sku.get('name')}_{sku.get('capacity')}",
        "currentSku": dict(sku),
        "status": "Online",
    }


def _ai_services(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    name = str(properties.get("customSubDomainName") or document["name"]).lower()
    _kept(properties, before, "internalId", uuid.uuid4().hex)
    _kept(properties, before, "dateCreated", _now())
    endpoint = f"https://{name}.cognitiveservices.azure.com/"
    properties |= {
        "endpoint": endpoint,
        "endpoints": {
            "AI Foundry API": f"https://{name}.services.ai.azure.com/",
            "OpenAI Language Model Instance API": f"https://{name}.openai.azure.com/",
            "Speech Services": endpoint,
        },
        "isMigrated": False,
        "privateEndpointConnections": [],
        "provisioningState": "Succeeded",
    }


def _event_hubs(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    name = document["name"].lower()
    _kept(properties, before, "createdAt", _now())
    properties |= {
        "metricId": f"{document['id'].split('/')[2]}:{name}",
        "provisioningState": "Succeeded",
        "serviceBusEndpoint": f"https://{name}.servicebus.windows.net:443/",
        "status": "Active",
        "updatedAt": _now(),
    }


def _event_hub(_document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    _kept(properties, before, "createdAt", _now())
    hours = (properties.get("retentionDescription") or {}).get("retentionTimeInHours", 24)
    properties |= {
        "messageRetentionInDays": max(1, hours // 24),
        "partitionIds": [str(number) for number in range(properties.get("partitionCount", 1))],
        "status": "Active",
        "updatedAt": _now(),
    }


def _streaming_job(_document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    _kept(properties, before, "jobId", str(uuid.uuid4()))
    _kept(properties, before, "createdDate", _now())
    # A PUT neither starts nor stops it.
    properties["jobState"] = before.get("jobState", "Created")
    properties["provisioningState"] = "Succeeded"


def _workflow(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    _kept(properties, before, "createdTime", _now())
    host = f"https://prod-01.{_location(document)}.logic.azure.com:443"
    _kept(properties, before, "accessEndpoint", f"{host}/workflows/{uuid.uuid4().hex}")
    properties |= {
        "changedTime": _now(),
        "endpointsConfiguration": {"workflow": {"outgoingIpAddresses": [{"address": "198.51.100.20"}]}},
        "provisioningState": "Succeeded",
        "version": f"0858{uuid.uuid4().int % 10**16:016d}",
    }


def _databricks(_document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    # Sixteen digits, as Databricks numbers its workspaces.
    number = _kept(properties, before, "workspaceId", str(uuid.uuid4().int)[:16])
    properties |= {
        "workspaceUrl": f"adb-{number}.{int(number) % 20}.azuredatabricks.net",
        "isUcEnabled": True,
        "provisioningState": "Succeeded",
    }
    _kept(properties, before, "createdDateTime", "2026-11-20T08:00:00.0000000Z")
    for parameter in (properties.get("parameters") or {}).values():
        parameter["type"] = "Bool" if isinstance(parameter.get("value"), bool) else "String"


def _synapse(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    name = document["name"].lower()
    _kept(properties, before, "workspaceUID", str(uuid.uuid4()))
    properties |= {
        "connectivityEndpoints": {
            "dev": f"https://{name}.dev.azuresynapse.net",
            "sql": f"{name}.sql.azuresynapse.net",
            "sqlOnDemand": f"{name}-ondemand.sql.azuresynapse.net",
            "web": f"https://web.azuresynapse.net?workspace={document['id']}",
        },
        "provisioningState": "Succeeded",
    }


def _spark_pool(_document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    properties |= {"provisioningState": "Succeeded", "cacheSize": 0}
    _kept(properties, before, "creationDate", "2026-11-20T08:00:00.0000000Z")


COMPUTED: dict[str, Compute] = {
    "Microsoft.CognitiveServices/accounts": _ai_services,
    "Microsoft.EventHub/namespaces": _event_hubs,
    "Microsoft.EventHub/namespaces/eventhubs": _event_hub,
    "Microsoft.Logic/workflows": _workflow,
    "Microsoft.Sql/servers": _sql_server,
    "Microsoft.Sql/servers/databases": _sql_database,
    "Microsoft.StreamAnalytics/streamingjobs": _streaming_job,
    "Microsoft.ContainerService/managedClusters": _managed_cluster,
    "Microsoft.ContainerService/managedClusters/managedNamespaces": _succeeded,
    "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings": _succeeded,
    "Microsoft.KubernetesConfiguration/extensions": _extension,
    "Microsoft.Databricks/workspaces": _databricks,
    "Microsoft.Databricks/accessConnectors": _succeeded,
    "Microsoft.Synapse/workspaces": _synapse,
    "Microsoft.Synapse/workspaces/bigDataPools": _spark_pool,
    "Microsoft.Synapse/workspaces/firewallRules": _succeeded,
    "Microsoft.DataFactory/factories": _data_factory,
    "Microsoft.DataFactory/factories/triggers": _trigger,
    "Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints": _managed_private_endpoint,
}
"""By ARM type."""
