"""Dev and prod with every option, with the real Pulumi engine against the offline Azure: the whole life of a stack."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from engine_support import ROOT, LiveProject, Result, amlplatform, counts, explained

sys.path.insert(0, str(ROOT / "tests" / "platform"))

from combinations import Combination, allowed_options

pytestmark = pytest.mark.engine

PRODUCT = "digit-scoring"
DEV, PROD = f"{PRODUCT}-dev", f"{PRODUCT}-prod"


@pytest.fixture(scope="module")
def everything(pulumi_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, dict[str, Result]]:
    """A live project whose dev (open) and prod (own network) have every option that goes with their network."""
    folder = tmp_path_factory.mktemp("everything")
    data = Combination("dev", "public-dev", tuple(allowed_options("public-dev")), ()).request()
    prod = Combination("prod", "own-vnet", tuple(allowed_options("own-vnet")), ()).request()
    data["environments"]["prod"] = prod["environments"]["prod"]
    # A stress test runs on machines of prod's size, on fewer of them.
    data["environments"]["dev"]["options"]["kubernetes"]["max_nodes"] = 2
    request = folder / "request.yaml"
    request.write_text(json.dumps(data), encoding="utf-8")
    project = LiveProject(folder / "live")
    for arguments in (("init", project.folder), ("onboard", request, "--project", project.folder)):
        result = amlplatform(*arguments)
        assert result.returncode == 0, explained(result)
    ups: dict[str, Result] = {}
    for stack in (DEV, PROD):
        preview = project.pulumi("preview", stack)
        assert preview.returncode == 0, explained(preview)
        ups[stack] = project.pulumi("up", stack, "--skip-preview")
        assert ups[stack].returncode == 0, explained(ups[stack])
        assert counts(ups[stack]) == {"created": counts(preview)["create"]}
    return project, ups


@pytest.fixture
def fresh_project(everything: tuple[LiveProject, dict[str, Result]], tmp_path: Path) -> LiveProject:
    return everything[0].copied_to(tmp_path / "live")


def test_there_is_something_of_every_option(everything: tuple[LiveProject, dict[str, Result]]) -> None:
    ids = "\n".join(everything[0].ids()).lower()
    for provider in (
        "microsoft.sql/servers",
        "microsoft.cognitiveservices/accounts",
        "microsoft.eventhub/namespaces",
        "microsoft.streamanalytics/streamingjobs",
        "microsoft.containerservice/managedclusters",
        "microsoft.databricks/workspaces",
        "microsoft.synapse/workspaces",
        "microsoft.datafactory/factories",
        "microsoft.logic/workflows",
        "microsoft.network/privateendpoints",
    ):
        assert provider in ids, provider


@pytest.mark.parametrize("stack", [DEV, PROD])
def test_a_second_up_changes_nothing(everything: tuple[LiveProject, dict[str, Result]], stack: str) -> None:
    preview = everything[0].pulumi("preview", stack, "--expect-no-changes")
    assert preview.returncode == 0, explained(preview)


def test_three_kinds_of_drift_are_found_and_repaired(fresh_project: LiveProject) -> None:
    with fresh_project.azure() as azure:
        documents = [document for document in azure.all() if f"rg-{PROD}/" in document["id"]]
        of_type = {document["type"]: document for document in documents}
        # A resource deleted, a property opened, a tag changed: each behind Pulumi's back.
        deleted = of_type["Microsoft.Authorization/roleAssignments"]
        azure.delete(deleted["id"])
        opened = of_type["Microsoft.CognitiveServices/accounts"]
        azure.put({**opened, "properties": {**opened["properties"], "publicNetworkAccess": "Enabled"}})
        tagged = of_type["Microsoft.Sql/servers"]
        azure.put({**tagged, "tags": {**tagged["tags"], "owner": "somebody.else@example.com"}})
    found = fresh_project.pulumi("refresh", PROD, "--skip-preview")
    assert found.returncode == 0, explained(found)
    assert {"updated": 2, "deleted": 1}.items() <= counts(found).items(), explained(found)
    repaired = fresh_project.pulumi("up", PROD, "--skip-preview")
    assert repaired.returncode == 0, explained(repaired)
    with fresh_project.azure() as azure:
        assert azure.get(deleted["id"]) is not None
        account, server = azure.get(opened["id"]), azure.get(tagged["id"])
    assert account is not None
    assert account["properties"]["publicNetworkAccess"] == "Disabled"
    assert server is not None
    assert server["tags"] == tagged["tags"]


def test_prod_is_refused_and_dev_is_destroyed(fresh_project: LiveProject) -> None:
    before = fresh_project.ids()
    refused = fresh_project.pulumi("destroy", PROD)
    assert refused.returncode != 0
    assert "because it is protected" in refused.stdout, explained(refused)
    assert fresh_project.ids() == before
    destroyed = fresh_project.pulumi("destroy", DEV, "--skip-preview")
    assert destroyed.returncode == 0, explained(destroyed)
    assert fresh_project.ids(f"rg-{DEV}/") == set()


@pytest.mark.parametrize("stack", [DEV, PROD])
def test_no_secret_is_in_the_state(everything: tuple[LiveProject, dict[str, Result]], stack: str) -> None:
    """Whatever looks like a key or a connection string in the offline Azure is encrypted in Pulumi's state."""
    project, _ = everything
    with project.azure() as azure:
        documents = azure.all()
    handed_out = {
        value
        for document in documents
        for name, value in leaves(document)
        if any(word in name.lower() for word in ("connectionstring", "instrumentationkey", "primarykey", "password"))
        and isinstance(value, str)
        and len(value) >= 16
    }
    assert handed_out
    files = [path for path in (project.offline_folder / "state").rglob("*") if path.is_file() and stack in str(path)]
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not [value for value in handed_out if value in text], path.name


def leaves(value: object, name: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, str(key))]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner, name)]
    return [(name, value)]
