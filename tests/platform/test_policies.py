"""The rules: each passes on an environment that is right, and stops what it is there to stop.

`policy_world.world()` is a hand-made prod environment with every kind of resource. The table below changes one thing of
it at a time.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import Any

import pytest
from policy_cases import CORE, REMOVE, Case
from policy_cases_options import OPTIONS
from policy_parts import (
    BLOB_READER,
    GROUP_ID,
    LOG_READER,
    PEOPLE,
    RESOURCE_TYPES,
    changed,
    context,
    in_dev,
    resource,
)
from policy_world import world
from policy_world_workspace import instance

from amlplatform.armtypes import catalogue
from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.allowances import Allowance, PersonAllowance
from amlplatform.policies.evaluate import Finding, evaluate
from amlplatform.policies.requested import SCOPE_TYPES
from amlplatform.policies.rule import Context, Resource, ResourceRule, Severity
from amlplatform.policies.rules import RULES
from amlplatform.roles import EXCEPTIONS

World = dict[str, Resource]
TOKENS = {kind.arm_type: token for token, kind in RESOURCE_TYPES.items()}
CASES = [*CORE, *OPTIONS]
BY_NAME = {rule.name: rule for rule in RULES}


@pytest.fixture(scope="module")
def right() -> World:
    return {**world()}


def judged(resources: World, environment: str = "prod", **more: Any) -> list[Finding]:
    return evaluate(resources.values(), context(environment, **more), RULES)


def broken(resources: World, environment: str = "prod", **more: Any) -> set[str]:
    return {finding.rule for finding in judged(resources, environment, **more)}


def applied(one: Case, right: World) -> World:
    resources = {**right, "instance": instance()} if one.resource == "instance" else dict(right)
    if one.environment == "dev":
        resources = {name: in_dev(each) for name, each in resources.items()}
    if one.changes == REMOVE:
        del resources[one.resource]
    elif isinstance(one.changes, str):
        resources["again"] = dataclasses.replace(resources[one.resource], name="again", key="again")
    else:
        resources[one.resource] = changed(resources[one.resource], one.changes)
    return resources


def test_the_hand_made_environment_is_valid_by_microsofts_types(right: World) -> None:
    for one in [*right.values(), instance()]:
        assert catalogue.check_body(TOKENS[one.arm_type], one.body) == [], one.name


def test_a_right_environment_breaks_no_rule(right: World) -> None:
    assert [finding.line for finding in judged(right)] == []
    assert {finding.rule for finding in judged({**right, "instance": instance()})} == {
        "no-compute-instance-without-people"
    }
    in_test = {
        name: changed(one, {"tags.environment": "test"}) if "tags" in one.body else one for name, one in right.items()
    }
    assert broken(in_test, "test") == {"federation-subject-exact"}  # its credential is prod's


@pytest.mark.parametrize("one", CASES, ids=str)
def test_a_rule_stops_what_it_is_there_to_stop(one: Case, right: World) -> None:
    rule = BY_NAME[one.rule]
    findings = evaluate(applied(one, right).values(), context(one.environment), [rule])
    assert findings, one.rule
    assert {finding.severity for finding in findings} == {rule.severity[one.environment]}
    for finding in findings:
        assert finding.text and "\n" not in finding.line
        assert finding.line.startswith(f"{one.environment}: {finding.resource} ({finding.arm_type}): {one.rule}: ")
        assert finding.line.endswith(f"; {rule.remedy}")


def test_each_rule_has_a_failing_case_and_a_resource_that_passes(right: World) -> None:
    assert {one.rule for one in CASES} == set(BY_NAME)
    present = {one.arm_type for one in right.values()} | {arm.SQL_FIREWALL}
    assert [rule.name for rule in RULES if rule.types and not set(rule.types) & present] == []


def test_rules_are_well_formed() -> None:
    assert len(BY_NAME) == len(RULES)
    known = {kind.arm_type for kind in RESOURCE_TYPES.values()}
    for rule in RULES:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name), rule.name
        assert set(rule.severity) == {"dev", "test", "prod", "platform"}
        assert rule.severity["prod"] is not Severity.DISABLED
        assert rule.protects and rule.remedy and rule.sources
        assert set(rule.types) <= known, rule.name


def test_a_value_that_is_known_only_after_the_deployment_passes(right: World) -> None:
    hidden = {name: dataclasses.replace(one, body=_hidden(one.body)) for name, one in right.items()}
    rules = [rule for rule in RULES if isinstance(rule, ResourceRule)]
    assert [finding.line for finding in evaluate(hidden.values(), context(), rules)] == []
    # Properties as a whole may be unknown, too.
    whole = {name: changed(one, {"properties": UNKNOWN}) for name, one in right.items()}
    assert [finding.line for finding in evaluate(whole.values(), context(), rules)] == []


def _hidden(value: Any, depth: int = 0) -> Any:
    if isinstance(value, dict):
        return {key: inner if key in ("computeType", "tags") else _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(inner) for inner in value]
    return UNKNOWN


def test_dev_may_be_open_and_have_groups(right: World) -> None:
    dev = {name: in_dev(one) for name, one in right.items()}
    dev["deploy-credential"] = changed(
        dev["deploy-credential"], {"properties.subject": "repo:example@123/churn@456:environment:dev"}
    )
    dev["deploy-reads"] = changed(dev["deploy-reads"], {"properties.principalType": "Group"})
    dev["instance"] = in_dev(instance())
    dev["lake"] = changed(dev["lake"], {"sku.name": "Standard_LRS", "options.protect": False})
    del dev["lake-lock"]
    assert [finding.line for finding in judged(dev, "dev")] == []
    dev["deploy-reads"] = changed(dev["deploy-reads"], {"properties.principalType": "User"})
    assert broken(dev, "dev") == {"no-people"}


def test_an_environment_that_is_not_named_is_held_to_what_prod_is_held_to(right: World) -> None:
    opened = {**right, "lake": changed(right["lake"], {"properties.publicNetworkAccess": "Enabled"})}
    found = {finding.rule: finding.severity for finding in judged(opened, "staging")}
    assert found["public-network-access-off"] is Severity.MANDATORY


def _log_readers(until: str) -> Context:
    entry = PersonAllowance(
        object_id=PEOPLE.upper(),
        roles=frozenset({(LOG_READER.rpartition("/")[2], arm.LOG_ANALYTICS)}),
        purpose="log-reader",
        reason="on-call reads logs at night",
        until=datetime.date.fromisoformat(until),
    )
    return context(people=(entry,), today=datetime.date(2027, 1, 31))


def test_people_may_have_what_the_allow_list_names_until_its_last_day(right: World) -> None:
    def given(
        role: str = LOG_READER, scope: str = "log-analytics", person: str = PEOPLE, day: str = "2027-01-31"
    ) -> set[str]:
        body = {
            "properties": {"principalType": "Group", "principalId": person, "roleDefinitionId": role},
        }
        one = resource("extra", arm.ROLE_ASSIGNMENT, body, scope=right[scope].arm_id, tags=False)
        return {finding.rule for finding in evaluate([*right.values(), one], _log_readers(day), RULES)}

    assert given() == set()
    assert given(day="2027-01-30") == {"no-people"}  # the last day has passed
    # Another role, another group, another resource, or more than the resource is not what was allowed.
    assert given(role=BLOB_READER) == {"no-people"}
    assert given(person="b0e1c2d3-1111-4222-8333-444455556666") == {"no-people"}
    assert given(scope="workspace") == {"no-people"}
    assert given(scope="resource-group") == {"no-people"}


def test_every_exception_of_a_request_has_a_scope_that_the_rules_know() -> None:
    scopes = {grant.scope for purpose in EXCEPTIONS.values() for grant in purpose.grants}
    assert scopes <= set(SCOPE_TYPES)


def test_an_exception_is_reported_with_its_reason_and_stops_nothing(right: World) -> None:
    opened = {**right, "ai": changed(right["ai"], {"properties.disableLocalAuth": False})}
    entry = Allowance("ai-services-no-keys", "ai", "the vendor's tool knows keys only", datetime.date(2027, 1, 31))
    (finding,) = judged(opened, allowances=(entry,), today=datetime.date(2027, 1, 31))
    assert (finding.stops, finding.warns, finding.allowed) == (False, False, entry.reason)
    (finding,) = judged(opened, allowances=(entry,), today=datetime.date(2027, 2, 1))
    assert (finding.stops, finding.allowed) == (True, "")
    assert all(one.stops for one in judged(opened, allowances=(dataclasses.replace(entry, resource="eh"),)))


def test_a_service_may_be_declared_as_reached_otherwise(right: World) -> None:
    alone = {name: one for name, one in right.items() if name != "pe-adf"}
    assert broken(alone) == {"closed-service-is-reachable"}
    assert broken(alone, reached_otherwise={"adf": "by the hub's own endpoint"}) == set()


SECRETS = [
    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=" + "a" * 86 + "==",
    "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=r;SharedAccessKey=" + "b" * 43 + "=",
    "Server=tcp:x.database.windows.net;User ID=sa;Password=hunter2",
    "https://x.blob.core.windows.net/c?sv=2024-01-01&sp=r&sig=" + "c" * 43 + "%3D",
    "-----BEGIN RSA PRIVATE KEY-----",
    "abc8Q~" + "d" * 34,
    "ghp_" + "e" * 36,
    "github_pat_" + "f" * 60,
    "dapi" + "0123456789abcdef" * 2,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0abc.sig",
    "https://hooks.slack.com/services/T0/B0/x",
    "postgresql://user:hunter2@host/db",
    "g" * 86 + "==",
]
NO_SECRETS = [
    "Scores images of handwritten digits",
    "https://dl.dfs.core.windows.net",
    GROUP_ID + "/providers/Microsoft.KeyVault/vaults/kv",
    "example-organisation/digit-scoring",
    "0123456789abcdef" * 4,  # a SHA-256
    "sha256:" + "0" * 64,
    "the password is in the vault",
    "SELECT * INTO lake FROM readings WHERE token = 1",
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
]


@pytest.mark.parametrize("text", SECRETS, ids=lambda text: text[:12])
def test_a_secret_in_a_tag_is_found_and_never_shown(text: str, right: World) -> None:
    tagged = {**right, "lake": changed(right["lake"], {"tags.note": text})}
    (finding,) = judged(tagged)
    assert (finding.rule, finding.resource) == ("no-secret-in-text", "lake")
    assert text not in finding.line


@pytest.mark.parametrize("text", NO_SECRETS, ids=lambda text: text[:12])
def test_what_is_no_secret_is_not_taken_for_one(text: str, right: World) -> None:
    assert judged({**right, "lake": changed(right["lake"], {"tags.note": text})}) == []


def test_a_secret_is_also_known_by_the_name_of_its_key(right: World) -> None:
    for key in ("password", "clientSecret", "api_key", "sasToken"):
        assert broken({**right, "lake": changed(right["lake"], {f"tags.{key}": "hunter2"})}) == {"no-secret-in-text"}


def test_azure_devops_connections_are_trusted_to_the_letter(right: World) -> None:
    for issuer, subject in (
        (f"https://vstoken.dev.azure.com/{PEOPLE}", "sc://example/analytics/churn-prod"),
        (
            f"https://login.microsoftonline.com/{PEOPLE}/v2.0",
            f"/eid1/c/pub/t/abc_DEF-1/a/xyz/sc/{PEOPLE}/{PEOPLE}",
        ),
    ):
        one = changed(right["deploy-credential"], {"properties.issuer": issuer, "properties.subject": subject})
        assert broken({**right, "deploy-credential": one}) == set()


def test_a_hole_in_the_sql_firewall(right: World) -> None:
    def rule(start: str, end: str) -> Resource:
        body = {"properties": {"startIpAddress": start, "endIpAddress": end}}
        return resource("hole", arm.SQL_FIREWALL, body, scope=right["sql"].arm_id, tags=False)

    dev = context("dev")
    assert evaluate([rule("198.51.100.7", "198.51.100.7")], dev) == []
    assert evaluate([rule("0.0.0.0", "0.0.0.0")], dev) == [], (
        "all of Azure, which compute without an address is part of"
    )
    for start, end in (("0.0.0.0", "255.255.255.255"), ("0.0.0.0", "0.0.0.9"), ("198.51.100.0", "198.51.100.9")):
        assert [one.rule for one in evaluate([rule(start, end)], dev)] == ["sql-no-hole-in-the-firewall"]
    for address in ("198.51.100.7", "0.0.0.0"):
        assert [one.rule for one in evaluate([rule(address, address)], context())] == ["sql-no-hole-in-the-firewall"]
