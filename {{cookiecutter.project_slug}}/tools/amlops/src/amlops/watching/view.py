"""One environment in one view: what is wrong first, then jobs, endpoints, deployments, computes, schedules and models.

    view = look(connect("prod"), within=timedelta(days=1))
    view["problems"][0]     {"kind": "job", "name": …, "status": "Failed", "why": "ValueError: …", "log": "…:12", …}

What cannot be read is a problem too; what was asked after it is left out when the environment cannot be reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from amlops.errors import UserError
from amlops.watching.reasons import why
from amlops.workspace import Workspace
from amlops.workspace.record import Record

FAILED = ("Failed", "NotResponding")
# Azure lists 10,000 jobs and more; the newest tell how things are.
_NEWEST = 200
_JOB = ("name", "display_name", "type", "status", "created_at", "ended_at", "duration_s")


def look(ws: Workspace, within: timedelta, now: datetime | None = None) -> Record:
    """What is in a workspace, and what is wrong.

    Args:
        within: a failed job is a problem when it began so long ago at most, and nothing of its kind has completed
            since.
        now: the current time; for tests.

    Returns:
        problems, jobs (status: number), last_job, models (name: version), batch_endpoints, online_endpoints, computes,
        schedules. Parts that could not be read are None.
    """
    since = (now or datetime.now(UTC)) - within
    problems: list[Record] = []
    parts: dict[str, Any] = {}
    for name, read in _PARTS.items():
        try:
            parts[name], found = read(ws, since)
        except UserError as error:
            problems.append({"kind": name, "name": None, "status": "NotRead", "why": str(error), "log": None})
            parts |= {other: None for other in _PARTS if other not in parts}
            break
        problems += found
    jobs = parts.pop("jobs")
    return {
        "problems": problems,
        "jobs": None if jobs is None else dict(Counter(job["status"] for job in jobs)),
        "last_job": {key: jobs[0].get(key) for key in ("name", "status", "ended_at")} if jobs else {},
        **parts,
    }


Found = tuple[Any, list[Record]]


def _jobs(ws: Workspace, since: datetime) -> Found:
    jobs = ws.jobs.list(max_results=_NEWEST)
    problems = []
    completed: set[tuple[Any, ...]] = set()
    for job in jobs:  # newest first
        if job["status"] == "Completed":
            completed.add(_kind_of(job))
        elif job["status"] in FAILED and _kind_of(job) not in completed and _began(job) >= since:
            problems.append(_failed_job(ws, job))
    return jobs, problems


def _kind_of(job: Mapping[str, Any]) -> tuple[Any, ...]:
    """Jobs of one kind do the same work: one that completes makes up for those that failed before it."""
    return tuple(
        job.get(key) for key in ("type", "experiment_name", "endpoint_name", "deployment_name", "display_name")
    )


def _began(job: Mapping[str, Any]) -> datetime:
    text = job.get("created_at")
    if not text:
        return datetime.max.replace(tzinfo=UTC)
    moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _failed_job(ws: Workspace, job: Record) -> Record:
    """The job, its failed step, and the line of the log that says why. A log that cannot be read is told as such."""
    steps = job.get("steps") or {}
    step = next((name for name, record in steps.items() if record.get("status") in FAILED), None)
    problem = {"kind": "job", **{key: job.get(key) for key in _JOB}, "step": step}
    try:
        line = why(ws.jobs.logs(job["name"]), step)
    except UserError as error:
        return {**problem, "why": job.get("error") or f"its logs cannot be read: {error}", "log": None}
    if line is None:
        return {**problem, "why": job.get("error") or "it wrote no log", "log": None}
    return {**problem, "why": line.text.strip(), "log": f"{line.path}:{line.number}"}


def _batch_endpoints(ws: Workspace, _since: datetime) -> Found:
    view, problems = [], []
    for endpoint in ws.batch_endpoints.list():
        name, default = endpoint["name"], (endpoint.get("defaults") or {}).get("deployment_name")
        deployments = ws.batch_deployments.list(name)
        names = [deployment["name"] for deployment in deployments]
        view.append({"name": name, "default": default, "deployments": names})
        if default and default not in names:
            problems.append(_problem("batch endpoint", name, "NoDefault", f"its default '{default}' does not exist"))
        problems += _not_provisioned("batch endpoint", [endpoint])
        problems += _not_provisioned("batch deployment", deployments)
    return view, problems


def _online_endpoints(ws: Workspace, _since: datetime) -> Found:
    view, problems = [], []
    for endpoint in ws.online_endpoints.list():
        name, traffic = endpoint["name"], endpoint.get("traffic") or {}
        deployments = ws.online_deployments.list(name)
        view.append({"name": name, "traffic": traffic, "deployments": [one["name"] for one in deployments]})
        if deployments and not any(traffic.values()):
            problems.append(_problem("online endpoint", name, "NoTraffic", "no deployment has traffic: it answers 404"))
        problems += _not_provisioned("online endpoint", [endpoint])
        problems += _not_provisioned("online deployment", deployments)
    return view, problems


def _computes(ws: Workspace, _since: datetime) -> Found:
    computes = ws.computes.list()
    view = [
        {key: compute.get(key) for key in ("name", "type", "size", "min_instances", "max_instances")}
        for compute in computes
    ]
    return view, [*_not_provisioned("compute", computes)]


def _schedules(ws: Workspace, _since: datetime) -> Found:
    """Every schedule, those that Azure could not make or change first."""
    schedules = ws.schedules.list(include_disabled=True)
    view = [
        {
            "name": schedule["name"],
            "is_enabled": schedule["is_enabled"],
            "next_run": schedule["next_run"],
            "state": schedule["provisioning_state"],
        }
        for schedule in schedules
    ]
    problems = [*_not_provisioned("schedule", schedules)]
    failed = {problem["name"] for problem in problems}
    return sorted(view, key=lambda row: row["name"] not in failed), problems


def _models(ws: Workspace, _since: datetime) -> Found:
    newest: dict[str, str] = {}
    for model in ws.models.list():
        newest.setdefault(model.name, model.version)
    return newest, []


def _not_provisioned(kind: str, records: Sequence[Mapping[str, Any]]) -> Iterator[Record]:
    for record in records:
        state = record.get("provisioning_state")
        if state in ("Failed", "Canceled"):
            reason = record.get("provisioning_error") or "what made it says why: its create or update failed"
            yield _problem(kind, record["name"], str(state), str(reason))


def _problem(kind: str, name: str, status: str, reason: str) -> Record:
    return {"kind": kind, "name": name, "status": status, "why": reason, "log": None}


# In the order in which they are read and shown.
_PARTS: dict[str, Callable[[Workspace, datetime], Found]] = {
    "jobs": _jobs,
    "batch_endpoints": _batch_endpoints,
    "online_endpoints": _online_endpoints,
    "computes": _computes,
    "schedules": _schedules,
    "models": _models,
}
