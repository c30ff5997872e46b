"""The way to production: `online-endpoint rollout`, `online-deployment smoke`, `stress` and `profile`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from amlops.cli.common import (
    DeploymentName,
    EndpointName,
    Env,
    OfEndpoint,
    Output,
    Query,
    emit,
    record_of_failure,
    workspace,
)
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import JobFailed, UsageError, shown
from amlops.files import write_json, write_text
from amlops.workspace import Workspace

_CASES = ("name", "passed", "status", "reason")


def add_to(endpoint_app: typer.Typer, deployment_app: typer.Typer) -> None:
    """Add the commands to those of `online-endpoint` and `online-deployment`."""
    endpoint_app.command("rollout")(rollout)
    deployment_app.command("smoke")(smoke)
    deployment_app.command("stress")(stress)
    deployment_app.command("profile")(profile)


def rollout(
    name: EndpointName,
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
    with workspace(env) as ws, record_of_failure(lambda failed: emit(failed, output, query)):
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
    emit(record, output, query)


_EXAMPLE = "amlops online-endpoint rollout --name digits --to green --max-p95-ms 50"


def smoke(
    name: DeploymentName,
    endpoint_name: OfEndpoint,
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


def stress(
    name: DeploymentName,
    endpoint_name: OfEndpoint,
    requests: Annotated[Path, flag("requests")],
    rates: Annotated[str | None, flag("rates")] = None,
    start: Annotated[float | None, flag("start-rate")] = None,
    step: Annotated[float | None, flag("step-rate")] = None,
    until_knee: Annotated[bool, flag("until-knee")] = False,
    duration: Annotated[float, flag("duration", "How long each rate is measured (default: 30).", min=1)] = 30,
    warm_up: Annotated[float, flag("warm-up", min=0)] = 2,
    max_p99_ms: Annotated[float, flag("max-p99-ms", "p99 of a rate that holds (default: 500).", min=0)] = 500,
    max_error_rate: Annotated[float, flag("max-error-rate", min=0, max=100)] = 1,
    min_rate: Annotated[float | None, flag("min-rate")] = None,
    against_nodes: Annotated[int | None, flag("against-nodes", min=1)] = None,
    prod_nodes: Annotated[int | None, flag("prod-nodes", min=1)] = None,
    prod_rate: Annotated[float | None, flag("prod-rate", min=0)] = None,
    report: Annotated[Path | None, flag("report", "Folder for the report (default: below .amlops/stress).")] = None,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Send rising rates to one deployment, whatever its traffic: p50, p95, p99, errors, until it no longer holds."""
    from amlops.realtime import stress as stresses
    from amlops.realtime.journal import now
    from amlops.realtime.payloads import read_payloads

    chosen_format(output)
    payloads, rule = read_payloads(requests), stresses.Rule(max_p99_ms, max_error_rate)
    chosen = stresses.read_rates(rates, start, step, until_knee=until_knee)
    settings = {
        "duration": duration,
        "warm_up": warm_up,
        "requests": len(payloads),
        "max_p99_ms": max_p99_ms,
        "max_error_rate": max_error_rate,
    }
    with workspace(env) as ws:
        deployment, started = ws.online_deployments.show(name, endpoint_name), now()
        target = ws.online_endpoints.target(endpoint_name, name)
        measured = stresses.stress(
            target, payloads, chosen, rule, duration=duration, warm_up=warm_up, until_knee=until_knee, tell=_tell
        )
        nodes = against_nodes or int(deployment.get("instance_count") or 1)
        prod = stresses.scaled(measured["highest_rate_held"], nodes, prod_nodes, prod_rate)
        names = {"endpoint_name": deployment["endpoint_name"], "deployment_name": name}
        where = {**names, "environment": ws.environment.name, "started_at": started}
        record = {**where, **settings, **measured, "prod": prod}
        record["report"] = _report(ws, report, record)
    emit(record, output, query)
    _check_held(record["highest_rate_held"], min_rate)


def _check_held(held: float | None, asked: float | None) -> None:
    """Raises JobFailed when nothing held, or less than was asked for."""
    if held is None or (asked is not None and held < asked):
        wanted = f"; {asked:g} were asked for" if asked is not None else ""
        raise JobFailed(f"{'no rate' if held is None else f'at most {held:g} requests per second'} held{wanted}")


def profile(
    name: DeploymentName,
    endpoint_name: OfEndpoint,
    requests: Annotated[Path, flag("requests")],
    rate: Annotated[float, flag("rate", "Requests per second that one instance must hold.")],
    max_p99_ms: Annotated[float, flag("max-p99-ms", min=0)],
    max_error_rate: Annotated[float, flag("max-error-rate", min=0, max=100)] = 1,
    workers: Annotated[str | None, flag("try-workers")] = None,
    threads: Annotated[str | None, flag("try-threads")] = None,
    cpus: Annotated[str | None, flag("try-cpus")] = None,
    memory: Annotated[str | None, flag("try-memory")] = None,
    duration: Annotated[float, flag("duration", "How long each is measured (default: 10).", min=1)] = 10,
    warm_up: Annotated[float, flag("warm-up", min=0)] = 2,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Try workers, threads, cores and memory limits on copies of a deployment (laptop): the smallest that holds, with
    its VM size and Kubernetes instance type. Exit code 3 when none holds.
    """
    from amlops.local.interrupts import terminate_as_interrupt
    from amlops.realtime import profile as profiles
    from amlops.realtime.payloads import read_payloads
    from amlops.realtime.stress import Rule

    chosen_format(output)
    numbers, payloads = profiles.read_numbers, read_payloads(requests)
    tried = profiles.configurations(
        [int(each) for each in numbers(cpus, "--cpus", sorted({1, profiles.cores_here()}))],
        [int(each) for each in numbers(workers, "--workers", [1, 2])],
        [int(each) for each in numbers(threads, "--threads", [1])],
        numbers(memory, "--memory", [], whole=False),
    )
    rule = Rule(max_p99_ms, max_error_rate)
    with workspace(env) as ws, terminate_as_interrupt():
        record = profiles.profile(
            ws,
            name,
            endpoint_name,
            payloads,
            tried,
            rule,
            rate=rate,
            duration=duration,
            warm_up=warm_up,
            tell=_tell,
        )
    emit(record, output, query)
    if record["recommended"] is None:
        raise JobFailed(f"none of the {len(tried)} configurations holds {rate:g} requests per second")


def _report(ws: Workspace, folder: Path | None, record: dict[str, Any]) -> str:
    """Write result.json and report.html; the page's path as a person types it."""
    from amlops.realtime.journal import state_folder
    from amlops.realtime.report import page

    if folder is None:
        stamp = re.sub(r"[^0-9T]", "", record["started_at"].split("+")[0])
        folder = state_folder(ws) / "stress" / f"{record['endpoint_name']}-{record['deployment_name']}-{stamp}"
    write_json(folder / "result.json", record)
    write_text(folder / "report.html", page(record))
    return shown(folder / "report.html")


def _canonical(ws: Workspace, name: str) -> str:
    """The endpoint's name in the environment, whichever was given. Raises UserError when there is none."""
    return ws.online_endpoints.show(name)["name"]


def _tell(line: str) -> None:
    typer.echo(line, err=True)
