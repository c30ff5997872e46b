"""register in an Azure ML job: what it asks Azure's own client for. The client's answer is the only thing made up."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from workload_support import CODE

WORKSPACE = {
    "AZUREML_ARM_SUBSCRIPTION": "00000000-0000-0000-0000-000000000001",
    "AZUREML_ARM_RESOURCEGROUP": "rg-digits-dev",
    "AZUREML_ARM_WORKSPACE_NAME": "mlw-digits-dev",
}


class Client:
    """Takes the place of MLClient and keeps what it was asked."""

    made: ClassVar[list[Client]] = []

    def __init__(self, credential: Any, **scope: str) -> None:
        self.credential = credential
        self.scope = scope
        self.models = self
        Client.made.append(self)

    def create_or_update(self, model: Any) -> SimpleNamespace:
        self.model = model
        return SimpleNamespace(name=model.name, version="7")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("image_scoring_registry", CODE / "register" / "registry.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    for name, value in WORKSPACE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("azure.ai.ml.MLClient", Client)
    Client.made.clear()
    return module


def register(registry: ModuleType, folder: Path) -> Client:
    found = registry.register("digits", folder, {"accuracy": "0.97"}, {"images": "287"}, "ten labels")
    assert (found.name, found.version) == ("digits", "7")
    (client,) = Client.made
    return client


def test_model_goes_to_the_workspace_of_the_job(registry: ModuleType, tmp_path: Path) -> None:
    client = register(registry, tmp_path)
    assert client.scope == {
        "subscription_id": WORKSPACE["AZUREML_ARM_SUBSCRIPTION"],
        "resource_group_name": "rg-digits-dev",
        "workspace_name": "mlw-digits-dev",
    }
    model = client.model
    assert (model.name, model.type, str(model.path)) == ("digits", "custom_model", str(tmp_path))
    assert (model.tags, model.description) == ({"accuracy": "0.97"}, "ten labels")
    assert model.properties["images"] == "287"
    assert model.version is None or model._auto_increment_version


@pytest.mark.parametrize("client_id", ["", "00000000-0000-4000-8000-000000000002"])
def test_identity(registry: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client_id: str) -> None:
    monkeypatch.setenv("DEFAULT_IDENTITY_CLIENT_ID", client_id)
    credential = register(registry, tmp_path).credential
    if client_id:
        assert type(credential).__name__ == "ManagedIdentityCredential"
        assert client_id in str(vars(credential._credential))
    else:
        assert type(credential).__name__ == "DefaultAzureCredential"
