"""Who may do what inside the SQL database, as data: rights that are no roles of Azure. Standard library only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from amlplatform.profiles import EnvironmentProfile
from amlplatform.roles import ALWAYS, STREAMS_TO_SQL, option

WINDOWS_TABLE = "dbo.sensor_windows"
"""The table that the streaming job writes to, where it can reach the database."""

DATABASE_ROLES = ("db_datareader", "db_datawriter", "db_ddladmin", "db_owner")
"""Roles that SQL Server has in every database: learn.microsoft.com/sql, "Database-level roles"."""


@dataclass(frozen=True)
class DatabaseGrant:
    """What one principal may do inside the SQL database. `right`: one of DATABASE_ROLES, or a permission as GRANT
    writes it."""

    principal: str
    right: str
    why: str
    when: str = ALWAYS


DATABASE_GRANTS: tuple[DatabaseGrant, ...] = (
    DatabaseGrant("cluster", "db_datareader", "jobs read tables"),
    DatabaseGrant("cluster", "db_datawriter", "jobs write their results"),
    DatabaseGrant("endpoint", "db_datareader", "deployments look values up"),
    DatabaseGrant("deploy", "db_ddladmin", "CI makes and changes tables"),
    DatabaseGrant("deploy", "db_datareader", "CI checks what it has changed"),
    DatabaseGrant("deploy", "db_datawriter", "CI fills the tables that it makes"),
    DatabaseGrant("data_factory", "db_datareader", "pipelines copy tables into the lake", option("data_factory")),
    DatabaseGrant(
        "stream_analytics",
        f"SELECT, INSERT ON OBJECT::{WINDOWS_TABLE}",
        "the streaming job writes aggregated readings",
        STREAMS_TO_SQL,
    ),
    DatabaseGrant("data_scientists", "db_datareader", "to explore results"),
    DatabaseGrant("data_scientists", "db_datawriter", "to try out what jobs will write"),
    DatabaseGrant("data_scientists", "db_ddladmin", "to try out tables"),
)
"""Who may do what inside the database, with the option sql. Resource Manager cannot give these: see steps/sql_users."""


def database_grants(profile: EnvironmentProfile, conditions: Collection[str]) -> Iterator[DatabaseGrant]:
    """The rows that hold in an environment of this profile under these conditions."""
    for grant in DATABASE_GRANTS:
        if grant.principal == "data_scientists" and not profile.people:
            continue
        if grant.when == ALWAYS or grant.when in conditions:
            yield grant
