"""Who may do what, as tables for the docs: made from the same rows that the program gives roles by."""

from __future__ import annotations

from collections.abc import Iterable

from amlplatform.bootstrap.access import CUSTOM_ROLES, EVERY_RIGHT, Right
from amlplatform.database_roles import DATABASE_GRANTS
from amlplatform.profiles import ENVIRONMENT_PROFILES
from amlplatform.roles import ALWAYS, EXCEPTIONS, GRANTS, PRINCIPALS, ROLES, SCOPES, Grant


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    headings = list(headings)
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def roles() -> str:
    """Every role in an environment: who, which, on what, under which condition, where, and why."""
    environments = list(ENVIRONMENT_PROFILES)
    return _table(
        ["who", "role", "on", *environments, "when", "why"],
        (
            [
                PRINCIPALS[grant.principal],
                f"{grant.role} `{ROLES[grant.role].role_id[:8]}`",
                SCOPES[grant.scope],
                *("yes" if _holds(grant, environment) else "no" for environment in environments),
                "" if grant.when == ALWAYS else grant.when,
                grant.why,
            ]
            for grant in GRANTS
        ),
    )


def _holds(grant: Grant, environment: str) -> bool:
    return ENVIRONMENT_PROFILES[environment].people or not grant.needs_people


def exceptions() -> str:
    """The purposes for which a request may let a group in, with the roles of each."""
    return _table(
        ["purpose", "lets a group", "role", "on"],
        (
            [f"`{name}`", purpose.summary, grant.role, SCOPES[grant.scope]]
            for name, purpose in EXCEPTIONS.items()
            for grant in purpose.grants
        ),
    )


def rights() -> str:
    """What the identities that the bootstrap stack makes may do."""
    return _table(
        ["who", "role", "on", "why"],
        (
            [right.identity, _role(right), right.scope.replace("resource_group", "resource group"), right.why]
            for right in EVERY_RIGHT
        ),
    )


def _role(right: Right) -> str:
    name = CUSTOM_ROLES[right.role][0] if right.role in CUSTOM_ROLES else right.role
    return f"{name}, for the roles above only" if right.delegated else name


def custom_roles() -> str:
    """The roles that Azure does not have."""
    return _table(
        ["role", "for", "actions"],
        (
            [title, description, ", ".join(f"`{action}`" for action in actions)]
            for title, description, actions in CUSTOM_ROLES.values()
        ),
    )


def database() -> str:
    """What principals may do inside the SQL database."""
    return _table(
        ["who", "may", *ENVIRONMENT_PROFILES, "when", "why"],
        (
            [
                PRINCIPALS[row.principal],
                f"`{row.right}`",
                *(
                    "yes" if row.principal != "data_scientists" or profile.people else "no"
                    for profile in ENVIRONMENT_PROFILES.values()
                ),
                "" if row.when == ALWAYS else row.when,
                row.why,
            ]
            for row in DATABASE_GRANTS
        ),
    )
