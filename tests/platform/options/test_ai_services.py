"""AI services: an account of the project's own, without keys, closed where the network is."""

from __future__ import annotations

from typing import Any

import pytest
from data_options import asked, assigned, body, faults, given, plan_of, planned
from platform_requests import GROUP

from amlplatform.recorder import invented_principal_id

pytestmark = pytest.mark.slow

CASES = [
    ("dev", "public-dev", "Enabled", "Allow"),
    ("dev", "managed-vnet", "Disabled", "Deny"),
    ("prod", "managed-vnet", "Disabled", "Deny"),
    ("prod", "own-vnet", "Disabled", "Deny"),
]
USER = "a97b65f3-24c7-4388-baec-2e87135dc908"


@pytest.mark.parametrize(("environment", "network", "access", "door"), CASES)
def test_the_account_takes_entra_tokens_only(environment: str, network: str, access: str, door: str) -> None:
    account = planned(environment, network, "ai_services").resource("ai-services")
    assert account.azure_name == f"ais-digit-scoring-{environment}-k3x9a"
    assert account.body["kind"] == "AIServices"
    assert account.body["sku"] == {"name": "S0"}
    assert account.body["identity"] == {"type": "SystemAssigned"}
    assert account.body["properties"] == {
        "allowProjectManagement": False,
        "allowedFqdnList": [],
        # Entra tokens and private endpoints need a name of its own.
        "customSubDomainName": f"ais-digit-scoring-{environment}-k3x9a",
        "disableLocalAuth": True,
        "networkAcls": {"defaultAction": door, "ipRules": [], "virtualNetworkRules": []},
        "publicNetworkAccess": access,
        "restrictOutboundNetworkAccess": True,
    }


@pytest.mark.parametrize(
    ("environment", "network", "people"), [("dev", "public-dev", True), ("prod", "own-vnet", False)]
)
def test_jobs_and_endpoints_call_models_and_people_do_in_dev(environment: str, network: str, people: bool) -> None:
    plan = planned(environment, network, "ai_services")
    services = {
        (invented_principal_id(f"id-digit-scoring-{environment}-{name}"), "ServicePrincipal", USER)
        for name in ("cluster", "endpoint")
    }
    assert assigned(plan, "ai-services") == services | ({(GROUP, "Group", USER)} if people else set())
    assert {who for who, _ in given(plan, "ai_services")} == {"cluster", "endpoint", *(["data_scientists"] * people)}


def ways(environment: str, network: str) -> tuple[list[str], dict[str, Any]]:
    plan = planned(environment, network, "ai_services")
    rules = body(plan, "workspace")["managedNetwork"].get("outboundRules", {})
    return (
        [one.name for one in plan.resources if one.name == "endpoint-ai-services-account"],
        {name: rule["destination"]["subresourceTarget"] for name, rule in rules.items() if name.startswith("ai-")},
    )


def test_a_closed_account_is_reached_by_its_private_endpoints() -> None:
    assert ways("dev", "public-dev") == ([], {})
    assert ways("prod", "own-vnet") == (["endpoint-ai-services-account"], {})
    assert ways("prod", "managed-vnet") == (["endpoint-ai-services-account"], {"ai-services-account": "account"})


def test_another_kind_of_account_can_be_asked_for() -> None:
    data = asked("dev", "public-dev", ai_services={"kind": "SpeechServices"})
    assert plan_of(data, "dev").resource("ai-services").body["kind"] == "SpeechServices"
    (fault,) = faults(asked("dev", "public-dev", ai_services={"kind": "Speech"}))
    assert fault.startswith("environments.dev.options.ai_services.kind: 'Speech'")


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    made = planned("prod", "own-vnet", "sql", "streaming").resources
    assert [one.name for one in made if "CognitiveServices" in one.arm_type] == []
