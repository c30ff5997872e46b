"""A new deployment of a real-time endpoint: smoke test, stress test where it is asked for, the traffic in steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amlops.errors import JobFailed
from amlops.realtime import rollout as rollouts
from amlops.realtime import stress as stresses
from amlops.realtime.judging import Bounds
from amlops.realtime.payloads import read_payloads
from amlops.realtime.smoke import read_cases, run_smoke
from amlops.realtime.stage import Watched
from amlops.release import older
from amlops.release.spec import RealTimeRelease
from amlops.validate.schema.release import Stress
from amlops.workspace import Record, Workspace
from amlops.workspace.online import ScoringTarget

Tell = Callable[[str], None]


def deploy(ws: Workspace, release: RealTimeRelease, name: str, sets: list[str], tell: Tell) -> Record:
    """Deploy beside what the endpoint serves, test it by name, give it the traffic in steps.

    The deployments that had traffic before stay, to go back to; older ones are deleted.

    Raises:
        UserError: a file is wrong, Azure refuses.
        JobFailed: it did not pass a test, or was outside its bounds; the traffic is what it was.
    """
    endpoint = _endpoint(ws, release)
    before = {one: share for one, share in ws.online_endpoints.traffic(endpoint).items() if share}
    record: Record = {"endpoint_name": endpoint, "deployment_name": name, "before": before, "deleted": []}
    if before == {name: 100}:
        tell(f"{endpoint}: {name} has all the traffic already")
        return record
    if name not in before:
        ws.online_deployments.create(release.deployment, name=name, endpoint_name=release.name, sets=sets)
    target = ws.online_endpoints.target(release.name, name)
    record["smoke"] = _smoke(release, target, tell)
    stress = release.stress
    if stress is not None and stress.environment == ws.environment.name:
        record["stress"] = _stress(release, stress, target, tell)
    if before:
        record["rollout"] = _rollout(ws, release, endpoint, name, tell)["stages"]
    else:
        ws.online_endpoints.set_traffic(endpoint, {name: 100})
        tell(f"{endpoint}: {name} is the first, it has all the traffic")
    return {**record, "deleted": older.delete(ws.online_deployments, release.name, {name, *before})}


def abort(ws: Workspace, release: RealTimeRelease, tell: Tell) -> Record | None:
    """Put back the traffic that a killed rollout left; None where there is nothing to put back. Raises UserError."""
    physical = _physical(ws, release)
    return None if physical is None else rollouts.abort(ws, physical, tell)


def _physical(ws: Workspace, release: RealTimeRelease) -> str | None:
    """The endpoint's name in the environment; None where it is not there."""
    wanted = ws.environment.endpoints.get(release.name, release.name)
    return wanted if any(one["name"] == wanted for one in ws.online_endpoints.list()) else None


def _endpoint(ws: Workspace, release: RealTimeRelease) -> str:
    """The endpoint's name in the environment. One that is there is left as it is: its traffic is not the file's."""
    return _physical(ws, release) or str(ws.online_endpoints.create(release.endpoint)["name"])


def _smoke(release: RealTimeRelease, target: ScoringTarget, tell: Tell) -> int | None:
    """How many cases passed; None where there are none. Raises JobFailed."""
    if release.smoke is None:
        return None
    results = run_smoke(target, read_cases(release.smoke))
    failed = [one for one in results if not one["passed"]]
    if failed:
        raise JobFailed(f"{release.name}: smoke test '{failed[0]['name']}': {failed[0]['reason']}")
    tell(f"{release.name}: smoke test: {len(results)} cases passed")
    return len(results)


def _stress(release: RealTimeRelease, stress: Stress, target: ScoringTarget, tell: Tell) -> dict[str, Any]:
    """What was measured. Raises JobFailed when less holds than is asked for."""
    measured = stresses.stress(
        target,
        read_payloads(release.requests),
        stress.rates,
        stresses.Rule(stress.max_p99_ms, release.rollout.max_error_rate),
        duration=stress.duration,
        warm_up=2,
        until_knee=False,
        tell=tell,
    )
    held = measured["highest_rate_held"]
    if held is None or held < stress.min_rate:
        raise JobFailed(
            f"{release.name}: stress test: {'no rate' if held is None else f'at most {held:g} a second'} held, "
            f"{stress.min_rate:g} are asked for",
            measured,
        )
    return measured


def _rollout(ws: Workspace, release: RealTimeRelease, endpoint: str, name: str, tell: Tell) -> Record:
    asked = release.rollout
    bounds = Bounds(asked.max_error_rate, asked.max_p95_ms, asked.min_requests)
    watched = Watched(endpoint, name, asked.hold, bounds, read_payloads(release.requests), asked.rate)
    return rollouts.rollout(ws, rollouts.Options(watched, tuple(asked.steps)), tell)
