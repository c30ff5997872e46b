"""What a rule is: data with a name, a severity for each environment, sources, and a function over ARM bodies."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies.allowances import Allowance, PersonAllowance
from amlplatform.policies.bounds import Bounds
from amlplatform.policies.values import Body, in_group, is_known_id, same_id


class Severity(StrEnum):
    """What a broken rule does: stop, warn, or nothing (the rule does not hold in that environment)."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    DISABLED = "disabled"


Severities = Mapping[str, Severity]
"""By kind of environment: dev, test, prod, and platform for the stacks that environments are brought up with."""


def _severities(dev: Severity, test: Severity, prod: Severity, platform: Severity) -> Severities:
    return {"dev": dev, "test": test, "prod": prod, "platform": platform}


_STOP, _WARN, _OFF = Severity.MANDATORY, Severity.ADVISORY, Severity.DISABLED
EVERYWHERE = _severities(_STOP, _STOP, _STOP, _STOP)
"""Nothing is gained by breaking the rule, anywhere."""
IN_ENVIRONMENTS = _severities(_STOP, _STOP, _STOP, _OFF)
"""The platform's own stacks are reached by ways that others make."""
NOT_IN_DEV = _severities(_OFF, _STOP, _STOP, _STOP)
"""Where people work the rule would be in their way."""
CLOSED = _severities(_OFF, _STOP, _STOP, _OFF)
"""Dev may be open to the internet. So is the state of the stacks, which whoever brings them up must reach."""
ADVISED_IN_DEV = _severities(_WARN, _STOP, _STOP, _WARN)
DURABLE = _severities(_OFF, _OFF, _STOP, _STOP)
"""Prod and the platform hold what cannot be made anew."""
PROD = _severities(_OFF, _OFF, _STOP, _OFF)
ADVISED = _severities(_OFF, _WARN, _WARN, _OFF)
"""Good to have, and the organisation may have reasons against it."""
ADVISED_IN_PROD = _severities(_OFF, _OFF, _WARN, _OFF)


@dataclass(frozen=True)
class Options:
    """Options of a resource in the Pulumi program. None: the door through which the rules are run does not tell."""

    protect: bool = False
    replace_on_changes: tuple[str, ...] | None = None
    ignore_changes: tuple[str, ...] = ()
    hooks: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Resource:
    """One resource as the rules see it. `body` is the PUT body by Microsoft's types, `name` the name in the program.

    `key` is unique among the resources of a stack. `arm_id` has UNKNOWN for what is known only after the deployment;
    then `depends_on`, the keys of the resources that it gets values from, says whom it points at.
    """

    key: str
    name: str
    arm_type: str
    api_version: str
    arm_id: str
    body: Body
    options: Options = Options()
    depends_on: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Context:
    """What the rules are told about the environment that they judge."""

    environment: str
    bounds: Bounds
    people: tuple[PersonAllowance, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    reached_otherwise: Mapping[str, str] = field(default_factory=dict)
    """Names of closed resources that are reached without a private endpoint of this stack, each with the way."""
    today: datetime.date = field(default_factory=datetime.date.today)


class Stack:
    """All resources of an environment, and who points at whom."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)

    def of(self, *arm_types: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.arm_type in arm_types]

    def points_at(self, source: Resource, value: Any, target: Resource) -> bool:
        """Whether `value`, an id in the body of `source`, is that of `target`."""
        if value == UNKNOWN or (isinstance(value, str) and not is_known_id(target.arm_id)):
            return target.key in source.depends_on
        return same_id(value, target.arm_id)

    def is_below(self, resource: Resource, parent: Resource) -> bool:
        """Whether the resource's id continues that of the parent: a child, or an extension such as a lock.

        An id that is not known yet may be made from that of the parent, or of what the parent is a child of.
        """
        if not (is_known_id(resource.arm_id) and is_known_id(parent.arm_id)):
            return not resource.depends_on.isdisjoint({parent.key, *parent.depends_on})
        return in_group(resource.arm_id).startswith(in_group(parent.arm_id) + "/")


ResourceCheck = Callable[[Resource, Context], Iterator[str]]
"""One line for each thing that is wrong with the resource."""
StackCheck = Callable[[Stack, Context], Iterator[tuple[Resource, str]]]
"""The resource that is at fault, and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule. `protects` says what would happen without it, `remedy` what to do, `sources` where it comes from."""

    name: str
    protects: str
    remedy: str
    severity: Severities
    sources: tuple[str, ...]
    types: tuple[str, ...] = ()
    """ARM types that the rule looks at; none for all."""

    def severity_in(self, kind: str) -> Severity:
        return self.severity[kind]


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """A rule that sees one resource at a time."""

    check: ResourceCheck

    def applies_to(self, resource: Resource) -> bool:
        return not self.types or resource.arm_type in self.types


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """A rule that sees all resources of the environment."""

    check: StackCheck
