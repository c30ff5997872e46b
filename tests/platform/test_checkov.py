"""The scanner finds nothing in the ARM templates that is not in a list with a reason.

Checkov runs in an environment of its own; it reads files only, and asks nothing of the internet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from combinations import Combination, allowed_options
from platform_requests import ROOT

from amlplatform import armtemplate
from amlplatform.plan import Plan, plan_environment
from amlplatform.request import Request

pytestmark = pytest.mark.slow

CASES = {
    "dev-public": Combination("dev", "public-dev", tuple(allowed_options("public-dev")), ()),
    "dev-managed": Combination("dev", "managed-vnet", tuple(allowed_options("managed-vnet")), ()),
    "prod-managed": Combination("prod", "managed-vnet", tuple(allowed_options("managed-vnet")), ()),
    "prod-own": Combination("prod", "own-vnet", tuple(allowed_options("own-vnet")), ()),
}

# What the scanner wants and we do not do: by check, in which templates, and why.
ACCEPTED: dict[str, tuple[tuple[str, ...], str]] = {
    "CKV_AZURE_166": (tuple(CASES), "quarantine holds every image until a scanner releases it, and none is here"),
    "CKV_AZURE_206": (("dev-public", "dev-managed"), "dev's data can be made again; it is not copied to other places"),
    "CKV_AZURE_233": (("dev-public", "dev-managed"), "dev's images can be built again; no zones"),
    "CKV_AZURE_110": (("dev-public", "dev-managed"), "purge protection blocks names for months; dev is made anew"),
    "CKV_AZURE_42": (("dev-public", "dev-managed"), "the same check as CKV_AZURE_110 beside soft delete, which is on"),
    "CKV_AZURE_59": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV_AZURE_35": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV_AZURE_109": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV_AZURE_189": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV_AZURE_139": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV2_AZURE_49": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV_AZURE_113": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV_AZURE_134": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV_AZURE_23": (
        tuple(CASES),
        "asks the database, too; the server's auditing, which it sees, is that of both",
    ),
    "CKV_AZURE_25": (
        ("dev-public", "dev-managed"),
        "Defender is charged for each server; dev's data is made again",
    ),
    "CKV_AZURE_26": (
        ("dev-public", "dev-managed"),
        "Defender is charged for each server; dev's data is made again",
    ),
    "CKV_AZURE_27": (
        ("dev-public", "dev-managed"),
        "Defender is charged for each server; dev's data is made again",
    ),
    "CKV_AZURE_229": (("dev-public", "dev-managed"), "dev's database pauses and can be made again; it needs no zones"),
    "CKV_AZURE_104": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV_AZURE_158": (("dev-public",), "public-dev is reached over the internet, with Entra identities only"),
    "CKV_AZURE_6": (("prod-own",), "wants address ranges, which a private cluster does not take"),
    "CKV_AZURE_8": (("dev-public", "prod-own"), "wants an add-on named as off that Kubernetes lost with version 1.19"),
    "CKV_AZURE_172": (("dev-public", "prod-own"), "wants true; Azure's type is a map of texts, and has 'true'"),
    "CKV2_AZURE_48": (("dev-public", "prod-own"), "keys of one's own are for the organisation to ask for"),
    "CKV_AZURE_58": (tuple(CASES), "takes 'default', which is the managed network, for a fault"),
    "CKV_AZURE_157": (tuple(CASES), "looks for a property that Azure does not have; preventDataExfiltration is on"),
    "CKV_AZURE_240": (tuple(CASES), "keys of one's own are for the organisation to ask for"),
    "CKV_AZURE_242": (tuple(CASES), "isolated compute is offered for nodes of 80 cores only"),
    "CKV2_AZURE_53": (tuple(CASES), "audits the SQL pool that is on request; its logs go to Log Analytics"),
    "CKV_AZURE_103": (tuple(CASES), "the pipeline lies in this repository and is deployed; nobody edits it in prod"),
    "CKV_AZURE_243": (
        ("dev-public", "prod-own"),
        "wants an outbound rule of a managed network; own networks have private endpoints instead",
    ),
}


def checkov_python() -> Path:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from envs import checkov_python as made
    finally:
        sys.path.pop(0)
    return made()


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {
        name: plan_environment(Request.model_validate(case.request()), case.environment) for name, case in CASES.items()
    }


@pytest.fixture(scope="module")
def scan(plans: dict[str, Plan], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("arm")
    for name, plan in plans.items():
        (folder / f"{name}.json").write_text(armtemplate.render(plan), encoding="utf-8")
    command = [str(checkov_python()), "-m", "checkov.main", "--directory", str(folder), "--framework", "arm"]
    done = subprocess.run(
        [*command, "--skip-download", "--compact", "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
    )
    assert done.stdout.strip(), done.stderr[-2000:]
    return json.loads(done.stdout)


def listed(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Type and name of each resource in the template, also of those inside of others."""
    for resource in template["resources"]:
        yield resource["type"], resource["name"]
        yield from listed({"resources": resource.get("resources", [])})


def test_the_scanner_saw_every_resource(scan: dict[str, Any], plans: dict[str, Plan]) -> None:
    """A form that it does not read would pass with nothing scanned."""
    # Of those with one type and name (diagnostic settings, locks) it keeps one.
    expected = sum(len(set(listed(json.loads(armtemplate.render(plan))))) for plan in plans.values())
    assert expected > 4 * 100
    assert scan["summary"]["parsing_errors"] == 0
    assert scan["summary"]["resource_count"] >= expected
    assert scan["summary"]["passed"] > 150


def found(scan: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["check_id"], Path(one["file_path"]).stem) for one in scan["results"]["failed_checks"]}


def test_there_is_no_finding_without_a_reason(scan: dict[str, Any]) -> None:
    accepted = {(check, case) for check, (cases, _) in ACCEPTED.items() for case in cases}
    surprises = sorted(
        f"{one['check_id']} {one['check_name']}: {one['resource']} in {one['file_path']}"
        for one in scan["results"]["failed_checks"]
        if (one["check_id"], Path(one["file_path"]).stem) not in accepted
    )
    assert surprises == []


def test_no_reason_is_left_over(scan: dict[str, Any]) -> None:
    accepted = {(check, case) for check, (cases, _) in ACCEPTED.items() for case in cases}
    assert sorted(accepted - found(scan)) == []
    assert all(len(reason) > 20 for _, reason in ACCEPTED.values())
