"""What verbs print of data assets, environments, components and data stores: with the keys of the laptop's records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from amlops.azure import records
from amlops.workspace import Record

_DATASTORES = {
    "azureblob": "azure_blob",
    "azurefile": "azure_file",
    "azuredatalakegen1": "azure_data_lake_gen1",
    "azuredatalakegen2": "azure_data_lake_gen2",
}


def _first(name: str, document: Mapping[str, Any]) -> Record:
    properties = document.get("properties") or {}
    return {
        "id": f"azureml:{name}:{document['name']}",
        "name": name,
        "version": str(document["name"]),
        "description": properties.get("description") or "",
        "tags": dict(properties.get("tags") or {}),
    }


def _created(document: Mapping[str, Any]) -> Record:
    return {"created_at": records.time_of((document.get("systemData") or {}).get("createdAt"))}


def data(name: str, document: Mapping[str, Any]) -> Record:
    """A version of a data asset. What is in it is known to the laptop only."""
    properties = document.get("properties") or {}
    kept = {"type": properties.get("dataType"), "path": properties.get("dataUri"), "content": None}
    return {**_first(name, document), **kept, **_created(document)}


def environment(name: str, document: Mapping[str, Any]) -> Record:
    """A version of an environment."""
    properties = document.get("properties") or {}
    conda = properties.get("condaFile")
    kept: Record = {
        "image": properties.get("image"),
        "os_type": str(properties.get("osType") or "Linux").lower(),
        "conda_file": yaml.safe_load(conda) if isinstance(conda, str) else conda,
    }
    if properties.get("build"):
        kept["build"] = {
            "path": properties["build"].get("contextUri"),
            "dockerfile_path": properties["build"].get("dockerfilePath"),
        }
    return {**_first(name, document), **kept, **_created(document)}


def component(name: str, document: Mapping[str, Any]) -> Record:
    """A version of a component. Its file is on the machine that registered it."""
    spec = (document.get("properties") or {}).get("componentSpec") or {}
    kept = {
        "type": spec.get("type") or "command",
        "display_name": spec.get("display_name") or "",
        "inputs": spec.get("inputs") or {},
        "outputs": spec.get("outputs") or {},
        "file": None,
    }
    first = _first(name, document)
    return {
        **first,
        "description": first["description"] or spec.get("description") or "",
        **kept,
        **_created(document),
    }


def datastore(document: Mapping[str, Any]) -> Record:
    """A data store. Its secrets are not read."""
    properties = document.get("properties") or {}
    kind = str(properties.get("datastoreType") or "")
    return {
        "id": f"azureml://datastores/{document['name']}",
        "name": document["name"],
        "type": _DATASTORES.get(kind.lower(), kind),
        "description": properties.get("description") or "",
        "is_default": bool(properties.get("isDefault")),
        "folder": None,
    }
