"""A new deployment gets the traffic in steps, and gives it back by itself when it does not keep its bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops.errors import JobFailed, UserError
from amlops.realtime import journal as journals
from amlops.realtime.interruption import Interruption
from amlops.realtime.journal import Journal
from amlops.realtime.judging import Seen
from amlops.realtime.load import check_rate, require_aiohttp
from amlops.realtime.shares import same, shown, with_share
from amlops.realtime.smoke import Case, run_smoke
from amlops.realtime.stage import Interrupted, OutsideBounds, Stage, Watched
from amlops.workspace import OnlineEndpoints, Record, Workspace

_ATTEMPTS = 3
_PAUSE_SECONDS = 2.0
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What a rollout does; `watched.endpoint` is the endpoint's name in the environment.

    Attributes:
        steps: per cents that the deployment gets one after the other.
        mirror: per cent of copies that it gets first; None for no such stage.
        cases: smoke test before everything; empty for none.
    """

    watched: Watched
    steps: Sequence[int]
    mirror: int | None = None
    cases: Sequence[Case] = ()


def rollout(ws: Workspace, options: Options, tell: Tell) -> Record:
    """Carry out a rollout and return its record.

    What an earlier one left that was killed is put back first.

    Args:
        tell: gets lines about the progress.

    Raises:
        UserError: the endpoint or the deployment is not there, or there is no way to judge it; nothing was changed.
        JobFailed: the traffic is as it was before; the record says why.
    """
    watched, endpoints = options.watched, ws.online_endpoints
    folder = journals.rollout_folder(ws, watched.endpoint)
    held = journals.lock(folder)
    try:
        _put_back(endpoints, folder, tell)
        ws.online_deployments.show(watched.to, watched.endpoint)
        before = endpoints.traffic(watched.endpoint)
        _check(endpoints, options, before)
        with Interruption(tell) as interruption:
            return _Rollout(endpoints, options, folder, before, interruption, tell).run(ws.environment.name)
    finally:
        held.release()


def abort(ws: Workspace, endpoint: str, tell: Tell) -> Record | None:
    """Put back what a killed rollout left; its record, or None when there is nothing to put back."""
    folder = journals.rollout_folder(ws, endpoint)
    held = journals.lock(folder)
    try:
        found = _put_back(ws.online_endpoints, folder, tell)
    finally:
        held.release()
    if found is None:
        tell(f"no rollout of '{endpoint}' was left unfinished")
    return found.record if found else None


class _Rollout:
    """One rollout while it goes on."""

    def __init__(
        self,
        endpoints: OnlineEndpoints,
        options: Options,
        folder: Path,
        before: dict[str, int],
        interruption: Interruption,
        tell: Tell,
    ) -> None:
        self._endpoints = endpoints
        self._options = options
        self._watched = options.watched
        self._folder = folder
        self._before = before
        self._mirrored: dict[str, int] = endpoints.show(self._watched.endpoint)["mirror_traffic"] or {}
        self._interruption = interruption
        self._tell = tell
        self._stage: Stage | None = None

    def run(self, environment: str) -> Record:
        watched, bounds = self._watched, self._watched.bounds
        self._journal = Journal.begin(
            self._folder,
            {
                "endpoint_name": watched.endpoint,
                "deployment_name": watched.to,
                "environment": environment,
                "before": {"traffic": self._before, "mirror_traffic": self._mirrored},
                "bounds": vars(bounds),
                "traffic": self._before,
                "set": [],
                "stages": [],
            },
        )
        try:
            self._smoke()
            self._all_stages()
        except OutsideBounds as error:
            self._return(str(error))
        except Interrupted:
            self._return("interrupted")
        except BaseException as error:
            self._return(f"stopped by an error: {error}", error)
        finally:
            if self._stage is not None:
                self._stage.join()
        final = with_share(self._before, watched.to, self._options.steps[-1])
        self._journal.end(journals.COMPLETED)
        # Nothing changes but that no other deployment steps in from now on.
        self._endpoints.set_traffic(watched.endpoint, final, {})
        self._tell(f"done: {shown(final)}")
        return self._journal.record

    def _smoke(self) -> None:
        if not self._options.cases:
            return
        started = time.monotonic()
        target = self._endpoints.target(self._watched.endpoint, self._watched.to)
        results = run_smoke(target, self._options.cases)
        failed = [one for one in results if not one["passed"]]
        self._note("smoke", started, {"cases": len(results), "failed": failed})
        if failed:
            more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            raise OutsideBounds(f"smoke test '{failed[0]['name']}': {failed[0]['reason']}{more}")
        self._tell(f"smoke: {len(results)} cases passed")

    def _all_stages(self) -> None:
        to, now = self._watched.to, self._before.get(self._watched.to, 0)
        if self._options.mirror is not None and now:
            self._tell(f"mirror: left out, '{to}' has {now} % of the traffic already")
        elif self._options.mirror is not None:
            self._one(f"mirror {self._options.mirror} %", self._before, {to: self._options.mirror})
        for share in self._options.steps:
            if share > now:
                self._one(f"{share} %", with_share(self._before, to, share), {})

    def _one(self, label: str, traffic: dict[str, int], mirror: dict[str, int]) -> None:
        if self._interruption.wanted:
            raise Interrupted
        started = time.monotonic()
        # Stored before it is done: whoever finds this record knows that we have, or may have, done it.
        self._journal.save(traffic=traffic, set=[*self._journal.record["set"], traffic])
        self._endpoints.set_traffic(self._watched.endpoint, traffic, mirror, fallback=True)
        self._tell(f"{label}: {shown(traffic)}")
        self._stage = Stage(self._endpoints, self._watched, self._interruption, self._tell)
        try:
            seen = self._stage.watch(label)
        except (OutsideBounds, Interrupted):
            self._note(label, started, self._figures(self._stage.seen(), traffic, mirror))
            raise
        self._note(label, started, self._figures(seen, traffic, mirror))

    def _figures(self, seen: Sequence[Seen], traffic: dict[str, int], mirror: dict[str, int]) -> dict[str, Any]:
        return {"traffic": traffic, "mirror_traffic": mirror, **{one.source + "_seen": one.record() for one in seen}}

    def _note(self, label: str, started: float, figures: dict[str, Any]) -> None:
        stage = {"stage": label, "seconds": round(time.monotonic() - started, 1), **figures}
        self._journal.save(stages=[*self._journal.record["stages"], stage])

    def _return(self, reason: str, error: BaseException | None = None) -> None:
        """Put the traffic back. Raises JobFailed, or `error` when there is one, once it is back."""
        self._tell(f"{reason}; back to {shown(self._before)}")
        if self._journal.record["set"]:
            put_back(self._endpoints, self._journal, reason)
        else:
            self._journal.end(journals.RETURNED, reason)
        if isinstance(error, UserError) or (error is not None and not isinstance(error, Exception)):
            raise error
        raise JobFailed(f"{reason}; the traffic is {shown(self._before)} again", self._journal.record) from error


def put_back(endpoints: OnlineEndpoints, journal: Journal, reason: str) -> None:
    """Give an endpoint the traffic from before a rollout.

    Raises:
        JobFailed: that did not work, several times; the next rollout of the endpoint tries again.
    """
    record = journal.record
    before, name = record["before"], record["endpoint_name"]
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            endpoints.set_traffic(name, before["traffic"], before["mirror_traffic"])
        except Exception as error:
            journal.save(reason=f"{reason}; not put back: {error}")
            if attempt < _ATTEMPTS:
                time.sleep(_PAUSE_SECONDS)
                continue
            command = f"amlops online-endpoint update --name {name} --traffic '{shown(before['traffic'])}'"
            message = f"{reason}; the traffic is NOT back ({error}); put it back: {command}"
            raise JobFailed(message, record) from error
        break
    journal.save(traffic=before["traffic"])
    journal.end(journals.RETURNED, reason)


def _put_back(endpoints: OnlineEndpoints, folder: Path, tell: Tell) -> Journal | None:
    """Put back what a killed rollout left, unless somebody has changed the traffic since."""
    left = journals.unfinished(folder)
    if left is None:
        return None
    record, now = left.record, endpoints.traffic(folder.name)
    before = record["before"]["traffic"]
    if record["set"] and any(same(now, one) for one in (before, *record["set"])):
        tell(f"the rollout of {record['started_at']} was killed; back to {shown(before)}")
        put_back(endpoints, left, "killed")
    else:
        tell(f"the rollout of {record['started_at']} was killed; the traffic is {shown(now)} and stays")
        left.end(journals.LEFT, "killed; the traffic was changed since")
    return left


def _check(endpoints: OnlineEndpoints, options: Options, before: dict[str, int]) -> None:
    """Raises UserError for what makes a rollout impossible."""
    watched = options.watched
    to, name = watched.to, watched.endpoint
    now = before.get(to, 0)
    if now >= options.steps[-1]:
        raise UserError(f"--steps: '{to}' has {now} % of the traffic already; nothing is to be done")
    if not any(share for other, share in before.items() if other != to):
        command = f"amlops online-endpoint update --name {name} --traffic '{to}=100'"
        raise UserError(f"--to: no other deployment of '{name}' has traffic to give; {command}")
    if watched.payloads is None and endpoints.served(name) is None:
        raise UserError(
            "--requests: is needed here, as the environment shows its requests only minutes later; "
            "for example --requests requests.jsonl --rate 10"
        )
    if watched.payloads is not None:
        check_rate(watched.rate)
        require_aiohttp()
