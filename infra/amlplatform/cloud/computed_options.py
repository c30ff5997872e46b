"""What Azure adds to the resources of options: see `computed`."""

from __future__ import annotations

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


COMPUTED: dict[str, Compute] = {
    "Microsoft.ContainerService/managedClusters": _managed_cluster,
    "Microsoft.ContainerService/managedClusters/managedNamespaces": _succeeded,
    "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings": _succeeded,
    "Microsoft.KubernetesConfiguration/extensions": _extension,
    "Microsoft.DataFactory/factories": _data_factory,
    "Microsoft.DataFactory/factories/triggers": _trigger,
    "Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints": _managed_private_endpoint,
}
"""By ARM type."""
