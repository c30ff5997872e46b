"""The way to production: `online-endpoint rollout`, `online-deployment smoke`, `stress` and `profile`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlops.cli.common import Env, Output, Query, emit, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import JobFailed, UsageError
from amlops.workspace import Workspace

_EndpointName = Annotated[str, flag("name", "Name of the endpoint.")]
_DeploymentName = Annotated[str, flag("name", "Name of the deployment.")]
_OfEndpoint = Annotated[str, flag("endpoint-name")]
_CASES = ("name", "passed", "status", "reason")


def add_to(endpoint_app: typer.Typer, deployment_app: typer.Typer) -> None:
    """Add the commands to those of `online-endpoint` and `online-deployment`."""
    endpoint_app.command("rollout")(rollout)
    deployment_app.command("smoke")(smoke)


def rollout(
    name: _EndpointName,
    to: Annotated[str | None, flag("to-deployment")] = None,
    steps: Annotated[str, flag("steps")] = "10,50,100",
    hold: Annotated[float, flag("hold", min=1)] = 60,
    max_error_rate: Annotated[float, flag("max-error-rate", min=0, max=100)] = 1,
    max_p95_ms: Annotated[float | None, flag("max-p95-ms", min=0)] = None,
    min_requests: Annotated[int, flag("min-requests", min=1)] = 20,
    mirror: Annotated[int | None, flag("mirror", min=1, max=50)] = None,
    smoke: Annotated[Path | None, flag("smoke")] = None,
    requests: Annotated[Path | None, flag("requests")] = None,
    rate: Annotated[float, flag("rate", "Of --requests, per second (default: 10).")] = 10,
    abort: Annotated[bool, flag("abort")] = False,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Give a deployment the traffic in steps; back by itself when it fails or is slow. Exit code 3 then."""
    from amlops.realtime import rollout as rollouts
    from amlops.realtime.judging import Bounds
    from amlops.realtime.payloads import read_payloads
    from amlops.realtime.shares import read_steps
    from amlops.realtime.smoke import read_cases
    from amlops.realtime.stage import Watched

    chosen_format(output)
    with workspace(env) as ws:
        try:
            if abort:
                emit(rollouts.abort(ws, _canonical(ws, name), _tell), output, query)
                return
            if to is None or max_p95_ms is None:
                raise UsageError(f"rollout: --to and --max-p95-ms are needed; for example {_EXAMPLE}")
            bounds = Bounds(max_error_rate, max_p95_ms, min_requests)
            payloads = read_payloads(requests) if requests else None
            chosen, cases = read_steps(steps), read_cases(smoke) if smoke else []
            watched = Watched(_canonical(ws, name), to, hold, bounds, payloads, rate)
            record = rollouts.rollout(ws, rollouts.Options(watched, chosen, mirror, cases), _tell)
        except JobFailed as failure:
            if failure.record is not None:
                emit(failure.record, output, query)
            raise
    emit(record, output, query)


_EXAMPLE = "amlops online-endpoint rollout --name digits --to green --max-p95-ms 50"


def smoke(
    name: _DeploymentName,
    endpoint_name: _OfEndpoint,
    file: Annotated[Path, flag("cases")],
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Send simple requests to one deployment and compare the answers, whatever its traffic. Exit code 3 when one is
    wrong.
    """
    from amlops.realtime.smoke import read_cases, run_smoke

    chosen_format(output)
    cases = read_cases(file)
    with workspace(env) as ws:
        ws.online_deployments.show(name, endpoint_name)
        results = run_smoke(ws.online_endpoints.target(endpoint_name, name), cases)
    emit(results, output, query, _CASES)
    failed = [one for one in results if not one["passed"]]
    if failed:
        raise JobFailed(f"{len(failed)} of {len(results)} cases failed; '{failed[0]['name']}': {failed[0]['reason']}")


def _canonical(ws: Workspace, name: str) -> str:
    """The endpoint's name in the environment, whichever was given. Raises UserError when there is none."""
    return ws.online_endpoints.show(name)["name"]


def _tell(line: str) -> None:
    typer.echo(line, err=True)
