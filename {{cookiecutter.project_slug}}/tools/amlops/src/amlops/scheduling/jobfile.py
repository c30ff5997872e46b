"""The file of a schedule, and the job that it creates.

`create_job:` is a file, or a file with changes, which are put together as azure-ai-ml does it.

Facts (azure-ai-ml 1.35.2, `BaseCreateJobSchema`): the changes are laid over the job key by key, and relative paths in
them start at the job's file, not at that of the schedule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from amlops import references, yamlfile
from amlops.errors import UserError
from amlops.project import Project
from amlops.yamlfile import YamlFile


def read(file: Path, values: Mapping[str, Any], sets: Sequence[str], project: Project) -> YamlFile:
    """The schedule in a file with the changes of flags, checked as `amlops validate` does.

    Its times are text: YAML makes a date of an unquoted one.

    Raises:
        UserError: the first fault, and how many more there are.
    """
    from amlops.local import assetfiles  # reads the shapes of `amlops validate`, which takes a moment

    document = assetfiles.read("schedule", file, values, sets, project)
    trigger = document.data["trigger"]
    times = {key: value.isoformat() for key, value in trigger.items() if isinstance(value, date)}
    return replace(document, data={**document.data, "trigger": {**trigger, **times}})


def reference(document: YamlFile) -> str | None:
    """The name in `create_job: azureml:NAME`, a job that is created again; None for a file. Raises UserError."""
    job = _named(document)
    if not references.is_reference(job):
        return None
    if isinstance(document.get("create_job"), dict):
        text = "changes to a job that has run are not supported; name the job's file, for example ./train.yml"
        raise document.error(text, "create_job", "job")
    return str(job).removeprefix("azureml:").rpartition("/")[2]


def check_kind(document: YamlFile, name: str, kind: str) -> None:
    """Raise UserError unless the job that is created again is a pipeline."""
    if kind != "pipeline":
        raise document.error(f"'{name}' is a {kind} job; only pipeline jobs can be scheduled", "create_job")


def job_document(document: YamlFile) -> YamlFile:
    """The job as it would be created, at the place of its file. Raises UserError."""
    named = _named(document)
    job = yamlfile.load(document.resolve(str(named).removeprefix("file:")))
    create_job = document.get("create_job")
    changes = {key: value for key, value in create_job.items() if key != "job"} if isinstance(create_job, dict) else {}
    if str(job.data.get("type")).lower() != "pipeline":
        raise UserError("only pipeline jobs can be scheduled; for example type: pipeline", file=job.path)
    declared = job.section("inputs").values
    for name in document.section("create_job", "inputs").values if changes else ():
        if name not in declared and job.get("component") is None:
            known = ", ".join(declared) or "none"
            raise document.error(f"is not an input of the job; it has: {known}", "create_job", "inputs", name)
    return replace(job, data=_merged(job.data, changes))


def _named(document: YamlFile) -> Any:
    create_job = document.get("create_job")
    return create_job.get("job") if isinstance(create_job, dict) else create_job


def _merged(data: Any, changes: Any) -> Any:
    if not isinstance(data, Mapping) or not isinstance(changes, Mapping):
        return changes
    return {**data, **{key: _merged(data.get(key), value) for key, value in changes.items()}}
