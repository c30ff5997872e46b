"""What the rules are told about an environment, from its request: exceptions of access, and what is undecided."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from amlplatform.policies import arm
from amlplatform.policies.allowances import PersonAllowance
from amlplatform.policies.bounds import bounds_of
from amlplatform.policies.rule import Context, Resource
from amlplatform.request import Request
from amlplatform.roles import EXCEPTIONS, ROLES

# Azure ML reaches these from its managed network by itself or by an outbound rule, also without private endpoints.
_REACHED_BY_THE_MANAGED_NETWORK = (arm.STORAGE, arm.VAULT, arm.REGISTRY)


SCOPE_TYPES: dict[str, str] = {
    "resource_group": arm.GROUP,
    "workspace": arm.ML_WORKSPACE,
    "storage": arm.STORAGE,
    **dict.fromkeys(("lake_raw", "lake_curated", "lake_output"), arm.CONTAINER),
    "key_vault": arm.VAULT,
    "container_registry": arm.REGISTRY,
    "application_insights": arm.APP_INSIGHTS,
    "log_analytics": arm.LOG_ANALYTICS,
    "sql_server": arm.SQL_SERVER,
}
"""The ARM types of the scopes on which an exception may give people a role."""


def context_of(request: Request, environment: str, resources: Iterable[Resource] = ()) -> Context:
    """The context of one environment of the request."""
    return Context(
        environment=environment,
        bounds=bounds_of(environment),
        people=tuple(_people(request, environment)),
        reached_otherwise=_undecided(request, environment, resources),
    )


def _people(request: Request, environment: str) -> Iterable[PersonAllowance]:
    for entry in request.environments[environment].access_exceptions:
        purpose = EXCEPTIONS[entry.purpose]
        yield PersonAllowance(
            object_id=entry.group,
            roles=frozenset((ROLES[grant.role].role_id, SCOPE_TYPES[grant.scope]) for grant in purpose.grants),
            purpose=entry.purpose,
            reason=entry.reason,
            until=datetime.date.fromisoformat(entry.until),
        )


def _undecided(request: Request, environment: str, resources: Iterable[Resource]) -> dict[str, str]:
    """A first request may leave the subnet of private endpoints open: `check` warns, and `onboard` refuses it."""
    asked = request.environments[environment]
    if asked.subnets.endpoints or not asked.network_profile.private:
        return {}
    managed = asked.network_profile.managed_network
    return {
        resource.name: f"environments.{environment}.subnets.endpoints is still empty"
        for resource in resources
        if not (managed and resource.arm_type in _REACHED_BY_THE_MANAGED_NETWORK)
    }
