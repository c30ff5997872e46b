"""Does anybody notice? Each security property of the planned environments is changed; something must turn red."""

from __future__ import annotations

import collections
import importlib.util
from collections.abc import Iterator

import mutations
import pytest
from combinations import Combination, allowed_options
from mutations import Mutation

from amlplatform import options
from amlplatform.armtypes import catalogue
from amlplatform.plan import Plan, plan_environment
from amlplatform.policies.evaluate import Finding, evaluate
from amlplatform.policies.planned import as_resource
from amlplatform.policies.requested import context_of
from amlplatform.policies.rule import ResourceRule, StackRule
from amlplatform.policies.rules import RULES
from amlplatform.profiles import ENVIRONMENT_PROFILES
from amlplatform.request import Request

CASES = [(name, network) for name, profile in ENVIRONMENT_PROFILES.items() for network in profile.networks]
RESOURCE_RULES = [rule for rule in RULES if isinstance(rule, ResourceRule)]
STACK_RULES = [rule for rule in RULES if isinstance(rule, StackRule)]


def made(option: str) -> bool:
    module = options.OPTIONS[option].component.partition(".")[0]
    return importlib.util.find_spec(f"amlplatform.components.options.{module}") is not None


def planned(environment: str, network: str) -> Plan:
    """With everything that can be asked for."""
    asked = tuple(option for option in allowed_options(network) if made(option))
    request = Request.model_validate(Combination(environment, network, asked, ()).request())
    return plan_environment(request, environment)


def tried(plan: Plan) -> Iterator[tuple[Mutation, bool]]:
    """Every mutation of a plan, and whether it was noticed."""
    resources = [as_resource(one) for one in plan.resources]
    context = context_of(plan.request, plan.environment, resources)
    strict = not ENVIRONMENT_PROFILES[plan.environment].people

    def red(findings: list[Finding]) -> bool:
        return any(one.stops or (one.warns and not strict) for one in findings)

    for index, one in enumerate(plan.resources):
        for mutation in mutations.of(one):
            changed = mutation.applied(one)
            resource = as_resource(changed)
            noticed = (
                bool(catalogue.check_body(one.token, changed.body))
                or red(evaluate([resource], context, RESOURCE_RULES))
                or red(evaluate([*resources[:index], resource, *resources[index + 1 :]], context, STACK_RULES))
            )
            yield mutation, noticed


@pytest.mark.slow
def test_every_change_of_a_security_property_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    alive: collections.Counter[str] = collections.Counter()
    lines = []
    for environment, network in CASES:
        plan = planned(environment, network)
        assert plan.violations == []
        outcomes = list(tried(plan))
        quiet = [one for one, noticed in outcomes if not noticed]
        bad = [
            one
            for one in quiet
            if not mutations.reason(mutations.HARMLESS, environment, one.arm_type, one.path, str(one.new))
        ]
        alive.update(f"{environment} in {network}: {one.line}" for one in bad)
        harmless = len(quiet) - len(bad)
        lines.append(f"{environment} in {network}: {len(outcomes)} changes, {harmless} harmless, {len(bad)} unnoticed")
        assert len(outcomes) > 500, "the check itself has too little to change"
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert not alive, "\n" + "\n".join(f"{count} x {line}" for line, count in sorted(alive.items()))
    unused = [entry for entry in [*mutations.NEUTRAL, *mutations.HARMLESS] if entry not in mutations.used]
    assert not unused, "an entry that nothing needs any more hides what comes later"


def test_every_exception_has_a_reason() -> None:
    assert all(len(reason) > 10 for reason in [*mutations.NEUTRAL.values(), *mutations.HARMLESS.values()])
