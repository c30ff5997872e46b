"""Names that Azure accepts, whatever the product is called."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platform_requests import ROOT

from amlplatform import names, rules
from amlplatform.armtypes import catalogue
from amlplatform.names import NAME_RULES, Names
from amlplatform.request.options import Options

products = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(lambda text: 3 <= len(text) <= 24)
environments = st.from_regex(r"[a-z]{2,4}", fullmatch=True)
suffixes = st.from_regex(r"[a-z0-9]{5}", fullmatch=True)
guids = st.uuids().map(str)

TOKENS = {
    "resource_group": "resources:ResourceGroup",
    "workspace": "machinelearningservices:Workspace",
    "storage_account": "storage:StorageAccount",
    "lake_account": "storage:StorageAccount",
    "key_vault": "keyvault:Vault",
    "container_registry": "containerregistry:Registry",
    "log_analytics": "operationalinsights:Workspace",
    "application_insights": "applicationinsights:Component",
    "workspace_identity": "managedidentity:UserAssignedIdentity",
    "cluster_identity": "managedidentity:UserAssignedIdentity",
    "endpoint_identity": "managedidentity:UserAssignedIdentity",
    "deploy_identity": "managedidentity:UserAssignedIdentity",
    "budget": "consumption:Budget",
    "action_group": "monitor:ActionGroup",
    "kubernetes": "containerservice:ManagedCluster",
    "kubernetes_nodes": "resources:ResourceGroup",
    "kubernetes_identity": "managedidentity:UserAssignedIdentity",
    "kubernetes_nodes_identity": "managedidentity:UserAssignedIdentity",
    "kubernetes_namespace": "containerservice:ManagedNamespace",
    "kubernetes_logs": "monitor:DataCollectionRule",
    "databricks": "databricks:Workspace",
    "databricks_managed": "resources:ResourceGroup",
    "databricks_connector": "databricks:AccessConnector",
    "databricks_identity": "managedidentity:UserAssignedIdentity",
    "synapse": "synapse:Workspace",
    "synapse_managed": "resources:ResourceGroup",
    "data_factory": "datafactory:Factory",
    "ai_services": "cognitiveservices:Account",
    "event_hubs": "eventhub:Namespace",
    "stream_analytics": "streamanalytics:StreamingJob",
    "sql_server": "sql:Server",
    "sql_database": "sql:Database",
    "sql_identity": "managedidentity:UserAssignedIdentity",
    "logic_app": "logic:Workflow",
}


@given(products, environments, suffixes)
def test_every_name_is_legal_by_our_rules_and_by_microsofts_types(product: str, environment: str, suffix: str) -> None:
    assert rules.check_product(product) is None
    named = Names(product, environment, suffix)
    assert named.faults() == []
    every = named.all(Options.model_fields)
    assert set(every) == set(TOKENS)
    for kind, name in every.items():
        assert catalogue.check_name(TOKENS[kind], name) == [], kind


@given(products, environments, suffixes, guids)
def test_a_compute_instance_never_ends_in_a_number_after_a_hyphen(
    product: str, environment: str, suffix: str, person: str
) -> None:
    name = Names(product, environment, suffix).compute_instance(person)
    assert catalogue.check_name("machinelearningservices:Compute", name) == []
    assert len(name) <= NAME_RULES["compute"].high


@given(products, suffixes)
def test_names_of_two_environments_and_two_accounts_never_collide(product: str, suffix: str) -> None:
    both = [*Names(product, "dev", suffix).all().values(), *Names(product, "prod", suffix).all().values()]
    assert len(set(both)) == len(both)


def test_names_of_long_products_that_begin_alike_differ_by_their_suffix() -> None:
    one, other = "customer-churn-retail", "customer-churn-retail-eu"
    first = Names(one, "prod", names.name_suffix(one, "owner@example.com"))
    second = Names(other, "prod", names.name_suffix(other, "owner@example.com"))
    for kind in ("storage_account", "lake_account", "key_vault", "container_registry"):
        assert getattr(first, kind) != getattr(second, kind)


@given(st.text(), st.text())
def test_the_suffix_is_always_legal_and_the_same_for_any_casing_of_the_owner(product: str, owner: str) -> None:
    suffix = names.name_suffix(product, owner)
    assert rules.check_name_suffix(suffix) is None
    assert suffix == names.name_suffix(product, owner.lower())


def test_the_suffix_is_the_same_on_every_machine() -> None:
    # Written into requests that live for years: a change of the derivation must be noticed.
    assert names.name_suffix("digit-scoring", "owner@example.com") == "o3x26"


@given(st.text(max_size=60))
def test_a_slug_is_a_product_name_or_refused_with_one_line(text: str) -> None:
    fault = rules.check_product(names.slug(text))
    assert fault is None or (fault.startswith("product: ") and "\n" not in fault)


def test_slugs_read_as_people_expect() -> None:
    assert names.slug("Digit scoring") == "digit-scoring"
    assert names.slug("  Überwachung: Pumpen (Halle 3) ") == "uberwachung-pumpen-halle-3"


def test_an_endpoint_carries_environment_and_suffix_and_stays_within_32() -> None:
    prod = Names("digit-scoring", "prod", "k3x9a")
    assert prod.endpoint("image-scoring") == "image-scoring-prod-k3x9a"
    with pytest.raises(ValueError, match="at most 21 characters"):
        prod.endpoint("a-very-long-endpoint-name")


@given(guids, guids)
def test_a_role_assignment_keeps_its_name_when_azure_changes_the_casing(principal: str, role: str) -> None:
    scope = "/subscriptions/s/resourceGroups/rg-a/providers/Microsoft.KeyVault/vaults/kv-a"
    name = names.role_assignment(scope, principal, role)
    assert name == names.role_assignment(scope.replace("KeyVault", "Keyvault"), principal.upper(), role)
    assert name != names.role_assignment(f"{scope}b", principal, role)


def test_faults_of_a_bad_product_are_one_line_and_name_the_rule() -> None:
    assert names.faults("Digits!", ["dev", "prod"]) == [
        "product: 'Digits!' must be lower-case letters, digits and single hyphens, a letter first, "
        "and no device name of Windows; for example 'digit-scoring'"
    ]
    assert names.faults("digit-scoring", ["dev", "production"]) == [
        "environments: 'production' must be 2 to 4 lower-case letters; for example 'dev'"
    ]
    assert rules.check_product("digits\n") is not None


def test_rules_and_names_need_the_standard_library_only() -> None:
    # The template's hooks import them before anything is installed; -S leaves out site-packages.
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import amlplatform.rules, amlplatform.names, amlplatform.regions"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", program, str(ROOT / "infra")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
