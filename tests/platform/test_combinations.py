"""Whatever a team asks for: bodies that Azure's types allow, rules kept, nobody in where nobody belongs.

Environments, network profiles, each option alone, and every pair of options and settings: see `combinations`.
"""

from __future__ import annotations

import pytest
from combinations import SWITCHES, Combination, all_combinations, allowed_options, pairwise
from hypothesis import given
from hypothesis import strategies as st

from amlplatform.armtypes import catalogue
from amlplatform.names import Names, rule_of
from amlplatform.plan import Plan, plan_environment
from amlplatform.request import check_data
from amlplatform.request.options import Options

COMBINATIONS = all_combinations()
# The SDK has one API version for each type, and for these it is a preview: policies/ says the same with reasons.
PREVIEW_VERSIONS = {
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.Insights/actionGroups",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Insights/scheduledQueryRules",
}


def test_there_are_enough_combinations() -> None:
    assert len(COMBINATIONS) >= 100
    assert len({combination.id for combination in COMBINATIONS}) == len(COMBINATIONS)
    assert {option for combination in COMBINATIONS for option in combination.options} == set(Options.model_fields)


@given(st.lists(st.sampled_from("abcdefghijkl"), min_size=2, max_size=12, unique=True))
def test_every_pair_of_settings_occurs_in_all_four_ways(names: list[str]) -> None:
    rows = pairwise(names)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            assert {(one in row, other in row) for row in rows} == {
                (a, b) for a in (True, False) for b in (True, False)
            }


def people(plan: Plan) -> list[str]:
    return [
        f"{resource.name}: {resource.body['properties']['principalType']}"
        for resource in plan.resources
        if resource.arm_type == "Microsoft.Authorization/roleAssignments"
        and resource.body["properties"]["principalType"] != "ServicePrincipal"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda combination: combination.id)
def test_a_combination_is_sound(combination: Combination) -> None:
    request, faults = check_data(combination.request())
    assert request is not None, [fault.text for fault in faults]
    plan = plan_environment(request, combination.environment)
    assert plan.faults == [], "Microsoft's types, or those of the SDK, refuse a body"
    assert plan.violations == [], "a mandatory rule is broken"
    assert plan.unreachable == [], "somebody has no way to what they need"
    if not request.profile(combination.environment).people:
        exceptions = request.environments[combination.environment].access_exceptions
        allowed = {entry.purpose for entry in exceptions}
        assert [who for who in people(plan) if not who.startswith(tuple(allowed or {"-"}))] == []
    previews = {one.arm_type for one in plan.resources if "preview" in one.api_version}
    assert previews <= PREVIEW_VERSIONS
    assert len({one.arm_id.lower() for one in plan.resources}) == len(plan.resources), "two resources have one id"


@pytest.mark.slow
def test_settings_of_combinations_change_what_is_built() -> None:
    """Each switch has an effect: otherwise the combinations above would prove less than they seem to."""
    network = "own-vnet"

    def built(*switches: str) -> object:
        request, _ = check_data(Combination("prod", network, (), switches).request())
        assert request is not None
        return [(one.arm_id, one.body) for one in plan_environment(request, "prod").resources]

    plain = built()
    assert [name for name in SWITCHES if built(name) == plain] == []
    assert len(allowed_options(network)) >= 6


@given(
    st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(lambda text: 3 <= len(text) <= 24),
    st.sampled_from(["dev", "test", "prod"]),
    st.from_regex(r"[a-z0-9]{5}", fullmatch=True),
)
def test_names_of_all_options_are_legal_and_differ(product: str, environment: str, suffix: str) -> None:
    names = Names(product, environment, suffix)
    every = names.all(Options.model_fields)
    assert names.faults() == []
    assert all(rule_of(kind).low <= len(name) <= rule_of(kind).high for kind, name in every.items())
    groups = [name for kind, name in every.items() if kind.startswith(("resource_group", "kubernetes_nodes"))]
    assert len(set(groups)) == len(groups)
    assert catalogue.check_name("eventhub:Namespace", every["event_hubs"]) == []
