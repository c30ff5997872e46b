"""Data Factory: a file that lands in the lake becomes a batch job, with the factory's identity and no key.

The pipeline is run here with a stand-in for Data Factory that knows the functions and activities that it uses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from data_options import asked, assigned, body, faults, given, plan_of, planned

from amlplatform import pipelines
from amlplatform.armtypes import validator
from amlplatform.components.options.data_factory import network_template
from amlplatform.recorder import invented_principal_id
from amlplatform.roles import ROLES

pytestmark = pytest.mark.slow

DEV, PROD = ("dev", "public-dev"), ("prod", "own-vnet")
ENDPOINT = "https://image-scoring-{0}-k3x9a.westeurope.inference.ml.azure.com/jobs"


@pytest.mark.parametrize(
    ("case", "access"), [(DEV, "Enabled"), (("dev", "managed-vnet"), "Disabled"), (PROD, "Disabled")]
)
def test_the_factory_has_an_identity_and_the_networks_door(case: tuple[str, str], access: str) -> None:
    factory = planned(*case, "data_factory").resource("data-factory")
    assert factory.azure_name == f"adf-digit-scoring-{case[0]}-k3x9a"
    assert factory.body["identity"] == {"type": "SystemAssigned"}
    assert factory.body["properties"] == {"publicNetworkAccess": access}


@pytest.mark.parametrize("case", [("dev", "managed-vnet"), ("prod", "managed-vnet"), PROD])
def test_in_a_closed_network_it_has_a_network_of_its_own(case: tuple[str, str]) -> None:
    plan = planned(*case, "data_factory")
    template = body(plan, "data-factory-network")["template"]
    assert body(plan, "data-factory-network")["mode"] == "Incremental"
    (network,) = template["resources"]
    assert network["type"] == "Microsoft.DataFactory/factories/managedVirtualNetworks"
    assert network["name"] == f"adf-digit-scoring-{case[0]}-k3x9a/default"
    targets = {
        one.azure_name: (one.body["properties"]["privateLinkResourceId"], one.body["properties"]["groupId"])
        for one in plan.resources
        if one.arm_type.endswith("/managedPrivateEndpoints")
    }
    assert targets == {
        "lake": (plan.resource("lake").arm_id, "dfs"),
        "workspace": (plan.resource("workspace").arm_id, "amlworkspace"),
    }
    runtime = body(plan, "data-factory-runtime")
    assert runtime["type"] == "Managed"
    assert runtime["managedVirtualNetwork"] == {"type": "ManagedVirtualNetworkReference", "referenceName": "default"}
    via = {"referenceName": "managed-network", "type": "IntegrationRuntimeReference"}
    calls = [one for one in activities(plan) if one["type"] == "WebActivity"]
    assert [one["typeProperties"]["connectVia"] for one in calls] == [via, via]
    assert body(plan, "data-factory-lake")["connectVia"] == via


def test_over_the_internet_it_needs_none() -> None:
    plan = planned(*DEV, "data_factory")
    assert not any("managedVirtualNetworks" in one.arm_type for one in plan.resources)
    assert not {"data-factory-network", "data-factory-runtime"} & {one.name for one in plan.resources}
    assert not any("connectVia" in one["typeProperties"] for one in activities(plan))


def test_the_network_that_the_template_makes_is_valid_by_microsofts_types(shared: Any) -> None:
    types = json.loads((shared / "arm-types" / "datafactory_microsoft.datafactory_2018-06-01.json").read_text())
    (network,) = network_template("adf-example")["resources"]
    names = {entry["name"] for entry in types if entry["$type"] == "ResourceType"}
    assert f"{network['type']}@{network['apiVersion']}" in names
    (properties,) = (one for one in types if one.get("name") == "ManagedVirtualNetwork" and "properties" in one)
    assert all(spec["flags"] & 2 for spec in properties["properties"].values()), "a request sets none of them"
    assert network["properties"] == {}


def test_no_linked_service_holds_a_key() -> None:
    lake = body(planned(*PROD, "data_factory"), "data-factory-lake")
    assert lake["type"] == "AzureBlobFS"
    assert lake["typeProperties"] == {"url": "https://dldigitscoringprodk3x9a.dfs.core.windows.net"}


@pytest.mark.parametrize("folder", ["incoming", "readings/today"])
def test_a_file_in_the_folder_starts_the_pipeline(folder: str) -> None:
    data = asked(*DEV, "data_factory", data_factory={"folder": folder})
    plan = plan_of(data, "dev")
    trigger = body(plan, "data-factory-trigger")
    assert trigger["type"] == "BlobEventsTrigger"
    assert trigger["typeProperties"] == {
        "scope": plan.resource("lake").arm_id,
        "events": ["Microsoft.Storage.BlobCreated"],
        "blobPathBeginsWith": f"/raw/blobs/{folder}/",
        "ignoreEmptyBlobs": True,
    }
    (started,) = trigger["pipelines"]
    assert started["pipelineReference"]["referenceName"] == plan.resource("data-factory-pipeline").azure_name
    assert started["parameters"] == {
        "folder_path": "@triggerBody().folderPath",
        "file_name": "@triggerBody().fileName",
    }


def test_roles_of_the_one_who_invokes_the_endpoint() -> None:
    for case, people in ((DEV, True), (PROD, False)):
        plan = planned(*case, "data_factory")
        factory = invented_principal_id(f"adf-digit-scoring-{case[0]}-k3x9a")
        wanted = {
            "workspace": "AzureML Data Scientist",
            "storage": "Storage Blob Data Contributor",
            "lake-raw": "Storage Blob Data Reader",
            "lake-curated": "Storage Blob Data Reader",
            "lake-output": "Storage Blob Data Contributor",
        }
        found = {
            name: {role for who, kind, role in assigned(plan, name) if (who, kind) == (factory, "ServicePrincipal")}
            for name in wanted
        }
        assert found == {name: {ROLES[role].role_id} for name, role in wanted.items()}
        editors = {("data_scientists", "Data Factory Contributor")} if people else set()
        assert given(plan, "data_factory") == editors


def test_a_central_lake_is_watched_where_it_is() -> None:
    data = asked(*PROD, "data_factory")
    account = (
        "/subscriptions/3f2504e0-4f89-41d3-9a0c-0305e82c3301/resourceGroups/rg-hub/providers/Microsoft.Storage/"
        "storageAccounts/dlcentral"
    )
    data["environments"]["prod"]["central"] = {"lake": {"account": account, "raw": "digit-raw"}}
    plan = plan_of(data, "prod")
    trigger = body(plan, "data-factory-trigger")["typeProperties"]
    assert (trigger["scope"], trigger["blobPathBeginsWith"]) == (account, "/digit-raw/blobs/incoming/")
    assert body(plan, "data-factory-lake")["typeProperties"]["url"] == "https://dlcentral.dfs.core.windows.net"


def test_what_is_refused() -> None:
    (line,) = faults(asked(*DEV, "data_factory", data_factory={"folder": "/incoming"}))
    assert line.startswith("environments.dev.options.data_factory.folder: '/incoming' must be a path")
    (line,) = faults(asked(*DEV, "data_factory", data_factory={"batch_endpoint": "Image_Scoring"}))
    assert line.startswith("environments.dev.options.data_factory.batch_endpoint: 'Image_Scoring'")


# --- The pipeline, run -----------------------------------------------------------------------------


def activities(plan: Any) -> list[dict[str, Any]]:
    properties = body(plan, "data-factory-pipeline")
    return list(pipelines.Pipeline("", properties).activities())


class JobFailed(Exception):
    """The pipeline ended in its activity Fail."""


@dataclass
class Run:
    """Data Factory, as far as the pipeline uses it. `answers`: states of the job, one for each question."""

    parameters: dict[str, Any]
    answers: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    pauses: list[int] = field(default_factory=list)

    def all(self, activities: list[dict[str, Any]]) -> None:
        done: set[str] = set()
        for activity in activities:
            assert {one["activity"] for one in activity["dependsOn"]} <= done, "in the order of their dependencies"
            getattr(self, activity["type"])(activity["name"], activity["typeProperties"])
            done.add(activity["name"])

    def WebActivity(self, name: str, settings: dict[str, Any]) -> None:
        assert settings["authentication"] == {"type": "MSI", "resource": "https://ml.azure.com"}
        sent = self.value(settings["body"]) if "body" in settings else None
        self.calls.append((settings["method"], self.value(settings["url"]), sent and json.loads(sent)))
        state = "Preparing" if settings["method"] == "POST" else self.answers.pop(0)
        self.outputs[name] = {"name": "job-1", "properties": {"status": state}}

    def Until(self, _name: str, settings: dict[str, Any]) -> None:
        assert settings["timeout"] == "0.12:00:00"
        while True:
            self.all(settings["activities"])
            if self.value(settings["expression"]):
                return

    def Wait(self, _name: str, settings: dict[str, Any]) -> None:
        self.pauses.append(self.value(settings["waitTimeInSeconds"]))

    def SetVariable(self, _name: str, settings: dict[str, Any]) -> None:
        self.variables[settings["variableName"]] = self.value(settings["value"])

    def IfCondition(self, _name: str, settings: dict[str, Any]) -> None:
        holds = self.value(settings["expression"])
        self.all(settings.get("ifTrueActivities" if holds else "ifFalseActivities", []))

    def Fail(self, _name: str, settings: dict[str, Any]) -> None:
        raise JobFailed(f"{settings['errorCode']}: {self.value(settings['message'])}")

    def value(self, text: Any) -> Any:
        if isinstance(text, dict):
            assert text["type"] == "Expression"
            text = text["value"]
        return _Expression(text[1:], self).read() if text.startswith("@") else text


class _Expression:
    """learn.microsoft.com/azure/data-factory/control-flow-expression-language-functions, as much as is used."""

    def __init__(self, text: str, run: Run) -> None:
        pattern = r"'(?:[^']|'')*'|[A-Za-z_]\w*|\d+|[().,]"
        self.tokens: Iterator[str] = iter([*re.findall(pattern, text), ""])
        self.next, self.run = next(self.tokens), run

    def read(self) -> Any:
        token = self.take()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return int(token)
        value = getattr(self, f"f_{token}")(*self.arguments())
        while self.next == ".":
            self.take()
            value = value[self.take()]
        return value

    def take(self) -> str:
        token, self.next = self.next, next(self.tokens, "")
        return token

    def arguments(self) -> list[Any]:
        assert self.take() == "("
        found: list[Any] = []
        while self.next != ")":
            found.append(self.read())
            if self.next == ",":
                self.take()
        self.take()
        return found

    def f_concat(self, *parts: str) -> str:
        return "".join(parts)

    def f_join(self, parts: list[str], sign: str) -> str:
        return sign.join(parts)

    def f_split(self, text: str, sign: str) -> list[str]:
        return text.split(sign)

    def f_skip(self, parts: list[str], count: int) -> list[str]:
        return parts[count:]

    def f_or(self, one: bool, other: bool) -> bool:
        return one or other

    def f_equals(self, one: Any, other: Any) -> bool:
        return one == other

    def f_pipeline(self) -> dict[str, Any]:
        return {"parameters": self.run.parameters}

    def f_variables(self, name: str) -> str:
        return self.run.variables[name]

    def f_activity(self, name: str) -> dict[str, Any]:
        return {"output": self.run.outputs[name]}


def run_pipeline(environment: str, answers: list[str], folder: str = "raw/incoming", name: str = "one.csv") -> Run:
    plan = planned(*(DEV if environment == "dev" else PROD), "data_factory")
    properties = body(plan, "data-factory-pipeline")
    defaults = {key: spec["defaultValue"] for key, spec in properties["parameters"].items() if "defaultValue" in spec}
    run = Run({**defaults, "folder_path": folder, "file_name": name}, answers)
    run.variables = {key: spec["defaultValue"] for key, spec in properties["variables"].items()}
    run.all(properties["activities"])
    return run


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_file_becomes_the_input_of_a_job_that_is_waited_for(environment: str) -> None:
    run = run_pipeline(environment, ["Queued", "Running", "Completed"], "raw/incoming/2026/11", "shop 7.csv")
    url = ENDPOINT.format(environment)
    uri = "azureml://datastores/lake_raw/paths/incoming/2026/11/shop 7.csv"
    invoked = {"properties": {"InputData": {"file": {"JobInputType": "UriFile", "Uri": uri}}}}
    assert run.calls == [("POST", url, invoked), *[("GET", f"{url}/job-1", None)] * 3]
    assert run.pauses == [60, 60, 60]


@pytest.mark.parametrize("end", ["Failed", "Canceled"])
def test_a_job_that_fails_fails_the_pipeline(end: str) -> None:
    with pytest.raises(JobFailed, match=f"^BatchJobFailed: batch job job-1 for one.csv ended as {end}$"):
        run_pipeline("dev", ["Running", end])


def test_a_call_that_may_have_made_a_job_is_not_repeated() -> None:
    policies = {
        one["name"]: one["policy"]["retry"] for one in activities(planned(*DEV, "data_factory")) if "policy" in one
    }
    assert policies == {"Invoke batch endpoint": 0, "Ask for status": 3}


def test_the_file_in_the_package_is_valid_by_microsofts_types() -> None:
    document = pipelines.load(pipelines.SCORE_ARRIVED_FILE)
    faults = validator.check_body(
        "Microsoft.DataFactory/factories/pipelines", "2018-06-01", {"properties": document.properties}, unknown="?"
    )
    assert faults == []
    document.properties["activities"][0]["typeProperties"]["uri"] = document.properties["activities"][0].pop("name")
    broken = validator.check_body(
        "Microsoft.DataFactory/factories/pipelines", "2018-06-01", {"properties": document.properties}, unknown="?"
    )
    assert len(broken) >= 2, "a misspelt property and a missing name are seen"
