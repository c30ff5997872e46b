"""Both environments of a full request, with the real Pulumi engine against the offline Azure."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_support import PRODUCT, BroughtUp, LiveProject, amlplatform, counts, explained

pytestmark = pytest.mark.engine

DEV, PROD = f"{PRODUCT}-dev", f"{PRODUCT}-prod"


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_up_creates_what_preview_announced(brought_up: BroughtUp, environment: str) -> None:
    announced = counts(brought_up.previews[environment])["create"]
    assert announced > 40
    assert counts(brought_up.ups[environment]) == {"created": announced}


@pytest.mark.parametrize("stack", [DEV, PROD])
def test_a_second_up_changes_nothing(brought_up: BroughtUp, stack: str) -> None:
    preview = brought_up.project.pulumi("preview", stack, "--expect-no-changes")
    assert preview.returncode == 0, explained(preview)
    again = brought_up.project.pulumi("up", stack, "--skip-preview", "--expect-no-changes")
    assert again.returncode == 0, explained(again)
    assert set(counts(again)) == {"unchanged"}


@pytest.mark.parametrize("stack", [DEV, PROD])
def test_refresh_finds_no_difference_to_azure(fresh: LiveProject, stack: str) -> None:
    result = fresh.pulumi("refresh", stack, "--skip-preview", "--expect-no-changes")
    assert result.returncode == 0, explained(result)


def test_destroy_of_dev_leaves_prod_as_it_is(fresh: LiveProject) -> None:
    before = fresh.ids(f"rg-{PROD}")
    destroyed = fresh.pulumi("destroy", DEV, "--skip-preview")
    assert destroyed.returncode == 0, explained(destroyed)
    assert fresh.ids() == before
    unchanged = fresh.pulumi("preview", PROD, "--expect-no-changes")
    assert unchanged.returncode == 0, explained(unchanged)
    # And dev can be made again, with all its names.
    again = fresh.pulumi("up", DEV, "--skip-preview")
    assert again.returncode == 0, explained(again)


def test_prod_can_only_be_destroyed_once_it_is_unprotected(fresh: LiveProject) -> None:
    before = fresh.ids()
    refused = fresh.pulumi("destroy", PROD)
    assert refused.returncode != 0
    assert "cannot be deleted" in refused.stdout, explained(refused)
    assert "because it is protected" in refused.stdout
    assert fresh.ids() == before, "nothing is deleted when anything is protected"

    unprotected = fresh.offline("pulumi", "state", "unprotect", "--all", "--yes", "--stack", PROD)
    assert unprotected.returncode == 0, explained(unprotected)
    destroyed = fresh.pulumi("destroy", PROD)
    assert destroyed.returncode == 0, explained(destroyed)
    assert fresh.ids(f"rg-{PROD}") == set()


def test_a_larger_cluster_is_an_update_in_place(fresh: LiveProject, tmp_path: Path) -> None:
    request = fresh.folder / "requests" / f"{PRODUCT}.yaml"
    proposal = tmp_path / "request.yaml"
    proposal.write_text(request.read_text(encoding="utf-8").replace("max_nodes: 4", "max_nodes: 6"), encoding="utf-8")
    onboarded = amlplatform("onboard", proposal, "--project", fresh.folder)
    assert onboarded.returncode == 0, explained(onboarded)
    result = fresh.pulumi("up", DEV, "--skip-preview")
    assert result.returncode == 0, explained(result)
    assert counts(result)["updated"] == 2, "the cluster, and the alert that says when it is at its maximum"
    with fresh.azure() as azure:
        (cluster,) = [
            document
            for document in azure.of_type("Microsoft.MachineLearningServices/workspaces/computes")
            if document["name"] == "cpu-cluster" and DEV in document["id"]
        ]
        (alert,) = [
            document
            for document in azure.of_type("Microsoft.Insights/metricAlerts")
            if document["name"] == f"alert-{DEV}-cluster-at-maximum-cpu-cluster"
        ]
    assert cluster["properties"]["properties"]["scaleSettings"]["maxNodeCount"] == 6
    assert alert["properties"]["criteria"]["allOf"][0]["threshold"] == 6


def test_what_was_changed_behind_pulumis_back_is_found_and_repaired(fresh: LiveProject) -> None:
    with fresh.azure() as azure:
        documents = [document for document in azure.all() if DEV in document["id"]]
        cluster = next(document for document in documents if document["name"] == "gpu-cluster")
        azure.delete(cluster["id"])
        vault = next(document for document in documents if document["type"] == "Microsoft.KeyVault/vaults")
        azure.put({**vault, "tags": {**vault["tags"], "owner": "somebody.else@example.com"}})

    found = fresh.pulumi("refresh", DEV, "--skip-preview")
    assert found.returncode == 0, explained(found)
    assert {"updated": 1, "deleted": 1}.items() <= counts(found).items(), explained(found)

    repaired = fresh.pulumi("up", DEV, "--skip-preview")
    assert repaired.returncode == 0, explained(repaired)
    assert {"created": 1, "updated": 1}.items() <= counts(repaired).items(), explained(repaired)
    with fresh.azure() as azure:
        assert azure.get(cluster["id"]) is not None
        assert azure.get(vault["id"]) == vault


@pytest.mark.parametrize("stack", [DEV, PROD])
def test_no_secret_that_azure_handed_out_is_in_pulumis_state(brought_up: BroughtUp, stack: str) -> None:
    project = brought_up.project
    with project.azure() as azure:
        components = azure.of_type("Microsoft.Insights/components")
        handed_out = {
            component["properties"][name]
            for component in components
            for name in ("ConnectionString", "InstrumentationKey")
        }
        accounts = azure.of_type("Microsoft.Storage/storageAccounts")
        handed_out |= {azure.secret(account["id"], key) for account in accounts for key in ("key1", "key2")}
    assert len(handed_out) == 2 * len(components) + 2 * len(accounts)
    files = [path for path in (project.offline_folder / "state").rglob("*") if path.is_file() and stack in str(path)]
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not [secret for secret in handed_out if secret in text], f"{path.name} holds a secret in plain text"
    # They are there, though, and Pulumi knows that they are secrets.
    resources = project.checkpoint(stack)["deployment"]["resources"]
    (component,) = [entry for entry in resources if entry["type"] == "azure-native:applicationinsights:Component"]
    assert "ciphertext" in component["outputs"]["connectionString"]
    assert "ciphertext" in component["outputs"]["instrumentationKey"]


def test_offline_runs_do_not_touch_the_real_files(brought_up: BroughtUp) -> None:
    real = sorted(path for path in brought_up.project.folder.rglob("*") if ".offline" not in path.parts)
    texts = [path.read_text(encoding="utf-8") for path in real if path.is_file()]
    assert not [text for text in texts if "encryptionsalt:" in text]
    stacks = [path.name for path in real if path.name.startswith("Pulumi.digit")]
    assert stacks == [f"Pulumi.{DEV}.yaml", f"Pulumi.{PROD}.yaml"]
