"""SQL, AI services, streams and the scheduled start: secure whatever the network, and no key anywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from combinations import Combination
from platform_requests import full

from amlplatform.components.options import scheduled_start, streaming
from amlplatform.plan import Plan, plan_environment
from amlplatform.recorder import invented_principal_id
from amlplatform.request import Request, check_data

OPTIONS = ("ai_services", "sql", "streaming", "scheduled_start")
CASES = {
    "dev": Combination("dev", "public-dev", OPTIONS, ()),
    "prod": Combination("prod", "own-vnet", OPTIONS[:3], ()),
    "managed": Combination("prod", "managed-vnet", OPTIONS[:2], ()),
}


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {
        name: plan_environment(Request.model_validate(one.request()), one.environment) for name, one in CASES.items()
    }


def body(plan: Plan, name: str) -> dict[str, Any]:
    return dict(plan.resource(name).body["properties"])


def roles(plan: Plan, principal: str) -> set[tuple[str, str]]:
    return {(grant.role, grant.scope) for grant in plan.grants if grant.principal == principal}


@pytest.mark.parametrize("case", CASES)
def test_azure_and_the_policies_accept_them(case: str, plans: dict[str, Plan]) -> None:
    assert plans[case].faults == []
    assert plans[case].violations == []


def test_nothing_is_made_that_was_not_asked_for() -> None:
    words = ("Sql", "EventHub", "StreamAnalytics", "CognitiveServices", "Logic")
    plan = plan_environment(Request.model_validate(full()), "dev")
    assert not [one for one in plan.resources if any(word in one.arm_type for word in words)]


@pytest.mark.parametrize(("case", "access"), [("dev", "Enabled"), ("prod", "Disabled"), ("managed", "Disabled")])
def test_sql_knows_entra_logins_only_and_an_identity_administers_it(
    case: str, access: str, plans: dict[str, Plan]
) -> None:
    plan = plans[case]
    server = body(plan, "sql-server")
    assert server["administrators"] == {
        "administratorType": "ActiveDirectory",
        "azureADOnlyAuthentication": True,
        "login": f"id-digit-scoring-{plan.environment}-sql",
        "principalType": "Application",
        "sid": invented_principal_id(f"id-digit-scoring-{plan.environment}-sql"),
        "tenantId": "00000000-0000-0000-0000-00000000000a",
    }
    assert "administratorLogin" not in server
    assert server["minimalTlsVersion"] == "1.2"
    assert server["publicNetworkAccess"] == access
    assert server["restrictOutboundNetworkAccess"] == "Enabled"
    audit = body(plan, "sql-auditing")
    assert (audit["state"], audit["isAzureMonitorTargetEnabled"], audit["retentionDays"]) == ("Enabled", True, 90)


def test_the_database_of_dev_pauses_and_that_of_prod_lives_in_zones(plans: dict[str, Plan]) -> None:
    dev, prod = plans["dev"].resource("sql-database"), plans["prod"].resource("sql-database")
    assert dev.body["sku"]["name"] == "GP_S_Gen5"
    assert dev.body["properties"]["autoPauseDelay"] == 60
    assert not dev.protect
    assert prod.body["sku"]["name"] == "GP_Gen5"
    assert prod.body["properties"]["zoneRedundant"] is True
    assert prod.body["properties"]["requestedBackupStorageRedundancy"] == "GeoZone"
    assert "autoPauseDelay" not in prod.body["properties"]
    assert prod.protect


@pytest.mark.parametrize("case", CASES)
def test_ai_services_take_entra_tokens_only(case: str, plans: dict[str, Plan]) -> None:
    account = body(plans[case], "ai-services")
    assert account["disableLocalAuth"] is True
    assert account["customSubDomainName"] == plans[case].resource("ai-services").azure_name
    assert account["restrictOutboundNetworkAccess"] is True
    assert account["publicNetworkAccess"] == ("Enabled" if case == "dev" else "Disabled")
    assert ("Cognitive Services User", "ai_services") in roles(plans[case], "cluster")


@pytest.mark.parametrize(("case", "most", "hours"), [("dev", 2, 24), ("prod", 10, 168)])
def test_event_hubs_has_no_keys_and_grows_within_bounds(
    case: str, most: int, hours: int, plans: dict[str, Plan]
) -> None:
    namespace = body(plans[case], "event-hubs")
    assert namespace["disableLocalAuth"] is True
    assert namespace["minimumTlsVersion"] == "1.2"
    assert namespace["maximumThroughputUnits"] == most
    assert body(plans[case], "event-hub")["retentionDescription"]["retentionTimeInHours"] == hours
    rules = body(plans[case], "event-hubs-network")
    assert rules["defaultAction"] == ("Allow" if case == "dev" else "Deny")
    assert rules["trustedServiceAccessEnabled"] is True


def test_the_job_reads_and_writes_with_its_identity(plans: dict[str, Plan]) -> None:
    plan = plans["prod"]
    job = body(plan, "stream-analytics")
    (source,), (target,) = job["inputs"], job["outputs"]
    assert source["properties"]["datasource"]["properties"]["authenticationMode"] == "Msi"
    assert target["properties"]["datasource"]["properties"]["authenticationMode"] == "Msi"
    assert target["properties"]["datasource"]["properties"]["storageAccounts"] == [
        {"accountName": "dldigitscoringprodk3x9a"}
    ]
    assert "Key" not in json.dumps(job["inputs"]) + json.dumps(job["outputs"])
    assert roles(plan, "stream_analytics") == {
        ("Azure Event Hubs Data Receiver", "event_hubs"),
        ("Storage Blob Data Contributor", "lake_raw"),
    }


def test_the_query_is_the_file_of_the_repository(plans: dict[str, Plan]) -> None:
    transformation = body(plans["dev"], "stream-analytics")["transformation"]["properties"]
    assert transformation["query"] == streaming.query()
    for words in ("TIMESTAMP BY time", "TumblingWindow(minute, 1)", "INTO\n    windows", "readings TIMESTAMP"):
        assert words in transformation["query"]


def test_the_logic_app_calls_with_its_identity_and_is_called_by_nobody(plans: dict[str, Plan]) -> None:
    plan = plans["dev"]
    app = body(plan, "logic-app")
    assert app["state"] == "Disabled", "schedules of dev are made switched off"
    (trigger,) = app["definition"]["triggers"].values()
    assert trigger == {"type": "Recurrence", "recurrence": {"frequency": "Hour", "interval": 1}}
    call = app["definition"]["actions"]["invoke"]
    assert call["inputs"]["uri"] == "https://image-scoring-dev-k3x9a.westeurope.inference.ml.azure.com/jobs"
    assert call["inputs"]["authentication"] == {"type": "ManagedServiceIdentity", "audience": "https://ml.azure.com"}
    assert call["runtimeConfiguration"] == {"secureData": {"properties": ["inputs", "outputs"]}}
    assert app["accessControl"]["triggers"]["allowedCallerIpAddresses"] == []
    # A batch job reads its input as the one who invoked it.
    assert ("AzureML Data Scientist", "workspace") in roles(plan, "logic_app")
    assert ("Storage Blob Data Reader", "lake_curated") in roles(plan, "logic_app")


def test_the_batch_is_invoked_with_a_folder() -> None:
    made = scheduled_start.definition(address="https://e/jobs", folder="azureml://datastores/d/paths/p/", hours=6)
    assert made["actions"]["invoke"]["inputs"]["body"] == {
        "properties": {"InputData": {"input": {"JobInputType": "UriFolder", "Uri": "azureml://datastores/d/paths/p/"}}}
    }


def test_jobs_in_a_managed_network_reach_them_by_approved_endpoints(plans: dict[str, Plan]) -> None:
    rules = body(plans["managed"], "workspace")["managedNetwork"]["outboundRules"]
    targets = {name: rule["destination"]["subresourceTarget"] for name, rule in rules.items()}
    assert targets["sql-sqlServer"] == "sqlServer"
    assert targets["ai-services-account"] == "account"


@pytest.mark.parametrize("option", ["streaming", "scheduled_start"])
def test_what_has_no_way_in_is_refused(option: str) -> None:
    _, faults = check_data(Combination("prod", "managed-vnet", (option,), ()).request())
    assert [
        fault.text for fault in faults if f"options.{option}: does not go with network 'managed-vnet'" in fault.text
    ]
