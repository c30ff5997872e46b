"""Conditions of role assignments, as far as they delegate the right to give roles.

The language is Azure's ABAC: learn.microsoft.com/azure/role-based-access-control/conditions-format. Known are
`ActionMatches`, attributes of `@Request`, `@Resource` and `@Principal`, comparisons of GUIDs and strings over sets,
NOT, AND and OR. Anything else raises ConditionError: what cannot be evaluated must not count as fulfilled.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"\s*(?:(?P<name>@?\w+(?::\w+)?)(?P<attribute>\[[^\]]+\])?|(?P<set>\{[^}]*\})|(?P<text>'[^']*')|(?P<sign>&&|\|\||[()!]))"
)


class ConditionError(Exception):
    """A condition that cannot be evaluated. The message is one line."""


@dataclass(frozen=True)
class Facts:
    """What a condition is held against: the action, and attributes by source ("Request", "Resource") and path."""

    action: str
    attributes: Mapping[tuple[str, str], Collection[str]] = field(default_factory=dict)


def role_assignment_facts(action: str, source: str, values: Mapping[str, str]) -> Facts:
    """The facts about giving (`source` "Request") or taking ("Resource") a role.

    `values`: RoleDefinitionId (a GUID), PrincipalId, PrincipalType.
    """
    path = "Microsoft.Authorization/roleAssignments"
    return Facts(action, {(source, f"{path}:{name}".lower()): [value] for name, value in values.items()})


Check = Callable[[Facts], bool]


def holds(condition: str, facts: Facts) -> bool:
    """Whether the condition is fulfilled. Raises ConditionError."""
    return parsed(condition)(facts)


@functools.cache
def parsed(condition: str) -> Check:
    """The condition as a function. Raises ConditionError when it cannot be read."""
    parser = _Parser(condition)
    check = parser.either()
    parser.end()
    return check


def _plain(value: str) -> str:
    """GUIDs are written with hyphens or without, strings in quotes."""
    return value.strip().strip("'").replace("-", "").lower()


def _equal_guids(left: str, right: str) -> bool:
    return _plain(left) == _plain(right)


def _equal(left: str, right: str) -> bool:
    return left.strip("'") == right.strip("'")


def _equal_without_case(left: str, right: str) -> bool:
    return left.strip("'").lower() == right.strip("'").lower()


_COMPARISONS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "guidequals": (_equal_guids, True),
    "guidnotequals": (_equal_guids, False),
    "stringequals": (_equal, True),
    "stringnotequals": (_equal, False),
    "stringequalsignorecase": (_equal_without_case, True),
    "stringnotequalsignorecase": (_equal_without_case, False),
}
# How many of the values on the left, and on the right, a comparison must hold for. Without one: a single value.
_QUANTIFIERS: dict[str, tuple[Callable[..., bool], Callable[..., bool]]] = {
    "": (any, any),
    "foranyofanyvalues": (any, any),
    "foranyofallvalues": (any, all),
    "forallofanyvalues": (all, any),
    "forallofallvalues": (all, all),
}


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, condition: str) -> None:
        self.condition = condition
        self.tokens: list[re.Match[str]] = []
        position = 0
        while condition[position:].strip():
            match = _TOKEN.match(condition, position)
            if match is None:
                raise self.fault(condition[position:].strip()[:20])
            self.tokens.append(match)
            position = match.end()

    def fault(self, at: str) -> ConditionError:
        return ConditionError(f"condition: cannot be evaluated at {at!r}: {self.condition}")

    def peek(self) -> str:
        return self.tokens[0][0].strip() if self.tokens else ""

    def take(self) -> re.Match[str]:
        if not self.tokens:
            raise self.fault("its end")
        return self.tokens.pop(0)

    def end(self) -> None:
        if self.tokens:
            raise self.fault(self.peek())

    def either(self) -> Check:
        checks = [self.both()]
        while self.peek().upper() in ("OR", "||"):
            self.take()
            checks.append(self.both())
        return lambda facts: any(check(facts) for check in checks)

    def both(self) -> Check:
        checks = [self.one()]
        while self.peek().upper() in ("AND", "&&"):
            self.take()
            checks.append(self.one())
        return lambda facts: all(check(facts) for check in checks)

    def one(self) -> Check:
        if self.peek().upper() in ("!", "NOT"):
            self.take()
            inner = self.one()
            return lambda facts: not inner(facts)
        if self.peek() == "(":
            self.take()
            check = self.either()
            if self.peek() != ")":
                raise self.fault(self.peek() or "its end")
            self.take()
            return check
        return self.test()

    def test(self) -> Check:
        token = self.take()
        if token["name"] == "ActionMatches":
            (wanted,) = self.values()
            return lambda facts: facts.action.lower() == wanted.strip("'").lower()
        if not token["attribute"] or not (token["name"] or "").startswith("@"):
            raise self.fault(token[0].strip())
        source, path = token["name"][1:], token["attribute"][1:-1].strip().lower()
        return self.comparison(source, path)

    def comparison(self, source: str, path: str) -> Check:
        token = self.take()
        quantifier, _, operator = (token["name"] or "").rpartition(":")
        if operator.lower() not in _COMPARISONS or quantifier.lower() not in _QUANTIFIERS:
            raise self.fault(token[0].strip())
        same, wanted = _COMPARISONS[operator.lower()]
        of_left, of_right = _QUANTIFIERS[quantifier.lower()]
        right = self.values()

        def check(facts: Facts) -> bool:
            # An attribute that is not there fulfils nothing.
            left = facts.attributes.get((source, path), ())
            return bool(left) and of_left(of_right(same(one, other) is wanted for other in right) for one in left)

        return check

    def values(self) -> list[str]:
        token = self.take()
        if token["text"]:
            return [token["text"]]
        if not token["set"]:
            raise self.fault(token[0].strip())
        return [value.strip() for value in token["set"][1:-1].split(",") if value.strip()]
