"""What would be built: the Pulumi program run without Azure, and every request body that it would send, checked.

A plan needs no subscription, no tenant and no login. Ids in it hold placeholders (see `amlplatform.recorder`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amlplatform import sdktypes
from amlplatform.armtypes import catalogue
from amlplatform.environment import build_environment
from amlplatform.policies.evaluate import Finding, together
from amlplatform.policies.planned import judge
from amlplatform.profiles import NetworkProfile
from amlplatform.reachability import Cell, faults, matrix, open_ways
from amlplatform.reachability.requested import situation_of
from amlplatform.recorder import SUBSCRIPTION_ID, Registration, record
from amlplatform.request import Quota, Request, quota, warnings
from amlplatform.roles import Grant, grants

CONCERNS: dict[str, str] = {
    "environment": "Resource group",
    "identity": "Identities",
    "storage": "Storage",
    "keyvault": "Key vault",
    "registry": "Container registry",
    "monitoring": "Monitoring",
    "private_endpoints": "Private endpoints",
    "workspace": "Workspace and data stores",
    "compute": "Compute",
    "diagnostics": "Diagnostic settings",
    "alerts": "Alerts",
    "budget": "Budget",
    "locks": "Locks",
    "ai_services": "AI services",
    "sql": "SQL database",
    "streaming": "Streams",
    "kubernetes": "Kubernetes",
    "databricks": "Databricks",
    "synapse": "Synapse",
    "data_factory": "Data Factory",
    "scheduled_start": "Scheduled start",
    "access": "Role assignments",
    "bootstrap": "Bootstrap",
    "shared": "Shared",
}
"""Titles of the concerns, in the order in which people read them. The keys are the modules of the components."""


@dataclass(frozen=True)
class PlannedResource:
    """One resource of a plan.

    `name` is its name in the program, `azure_name` that in Azure; `path` leads to it through the components; `concern`
    is the component's file, for example "storage"; `body` is the PUT body, `faults` what Microsoft's types or the SDK's
    have against it.
    """

    token: str
    name: str
    azure_name: str
    path: tuple[str, ...]
    concern: str
    arm_type: str
    api_version: str
    arm_id: str
    body: Mapping[str, Any]
    depends_on: tuple[str, ...]
    protect: bool
    secret_outputs: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    hooks: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """One environment as it would be built.

    `grants`: the roles that would be given; `warnings`: what needs a look; `policies`: every rule that is broken, also
    those that only advise and those with an exception; `reachability`: who reaches what, by which way.
    """

    request: Request
    environment: str
    resources: tuple[PlannedResource, ...]
    grants: tuple[Grant, ...]
    quota: tuple[Quota, ...]
    warnings: tuple[str, ...]
    policies: tuple[Finding, ...] = ()
    reachability: tuple[Cell, ...] = ()

    @property
    def network(self) -> NetworkProfile:
        return self.request.environments[self.environment].network_profile

    @property
    def faults(self) -> list[str]:
        """One line per fault of a body, with the resource's name. If there is one, Azure would refuse it."""
        return [
            f"{self.environment}: {resource.name} ({resource.arm_type}): {fault}"
            for resource in self.resources
            for fault in resource.faults
        ]

    @property
    def unreachable(self) -> list[str]:
        """One line for each thing that somebody cannot do without and that no way leads to."""
        return [f"{self.environment}: {line}" for line in faults(self.reachability)]

    @property
    def violations(self) -> list[str]:
        """One line per mandatory rule that is broken: environment, resource, rule, what is wrong, what to do."""
        return [finding.line for finding in self.policies if finding.stops]

    @property
    def advice(self) -> list[str]:
        """One line per advisory rule that is broken."""
        return [advice.line for advice in together(finding for finding in self.policies if finding.warns)]

    def resource(self, name: str) -> PlannedResource:
        """The resource of this name in the program. Raises KeyError."""
        for resource in self.resources:
            if resource.name == name:
                return resource
        raise KeyError(name)


def plan_environment(request: Request, environment: str) -> Plan:
    """Plan one environment of a request. Raises KeyError when the request has no such environment."""
    if environment not in request.environments:
        raise KeyError(environment)
    resources = planned(lambda: build_environment(request, environment), request.names(environment).stack)
    cells = matrix(resources, situation_of(request, environment))
    return Plan(
        request=request,
        environment=environment,
        resources=resources,
        grants=tuple(_grants(request, environment)),
        quota=tuple(entry for entry in quota(request) if entry.environment == environment),
        warnings=(
            *(line for line in warnings(request) if _concerns(line, environment)),
            *(f"environments.{environment}: {line}" for line in open_ways(cells)),
        ),
        policies=tuple(judge(request, environment, resources)),
        reachability=tuple(cells),
    )


def planned(program: Callable[[], Any], stack: str) -> tuple[PlannedResource, ...]:
    """The resources that a Pulumi program would make, each with what its body's types have against it."""
    return tuple(_resources(record(program, stack)))


def _concerns(warning: str, environment: str) -> bool:
    """Whether a warning is about this environment, or about all."""
    return not warning.startswith("environments.") or warning.startswith(f"environments.{environment}.")


def _grants(request: Request, environment: str) -> list[Grant]:
    asked = request.environments[environment]
    rows = grants(request.profile(environment), asked.conditions, asked.purposes)
    return [grant for grant in rows if request.groups.data_scientists or grant.principal != "data_scientists"]


def _resources(registrations: list[Registration]) -> list[PlannedResource]:
    components = {registration.name: registration for registration in registrations if registration.is_component}
    planned = [_planned(registration, components) for registration in registrations if not registration.is_component]
    # The order of registration depends on threads of the Pulumi SDK; a plan is the same every time.
    order = list(CONCERNS)
    return sorted(planned, key=lambda resource: (order.index(resource.concern), resource.path))


def _planned(registration: Registration, components: Mapping[str, Registration]) -> PlannedResource:
    token, inputs = registration.token, registration.inputs
    kind = catalogue.resource_type(token)
    body = catalogue.arm_body(token, inputs)
    azure_name = kind.own_name(inputs)
    return PlannedResource(
        token=catalogue.normal_token(token),
        name=registration.name,
        azure_name=azure_name,
        path=_path(registration, components),
        concern=_concern(registration, components),
        arm_type=kind.arm_type,
        api_version=kind.api_version,
        arm_id=catalogue.arm_id(token, inputs, SUBSCRIPTION_ID),
        body=body,
        depends_on=registration.depends_on,
        protect=registration.protect,
        secret_outputs=registration.secret_outputs,
        replace_on_changes=registration.replace_on_changes,
        ignore_changes=registration.ignore_changes,
        hooks=registration.hooks,
        faults=(
            *catalogue.check_name(token, azure_name),
            *catalogue.check_body(token, body),
            *(f"input {fault}" for fault in sdktypes.check_inputs(token, inputs)),
        ),
    )


def _path(registration: Registration, components: Mapping[str, Registration]) -> tuple[str, ...]:
    names = [registration.name]
    parent = components.get(registration.parent)
    while parent is not None:
        names.append(parent.name)
        parent = components.get(parent.parent)
    return tuple(reversed(names))


def _concern(registration: Registration, components: Mapping[str, Registration]) -> str:
    """The module of the component that the resource belongs to: "storage" from `amlplatform:storage:LakeStorage`."""
    parent = components.get(registration.parent)
    return parent.token.split(":")[1] if parent else ""
