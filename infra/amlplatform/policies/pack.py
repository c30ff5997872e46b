"""The rules as a CrossGuard policy pack: `pulumi preview --policy-pack policy-pack`.

Two policies for a rule that is mandatory in one environment and advises in another: Pulumi fixes the level of a policy
before it says which stack it is about. Each of the two looks at the stacks of its own level only.

Pulumi shows stack policies the outputs of resources, and resource policies their inputs. The rules are about inputs, so
those are kept as they pass by.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi_policy
from pulumi_policy import EnforcementLevel, proxy

from amlplatform.armtypes import catalogue
from amlplatform.live.project import ProjectError, find_project, read_mapping
from amlplatform.policies.bounds import bounds_of, bounds_of_stack, environment_of_stack
from amlplatform.policies.requested import context_of
from amlplatform.policies.rule import Context, Options, Resource, ResourceRule, Rule, Severity, Stack, StackRule
from amlplatform.policies.rules import RULES
from amlplatform.request import Request, RequestError, load_request

NAME = "amlplatform"
ENVIRONMENT_VARIABLE = "AMLPLATFORM_ENVIRONMENT"
"""Says which environment the stack is, where its name does not end in it."""

_LEVELS = {Severity.MANDATORY: EnforcementLevel.MANDATORY, Severity.ADVISORY: EnforcementLevel.ADVISORY}
_PROVIDER = "azure-native:"
_NOT_RESOURCES = ("pulumi:", "amlplatform:")
_VERSION = re.compile(r"/v(\d{4})(\d{2})(\d{2})(preview)?:")
_UNKNOWNS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))


def policies() -> list[pulumi_policy.Policy]:
    """The policies of the pack, for one run of the engine."""
    passing = _Passing()
    return [
        _policy(rule, severity, passing) for rule in RULES for severity in _LEVELS if severity in rule.severity.values()
    ]


def serve() -> None:
    """Serve the pack to the engine, until that ends the process."""
    pulumi_policy.PolicyPack(name=NAME, policies=policies())


class _Passing:
    """What has passed by: the inputs of each resource, and the context of each stack."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}

    def resource(self, args: pulumi_policy.ResourceValidationArgs) -> Resource:
        resource = _resource(args.resource_type, args.name, args.urn, plain(args.props), args.opts)
        self.resources[args.urn] = resource
        return resource

    def stack(self, args: pulumi_policy.StackValidationArgs) -> Stack:
        return Stack(self._known(one) for one in args.resources if _is_resource(one.resource_type))

    def _known(self, one: pulumi_policy.PolicyResource) -> Resource:
        seen = self.resources.get(one.urn)
        if seen is None:
            seen = _resource(one.resource_type, one.name, one.urn, plain(one.props), one.opts)
        targets = [*one.dependencies, *(each for found in one.property_dependencies.values() for each in found)]
        return dataclasses.replace(seen, depends_on=frozenset(target.urn for target in targets))


def _policy(rule: Rule, severity: Severity, passing: _Passing) -> pulumi_policy.Policy:
    levels = {level for level in rule.severity.values() if level in _LEVELS}
    name = rule.name if len(levels) == 1 or severity is Severity.MANDATORY else f"{rule.name}-{severity}"
    arguments: dict[str, Any] = {
        "name": name,
        "description": f"{rule.protects}.",
        "enforcement_level": _LEVELS[severity],
        "remediation_steps": rule.remedy,
    }
    if isinstance(rule, StackRule):
        return pulumi_policy.StackValidationPolicy(validate=_stack_check(rule, severity, passing), **arguments)
    assert isinstance(rule, ResourceRule)
    return pulumi_policy.ResourceValidationPolicy(validate=_resource_check(rule, severity, passing), **arguments)


def _resource_check(
    rule: ResourceRule, severity: Severity, passing: _Passing
) -> Callable[[pulumi_policy.ResourceValidationArgs, pulumi_policy.ReportViolation], None]:
    def validate(args: pulumi_policy.ResourceValidationArgs, report: pulumi_policy.ReportViolation) -> None:
        if not _is_resource(args.resource_type):
            return
        if rule.types and _arm_type(args.resource_type) not in rule.types:
            return
        resource, context = passing.resource(args), _context(stack_of(args.urn))
        if rule.severity_in(context.bounds.kind) is severity:
            for text in rule.check(resource, context):
                _report(report, rule, resource, text, context)

    return validate


def _stack_check(
    rule: StackRule, severity: Severity, passing: _Passing
) -> Callable[[pulumi_policy.StackValidationArgs, pulumi_policy.ReportViolation], None]:
    def validate(args: pulumi_policy.StackValidationArgs, report: pulumi_policy.ReportViolation) -> None:
        stack = passing.stack(args)
        if not stack.resources:
            return
        context = _context(stack_of(stack.resources[0].key), stack.resources)
        if rule.severity_in(context.bounds.kind) is severity:
            for resource, text in rule.check(stack, context):
                _report(report, rule, resource, text, context)

    return validate


def _report(report: pulumi_policy.ReportViolation, rule: Rule, resource: Resource, text: str, context: Context) -> None:
    if not any(one.covers(rule.name, resource.name, context.today) for one in context.allowances):
        report(f"{resource.name}: {text}; {rule.remedy}", resource.key)


def _context(stack: str, resources: Iterable[Resource] = ()) -> Context:
    """The context of a stack: with what its request allows, where the live project has its request."""
    given = os.environ.get(ENVIRONMENT_VARIABLE)
    environment = given or environment_of_stack(stack)
    request = _request(stack)
    if request is None or environment not in request.environments:
        return Context(environment=environment, bounds=bounds_of(given) if given else bounds_of_stack(stack))
    return context_of(request, environment, resources)


@functools.cache
def _request(stack: str) -> Request | None:
    """The request that the stack's file names. The engine starts the pack in the live project."""
    try:
        project = find_project(Path.cwd())
        config = read_mapping(project.folder / project.stack_file(stack)).get("config") or {}
        return load_request(project.folder / str(config[project.request_key]))
    except (ProjectError, RequestError, KeyError):
        return None


def stack_of(urn: str) -> str:
    """The stack's name in `urn:pulumi:STACK::PROJECT::TYPE::NAME`."""
    return urn.split("::", 1)[0].rpartition(":")[2]


def plain(value: Any) -> Any:
    """A value out of the proxies in which Pulumi hides what is not known yet, with our mark in its place."""
    if isinstance(value, Mapping):
        # The proxies raise an error when a value that is not known is read; their target does not.
        target = value["__target"] if hasattr(value, "_DictProxy__target") else value
        return {key: plain(target[key]) for key in target}
    if isinstance(value, str):
        return catalogue.UNKNOWN if value in _UNKNOWNS else value
    if isinstance(value, Sequence):
        target = value["__target"] if hasattr(value, "_ListProxy__target") else value  # type: ignore[call-overload]
        return [plain(inner) for inner in target]
    return value


def _is_resource(token: str) -> bool:
    return not token.startswith(_NOT_RESOURCES)


def _arm_type(token: str) -> str:
    """The ARM type, or "" for a type that the rules do not know."""
    known = token.startswith(_PROVIDER) and catalogue.is_known(token)
    return catalogue.resource_type(token).arm_type if known else ""


def _resource(
    token: str, name: str, urn: str, inputs: Mapping[str, Any], options: pulumi_policy.PolicyResourceOptions
) -> Resource:
    seen = Options(protect=options.protect, replace_on_changes=None, ignore_changes=tuple(options.ignore_changes))
    if not _arm_type(token):
        return Resource(key=urn, name=name, arm_type="", api_version="", arm_id="", body=inputs, options=seen)
    kind = catalogue.resource_type(token)
    version = _VERSION.search(token)
    return Resource(
        key=urn,
        name=name,
        arm_type=kind.arm_type,
        # `azure-native:storage/v20240101preview:StorageAccount` asks for a version of its own.
        api_version="-".join(filter(None, version.groups())) if version else kind.api_version,
        arm_id=catalogue.arm_id(token, inputs, catalogue.UNKNOWN),
        body=catalogue.arm_body(token, inputs),
        options=seen,
    )
