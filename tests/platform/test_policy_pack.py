"""The rules as a policy pack: what the Pulumi engine would ask it, and what it answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from platform_requests import ROOT, full
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from amlplatform.environment import build_environment
from amlplatform.policies.rules import RULES
from amlplatform.recorder import Registration, record
from amlplatform.request import Request

pytestmark = pytest.mark.slow

PACK = ROOT / "infra" / "policy-pack"
MANDATORY, ADVISORY = analyzer_pb2.MANDATORY, analyzer_pb2.ADVISORY
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
Inputs = dict[str, Any]


@pytest.fixture(scope="module")
def pack() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """The pack as the engine starts it: it prints a port and serves there."""
    process = subprocess.Popen([sys.executable, "-u", str(PACK)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def prod() -> list[Registration]:
    request = Request.model_validate(full())
    return record(lambda: build_environment(request, "prod"), "digit-scoring-prod")


def urn(one: Registration, stack: str) -> str:
    return f"urn:pulumi:{stack}::amlplatform::{one.token}::{one.name}"


def analyzed(
    pack: analyzer_pb2_grpc.AnalyzerStub,
    registrations: list[Registration],
    *,
    stack: str = "digit-scoring-prod",
    changes: dict[str, Inputs] | None = None,
    protect: bool = True,
) -> list[tuple[str, int, str]]:
    """Policy, level and message of everything that the pack reports on these resources."""
    found: list[Any] = []
    resources: list[Any] = []
    urns = {one.name: urn(one, stack) for one in registrations}
    for one in registrations:
        inputs = {**one.inputs, **(changes or {}).get(one.name, {})}
        common: dict[str, Any] = {
            "type": one.token,
            "name": one.name,
            "urn": urns[one.name],
            "properties": json_format.ParseDict(inputs, analyzer_pb2.AnalyzeRequest().properties),
            "options": analyzer_pb2.AnalyzerResourceOptions(
                protect=one.protect and protect, ignoreChanges=one.ignore_changes
            ),
        }
        found += pack.Analyze(analyzer_pb2.AnalyzeRequest(**common)).diagnostics
        # The engine shows a stack policy outputs, which are not inputs: nothing of them must be needed.
        del common["properties"]
        depends_on = [urns[name] for name in one.depends_on if name in urns]
        resources.append(analyzer_pb2.AnalyzerResource(**common, dependencies=depends_on))
    found += pack.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources)).diagnostics
    return [(one.policyName, one.enforcementLevel, one.message) for one in found]


def test_the_pack_has_every_rule(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    information = pack.GetAnalyzerInfo(json_format.Parse("{}", _empty()))
    assert {rule.name for rule in RULES} <= {policy.name for policy in information.policies}
    assert all(policy.description for policy in information.policies)


def _empty() -> Any:
    from google.protobuf import empty_pb2

    return empty_pb2.Empty()


def test_the_planned_prod_breaks_no_policy(pack: analyzer_pb2_grpc.AnalyzerStub, prod: list[Registration]) -> None:
    assert analyzed(pack, prod) == []


def test_a_change_of_inputs_is_stopped(pack: analyzer_pb2_grpc.AnalyzerStub, prod: list[Registration]) -> None:
    opened = {"lake": {"allowSharedKeyAccess": True, "publicNetworkAccess": "Enabled"}}
    found = {(name, level) for name, level, _ in analyzed(pack, prod, changes=opened)}
    assert found == {
        ("storage-keys-off", MANDATORY),
        ("public-network-access-off", MANDATORY),
        ("network-properties-fit-together", MANDATORY),  # a stack policy
    }
    message = next(text for name, _, text in analyzed(pack, prod, changes=opened) if name == "storage-keys-off")
    assert "lake: properties.allowSharedKeyAccess is true, must be false; set allowSharedKeyAccess to false" in message


def test_the_level_is_that_of_the_stacks_environment(
    pack: analyzer_pb2_grpc.AnalyzerStub, prod: list[Registration]
) -> None:
    def levels(stack: str) -> dict[str, int]:
        return {name: level for name, level, _ in analyzed(pack, prod, stack=stack, protect=False)}

    assert levels("digit-scoring-prod")["data-protected"] == MANDATORY
    dev = levels("digit-scoring-dev")
    assert "data-protected" not in dev
    assert dev["tags-present"] == MANDATORY  # they say prod


def test_what_a_preview_does_not_know_passes(pack: analyzer_pb2_grpc.AnalyzerStub, prod: list[Registration]) -> None:
    hidden = {"lake": {"allowSharedKeyAccess": UNKNOWN}, "workspace": {"managedNetwork": UNKNOWN, "identity": UNKNOWN}}
    assert analyzed(pack, prod, changes=hidden) == []


def test_a_type_that_the_rules_do_not_know_is_stopped(
    pack: analyzer_pb2_grpc.AnalyzerStub, prod: list[Registration]
) -> None:
    for token in ("azure-native:compute:VirtualMachine", "random:index:RandomPassword"):
        one = Registration(token, "extra", {}, "", (), False, (), (), ())
        assert [name for name, _, _ in analyzed(pack, [*prod, one])] == ["resource-type-known"]


def test_a_preview_version_in_the_token_is_seen(pack: analyzer_pb2_grpc.AnalyzerStub, prod: list[Registration]) -> None:
    lake = next(one for one in prod if one.name == "lake")
    old = Registration(**{**vars(lake), "token": "azure-native:storage/v20250101preview:StorageAccount", "name": "old"})
    assert ("no-preview-api", MANDATORY) in {(name, level) for name, level, _ in analyzed(pack, [*prod, old])}


def test_the_packs_file_names_its_runtime() -> None:
    import yaml

    settings = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    assert settings["runtime"] == "python"
    assert json.dumps(settings)
