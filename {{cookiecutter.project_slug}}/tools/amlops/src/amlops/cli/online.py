"""`amlops online-endpoint` and `amlops online-deployment`: answers while the caller waits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlops.cli import realtime
from amlops.cli.common import (
    DeploymentName,
    EndpointName,
    Env,
    OfEndpoint,
    Output,
    PrintAz,
    Query,
    Sets,
    Yes,
    confirm_delete,
    emit,
    workspace,
)
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import UsageError

endpoint_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
deployment_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
realtime.add_to(endpoint_app, deployment_app)

_ENDPOINTS = ("name", "auth_mode", "scoring_uri", "state", "created_at")
_DEPLOYMENTS = ("name", "endpoint_name", "model", "state", "created_at")


@endpoint_app.command("create")
def create_endpoint(
    file: Annotated[Path | None, flag("file")] = None,
    name: Annotated[str | None, flag("name", "Name of the endpoint (default: from the file).")] = None,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Make an endpoint, or change the one of that name."""
    chosen_format(output)
    if file is None and name is None:
        raise UsageError("online-endpoint create: --file or --name is needed; for example --file endpoint.yml")
    with workspace(env, print_az) as ws:
        emit(ws.online_endpoints.create(file, name=name, sets=sets or []), output, query)


@endpoint_app.command("update")
def update_endpoint(
    name: EndpointName,
    file: Annotated[Path | None, flag("file")] = None,
    traffic: Annotated[str | None, flag("traffic")] = None,
    mirror_traffic: Annotated[str | None, flag("mirror-traffic")] = None,
    fallback: Annotated[bool, flag("fallback")] = False,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Change an endpoint, or share its requests out anew: --traffic 'blue=90 green=10'."""
    chosen_format(output)
    if fallback and traffic is None:
        raise UsageError("--fallback: is for --traffic; for example --traffic 'blue=90 green=10' --fallback")
    shares, mirror = _shares(traffic, "--traffic"), _shares(mirror_traffic, "--mirror-traffic")
    with workspace(env, print_az) as ws:
        endpoints, record = ws.online_endpoints, None
        if file is not None or sets or (shares is None and mirror is None):
            record = endpoints.update(name, file=file, sets=sets or [])
        if shares is not None or mirror is not None:
            # A deployment that is not named keeps its share, as with az ml.
            before = {} if print_az else endpoints.traffic(name)
            record = endpoints.set_traffic(name, {**before, **(shares or {})}, mirror, fallback=fallback)
        emit(record, output, query)


@endpoint_app.command("show")
def show_endpoint(
    name: EndpointName, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None
) -> None:
    """Show one endpoint."""
    with workspace(env, print_az) as ws:
        emit(ws.online_endpoints.show(name), output, query)


@endpoint_app.command("list")
def list_endpoints(env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None) -> None:
    """List the endpoints."""
    with workspace(env, print_az) as ws:
        emit(ws.online_endpoints.list(), output, query, _ENDPOINTS)


@endpoint_app.command("delete")
def delete_endpoint(name: EndpointName, yes: Yes = False, env: Env = None, print_az: PrintAz = False) -> None:
    """Delete an endpoint and its deployments. Asks first."""
    with workspace(env, print_az) as ws:
        command = f"amlops online-endpoint delete --name {name}"
        confirm_delete(f"the online endpoint '{name}' and its deployments", command, yes=yes or print_az)
        deployments = ws.online_endpoints.delete(name)["deployments"]
    also = f" and its deployments: {', '.join(deployments)}" if deployments else ", which had no deployment"
    typer.echo(f"deleted the online endpoint '{name}'{also}", err=True)


@endpoint_app.command("invoke")
def invoke(
    name: EndpointName,
    request_file: Annotated[Path, flag("request-file")],
    deployment_name: Annotated[
        str | None, flag("deployment-name", "Deployment that answers, whatever the traffic says.")
    ] = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Send one request and print the answer."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        answer = ws.online_endpoints.invoke(name, request_file=request_file, deployment_name=deployment_name)
    emit(answer, output, query)


@endpoint_app.command("get-credentials")
def get_credentials(
    name: EndpointName, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None
) -> None:
    """Print the endpoint's keys, or a token. Keep them out of logs."""
    with workspace(env, print_az) as ws:
        emit(ws.online_endpoints.credentials(name), output, query)


@deployment_app.command("create")
def create_deployment(
    file: Annotated[Path, flag("file")],
    name: Annotated[str | None, flag("name", "Name of the deployment (default: from the file).")] = None,
    endpoint_name: Annotated[str | None, flag("endpoint-name")] = None,
    all_traffic: Annotated[bool, flag("all-traffic")] = False,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Make a deployment, or change the one of that name, and wait until it answers."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        record = ws.online_deployments.create(
            file, name=name, endpoint_name=endpoint_name, all_traffic=all_traffic, sets=sets or []
        )
    emit(record, output, query)


@deployment_app.command("update")
def update_deployment(
    name: DeploymentName,
    endpoint_name: OfEndpoint,
    file: Annotated[Path | None, flag("file")] = None,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Change a deployment, for example --set instance_count=2. The old servers answer until the new ones do."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        emit(ws.online_deployments.update(name, endpoint_name, file=file, sets=sets or []), output, query)


@deployment_app.command("show")
def show_deployment(
    name: DeploymentName,
    endpoint_name: OfEndpoint,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Show one deployment, with its servers."""
    with workspace(env, print_az) as ws:
        emit(ws.online_deployments.show(name, endpoint_name), output, query)


@deployment_app.command("list")
def list_deployments(
    endpoint_name: OfEndpoint, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None
) -> None:
    """List the deployments of an endpoint."""
    with workspace(env, print_az) as ws:
        emit(ws.online_deployments.list(endpoint_name), output, query, _DEPLOYMENTS)


@deployment_app.command("get-logs")
def get_logs(
    name: DeploymentName,
    endpoint_name: OfEndpoint,
    lines: Annotated[int, flag("lines", min=1)] = 50,
    env: Env = None,
    print_az: PrintAz = False,
) -> None:
    """Print the last lines that the deployment's servers wrote."""
    with workspace(env, print_az) as ws:
        text = ws.online_deployments.get_logs(name, endpoint_name, lines=lines)
    typer.echo(text, nl=not text.endswith("\n"))


@deployment_app.command("delete")
def delete_deployment(
    name: DeploymentName, endpoint_name: OfEndpoint, yes: Yes = False, env: Env = None, print_az: PrintAz = False
) -> None:
    """Delete a deployment that has no traffic, once its requests are answered. Asks first."""
    with workspace(env, print_az) as ws:
        command = f"amlops online-deployment delete --name {name} --endpoint-name {endpoint_name}"
        confirm_delete(f"the deployment '{name}' of '{endpoint_name}'", command, yes=yes or print_az)
        ws.online_deployments.delete(name, endpoint_name)
    typer.echo(f"deleted the deployment '{name}' of the online endpoint '{endpoint_name}'", err=True)


def _shares(text: str | None, option: str) -> dict[str, int] | None:
    """'blue=90 green=10' -> {"blue": 90, "green": 10}. Raises UsageError."""
    if text is None:
        return None
    result: dict[str, int] = {}
    for word in text.replace(",", " ").split():
        name, equals, share = word.partition("=")
        if not equals or not name or not share.isdigit():
            raise UsageError(f"{option}: '{word}' must be DEPLOYMENT=PER CENT; for example {option} 'blue=90 green=10'")
        result[name] = int(share)
    return result
