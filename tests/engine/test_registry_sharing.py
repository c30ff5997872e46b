"""Sharing a model to a registry is refused as in Azure, where the workspace's storage is closed to the internet."""

from __future__ import annotations

import pytest
from azure.ai.ml import MLClient
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from https_support import ACCOUNT, GROUP, Door

from amlplatform.cloud.state import SUBSCRIPTION_ID

REGISTRY = f"{GROUP}/providers/Microsoft.MachineLearningServices/registries/mlr-shared"


@pytest.fixture
def ml(door: Door) -> MLClient:
    door.azure.state.put(
        {
            "id": REGISTRY,
            "name": "mlr-shared",
            "type": "Microsoft.MachineLearningServices/registries",
            "location": "westeurope",
            "properties": {},
        }
    )
    return MLClient(DefaultAzureCredential(), SUBSCRIPTION_ID, "rg-churn-dev", "mlw-churn-dev", show_progress=False)


def share(ml: MLClient, registry: str = "mlr-shared") -> None:
    ml.models.share("digits", "3", share_with_name="digits", share_with_version="3", registry_name=registry)


def close(door: Door, access: str) -> None:
    account = door.azure.state.get(ACCOUNT)
    assert account is not None
    account["properties"]["publicNetworkAccess"] = access
    door.azure.state.put(account)


def test_a_closed_storage_account_lets_no_model_out(door: Door, ml: MLClient) -> None:
    close(door, "Disabled")
    try:
        with pytest.raises(HttpResponseError, match="does not allow public network access") as refused:
            share(ml)
    finally:
        close(door, "Enabled")
    assert refused.value.status_code == 403


def test_an_open_one_is_not_what_refuses(ml: MLClient) -> None:
    with pytest.raises(HttpResponseError, match="Model 'digits' version '3' was not found"):
        share(ml)


def test_a_registry_that_is_not_there(ml: MLClient) -> None:
    with pytest.raises(HttpResponseError, match="mlr-other"):
        share(ml, "mlr-other")
