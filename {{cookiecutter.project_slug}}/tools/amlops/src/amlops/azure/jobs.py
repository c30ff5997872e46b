"""`amlops job` in Azure."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops import jobnames, yamlfile
from amlops.azure import records
from amlops.azure.errors import azure_errors, is_passing
from amlops.azure.logs import Follower, History, log_files
from amlops.azure.preflight import check_computes
from amlops.azure.records import FINISHED
from amlops.azure.waiting import Patience, pauses
from amlops.errors import JobFailed, UserError
from amlops.jobspec import overrides
from amlops.jobspec.loader import check_is_job
from amlops.workspace import Record
from amlops.workspace.jobs import LogFile

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext


class AzureJobs:
    """See `amlops.workspace.Jobs`. What is submitted goes on in Azure, whatever happens to this process."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure
        self._history = History(azure)

    def create(
        self,
        file: Path,
        *,
        sets: Sequence[str] = (),
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> Record:
        """Submit the job in `file`; see `amlops.workspace.Jobs.create`. With `stream`, wait for its end."""
        document = yamlfile.load(file)
        check_is_job(document, sets)
        data = dict(overrides.apply(document, sets, Path.cwd()).data)
        given = name or data.get("name")
        data["name"] = self._free_name(str(given)) if given else _new_name(file)
        if tags:
            data["tags"] = {**(data.get("tags") or {}), **tags}
        record = self._submit(file, data)
        return self._follow(record["name"], _say) if stream else record

    def _submit(self, file: Path, data: Mapping[str, Any]) -> Record:
        name = str(data["name"])
        with self._azure.source(file, data) as (text, origin):
            rendered = yamlfile.loads(text.read(), origin)
            text.seek(0)
            check_computes(self._azure, rendered.data)
            with azure_errors(self._azure, f"job '{name}'", file=file):
                from azure.ai.ml import load_job

                # Paths start at the copy's folder; what the SDK says of it is about the user's file.
                job = load_job(text, relative_origin=str(origin))
                self._azure.ml.jobs.create_or_update(job)
        return records.job(self._document(name))

    def _free_name(self, name: str) -> str:
        """`name`, when no job has it. Raises UserError."""
        jobnames.check(name)
        with azure_errors(self._azure, f"job '{name}'"):
            found = self._azure.rest.find(f"jobs/{name}")
        if found is not None:
            raise UserError(f"--name: job '{name}' exists; names are used once, for example {name}-2")
        return name

    def show(self, name: str) -> Record:
        """One job; see `amlops.workspace.Jobs.show`."""
        document = self._document(name)
        try:
            return records.job(document, self._history.details(name), self._steps(document))
        except UserError as error:
            # The status is Resource Manager's; a network that is closed to the run history must not hide it.
            if error.__cause__ is None or not is_passing(error.__cause__):
                raise
            _say(f"amlops: note: {error}; times and steps are left out")
            return records.job(document)

    def _document(self, name: str) -> Record:
        with azure_errors(self._azure, f"job '{name}'"):
            return self._azure.rest.workspace(f"jobs/{name}")

    def _steps(self, document: Mapping[str, Any]) -> Record:
        """The steps of a pipeline by name; those that have no run yet have not started."""
        if not _is_pipeline(document):
            return {}
        properties = document.get("properties") or {}
        waiting: Record = {
            name: {
                "status": "NotStarted",
                "started_at": None,
                "ended_at": None,
                "duration_s": None,
                "exit_code": None,
                "log": None,
                "run_id": None,
            }
            for name in properties.get("jobs") or {}
        }
        runs = self._history.children(document["name"])
        return {**waiting, **{run.display_name or run.run_id: records.step(run) for run in runs}}

    def resume(self, name: str, *, sets: Sequence[str] = ()) -> Record:  # noqa: ARG002
        """Not in Azure. Raises UserError."""
        raise UserError(f"--env: Azure cannot resume job '{name}'; invoke the endpoint again")

    def replay(self, name: str, *, job_name: str | None = None, sets: Sequence[str] = ()) -> Record:  # noqa: ARG002
        """Not in Azure. Raises UserError."""
        raise UserError(f"--env: Azure cannot replay job '{name}'; invoke the endpoint with the items that failed")

    def list(self, *, max_results: int | None = None, parent_job_name: str | None = None) -> list[Record]:
        """Jobs, newest first, or the steps of one; see `amlops.workspace.Jobs.list`."""
        if parent_job_name is not None:
            return self._children(parent_job_name)[:max_results]
        with azure_errors(self._azure, "jobs"):
            # Azure lists them newest first (learn.microsoft.com, REST "Jobs - List").
            found = list(islice(self._azure.rest.workspace_list("jobs"), max_results))
        listed = [records.job(document) for document in found]
        return sorted(listed, key=lambda record: record["created_at"] or "", reverse=True)

    def _children(self, parent: str) -> list[Record]:
        steps = self._steps(self._document(parent))
        return [
            {
                "name": step["run_id"] or f"{parent}.{name}",
                "display_name": name,
                "type": "command",
                "parent_job_name": parent,
                "created_at": step["started_at"],
                **step,
            }
            for name, step in steps.items()
        ]

    def wait(
        self, name: str, *, timeout_minutes: float | None = None, tell: Callable[[str], None] | None = None
    ) -> Record:
        """Wait for a job's end by its status alone; see `amlops.workspace.Jobs.wait`."""
        return self._until_ended(name, tell or _say, timeout_minutes)

    def stream(self, name: str, write: Callable[[str], None]) -> Record:
        """Follow a job's logs to its end; see `amlops.workspace.Jobs.stream`."""
        return self._follow(name, write)

    def _follow(self, name: str, write: Callable[[str], None]) -> Record:
        follower = Follower(self._history, name, write)

        def look(document: Mapping[str, Any], last: bool) -> None:
            follower.look(is_pipeline=_is_pipeline(document), last=last)

        return self._until_ended(name, _say, None, look)

    def _until_ended(
        self,
        name: str,
        tell: Callable[[str], None],
        timeout_minutes: float | None,
        look: Callable[[Mapping[str, Any], bool], None] | None = None,
    ) -> Record:
        """Ask for the status until the job has ended. Raises UserError, JobFailed."""
        go_on = f"amlops job {'stream' if look else 'wait'} -n {name} --env {self._azure.environment.name}"
        patience = Patience(tell, go_on)
        until = None if timeout_minutes is None else time.monotonic() + timeout_minutes * 60
        seen = ""
        for pause in pauses():
            document = patience.ask(lambda: self._document(name))
            status = str(document["properties"].get("status"))
            has_ended = status in FINISHED
            if status != seen and look is None:
                tell(f"job '{name}': {status}")
            seen = status
            if look is not None:
                patience.ask(lambda found=document, last=has_ended: look(found, last))
            if has_ended:
                break
            if until is not None and time.monotonic() + pause > until:
                raise UserError(
                    f"--timeout: job '{name}' is {status} after {timeout_minutes:g} minutes and goes on; {go_on}"
                )
            time.sleep(pause)
        return self._ended(patience.ask(lambda: self.show(name)))

    def _ended(self, record: Record) -> Record:
        """The record of a job that has ended well. Raises JobFailed for another."""
        if record["status"] == "Completed":
            return record
        failed = [(name, step) for name, step in record["steps"].items() if step["status"] == "Failed"]
        word = "failed" if record["status"] == "Failed" else "was canceled"
        reason = record.get("error") or "it says no reason"
        if failed:
            name, step = failed[0]
            reason = f"step '{name}' failed: {step.get('reason') or reason}"
        logs = f"amlops job stream -n {record['name']} --env {self._azure.environment.name}"
        raise JobFailed(f"job '{record['name']}' {word}: {reason}\n  logs: {logs}", record)

    def logs(self, name: str) -> Sequence[LogFile]:
        """Every log of a job; see `amlops.workspace.Jobs.logs`."""
        return log_files(self._history, name, is_pipeline=_is_pipeline(self._document(name)))

    def cancel(self, name: str) -> Record:
        """Stop a job and wait for its end; see `amlops.workspace.Jobs.cancel`."""
        status = self._document(name)["properties"].get("status")
        if status in FINISHED:
            raise UserError(f"--name: job '{name}' has ended already: {status}")
        with azure_errors(self._azure, f"job '{name}'"):
            self._azure.ml.jobs.begin_cancel(name).result()
        try:
            return self._until_ended(name, _silent, None)
        except JobFailed as failure:
            return dict(failure.record or {})

    def download(
        self, name: str, *, output_name: str | None = None, download_path: Path | None = None, everything: bool = False
    ) -> Sequence[Path]:
        """Copy outputs and logs of a job; see `amlops.workspace.Jobs.download`."""
        document = self._document(name)
        status = document["properties"].get("status")
        if status not in FINISHED:
            environment = self._azure.environment.name
            raise UserError(
                f"--name: job '{name}' is {status}; it can be downloaded when it has ended: "
                f"amlops job wait -n {name} --env {environment}"
            )
        outputs = document["properties"].get("outputs") or {}
        if output_name is not None and output_name not in outputs:
            known = ", ".join(outputs) or "none"
            raise UserError(f"--output-name: job '{name}' has no output '{output_name}'; it has: {known}")
        target = (download_path or Path()).expanduser().resolve()
        if target.exists() and not target.is_dir():
            raise UserError(f"--download-path: '{target}' is a file; give a folder, for example ./results")
        with azure_errors(self._azure, f"stored output of job '{name}'"):
            self._azure.ml.jobs.download(name, download_path=target, output_name=output_name, all=everything)
        folders = [target / "named-outputs" / key for key in ([output_name] if output_name else outputs)]
        return [folder for folder in (*folders, target / "artifacts") if folder.is_dir()]


def _is_pipeline(document: Mapping[str, Any]) -> bool:
    return str((document.get("properties") or {}).get("jobType")).lower() == "pipeline"


def _new_name(file: Path) -> str:
    """The file's name, the time and four letters, as on the laptop."""
    stem = re.sub(r"[^A-Za-z0-9_-]", "-", file.stem).lstrip("-_") or "job"
    return jobnames.new(stem[:200])


def _silent(line: str) -> None:
    """Tell nobody."""


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
