"""What the tests of the data options share: one plan for each case, and how to look at it."""

from __future__ import annotations

import copy
import functools
from typing import Any

from combinations import OPTION_VALUES, Combination
from pydantic import BaseModel

from amlplatform.plan import Plan, plan_environment
from amlplatform.request import Request, check_data


@functools.cache
def planned(environment: str, network: str, *options: str) -> Plan:
    """The plan with these options, which the rules accept. Made once: a plan does not change."""
    return plan_of(asked(environment, network, *options), environment)


def plan_of(data: dict[str, Any], environment: str) -> Plan:
    plan = plan_environment(Request.model_validate(data), environment)
    assert plan.faults == [], "Microsoft's types, or those of the SDK, refuse a body"
    assert plan.violations == [], "a mandatory rule is broken"
    return plan


def asked(environment: str, network: str, *options: str, **settings: dict[str, Any]) -> dict[str, Any]:
    """A request with these options. `settings`: more of one option's fields."""
    data = Combination(environment, network, tuple(options), ()).request()
    for option, fields in settings.items():
        data["environments"][environment]["options"][option] = {**copy.deepcopy(OPTION_VALUES[option]), **fields}
    return data


def body(plan: Plan, name: str) -> dict[str, Any]:
    return dict(plan.resource(name).body["properties"])


def given(plan: Plan, scope: str) -> set[tuple[str, str]]:
    """Who gets which role on a scope."""
    return {(grant.principal, grant.role) for grant in plan.grants if grant.scope == scope}


def assigned(plan: Plan, resource: str) -> set[tuple[str, str, str]]:
    """Object id, type and role id of every assignment on a resource, as Azure gets them."""
    arm_id = plan.resource(resource).arm_id.lower()
    return {
        (
            one.body["properties"]["principalId"],
            one.body["properties"]["principalType"],
            one.body["properties"]["roleDefinitionId"].rpartition("/")[2],
        )
        for one in plan.resources
        if one.arm_type == "Microsoft.Authorization/roleAssignments"
        and one.arm_id.lower().rpartition("/providers/microsoft.authorization/")[0] == arm_id
    }


def faults(data: dict[str, Any]) -> list[str]:
    return [fault.text for fault in check_data(data)[1]]


def fields_of(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)
