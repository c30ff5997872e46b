"""The azure-native provider of the offline Azure, called as the engine calls it: over gRPC, with structs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.cloud import wire
from amlplatform.cloud.engine import environment
from amlplatform.cloud.provider import AzureNativeProvider, serve
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.state import SUBSCRIPTION_ID, CloudState
from amlplatform.cloud.workplace import Workplace
from amlplatform.live.project import Project

GROUP = {"resourceGroupName": "rg-churn-dev", "location": "westeurope"}
ACCOUNT = {
    "resourceGroupName": "rg-churn-dev",
    "accountName": "stchurndev",
    "location": "westeurope",
    "kind": "StorageV2",
    "sku": {"name": "Standard_LRS"},
}
GROUP_TYPE, ACCOUNT_TYPE = "azure-native:resources:ResourceGroup", "azure-native:storage:StorageAccount"
Diff = provider_pb2.DiffResponse


class Engine:
    """The part of the engine that speaks with a provider."""

    def __init__(self, stub: provider_pb2_grpc.ResourceProviderStub, state: CloudState) -> None:
        self.stub, self.state = stub, state

    def urn(self, kind: str, name: str = "it") -> str:
        return f"urn:pulumi:churn-dev::amlplatform::amlplatform:storage:Storage${kind}::{name}"

    def check(self, kind: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> provider_pb2.CheckResponse:
        request = provider_pb2.CheckRequest(
            urn=self.urn(kind), news=wire.struct(news), olds=wire.struct(olds or {}), randomSeed=b"1"
        )
        return self.stub.Check(request)

    def create(self, kind: str, inputs: dict[str, Any], preview: bool = False) -> provider_pb2.CreateResponse:
        request = provider_pb2.CreateRequest(urn=self.urn(kind), properties=wire.struct(inputs), preview=preview)
        return self.stub.Create(request)

    def diff(self, kind: str, olds: dict[str, Any], news: dict[str, Any]) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(urn=self.urn(kind), old_inputs=wire.struct(olds), news=wire.struct(news))
        return self.stub.Diff(request)

    def invoke(self, token: str, **arguments: Any) -> provider_pb2.InvokeResponse:
        return self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=wire.struct(arguments)))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with contextlib.closing(CloudState(tmp_path / "azure.sqlite")) as state:
        server, port = serve(AzureNativeProvider(ResourceManager(state)))
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Configure(provider_pb2.ConfigureRequest(args=wire.struct({"location": "westeurope"})))
            yield Engine(stub, state)
        server.stop(grace=None).wait()


def fault(call: pytest.ExceptionInfo[grpc.RpcError]) -> str:
    return call.value.details()  # type: ignore[attr-defined]


# --- Check ------------------------------------------------------------------------------------------


def test_check_fills_in_name_location_and_api_version(engine: Engine) -> None:
    given = {key: value for key, value in ACCOUNT.items() if key not in ("location", "accountName")}
    first = wire.plain(engine.check(ACCOUNT_TYPE, given).inputs)
    assert first["location"] == "westeurope"
    assert first["azureApiVersion"] == "2024-01-01"
    assert first["accountName"].startswith("it")
    again = wire.plain(engine.check(ACCOUNT_TYPE, given, first).inputs)
    assert again == first, "a name that was made up stays"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"accountName": "Bad_Name"}, "Bad_Name"),
        ({"kind": "StorageV9"}, "StorageV9"),
        ({"isHnsEnabled": "yes"}, "isHnsEnabled"),
        ({"isHnsEnabeld": True}, "isHnsEnabeld"),
        ({"sku": {}}, "sku.name"),
    ],
)
def test_check_finds_bad_inputs(engine: Engine, change: dict[str, Any], says: str) -> None:
    failures = engine.check(ACCOUNT_TYPE, {**ACCOUNT, **change}).failures
    assert len(failures) == 1
    assert says in failures[0].reason


def test_check_wants_every_part_of_the_id(engine: Engine) -> None:
    given = {key: value for key, value in ACCOUNT.items() if key != "resourceGroupName"}
    reasons = [failure.reason for failure in engine.check(ACCOUNT_TYPE, given).failures]
    assert "missing required property 'resourceGroupName'" in reasons


def test_check_keeps_secrets_and_unknown_values(engine: Engine) -> None:
    given = {**ACCOUNT, "tags": wire.secret({"a": "b"}), "resourceGroupName": UNKNOWN}
    answer = engine.check(ACCOUNT_TYPE, given)
    assert not answer.failures
    assert wire.marked(answer.inputs)["tags"] == wire.secret({"a": "b"})


# --- Diff -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "paths", "replaces"),
    [
        ({}, {}, []),
        ({"location": "West Europe"}, {}, []),
        ({"location": "northeurope"}, {"location": "UPDATE_REPLACE"}, ["location"]),
        ({"accountName": "stother"}, {"accountName": "UPDATE_REPLACE"}, ["accountName"]),
        ({"isHnsEnabled": True}, {"isHnsEnabled": "ADD_REPLACE"}, ["isHnsEnabled"]),
        ({"sku": {"name": "Standard_GRS"}}, {"sku.name": "UPDATE"}, []),
        ({"tags": {"a.b": "c"}}, {"tags": "ADD"}, []),
        ({"minimumTlsVersion": "TLS1_2"}, {"minimumTlsVersion": "ADD"}, []),
    ],
)
def test_diff(engine: Engine, change: dict[str, Any], paths: dict[str, str], replaces: list[str]) -> None:
    answer = engine.diff(ACCOUNT_TYPE, ACCOUNT, {**ACCOUNT, **change})
    found = {
        path: provider_pb2.PropertyDiff.Kind.Name(difference.kind) for path, difference in answer.detailedDiff.items()
    }
    assert found == paths
    assert answer.changes == (Diff.DIFF_SOME if paths else Diff.DIFF_NONE)
    assert list(answer.replaces) == replaces
    assert answer.deleteBeforeReplace == bool(replaces)


def test_diff_names_keys_with_dots_as_pulumi_does(engine: Engine) -> None:
    before, after = {**ACCOUNT, "tags": {"a.b": "1", "c": "1"}}, {**ACCOUNT, "tags": {"a.b": "2"}}
    assert set(engine.diff(ACCOUNT_TYPE, before, after).detailedDiff) == {'tags["a.b"]', "tags.c"}


# --- Create, Update, Read, Delete -------------------------------------------------------------------


def test_a_preview_makes_nothing_and_knows_only_the_inputs(engine: Engine) -> None:
    identity = {"type": "SystemAssigned"}
    answer = engine.create(ACCOUNT_TYPE, {**ACCOUNT, "identity": identity}, preview=True)
    outputs = wire.plain(answer.properties)
    assert answer.id == ""
    assert outputs["kind"] == "StorageV2"
    assert outputs["identity"] == {"type": "SystemAssigned", "principalId": UNKNOWN, "tenantId": UNKNOWN}
    assert outputs["primaryEndpoints"] == outputs["name"] == outputs["provisioningState"] == UNKNOWN
    assert engine.state.all() == []


def test_create_lays_properties_flat_and_keeps_secrets(engine: Engine) -> None:
    engine.create(GROUP_TYPE, GROUP)
    answer = engine.create(ACCOUNT_TYPE, {**ACCOUNT, "tags": {"a": wire.secret("b")}})
    outputs = wire.plain(answer.properties)
    assert answer.id == (
        f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-churn-dev"
        "/providers/Microsoft.Storage/storageAccounts/stchurndev"
    )
    assert outputs["primaryEndpoints"]["blob"] == "https://stchurndev.blob.core.windows.net/"
    assert outputs["name"] == "stchurndev"
    assert wire.marked(answer.properties)["tags"] == {"a": wire.secret("b")}


def test_azure_hands_out_the_keys_of_application_insights_in_the_open(engine: Engine) -> None:
    """As the real provider does: to keep them secret is up to the program (additional_secret_outputs)."""
    engine.create(GROUP_TYPE, GROUP)
    inputs = {**GROUP, "resourceName": "appi-churn", "kind": "web", "applicationType": "web"}
    outputs = wire.marked(engine.create("azure-native:applicationinsights:Component", inputs).properties)
    assert outputs["connectionString"].startswith(f"InstrumentationKey={outputs['instrumentationKey']};")


def test_create_answers_with_azures_error(engine: Engine) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        engine.create(ACCOUNT_TYPE, ACCOUNT)
    assert fault(refused) == (
        'Status=404 Code="ResourceGroupNotFound" Message="Resource group \'rg-churn-dev\' could not be found."'
    )


def test_create_takes_over_nothing_that_exists(engine: Engine) -> None:
    engine.create(GROUP_TYPE, GROUP)
    engine.create(ACCOUNT_TYPE, ACCOUNT)
    with pytest.raises(grpc.RpcError) as refused:
        engine.create(ACCOUNT_TYPE, ACCOUNT)
    assert "cannot create already existing resource" in fault(refused)
    # A service of an account is there with it: creating it means to configure it.
    kind = "azure-native:storage:BlobServiceProperties"
    inputs = {"resourceGroupName": "rg-churn-dev", "accountName": "stchurndev", "blobServicesName": "default"}
    engine.create(kind, inputs)
    engine.create(kind, {**inputs, "isVersioningEnabled": True})
    # A container that is merely called so is not.
    kind = "azure-native:storage:BlobContainer"
    inputs = {"resourceGroupName": "rg-churn-dev", "accountName": "stchurndev", "containerName": "default"}
    engine.create(kind, inputs)
    with pytest.raises(grpc.RpcError) as refused:
        engine.create(kind, inputs)
    assert "cannot create already existing resource" in fault(refused)


def test_a_kind_that_is_not_in_the_catalogue(engine: Engine) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        engine.create("azure-native:web:WebApp", {"name": "x"})
    assert "the offline Azure does not know azure-native:web:WebApp" in fault(refused)


def test_read_reports_drift_as_changed_inputs(engine: Engine) -> None:
    engine.create(GROUP_TYPE, GROUP)
    inputs = wire.plain(engine.check(ACCOUNT_TYPE, {**ACCOUNT, "tags": {"owner": "a"}}).inputs)
    created = engine.create(ACCOUNT_TYPE, inputs)

    def read() -> tuple[str, dict[str, Any]]:
        request = provider_pb2.ReadRequest(
            id=created.id, urn=engine.urn(ACCOUNT_TYPE), properties=created.properties, inputs=wire.struct(inputs)
        )
        answer = engine.stub.Read(request)
        return answer.id, wire.plain(answer.inputs)

    assert read() == (created.id, inputs)
    document = engine.state.get(created.id)
    assert document
    document["properties"] |= {"allowSharedKeyAccess": True, "statusOfPrimary": "unavailable"}
    engine.state.put({**document, "tags": {"owner": "b"}})
    # What a request may set becomes an input, what Azure computes does not.
    assert read() == (created.id, {**inputs, "tags": {"owner": "b"}, "allowSharedKeyAccess": True})
    engine.state.delete(created.id)
    assert read() == ("", {})


def test_import_finds_the_inputs_of_what_exists(engine: Engine) -> None:
    engine.create(GROUP_TYPE, GROUP)
    created = engine.create(ACCOUNT_TYPE, ACCOUNT)
    answer = engine.stub.Read(provider_pb2.ReadRequest(id=created.id, urn=engine.urn(ACCOUNT_TYPE)))
    assert wire.plain(answer.inputs) == ACCOUNT
    assert not engine.check(ACCOUNT_TYPE, wire.plain(answer.inputs)).failures


def test_update_and_delete(engine: Engine) -> None:
    engine.create(GROUP_TYPE, GROUP)
    created = engine.create(ACCOUNT_TYPE, ACCOUNT)
    news = {**ACCOUNT, "sku": {"name": "Standard_GRS"}}
    request = provider_pb2.UpdateRequest(
        id=created.id, urn=engine.urn(ACCOUNT_TYPE), olds=created.properties, news=wire.struct(news)
    )
    request.preview = True
    assert wire.plain(engine.stub.Update(request).properties)["name"] == "stchurndev"
    request.preview = False
    assert wire.plain(engine.stub.Update(request).properties)["sku"] == {"name": "Standard_GRS"}
    engine.stub.Delete(provider_pb2.DeleteRequest(id=created.id, urn=engine.urn(ACCOUNT_TYPE)))
    assert len(engine.state.all()) == 1
    engine.stub.Delete(provider_pb2.DeleteRequest(id=created.id, urn=engine.urn(ACCOUNT_TYPE)))


# --- Functions --------------------------------------------------------------------------------------


def test_functions(engine: Engine) -> None:
    engine.create(GROUP_TYPE, GROUP)
    engine.create(ACCOUNT_TYPE, ACCOUNT)
    who = wire.plain(getattr(engine.invoke("azure-native:authorization:getClientConfig"), "return"))
    assert who["subscriptionId"] == SUBSCRIPTION_ID
    secrets: set[wire.Path] = set()
    address = {"resourceGroupName": "rg-churn-dev", "accountName": "stchurndev"}
    keys = getattr(engine.invoke("azure-native:storage:listStorageAccountKeys", **address), "return")
    assert len({key["value"] for key in wire.plain(keys, secrets)["keys"]}) == 2
    assert secrets == {("keys", 0, "value"), ("keys", 1, "value")}
    found = wire.plain(getattr(engine.invoke("azure-native:storage:getStorageAccount", **address), "return"))
    assert found["primaryEndpoints"]["blob"] == "https://stchurndev.blob.core.windows.net/"
    missing = engine.invoke("azure-native:storage:getStorageAccount", **{**address, "accountName": "stnone"})
    assert 'Code="ResourceNotFound"' in missing.failures[0].reason
    unknown = engine.invoke("azure-native:web:listWebAppKeys")
    assert "does not have the function" in unknown.failures[0].reason


# --- The environment of commands --------------------------------------------------------------------


def test_az_does_not_find_the_login_of_the_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "x")
    workplace = Workplace(Project(tmp_path / "Pulumi.yaml", {"name": "churn"}))
    variables = environment(workplace, None, tmp_path)
    assert variables["AZURE_CONFIG_DIR"] == str(workplace.home / "azure")
    assert [name for name in variables if name.startswith("AZURE_")] == ["AZURE_CONFIG_DIR"]
