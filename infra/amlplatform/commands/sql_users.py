"""`amlplatform sql-users`: the script that lets identities and groups into an environment's SQL database."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

import typer

from amlplatform import console, rules
from amlplatform.request import Request, RequestError, load_request
from amlplatform.steps import sql_users as step

_SUFFIX = "_client_id"


def sql_users(
    request: Path = typer.Argument(..., metavar="REQUEST", help="The onboarded request."),
    environment: str = typer.Option(..., "--environment", help="The environment, for example dev."),
    outputs: str | None = typer.Option(
        None, "--outputs", metavar="FILE", help="What `pulumi stack output --json` printed; - for standard input."
    ),
    client_id: list[str] = typer.Option(
        [], "--client-id", metavar="NAME=GUID", help="The client id of an identity that the outputs do not have."
    ),
) -> None:
    """Print the T-SQL script that makes the users of the SQL database and gives them their roles.

    Run it as the database's administrator: see docs/options-data.md.
    """
    try:
        asked = load_request(request)
    except RequestError as error:
        raise console.fail(error.faults) from None
    _check_environment(asked, environment)
    ids, faults = _of_outputs(outputs)
    given, more = _of_options(client_id, list(step.needed_ids(asked, environment)))
    if faults or more:
        raise console.fail([*faults, *more])
    try:
        print(step.script(asked, environment, {**ids, **given}), end="")
    except step.MissingIds as error:
        raise console.fail(error.faults) from None


def _check_environment(asked: Request, environment: str) -> None:
    if environment not in asked.environments:
        known = ", ".join(asked.environments)
        raise console.fail([f"--environment: {environment!r} is not in the request; it has {known}"])
    if asked.environments[environment].options.sql is None:
        raise console.fail([f"environments.{environment}.options.sql: is not asked for, so there is no database"])


def _of_outputs(name: str | None) -> tuple[dict[str, uuid.UUID], list[str]]:
    """Client ids by principal, from the outputs of the stack."""
    if name is None:
        return {}, []
    example = "pulumi stack output --json --stack digit-scoring-dev > outputs.json"
    try:
        found = json.loads(sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig"))
    except OSError as error:
        return {}, [f"--outputs: {name!r} cannot be read ({error.strerror}); make it with `{example}`"]
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return {}, [f"--outputs: {name!r} is not what Pulumi prints; make it with `{example}`"]
    ids, faults = {}, []
    for key, value in found.items():
        if not key.endswith(_SUFFIX):
            continue
        message = rules.check_guid(str(value), f"--outputs: {key}")
        if message:
            faults.append(message)
        else:
            ids[key.removesuffix(_SUFFIX)] = uuid.UUID(value)
    return ids, faults


def _of_options(values: list[str], known: list[str]) -> tuple[dict[str, uuid.UUID], list[str]]:
    ids, faults = {}, []
    for value in values:
        name, _, guid = value.partition("=")
        message = rules.check_choice(name, "--client-id", known) or rules.check_guid(guid, f"--client-id: {name}")
        if message:
            faults.append(message)
        else:
            ids[name] = uuid.UUID(guid)
    return ids, faults
