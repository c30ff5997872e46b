"""The model registry: Azure ML's inside an Azure ML job, the project's own on the laptop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MODEL_TYPE = "custom_model"


@dataclass(frozen=True)
class Registered:
    """A registered version."""

    name: str
    version: str


def in_azure_job() -> bool:
    """Whether this process runs in an Azure ML job: the service sets AZUREML_ARM_* in each."""
    return "AZUREML_ARM_WORKSPACE_NAME" in os.environ


def register(
    name: str, folder: Path, tags: Mapping[str, str], properties: Mapping[str, str], description: str
) -> Registered:
    """Register a model folder as the next version of a name."""
    place = _register_in_azure if in_azure_job() else _register_here
    return place(name, folder, tags, properties, description)


def _register_here(
    name: str, folder: Path, tags: Mapping[str, str], properties: Mapping[str, str], description: str
) -> Registered:
    from amlops.workspace import connect  # noqa: PLC0415 - not installed in Azure

    model = connect().models.create(
        name, folder, type=MODEL_TYPE, tags=dict(tags), properties=dict(properties), description=description
    )
    return Registered(model.name, str(model.version))


def _register_in_azure(
    name: str, folder: Path, tags: Mapping[str, str], properties: Mapping[str, str], description: str
) -> Registered:
    from azure.ai.ml import MLClient  # noqa: PLC0415 - takes seconds to import, and is not installed on the laptop
    from azure.ai.ml.entities import Model  # noqa: PLC0415

    client = MLClient(
        _credential(),
        subscription_id=os.environ["AZUREML_ARM_SUBSCRIPTION"],
        resource_group_name=os.environ["AZUREML_ARM_RESOURCEGROUP"],
        workspace_name=os.environ["AZUREML_ARM_WORKSPACE_NAME"],
    )
    wanted = Model(
        name=name,
        path=str(folder),
        type=MODEL_TYPE,
        tags=dict(tags),
        properties=dict(properties),
        description=description,
    )
    model = client.models.create_or_update(wanted)
    return Registered(str(model.name), str(model.version))


def _credential():
    """The identity of the job. A cluster with a user-assigned identity names it in DEFAULT_IDENTITY_CLIENT_ID."""
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415

    client_id = os.environ.get("DEFAULT_IDENTITY_CLIENT_ID")
    return ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential()
