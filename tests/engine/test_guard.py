"""A change of what Azure fixes at creation fails the preview, with the real engine against the offline Azure.

The changes are made in the live project's program, as somebody who maintains the platform would make them.
"""

from __future__ import annotations

import re
import textwrap

import pytest
from engine_support import PRODUCT, BroughtUp, LiveProject, Result, explained

pytestmark = pytest.mark.engine

DEV, PROD = f"{PRODUCT}-dev", f"{PRODUCT}-prod"
# The program of a live project, with a place for changes.
PROGRAM = """
import dataclasses
import pulumi
from amlplatform import profiles, program
from amlplatform.components import alerts, keyvault, storage, workspace

def profile(**changes):
    name = pulumi.get_stack().rpartition("-")[2]
    profiles.ENVIRONMENT_PROFILES[name] = dataclasses.replace(profiles.ENVIRONMENT_PROFILES[name], **changes)

def request(**changes):
    load = program.load_request
    program.load_request = lambda path: load(path).model_copy(update=changes)

def wrapped(owner, name, change):
    original = getattr(owner, name)
    setattr(owner, name, lambda *args, **named: original(*args, **change(args, named)))

{change}
program.run()
"""
HIERARCHY = """
wrapped(storage, "storage_account", lambda args, named: {**named, "hierarchical": False})
"""
OTHER_ACCOUNT = """
class Wrong:
    def __init__(self, lake):
        self.account = lake.made

wrapped(workspace.Workspace, "__init__", lambda args, named: {
    **named, "parts": dataclasses.replace(named["parts"], storage=Wrong(named["parts"].lake))})
"""
TENANT = "00000000-0000-0000-0000-000000000009"
OTHER_TENANT = f"""
Vault = keyvault.keyvault.VaultPropertiesArgs
keyvault.keyvault.VaultPropertiesArgs = lambda **named: Vault(
    **{{**named, "tenant_id": pulumi.Output.from_input(named["tenant_id"]).apply(lambda _: "{TENANT}")}})
"""
LARGER_NODES = """
load = program.load_request
def larger(path):
    asked = load(path)
    dev = asked.environments["dev"]
    cluster = dev.cpu_cluster.model_copy(update={"vm_size": "Standard_D8ds_v4"})
    environments = {**asked.environments, "dev": dev.model_copy(update={"cpu_cluster": cluster})}
    return asked.model_copy(update={"environments": environments})
program.load_request = larger
"""
OTHER_SCOPES = """
Rule = alerts.monitor.ScheduledQueryRule
alerts.monitor.ScheduledQueryRule = lambda *args, **named: Rule(
    *args, **{**named, "scopes": [pulumi.Output.concat(named["scopes"][0], "-central")]})
"""
QUERY_ALERTS = {"alert-endpoint-errors", "alert-endpoint-latency", "alert-log-cap-reached"}
TEARDOWN, ANOTHER_PRODUCT, REPLACE = "`amlplatform teardown`", "onboard another product", "pulumi config set --path"


def write(project: LiveProject, change: str) -> None:
    (project.folder / "__main__.py").write_text(PROGRAM.replace("{change}", textwrap.dedent(change)), encoding="utf-8")


@pytest.fixture(scope="module")
def previewed(brought_up: BroughtUp, tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    """A copy of the project for previews, which change nothing but its program."""
    return brought_up.project.copied_to(tmp_path_factory.mktemp("guard") / "live")


def refusal(result: Result) -> str:
    """What the guard said, in one line."""
    assert result.returncode != 0, explained(result)
    said = result.stdout.rsplit('before hook "fixed-at-creation" failed: ', 1)
    assert len(said) == 2, explained(result)
    return re.sub(r"\s+", " ", said[1].split("\nResources:")[0])


@pytest.mark.parametrize(
    ("stack", "change", "sentences", "way_out"),
    [
        pytest.param(
            PROD,
            "profile(high_business_impact=False)",
            ["workspace: properties.hbiWorkspace was true and cannot become false"],
            ANOTHER_PRODUCT,
            id="hbi",
        ),
        pytest.param(
            DEV,
            "profile(vault_retention=30)",
            ["key-vault: properties.softDeleteRetentionInDays was 7 and cannot become 30"],
            TEARDOWN,
            id="vault-retention",
        ),
        pytest.param(
            PROD,
            "profile(geo_redundant=False)",
            [
                "container-registry: properties.zoneRedundancy was Enabled and cannot become Disabled",
                "storage, lake: sku.name was Standard_GZRS and cannot become Standard_LRS",
            ],
            ANOTHER_PRODUCT,
            id="zones",
        ),
        # What the provider would make a replacement, which no hook of the resource itself sees.
        pytest.param(
            DEV, HIERARCHY, ["lake: properties.isHnsEnabled was true and cannot become false"], REPLACE, id="hns"
        ),
        pytest.param(
            DEV,
            "request(region='northeurope')",
            ["storage, lake", "location was westeurope and cannot become northeurope", "would lose what they hold"],
            TEARDOWN,
            id="region",
        ),
        # What `ignore_changes` hides.
        pytest.param(
            DEV,
            OTHER_ACCOUNT,
            ["workspace: properties.storageAccount was storage and cannot become lake"],
            TEARDOWN,
            id="storage-account",
        ),
        # What the program does not know before other resources are there.
        pytest.param(DEV, OTHER_TENANT, ["key-vault: properties.tenantId was", TENANT], TEARDOWN, id="tenant"),
    ],
)
def test_the_preview_names_the_property_and_the_way_out(
    previewed: LiveProject, stack: str, change: str, sentences: list[str], way_out: str
) -> None:
    write(previewed, change)
    said = refusal(previewed.pulumi("preview", stack))
    for sentence in sentences:
        assert sentence in said
    assert way_out in said


def test_up_without_a_preview_touches_nothing_either(fresh: LiveProject) -> None:
    with fresh.azure() as azure:
        before = sorted(azure.all(), key=lambda document: document["id"])
    write(fresh, HIERARCHY)
    refusal(fresh.pulumi("up", DEV, "--skip-preview"))
    with fresh.azure() as azure:
        assert sorted(azure.all(), key=lambda document: document["id"]) == before
    write(fresh, "")
    unchanged = fresh.pulumi("preview", DEV, "--expect-no-changes")
    assert unchanged.returncode == 0, explained(unchanged)


def test_what_holds_nothing_is_replaced(previewed: LiveProject) -> None:
    write(previewed, LARGER_NODES + OTHER_SCOPES)
    preview = previewed.pulumi("preview", DEV)
    assert preview.returncode == 0, explained(preview)
    replaced = set(re.findall(r"azure-native:\S+\s+(\S+)\s+replace\b", preview.stdout))
    assert replaced == {"cpu-cluster", *QUERY_ALERTS}, explained(preview)


def test_what_may_be_lost_is_named_in_the_configuration_and_prod_stays_protected(previewed: LiveProject) -> None:
    write(previewed, HIERARCHY)
    for stack in (DEV, PROD):
        path = previewed.folder / "stacks" / f"Pulumi.{stack}.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("config:\n", "config:\n  amlplatform:replace: [lake]\n"), encoding="utf-8")
    dev = previewed.pulumi("preview", DEV)
    assert dev.returncode == 0, explained(dev)
    assert re.search(r"StorageAccount\s+lake\s+replace", dev.stdout), explained(dev)
    prod = previewed.pulumi("preview", PROD)
    assert prod.returncode != 0
    assert "currently marked for protection" in prod.stdout, explained(prod)


def test_another_casing_of_azure_is_no_change_and_hides_none(fresh: LiveProject) -> None:
    with fresh.azure() as azure:
        workspaces = azure.of_type("Microsoft.MachineLearningServices/workspaces")
        (workspace,) = [document for document in workspaces if DEV in document["id"]]
        properties = workspace["properties"]
        properties["keyVault"] = properties["keyVault"].replace("Microsoft.KeyVault", "Microsoft.Keyvault")
        properties["applicationInsights"] = properties["applicationInsights"].replace(
            "Microsoft.Insights", "microsoft.insights"
        )
        azure.put(workspace)
        rules = azure.of_type("Microsoft.Insights/scheduledQueryRules")
        for rule in (document for document in rules if DEV in document["id"]):
            rule["properties"]["scopes"] = [scope.lower() for scope in rule["properties"]["scopes"]]
            azure.put(rule)
    refreshed = fresh.pulumi("refresh", DEV, "--skip-preview")
    assert refreshed.returncode == 0, explained(refreshed)
    (kept,) = [
        one
        for one in fresh.checkpoint(DEV)["deployment"]["resources"]
        if one["type"] == "azure-native:machinelearningservices:Workspace"
    ]
    assert "Microsoft.Keyvault" in kept["inputs"]["keyVault"], "the refresh brought the casing into the state"
    preview = fresh.pulumi("preview", DEV)
    assert preview.returncode == 0, explained(preview)
    changed = set(re.findall(r"azure-native:\S+\s+(\S+)\s+(\w+)\b", preview.stdout))
    # Ids of what may be made anew: the state is set right, and nothing is made anew.
    assert changed == {(name, "update") for name in QUERY_ALERTS}, explained(preview)
    write(fresh, OTHER_ACCOUNT)
    assert "properties.storageAccount was storage" in refusal(fresh.pulumi("preview", DEV))
