"""Running the rules over the resources of one environment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from amlplatform.policies.rule import Context, Resource, ResourceRule, Rule, Severity, Stack, StackRule
from amlplatform.policies.rules import RULES


@dataclass(frozen=True)
class Finding:
    """One broken rule. `text`: what is wrong; `remedy`: what to do; `allowed`: the reason of an exception, or ""."""

    environment: str
    resource: str
    arm_type: str
    rule: str
    severity: Severity
    text: str
    remedy: str
    allowed: str = ""

    @property
    def line(self) -> str:
        """The finding in one line for people."""
        return f"{self.environment}: {self.resource} ({self.arm_type}): {self.rule}: {self.text}; {self.remedy}"

    @property
    def stops(self) -> bool:
        """Whether the environment must not be built like this."""
        return self.severity is Severity.MANDATORY and not self.allowed

    @property
    def warns(self) -> bool:
        return self.severity is Severity.ADVISORY and not self.allowed


@dataclass(frozen=True)
class Advice:
    """Findings that say the same of several resources."""

    finding: Finding
    resources: tuple[str, ...]

    @property
    def line(self) -> str:
        """The findings in one line for people."""
        if len(self.resources) == 1:
            return self.finding.line
        one = self.finding
        named = ", ".join(self.resources)
        return f"{one.environment}: {len(self.resources)} resources: {one.rule}: {one.text}; {one.remedy}: {named}"


def together(findings: Iterable[Finding]) -> list[Advice]:
    """Findings of the same rule with the same words, taken together; in the order in which they first came."""
    grouped: dict[tuple[str, ...], list[Finding]] = {}
    for one in findings:
        key = (one.environment, one.rule, one.arm_type, one.text, one.allowed)
        grouped.setdefault(key, []).append(one)
    return [Advice(group[0], tuple(one.resource for one in group)) for group in grouped.values()]


def evaluate(resources: Iterable[Resource], context: Context, rules: Sequence[Rule] = RULES) -> list[Finding]:
    """Every broken rule, in the order of the rules. Rules that do not hold in the environment are left out."""
    stack = Stack(resources)
    found: list[Finding] = []
    for rule in rules:
        severity = rule.severity_in(context.bounds.kind)
        if severity is Severity.DISABLED:
            continue
        found += [_finding(rule, severity, one, text, context) for one, text in _broken(rule, stack, context)]
    return found


def _broken(rule: Rule, stack: Stack, context: Context) -> Iterable[tuple[Resource, str]]:
    if isinstance(rule, StackRule):
        return rule.check(stack, context)
    assert isinstance(rule, ResourceRule)
    return (
        (resource, text)
        for resource in stack.resources
        if rule.applies_to(resource)
        for text in rule.check(resource, context)
    )


def _finding(rule: Rule, severity: Severity, resource: Resource, text: str, context: Context) -> Finding:
    covering = (one for one in context.allowances if one.covers(rule.name, resource.name, context.today))
    allowance = next(covering, None)
    return Finding(
        context.environment,
        resource.name,
        resource.arm_type,
        rule.name,
        severity,
        text,
        rule.remedy,
        allowance.reason if allowance else "",
    )
