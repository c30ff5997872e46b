"""Who may do what inside an environment's SQL database, as a T-SQL script: Resource Manager cannot make users.

Users are made by their id (`WITH SID`), so that the server needs no right to look anybody up in Entra. A user's SID is
the binary form of the client id for an identity (TYPE E) and of the object id for a group (TYPE X):
learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-server-principals-transact-sql
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from amlplatform.database_roles import DATABASE_ROLES, WINDOWS_TABLE, DatabaseGrant, database_grants
from amlplatform.request import Request
from amlplatform.roles import PRINCIPALS

_BY_OBJECT_ID = frozenset({"data_scientists"})
_OF_RESOURCES = {
    "stream_analytics": "Microsoft.StreamAnalytics/streamingjobs",
    "data_factory": "Microsoft.DataFactory/factories",
}
"""Principals whose identity Azure makes with the resource, and the resource's type."""


class MissingIds(Exception):
    """Ids that the script needs and nobody gave. `faults` has one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class DatabaseUser:
    """One user. `sid`: client id of an identity, object id of a group; `kind`: E for an identity, X for a group."""

    name: str
    sid: uuid.UUID
    kind: Literal["E", "X"]
    grants: tuple[DatabaseGrant, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(grant.right for grant in self.grants if grant.right in DATABASE_ROLES)


def script(request: Request, environment: str, ids: Mapping[str, uuid.UUID]) -> str:
    """The script for one environment. `ids`: client ids of identities, by principal of the table of roles.

    Raises MissingIds when one is not there. Run again, the script changes only what differs from the table.
    """
    names = request.names(environment)
    users = _users(request, environment, ids)
    lines = [
        f"-- {names.stack}: who may do what in {names.sql_database} on {names.sql_server}, from the table of roles.",
        f"-- Run it in that database as {names.sql_identity}. It may be run again: it changes only what differs.",
        "SET XACT_ABORT ON;",
        "BEGIN TRANSACTION;",
        *(_windows_table() if request.environments[environment].streams_to_sql else ()),
        *(line for user in users for line in _user(user)),
        "",
        "COMMIT TRANSACTION;",
        *_review(users),
    ]
    return "\n".join(lines) + "\n"


def needed_ids(request: Request, environment: str) -> dict[str, str]:
    """Principals whose client id the script needs, each with where it comes from: the stack's output, or a command."""
    names = request.names(environment)
    found: dict[str, str] = {}
    for principal in _principals(request, environment):
        if principal in _OF_RESOURCES:
            group, name = names.resource_group, getattr(names, principal)
            found[principal] = _application_of(
                f"az resource show -g {group} -n {name} --resource-type {_OF_RESOURCES[principal]}"
            )
        elif principal not in _BY_OBJECT_ID:
            found[principal] = f"output {principal}_client_id of the stack {names.stack}"
    return found


def _application_of(resource: str) -> str:
    """Azure tells the object id of an identity that it made for a resource, and Entra its client id."""
    return f'az ad sp show --query appId -o tsv --id "$({resource} --query identity.principalId -o tsv)"'


def _rows(request: Request, environment: str) -> list[DatabaseGrant]:
    asked = request.environments[environment]
    rows = database_grants(request.profile(environment), asked.conditions)
    return [row for row in rows if row.principal != "data_scientists" or request.groups.data_scientists]


def _principals(request: Request, environment: str) -> list[str]:
    return list(dict.fromkeys(row.principal for row in _rows(request, environment)))


def _users(request: Request, environment: str, ids: Mapping[str, uuid.UUID]) -> list[DatabaseUser]:
    missing = [
        f"--client-id: {principal} ({PRINCIPALS[principal]}) is missing; {where}"
        for principal, where in needed_ids(request, environment).items()
        if principal not in ids
    ]
    if missing:
        raise MissingIds(missing)
    names = request.names(environment)
    azure_names = {
        "cluster": names.cluster_identity,
        "endpoint": names.endpoint_identity,
        "deploy": names.deploy_identity,
        "data_factory": names.data_factory,
        "stream_analytics": names.stream_analytics,
        "data_scientists": "data-scientists",
    }
    rows = _rows(request, environment)
    return [
        DatabaseUser(
            azure_names[principal],
            uuid.UUID(request.groups.data_scientists) if principal in _BY_OBJECT_ID else ids[principal],
            "X" if principal in _BY_OBJECT_ID else "E",
            tuple(row for row in rows if row.principal == principal),
        )
        for principal in _principals(request, environment)
    ]


def identifier(name: str) -> str:
    """A name as T-SQL writes it where an object is named."""
    return "[" + name.replace("]", "]]") + "]"


def text(value: str) -> str:
    """A text as T-SQL writes it."""
    return "N'" + value.replace("'", "''") + "'"


def sid(value: uuid.UUID) -> str:
    """The binary form of a GUID as SQL Server casts it: the first three parts with their lowest byte first."""
    return f"0x{value.bytes_le.hex().upper()}"


def _user(user: DatabaseUser) -> Iterator[str]:
    """Statements that make the user, or make it anew when its identity was, and give and take its roles."""
    name, quoted = text(user.name), identifier(user.name)
    yield ""
    for grant in user.grants:
        yield f"-- {grant.right}: {grant.why}"
    there = f"SELECT 1 FROM sys.database_principals WHERE name = {name} AND sid <> {sid(user.sid)}"  # noqa: S608 (quoted)
    yield f"IF EXISTS ({there})"
    yield f"    DROP USER {quoted};"
    yield f"IF DATABASE_PRINCIPAL_ID({name}) IS NULL"
    yield f"    CREATE USER {quoted} WITH SID = {sid(user.sid)}, TYPE = {user.kind};"
    for role in DATABASE_ROLES:
        wanted = role in user.roles
        yield f"IF ISNULL(IS_ROLEMEMBER({text(role)}, {name}), 0) = {0 if wanted else 1}"
        yield f"    ALTER ROLE {identifier(role)} {'ADD' if wanted else 'DROP'} MEMBER {quoted};"
    for grant in user.grants:
        if grant.right not in DATABASE_ROLES:
            yield f"GRANT {grant.right} TO {quoted};"


def _windows_table() -> list[str]:
    """Stream Analytics makes no table: what its query selects, in the same order."""
    return [
        "",
        f"IF OBJECT_ID({text(WINDOWS_TABLE)}, N'U') IS NULL",
        f"    CREATE TABLE {WINDOWS_TABLE} (",
        "        device nvarchar(200) NOT NULL,",
        "        sensor nvarchar(200) NOT NULL,",
        "        window_end datetime2(3) NOT NULL,",
        "        readings bigint NOT NULL,",
        "        mean float NOT NULL,",
        "        minimum float NOT NULL,",
        "        maximum float NOT NULL,",
        "        deviation float NULL,",
        "        INDEX by_series CLUSTERED (device, sensor, window_end)",
        "    );",
    ]


def _review(users: list[DatabaseUser]) -> list[str]:
    """The last answer: everybody from Entra who is in the database, also those whom the table does not know."""
    known = ", ".join(text(user.name) for user in users)
    return [
        "",
        "SELECT person.name AS [user], role.name AS [role],",
        f"    CASE WHEN person.name IN ({known}) THEN 'yes' ELSE 'NO: remove it, or add a row for it' END AS [known]",
        "FROM sys.database_principals AS person",
        "LEFT JOIN sys.database_role_members AS membership ON membership.member_principal_id = person.principal_id",
        "LEFT JOIN sys.database_principals AS role ON role.principal_id = membership.role_principal_id",
        "WHERE person.type IN ('E', 'X')",
        "ORDER BY [known], [user], [role];",
    ]
