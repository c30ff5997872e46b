"""Plans for people (tables on a terminal, an HTML page) and for machines (JSON)."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from rich.console import Console
from rich.table import Table

from amlplatform import comparison, diagram
from amlplatform.costs.items import fixed_costs
from amlplatform.names import rule_of
from amlplatform.plan import CONCERNS, Plan, PlannedResource
from amlplatform.policies.evaluate import together
from amlplatform.policies.rules import RULES
from amlplatform.profiles import ENVIRONMENT_PROFILES
from amlplatform.reachability import CONSUMERS, NEEDS, RESOURCES, Cell
from amlplatform.recorder import SUBSCRIPTION_ID
from amlplatform.roles import PRINCIPALS, ROLES, SCOPES, Grant

_Item = TypeVar("_Item")

NETWORK_PROPERTIES = {
    "public_network_access": "Public network access (workspace, storage, vault, registry)",
    "firewall_default_action": "Firewall, for who is not named",
    "isolation_mode": "Managed network of the workspace",
    "node_public_ip": "Compute has public addresses",
    "registry_export": "Export of images from the registry",
    "log_ingestion": "Logs may be sent over the internet",
    "log_query": "Logs may be read over the internet (with a role)",
}


def document(plans: Sequence[Plan]) -> dict[str, Any]:
    """The plans as JSON values."""
    request = plans[0].request
    return {
        "product": request.product,
        "region": request.region,
        "placeholders": {"subscription": SUBSCRIPTION_ID},
        "environments": {plan.environment: _environment(plan) for plan in plans},
        "differences": [
            {"topic": one.topic, "label": one.label, **dataclasses.asdict(one)} for one in comparison.differences(plans)
        ],
    }


def _environment(plan: Plan) -> dict[str, Any]:
    return {
        "network": plan.network.name,
        "faults": plan.faults,
        "policies": [dataclasses.asdict(finding) for finding in plan.policies],
        "warnings": list(plan.warnings),
        "names": plan.request.derived_names(plan.environment),
        "quota": [dataclasses.asdict(entry) for entry in plan.quota],
        "role_assignments": [
            {
                "principal": grant.principal,
                "principal_type": grant.principal_type,
                "role": grant.role,
                "role_id": ROLES[grant.role].role_id,
                "scope": grant.scope,
                "why": grant.why,
            }
            for grant in plan.grants
        ],
        "reachability": [_way(cell) for cell in plan.reachability],
        "unreachable": plan.unreachable,
        "resources": [dataclasses.asdict(resource) for resource in plan.resources],
    }


def _way(cell: Cell) -> dict[str, str]:
    needed = {"why": cell.need.why, "source": cell.need.source} if cell.need else {}
    return {
        "consumer": cell.consumer,
        "resource": cell.resource,
        "path": cell.path.value,
        "from": cell.place.value,
        "undecided": cell.undecided,
        **needed,
    }


@dataclasses.dataclass(frozen=True)
class AccessRow:
    """One line of the access matrix: a grant, and in which environments it holds."""

    grant: Grant
    principal: str
    scope: str
    holds: dict[str, bool]


def access(plans: Sequence[Plan]) -> list[AccessRow]:
    """The access matrix: every grant that holds somewhere, in the order of the table of roles."""
    return [
        AccessRow(
            grant,
            PRINCIPALS[grant.principal],
            SCOPES[grant.scope],
            {plan.environment: grant in plan.grants for plan in plans},
        )
        for grant in dict.fromkeys(grant for plan in plans for grant in plan.grants)
    ]


def _table(title: str, *headings: str) -> Table:
    """A table whose long cells are folded, never cut."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _cell(resource: PlannedResource | None) -> str:
    if resource is None:
        return "-"
    phrases = ", ".join(comparison.at_a_glance(resource))
    return f"{resource.azure_name}\n{phrases}" if phrases else resource.azure_name


def print_tables(plans: Sequence[Plan], out: Console) -> None:
    """Resources by concern with the environments side by side, differences, roles, quota."""
    environments = [plan.environment for plan in plans]
    out.print(_resource_table(plans, environments))
    found = comparison.differences(plans)
    if found:
        table = _table("What differs", "", "property", *environments, "of")
        topic = ""
        for difference in found:
            if topic and difference.topic != topic:
                table.add_section()
            values = [difference.values[environment] for environment in environments]
            first = "" if difference.topic == topic else difference.topic
            table.add_row(first, difference.label, *values, ", ".join(difference.resources))
            topic = difference.topic
        out.print(table)
    table = _table("Access", "who", "role", "on", *environments)
    for row in access(plans):
        holds = ["yes" if row.holds[environment] else "-" for environment in environments]
        table.add_row(row.principal, row.grant.role, row.scope, *holds)
    out.print(table)
    table = _table("vCPU quota needed", "environment", "quota of", "VM family", "vCPUs", "for")
    for entry in (entry for plan in plans for entry in plan.quota):
        table.add_row(entry.environment, entry.kind, entry.family, str(entry.vcpus), ", ".join(entry.uses))
    out.print(table)
    total = sum(len(plan.resources) for plan in plans)
    faults = sum(len(plan.faults) for plan in plans)
    verdict = f"faults in request bodies: {faults}" if faults else "all valid by Microsoft's types"
    out.print(f"{plans[0].request.product}: {total} resources in {' and '.join(environments)}, {verdict}")
    out.print(_policy_verdict(plans))


@dataclasses.dataclass(frozen=True)
class ReachabilityRow:
    """One line of the reachability matrix: what a consumer needs, why, and the way in each environment ("-": none of
    the two is there)."""

    consumer: str
    resource: str
    why: str
    ways: dict[str, str]


def reachability(plans: Sequence[Plan]) -> list[ReachabilityRow]:
    """Every need of somebody in one of the environments, in the order of the tables."""
    cells = {(plan.environment, cell.consumer, cell.resource): cell for plan in plans for cell in plan.reachability}
    return [
        ReachabilityRow(
            CONSUMERS[need.consumer],
            RESOURCES[need.resource],
            need.why,
            {plan.environment: _told(cells.get((plan.environment, need.consumer, need.resource))) for plan in plans},
        )
        for need in NEEDS
        if any(
            (cell := cells.get((plan.environment, need.consumer, need.resource))) is not None and cell.need
            for plan in plans
        )
    ]


def _told(cell: Cell | None) -> str:
    if cell is None or cell.need is None:
        return "-"
    return f"none until {cell.undecided} is decided" if cell.undecided else cell.path.value


def print_reachability(plans: Sequence[Plan], out: Console) -> None:
    """Who reaches what, by which way, with the environments side by side."""
    environments = [plan.environment for plan in plans]
    table = _table("Reachability", "who", "needs", "why", *environments)
    last = ""
    for row in reachability(plans):
        if last and row.consumer != last:
            table.add_section()
        ways = [row.ways[environment] for environment in environments]
        table.add_row("" if row.consumer == last else row.consumer, row.resource, row.why, *ways)
        last = row.consumer
    out.print(table)


def _policy_verdict(plans: Sequence[Plan]) -> str:
    """How the environments stand to the policies, in one line."""
    findings = [finding for plan in plans for finding in plan.policies]
    counts = {
        "broken": sum(finding.stops for finding in findings),
        "advised": sum(finding.warns for finding in findings),
        "with an exception": sum(bool(finding.allowed) for finding in findings),
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"policies: {told or 'none of ' + str(len(RULES)) + ' rules is broken'}"


def _resource_table(plans: Sequence[Plan], environments: Sequence[str]) -> Table:
    table = _table(f"{plans[0].request.product}: what would be built (* differs)", "", "resource", *environments)
    last = ""
    for row in comparison.rows(plans):
        first = row.concern != last
        if first and last:
            table.add_section()
        last = row.concern
        cells = [_cell(row.cells[environment]) for environment in environments]
        mark = "* " if row.differs else ""
        table.add_row(CONCERNS[row.concern] if first else "", mark + row.name, *cells)
    return table


def html(plans: Sequence[Plan]) -> str:
    """A page for people: one file, nothing loaded from elsewhere, no scripts. What the request says is escaped."""
    environment = Environment(
        loader=PackageLoader("amlplatform", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    environment.filters["glance"] = comparison.at_a_glance
    environment.filters["with_code"] = _with_code
    return environment.get_template("plan.html.j2").render(_page(plans))


def _with_code(line: str) -> Markup:
    """The line, escaped, with what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(line))))  # noqa: S704 (escaped before)


def _page(plans: Sequence[Plan]) -> dict[str, Any]:
    """What the template shows."""
    environments = [plan.environment for plan in plans]
    differences = comparison.differences(plans)
    return {
        "request": plans[0].request,
        "plans": plans,
        "environments": environments,
        "profiles": ENVIRONMENT_PROFILES,
        "warnings": list(dict.fromkeys(line for plan in plans for line in plan.warnings)),
        "faults": [fault for plan in plans for fault in plan.faults],
        "resource_count": sum(len(plan.resources) for plan in plans),
        "concerns": _grouped(comparison.rows(plans), lambda row: CONCERNS[row.concern]),
        "differences": _grouped(differences, lambda difference: difference.topic),
        "access": _grouped(access(plans), lambda row: row.principal),
        "people": {plan.environment: _people(plan) for plan in plans},
        "without_people": [plan.environment for plan in plans if not any(grant.person for grant in plan.grants)],
        "exceptions": {
            plan.environment: plan.request.environments[plan.environment].access_exceptions for plan in plans
        },
        "network_properties": NETWORK_PROPERTIES,
        "outbound": {plan.environment: _outbound_rules(plan) for plan in plans},
        "reachability": _grouped(reachability(plans), lambda row: row.consumer),
        "names": {plan.environment: plan.request.derived_names(plan.environment) for plan in plans},
        "kinds": list(dict.fromkeys(kind for plan in plans for kind in plan.request.derived_names(plan.environment))),
        "rule_of": rule_of,
        "diagrams": _diagrams(plans, differences),
        "fixed_costs": [cost for cost in fixed_costs(plans[0].request) if cost.environment in environments],
        "findings": together(finding for plan in plans for finding in plan.policies),
        "policy_verdict": _policy_verdict(plans),
    }


def _people(plan: Plan) -> str:
    """Which people have a role, in a few words."""
    exceptions = plan.request.environments[plan.environment].access_exceptions
    purposes = {entry.purpose for entry in exceptions}
    groups = dict.fromkeys(grant.principal for grant in plan.grants if grant.person and grant.principal not in purposes)
    named = [f"the group of {group.replace('_', ' ')}" for group in groups]
    named += [f"{entry.purpose} until {entry.until}, by exception" for entry in exceptions]
    return "; ".join(named) or "no person has a role"


def _diagrams(plans: Sequence[Plan], differences: Sequence[comparison.Difference]) -> dict[str, Markup]:
    """A picture of each environment; what differs is marked. The text in it is escaped where it is made."""
    differing = {name for difference in differences for name in difference.resources}
    return {plan.environment: Markup(diagram.svg(plan, differing)) for plan in plans}  # noqa: S704


def _grouped(items: Iterable[_Item], title: Callable[[_Item], str]) -> dict[str, list[_Item]]:
    """The items by title; titles in the order in which they first come."""
    grouped: dict[str, list[_Item]] = {}
    for item in items:
        grouped.setdefault(title(item), []).append(item)
    return grouped


def _outbound_rules(plan: Plan) -> list[str]:
    rules = plan.resource("workspace").body["properties"]["managedNetwork"].get("outboundRules", {})
    destinations = {name: rule["destination"] for name, rule in sorted(rules.items())}
    return [
        f"{name}: {to['subresourceTarget']} of {to['serviceResourceId'].rsplit('/', 1)[-1]}"
        for name, to in destinations.items()
    ]
