"""The rules over a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amlplatform.policies.bounds import bounds_of_stack, environment_of_stack
from amlplatform.policies.evaluate import Finding, evaluate
from amlplatform.policies.requested import context_of
from amlplatform.policies.rule import Context, Options, Resource
from amlplatform.request import Request

if TYPE_CHECKING:
    from amlplatform.plan import PlannedResource


def judge(request: Request, environment: str, planned: Sequence[PlannedResource]) -> list[Finding]:
    """Every rule that the planned environment breaks."""
    resources = [as_resource(one) for one in planned]
    return evaluate(resources, context_of(request, environment, resources))


def judge_stack(stack: str, planned: Sequence[PlannedResource]) -> list[Finding]:
    """Every rule that a stack of the platform itself breaks, such as bootstrap-prod."""
    context = Context(environment=environment_of_stack(stack), bounds=bounds_of_stack(stack))
    return evaluate([as_resource(one) for one in planned], context)


def as_resource(planned: PlannedResource) -> Resource:
    """A planned resource as the rules see it. Names are unique within a plan."""
    return Resource(
        key=planned.name,
        name=planned.name,
        arm_type=planned.arm_type,
        api_version=planned.api_version,
        arm_id=planned.arm_id,
        body=planned.body,
        options=Options(planned.protect, planned.replace_on_changes, planned.ignore_changes, planned.hooks),
        depends_on=frozenset(planned.depends_on),
    )
