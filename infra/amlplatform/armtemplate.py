"""A plan as an ARM template of one resource group, for scanners and for comparison with what Azure exports.

Resources are an array: scanners read the newer form (a map of symbolic names) as empty. Placeholders of the plan become
template expressions. The template is not how environments are made (that is Pulumi's work, which also keeps their
state).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from amlplatform.plan import Plan, PlannedResource
from amlplatform.recorder import SUBSCRIPTION_ID, TENANT_ID, invented_principal_id

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_GROUP_TYPE = "Microsoft.Resources/resourceGroups"
_IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"


def render(plan: Plan) -> str:
    """The template as JSON text, for `az deployment group create -g GROUP -f FILE`."""
    return json.dumps(template(plan), indent=2, ensure_ascii=False) + "\n"


def template(plan: Plan) -> dict[str, Any]:
    """The template. The resource group itself stands in the metadata: a template of a group cannot make it."""
    group = next(resource for resource in plan.resources if resource.arm_type == _GROUP_TYPE)
    inside = [resource for resource in plan.resources if resource is not group]
    expressions = _Expressions(plan)
    references = {resource.name: expressions.reference(resource, group) for resource in inside}
    entries = [(resource, _resource(resource, group, references, expressions)) for resource in inside]
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "metadata": {"resourceGroup": group.azure_name, "location": group.body["location"], "tags": group.body["tags"]},
        "resources": _nested(entries),
    }


# Scanners see these only inside of what they belong to.
_NESTED_TYPES = frozenset(
    {
        "Microsoft.Sql/servers/auditingSettings",
        "Microsoft.Sql/servers/firewallRules",
        "Microsoft.Sql/servers/databases/securityAlertPolicies",
    }
)


def _nested(entries: list[tuple[PlannedResource, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The entries, those of _NESTED_TYPES moved into their parents."""
    parents = {resource.arm_id: entry for resource, entry in entries}
    top: list[dict[str, Any]] = []
    for resource, entry in entries:
        parent = parents.get(resource.arm_id.rsplit("/", 2)[0])
        if resource.arm_type not in _NESTED_TYPES or parent is None:
            top.append(entry)
            continue
        inner = {**entry, "type": resource.arm_type.rsplit("/", 1)[-1], "name": resource.azure_name}
        parent.setdefault("resources", []).append(inner)
    return top


def _resource(
    resource: PlannedResource, group: PlannedResource, references: Mapping[str, str], expressions: _Expressions
) -> dict[str, Any]:
    scope, _, address = resource.arm_id.rpartition("/providers/")
    # microsoft.x/type/name/child/childName: names are every second segment.
    names = "/".join(address.split("/")[2::2])
    entry: dict[str, Any] = {"type": resource.arm_type, "apiVersion": resource.api_version, "name": names}
    if scope.lower() != group.arm_id.lower():
        entry["scope"] = expressions.replace(scope)
    entry |= expressions.replace(resource.body)
    depends_on = [references[name] for name in resource.depends_on if name in references]
    return {**entry, "dependsOn": depends_on} if depends_on else entry


class _Expressions:
    """From the plan's placeholders to template expressions."""

    def __init__(self, plan: Plan) -> None:
        self.values = {SUBSCRIPTION_ID: "subscription().subscriptionId", TENANT_ID: "subscription().tenantId"}
        for resource in plan.resources:
            if resource.arm_type == _IDENTITY_TYPE:
                reference = f"reference({self._text(resource.arm_id)}, '{resource.api_version}').principalId"
                self.values[invented_principal_id(resource.azure_name)] = reference
            elif "SystemAssigned" in str(resource.body.get("identity", {}).get("type")):
                whole = f"reference({self._text(resource.arm_id)}, '{resource.api_version}', 'Full')"
                self.values[invented_principal_id(resource.azure_name)] = f"{whole}.identity.principalId"
        self.pattern = re.compile("|".join(map(re.escape, self.values)))

    def reference(self, resource: PlannedResource, group: PlannedResource) -> str:
        """The id of another resource of the template, in the form that Resource Manager and scanners follow."""
        scope, _, address = resource.arm_id.rpartition("/providers/")
        names = ", ".join(self._text(name) for name in address.split("/")[2::2])
        if scope.lower() == group.arm_id.lower():
            return f"[resourceId('{resource.arm_type}', {names})]"
        return f"[extensionResourceId({self._text(scope)}, '{resource.arm_type}', {names})]"

    def replace(self, value: Any) -> Any:
        """The same value with an expression for every text that holds a placeholder."""
        if isinstance(value, Mapping):
            return {self.replace(key): self.replace(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.replace(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if self.pattern.search(value):
            return f"[{self._text(value)}]"
        # A text that begins with a bracket would be read as an expression.
        return f"[{value}" if value.startswith("[") else value

    def _text(self, text: str) -> str:
        """A text as (part of) an expression: 'a', or format('a{0}', …)."""
        found: list[str] = []

        def numbered(match: re.Match[str]) -> str:
            expression = self.values[match[0]]
            if expression not in found:
                found.append(expression)
            return f"{{{found.index(expression)}}}"

        if text in self.values:
            return self.values[text]
        pattern = re.compile("|".join(map(re.escape, self.values)))
        literal = pattern.sub(numbered, text.replace("{", "{{").replace("}", "}}")).replace("'", "''")
        return f"format('{literal}', {', '.join(found)})" if found else f"'{literal}'"
