"""Streams: identities instead of keys from the device to the lake, and windows that mean what they say."""

from __future__ import annotations

import re
import uuid

import pytest
from data_options import asked, assigned, body, faults, given, plan_of, planned
from platform_requests import GROUP

from amlplatform.database_roles import WINDOWS_TABLE
from amlplatform.recorder import invented_principal_id
from amlplatform.request import Request
from amlplatform.steps import sql_users

pytestmark = pytest.mark.slow

RECEIVER, SENDER = "a638d3c7-ab3a-418d-83e6-5f17a39d4fde", "2b629674-e913-4c01-ae53-ef4638d8f975"
CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
GATEWAY = "77777777-0000-4000-8000-000000000001"
CASES = [
    ("dev", "public-dev", "Enabled", "Allow", 2, 24, False),
    ("dev", "own-vnet", "Disabled", "Deny", 2, 24, False),
    ("prod", "managed-vnet", "Disabled", "Deny", 10, 168, True),
    ("prod", "own-vnet", "Disabled", "Deny", 10, 168, True),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_event_hubs_has_no_keys_and_grows_within_bounds(case: tuple[str, str, str, str, int, int, bool]) -> None:
    environment, network, access, door, most, hours, zones = case
    plan = planned(environment, network, "streaming")
    assert plan.resource("event-hubs").body["sku"] == {"name": "Standard", "tier": "Standard", "capacity": 1}
    assert body(plan, "event-hubs") == {
        "disableLocalAuth": True,
        "isAutoInflateEnabled": True,
        "kafkaEnabled": True,
        "maximumThroughputUnits": most,
        "minimumTlsVersion": "1.2",
        "publicNetworkAccess": access,
        "zoneRedundant": zones,
    }
    assert body(plan, "event-hubs-network") == {
        "defaultAction": door,
        "ipRules": [],
        "publicNetworkAccess": access,
        # Stream Analytics has no network of its own: it comes in as a trusted service, with its identity.
        "trustedServiceAccessEnabled": True,
        "virtualNetworkRules": [],
    }
    hub = body(plan, "event-hub")
    assert hub["partitionCount"] == 4
    assert hub["retentionDescription"] == {"cleanupPolicy": "Delete", "retentionTimeInHours": hours}
    groups = {one.azure_name for one in plan.resources if one.arm_type.endswith("/consumergroups")}
    assert groups == {"stream-analytics", "replay"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_the_job_reads_and_writes_with_its_identity(case: tuple[str, ...]) -> None:
    environment, network = case[:2]
    plan = planned(environment, network, "streaming")
    assert plan.resource("stream-analytics").body["identity"] == {"type": "SystemAssigned"}
    job = body(plan, "stream-analytics")
    (source,), (target,) = job.pop("inputs"), job.pop("outputs")
    assert source["properties"]["datasource"] == {
        "type": "Microsoft.ServiceBus/EventHub",
        "properties": {
            "authenticationMode": "Msi",
            "consumerGroupName": "stream-analytics",
            "eventHubName": "readings",
            "serviceBusNamespace": f"evhns-digit-scoring-{environment}-k3x9a",
        },
    }
    assert target["properties"]["datasource"] == {
        "type": "Microsoft.Storage/Blob",
        "properties": {
            "authenticationMode": "Msi",
            "container": "curated",
            "dateFormat": "yyyy/MM/dd",
            "pathPattern": "readings/{date}",
            "storageAccounts": [{"accountName": f"dldigitscoring{environment}k3x9a"}],
            "timeFormat": "HH",
        },
    }
    transformation = job.pop("transformation")
    assert transformation["properties"]["streamingUnits"] == 1
    assert job == {
        "compatibilityLevel": "1.2",
        "contentStoragePolicy": "SystemAccount",
        "dataLocale": "en-US",
        "eventsLateArrivalMaxDelayInSeconds": 300,
        "eventsOutOfOrderMaxDelayInSeconds": 10,
        "eventsOutOfOrderPolicy": "Drop",
        "jobType": "Cloud",
        "outputErrorPolicy": "Drop",
        "sku": {"name": "Standard"},
    }


def test_who_sends_and_who_reads() -> None:
    job = invented_principal_id("asa-digit-scoring-prod")
    cluster = invented_principal_id("id-digit-scoring-prod-cluster")
    plan = plan_of(asked("prod", "own-vnet", streaming={"senders": [GATEWAY]}), "prod")
    assert assigned(plan, "event-hubs") == {
        (job, "ServicePrincipal", RECEIVER),
        (cluster, "ServicePrincipal", RECEIVER),
        (GATEWAY, "ServicePrincipal", SENDER),
    }
    assert (job, "ServicePrincipal", CONTRIBUTOR) in assigned(plan, "lake-curated")
    assert not [one for scope in ("lake-raw", "lake-output") for one in assigned(plan, scope) if one[0] == job]
    assert ("senders", "Azure Event Hubs Data Sender") in given(plan, "event_hubs")


def test_in_dev_jobs_and_people_send_readings_for_tests() -> None:
    plan = planned("dev", "public-dev", "streaming")
    cluster = invented_principal_id("id-digit-scoring-dev-cluster")
    senders = {(who, kind) for who, kind, role in assigned(plan, "event-hubs") if role == SENDER}
    assert senders == {(cluster, "ServicePrincipal"), (GROUP, "Group")}
    without = planned("test", "own-vnet", "streaming")
    assert SENDER not in {role for _, _, role in assigned(without, "event-hubs")}


def test_each_sender_gets_a_role_of_its_own() -> None:
    others = [GATEWAY, "77777777-0000-4000-8000-000000000002"]
    plan = plan_of(asked("dev", "public-dev", streaming={"senders": others}), "dev")
    assert {who for who, _, role in assigned(plan, "event-hubs") if role == SENDER} >= set(others)


# The query, and what it fits together with.


def query(environment: str, network: str, *options: str) -> str:
    transformation = body(planned(environment, network, *options), "stream-analytics")["transformation"]
    return str(transformation["properties"]["query"])


def test_the_query_names_the_inputs_and_outputs_of_the_job() -> None:
    for environment, network, options, outputs in (
        ("dev", "public-dev", ("streaming",), ["lake"]),
        ("dev", "public-dev", ("streaming", "sql"), ["lake", "database"]),
        ("prod", "own-vnet", ("streaming", "sql"), ["lake"]),
    ):
        job = body(planned(environment, network, *options), "stream-analytics")
        text = re.sub(r"--[^\n]*", "", query(environment, network, *options))
        assert re.findall(r"INTO \[?(\w+)", text) == [one["name"] for one in job["outputs"]] == outputs
        assert re.findall(r"FROM\s+(\w+) TIMESTAMP BY", text) == [one["name"] for one in job["inputs"]]
        assert re.search(r"TumblingWindow\(minute, 1\)", text)


def test_the_database_gets_windows_where_it_can_be_reached() -> None:
    job = body(planned("dev", "public-dev", "streaming", "sql"), "stream-analytics")
    assert job["outputs"][1]["properties"]["datasource"] == {
        "type": "Microsoft.Sql/Server/Database",
        "properties": {
            "authenticationMode": "Msi",
            "database": "sqldb-digit-scoring",
            "maxBatchCount": 10_000,
            "maxWriterCount": 1,
            "server": "sql-digit-scoring-dev-k3x9a",
            "table": WINDOWS_TABLE,
        },
    }


def test_the_table_has_the_columns_of_the_query() -> None:
    """Stream Analytics fills columns by name, and refuses to write when one is missing."""
    step = query("dev", "public-dev", "streaming").partition("windows AS (")[2].partition("FROM")[0]
    selected = [line.strip().rstrip(",").rpartition(" ")[2] for line in step.splitlines() if line.strip(" ,")][1:]
    text = sql_users.script(
        Request.model_validate(asked("dev", "public-dev", "streaming", "sql")), "dev", dict.fromkeys(_ids(), _NO_ONE)
    )
    table = text.partition(f"CREATE TABLE {WINDOWS_TABLE} (")[2].partition("INDEX")[0]
    columns = [line.split()[0] for line in table.splitlines() if line.strip()]
    assert selected == columns


def _ids() -> list[str]:
    return list(sql_users.needed_ids(Request.model_validate(asked("dev", "public-dev", "streaming", "sql")), "dev"))


_NO_ONE = uuid.UUID(int=1)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"streaming_units": 2}, "streaming_units: 2 must be 1, 3, 6 or a multiple of 6 up to 66; for example 1"),
        ({"streaming_units": 72}, "streaming_units: 72 must be 1, 3, 6 or a multiple of 6 up to 66; for example 1"),
        ({"partitions": 33}, "partitions"),
        ({"senders": ["owner@example.com"]}, "senders.0: 'owner@example.com' must be an Entra object id (a GUID)"),
    ],
)
def test_what_azure_would_refuse_is_told_first(fields: dict[str, object], told: str) -> None:
    (fault,) = faults(asked("dev", "public-dev", streaming=fields))
    assert fault.startswith("environments.dev.options.streaming.")
    assert told in fault


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    words = ("EventHub", "StreamAnalytics")
    made = planned("prod", "own-vnet", "sql", "ai_services").resources
    assert [one.name for one in made if any(word in one.arm_type for word in words)] == []
