"""SQL: nobody but Entra identities logs in, a managed identity administers it, and users are made by a script."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from data_options import asked, body, faults, plan_of, planned
from hypothesis import given
from hypothesis import strategies as st
from platform_requests import GROUP
from typer.testing import CliRunner

from amlplatform.cli import app
from amlplatform.database_roles import DATABASE_GRANTS, DATABASE_ROLES, WINDOWS_TABLE
from amlplatform.recorder import invented_principal_id
from amlplatform.request import Request
from amlplatform.steps import sql_users

pytestmark = pytest.mark.slow

CASES = [("dev", "public-dev"), ("prod", "managed-vnet"), ("prod", "own-vnet"), ("test", "own-vnet")]
IDS = {
    "cluster": uuid.UUID("11111111-2222-3333-4444-555555555555"),
    "endpoint": uuid.UUID("01234567-89ab-cdef-0123-456789abcdef"),
    "deploy": uuid.UUID("0f0e0d0c-0b0a-0908-0706-050403020100"),
}


@pytest.mark.parametrize(("environment", "network"), CASES)
def test_the_server_knows_entra_logins_only(environment: str, network: str) -> None:
    plan = planned(environment, network, "sql")
    identity = f"id-digit-scoring-{environment}-sql"
    server = body(plan, "sql-server")
    assert server.pop("publicNetworkAccess") == ("Enabled" if network == "public-dev" else "Disabled")
    assert server == {
        "administrators": {
            "administratorType": "ActiveDirectory",
            "azureADOnlyAuthentication": True,
            "login": identity,
            "principalType": "Application",
            # An application's login is its client id; with its object id nobody could log in.
            "sid": invented_principal_id(f"{identity}/client"),
            "tenantId": "00000000-0000-0000-0000-00000000000a",
        },
        "isIPv6Enabled": "Disabled",
        "minimalTlsVersion": "1.2",
        "restrictOutboundNetworkAccess": "Enabled",
        "version": "12.0",
    }
    # Azure takes it once only and returns it only when asked: after a refresh Pulumi would want a new server.
    assert plan.resource("sql-server").ignore_changes == ("administrators",)


@pytest.mark.parametrize(("environment", "network"), CASES)
def test_what_is_done_is_written_to_log_analytics(environment: str, network: str) -> None:
    plan = planned(environment, network, "sql")
    assert body(plan, "sql-auditing") == {
        "state": "Enabled",
        "isAzureMonitorTargetEnabled": True,
        "isDevopsAuditEnabled": True,
        "retentionDays": 90,
    }
    server, database = plan.resource("sql-server").arm_id, plan.resource("sql-database").arm_id
    logged = {
        one.arm_id.partition("/providers/Microsoft.Insights/")[0]
        for one in plan.resources
        if one.arm_type == "Microsoft.Insights/diagnosticSettings"
    }
    # The audit log is a category of the database master: without its diagnostic settings nothing is written.
    assert {f"{server}/databases/master", database} <= logged


def test_dev_pauses_and_prod_lives_in_zones_and_comes_back() -> None:
    dev, prod = planned("dev", "public-dev", "sql"), planned("prod", "own-vnet", "sql")
    common = {"isLedgerOn": False, "maxSizeBytes": 32 * 1024**3}
    assert dev.resource("sql-database").body["sku"] == {
        "name": "GP_S_Gen5",
        "tier": "GeneralPurpose",
        "family": "Gen5",
        "capacity": 1,
    }
    assert body(dev, "sql-database") == {
        **common,
        "autoPauseDelay": 60,
        "minCapacity": 0.5,
        "zoneRedundant": False,
        "requestedBackupStorageRedundancy": "Local",
    }
    assert prod.resource("sql-database").body["sku"]["name"] == "GP_Gen5"
    assert body(prod, "sql-database") == {
        **common,
        "zoneRedundant": True,
        "requestedBackupStorageRedundancy": "Geo",
    }
    assert [dev.resource("sql-backups").body["properties"]["retentionDays"]] == [7]
    assert [prod.resource("sql-backups").body["properties"]["retentionDays"]] == [30]
    for plan in (dev, prod):
        assert body(plan, "sql-encryption") == {"state": "Enabled"}


@pytest.mark.parametrize(("region", "zones", "backups"), [("norwaywest", False, "Geo"), ("italynorth", True, "Zone")])
def test_a_region_gives_what_it_has(region: str, zones: bool, backups: str) -> None:
    data = asked("prod", "own-vnet", "sql")
    data["region"] = region
    database = body(plan_of(data, "prod"), "sql-database")
    assert (database["zoneRedundant"], database["requestedBackupStorageRedundancy"]) == (zones, backups)


def test_data_is_protected_and_locked_in_prod_alone() -> None:
    dev, prod = planned("dev", "public-dev", "sql"), planned("prod", "own-vnet", "sql")
    assert [prod.resource(name).protect for name in ("sql-server", "sql-database")] == [True, True]
    assert [dev.resource(name).protect for name in ("sql-server", "sql-database")] == [False, False]
    server = prod.resource("sql-server").arm_id
    locks = [one.arm_id for one in prod.resources if one.arm_type == "Microsoft.Authorization/locks"]
    assert [lock for lock in locks if lock.startswith(f"{server}/providers/")], (
        "the lock of the server is its databases'"
    )


def test_attacks_are_told_to_the_owner_in_prod() -> None:
    assert body(planned("prod", "own-vnet", "sql"), "sql-alerts") == {
        "state": "Enabled",
        "disabledAlerts": [],
        "emailAddresses": ["owner@example.com"],
        "emailAccountAdmins": True,
    }
    assert "sql-alerts" not in {one.name for one in planned("dev", "public-dev", "sql").resources}


def firewall(plan: Any) -> dict[str, tuple[str, str]]:
    return {
        one.azure_name: (one.body["properties"]["startIpAddress"], one.body["properties"]["endIpAddress"])
        for one in plan.resources
        if one.arm_type == "Microsoft.Sql/servers/firewallRules"
    }


def test_the_firewall_lets_in_whom_the_network_profile_and_the_request_name() -> None:
    azure = {"AllowAllWindowsAzureIps": ("0.0.0.0", "0.0.0.0")}
    assert firewall(planned("dev", "public-dev", "sql")) == azure
    for environment, network in CASES[1:]:
        assert firewall(planned(environment, network, "sql")) == {}
    named = plan_of(asked("dev", "public-dev", "sql", sql={"addresses": ["198.51.100.7"]}), "dev")
    assert firewall(named) == {**azure, "address-198-51-100-7": ("198.51.100.7", "198.51.100.7")}


@pytest.mark.parametrize(
    ("network", "address", "told"),
    [
        ("public-dev", "0.0.0.0", "must be one public IPv4 address; for example '198.51.100.7'"),
        ("public-dev", "10.0.0.4", "must be one public IPv4 address; for example '198.51.100.7'"),
        ("public-dev", "198.51.100.0/24", "must be one public IPv4 address; for example '198.51.100.7'"),
        ("own-vnet", "198.51.100.7", "network 'own-vnet' is closed to the internet; leave it out"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(network: str, address: str, told: str) -> None:
    (fault,) = faults(asked("dev", network, "sql", sql={"addresses": [address]}))
    assert fault.startswith("environments.dev.options.sql.addresses")
    assert told in fault


def test_ci_can_act_as_the_administrator_and_has_no_other_right_by_it() -> None:
    plan = planned("prod", "own-vnet", "sql")
    deploy, administrator = body(plan, "deploy-credential-github"), body(plan, "sql-credential-github")
    assert administrator == deploy
    assert administrator["subject"].endswith(":environment:prod")
    object_id = invented_principal_id("id-digit-scoring-prod-sql")
    assert not [one.name for one in plan.resources if object_id in json.dumps(dict(one.body))]


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    for environment, network in (("dev", "public-dev"), ("prod", "own-vnet")):
        assert [one.name for one in planned(environment, network).resources if "Sql" in one.arm_type] == []


# The script. What follows reads the few forms of statements that it is made of, as SQL Server would.

_TOKEN = re.compile(r"--[^\n]*|N'(?:[^']|'')*'|'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]|0x[0-9A-F]+|\w+|\S|\s+")


def tokens(script: str) -> list[str]:
    found = _TOKEN.findall(script)
    assert "".join(found) == script
    return [one for one in found if not one.isspace() and not one.startswith("--")]


class Database:
    """Users by name with SID and type, and the members of roles; `changes` counts what statements did."""

    def __init__(self) -> None:
        self.users: dict[str, tuple[str, str]] = {}
        self.members: set[tuple[str, str]] = set()
        self.permissions: set[tuple[str, str]] = set()
        self.changes = 0

    def run(self, script: str) -> None:
        assert script.count("BEGIN TRANSACTION;") == script.count("COMMIT TRANSACTION;") == 1
        statements = script.partition("BEGIN TRANSACTION;")[2].partition("COMMIT TRANSACTION;")[0]
        for statement in re.sub(r"--[^\n]*", "", statements).split(";"):
            words = " ".join(statement.split())
            if words and "CREATE TABLE" not in words:
                self._run(words)

    def _run(self, words: str) -> None:
        name = r"N'(?P<name>[^']*)'"
        conditions = {
            rf"IF EXISTS \(SELECT 1 FROM sys.database_principals WHERE name = {name} AND sid <> (?P<sid>0x\w+)\) ": (
                lambda m: m["name"] in self.users and self.users[m["name"]][0] != m["sid"]
            ),
            rf"IF DATABASE_PRINCIPAL_ID\({name}\) IS NULL ": lambda m: m["name"] not in self.users,
            rf"IF ISNULL\(IS_ROLEMEMBER\(N'(?P<role>\w+)', {name}\), 0\) = (?P<is>[01]) ": (
                lambda m: int((m["role"], m["name"]) in self.members) == int(m["is"])
            ),
        }
        for pattern, holds in conditions.items():
            match = re.match(pattern, words)
            if match:
                if holds(match):
                    self.changes += 1
                    self._do(words[match.end() :])
                return
        self._do(words)

    def _do(self, words: str) -> None:
        forms = {
            r"DROP USER \[(?P<name>[^\]]*)\]": self._drop,
            r"CREATE USER \[(?P<name>[^\]]*)\] WITH SID = (?P<sid>0x\w{32}), TYPE = (?P<type>[EX])": self._create,
            r"ALTER ROLE \[(?P<role>\w+)\] ADD MEMBER \[(?P<name>[^\]]*)\]": (
                lambda m: self.members.add((m["role"], m["name"]))
            ),
            r"ALTER ROLE \[(?P<role>\w+)\] DROP MEMBER \[(?P<name>[^\]]*)\]": (
                lambda m: self.members.remove((m["role"], m["name"]))
            ),
            r"GRANT (?P<right>.*) TO \[(?P<name>[^\]]*)\]": lambda m: self.permissions.add((m["right"], m["name"])),
        }
        for pattern, act in forms.items():
            match = re.fullmatch(pattern, words)
            if match:
                act(match)
                return
        raise AssertionError(f"no statement that a database knows: {words}")

    def _drop(self, match: re.Match[str]) -> None:
        del self.users[match["name"]]
        self.members = {one for one in self.members if one[1] != match["name"]}

    def _create(self, match: re.Match[str]) -> None:
        self.users[match["name"]] = (match["sid"], match["type"])


def script(environment: str, network: str, *options: str, **ids: uuid.UUID) -> str:
    request = Request.model_validate(asked(environment, network, *options))
    return sql_users.script(request, environment, {**IDS, **ids})


def test_users_have_the_ids_of_entra_and_the_roles_of_the_table() -> None:
    database = Database()
    database.run(script("dev", "public-dev", "sql"))
    assert database.users == {
        "id-digit-scoring-dev-cluster": ("0x11111111222233334444555555555555", "E"),
        "id-digit-scoring-dev-endpoint": ("0x67452301AB89EFCD0123456789ABCDEF", "E"),
        "id-digit-scoring-dev-deploy": ("0x0C0D0E0F0A0B08090706050403020100", "E"),
        "data-scientists": ("0xE004253F894FD3419A0C0305E82C3301", "X"),
    }
    assert GROUP == "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    assert database.members == {
        ("db_datareader", "id-digit-scoring-dev-cluster"),
        ("db_datawriter", "id-digit-scoring-dev-cluster"),
        ("db_datareader", "id-digit-scoring-dev-endpoint"),
        ("db_ddladmin", "id-digit-scoring-dev-deploy"),
        ("db_datareader", "id-digit-scoring-dev-deploy"),
        ("db_datawriter", "id-digit-scoring-dev-deploy"),
        ("db_datareader", "data-scientists"),
        ("db_datawriter", "data-scientists"),
        ("db_ddladmin", "data-scientists"),
    }


def test_nobody_but_services_gets_into_prod() -> None:
    database = Database()
    database.run(script("prod", "own-vnet", "sql", "streaming"))
    assert {kind for _, kind in database.users.values()} == {"E"}
    assert set(database.users) == {f"id-digit-scoring-prod-{name}" for name in ("cluster", "endpoint", "deploy")}


def test_a_second_run_changes_nothing_and_repairs_what_was_changed() -> None:
    database, text = Database(), script("dev", "public-dev", "sql")
    database.run(text)
    database.changes = 0
    database.run(text)
    assert database.changes == 0
    wanted = dict(database.users), set(database.members)
    database.members |= {("db_owner", "data-scientists")}
    database.users["id-digit-scoring-dev-cluster"] = ("0x00000000000000000000000000000001", "E")
    database.run(text)
    assert (database.users, database.members) == wanted


def test_the_streaming_job_may_write_one_table_where_it_reaches_the_database() -> None:
    text = script("dev", "public-dev", "sql", "streaming", stream_analytics=uuid.UUID(int=1))
    database = Database()
    database.run(text)
    assert database.permissions == {(f"SELECT, INSERT ON OBJECT::{WINDOWS_TABLE}", "asa-digit-scoring-dev")}
    assert not {role for role, name in database.members if name == "asa-digit-scoring-dev"}
    assert f"IF OBJECT_ID(N'{WINDOWS_TABLE}', N'U') IS NULL\n    CREATE TABLE {WINDOWS_TABLE} (" in text
    assert WINDOWS_TABLE not in script("prod", "own-vnet", "sql", "streaming")


@given(st.text(min_size=1).filter(str.isprintable))
def test_a_name_is_one_token_whatever_is_in_it(name: str) -> None:
    """What would end a name or a text early, and begin a statement, does not."""
    user = sql_users.DatabaseUser(name, uuid.UUID(int=7), "E", ())
    plain = sql_users.DatabaseUser("plain", uuid.UUID(int=7), "E", ())
    shape, expected = (tokens("\n".join(sql_users._user(one))) for one in (user, plain))
    swapped = [{sql_users.identifier(name): "[plain]", sql_users.text(name): "N'plain'"}.get(one, one) for one in shape]
    assert swapped == expected
    assert sql_users.identifier(name)[1:-1].replace("]]", "]") == name
    assert sql_users.text(name)[2:-1].replace("''", "'") == name


@given(st.uuids())
def test_a_sid_is_the_guid_as_sql_server_casts_it(value: uuid.UUID) -> None:
    """CAST(… AS varbinary(16)): the first three parts with their lowest byte first, the rest as written."""
    first, second, third, fourth, fifth = str(value).upper().split("-")

    def turned(part: str) -> str:
        return "".join(reversed(re.findall("..", part)))

    assert sql_users.sid(value) == f"0x{turned(first)}{turned(second)}{turned(third)}{fourth}{fifth}"


def test_every_row_of_the_table_is_in_the_script() -> None:
    others = {name: uuid.UUID(int=number) for number, name in enumerate(("stream_analytics", "data_factory"), start=1)}
    database = Database()
    database.run(script("dev", "public-dev", "sql", "streaming", "data_factory", **others))
    rows = {row.right for row in DATABASE_GRANTS}
    assert {role for role, _ in database.members} | {right for right, _ in database.permissions} == rows
    assert len(database.members) + len(database.permissions) == len(DATABASE_GRANTS)
    assert rows - set(DATABASE_ROLES) == {f"SELECT, INSERT ON OBJECT::{WINDOWS_TABLE}"}
    assert "db_owner" not in rows


@pytest.fixture
def command(tmp_path: Path) -> Any:
    def run(*arguments: str, options: tuple[str, ...] = ("sql",), outputs: str | None = None) -> Any:
        path = tmp_path / "request.yaml"
        path.write_text(yaml.safe_dump(asked("dev", "public-dev", *options)), encoding="utf-8")
        return CliRunner().invoke(app, ["sql-users", str(path), *arguments], input=outputs)

    return run


OUTPUTS = json.dumps({f"{name}_client_id": str(value) for name, value in IDS.items()} | {"workspace": "mlw"})


def test_the_command_prints_the_script_from_the_outputs_of_the_stack(command: Any) -> None:
    result = command("--environment", "dev", "--outputs", "-", outputs=OUTPUTS)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == script("dev", "public-dev", "sql")


@pytest.mark.parametrize(
    ("arguments", "options", "outputs", "told"),
    [
        (("--environment", "qa"), ("sql",), None, "--environment: 'qa' is not in the request; it has dev, prod"),
        (("--environment", "dev"), ("streaming",), None, "environments.dev.options.sql: is not asked for"),
        (
            ("--environment", "dev", "--outputs", "-"),
            ("sql",),
            "workspace  mlw",
            "--outputs: '-' is not what Pulumi prints; make it with `pulumi stack output --json",
        ),
        (
            ("--environment", "dev", "--outputs", "-"),
            ("sql",),
            '{"cluster_client_id": "x"}',
            "--outputs: cluster_client_id: 'x' must be an Entra object id (a GUID)",
        ),
        (
            ("--environment", "dev"),
            ("sql",),
            None,
            "--client-id: cluster (cluster identity) is missing; output cluster_",
        ),
        (
            ("--environment", "dev", "--outputs", "-"),
            ("sql", "streaming"),
            OUTPUTS,
            "--client-id: stream_analytics (Stream Analytics) is missing; az ad sp show --query appId -o tsv --id ",
        ),
        (
            ("--environment", "dev", "--client-id", "clusters=1"),
            ("sql",),
            None,
            "--client-id: 'clusters' must be one of cluster, endpoint, deploy; for example 'cluster'",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(
    arguments: tuple[str, ...], options: tuple[str, ...], outputs: str | None, told: str, command: Any
) -> None:
    result = command(*arguments, options=options, outputs=outputs)
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr
    assert "Traceback" not in result.stderr
