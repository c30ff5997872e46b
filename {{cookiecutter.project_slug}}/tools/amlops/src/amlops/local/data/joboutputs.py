"""`azureml://jobs/NAME/outputs/OUTPUT/paths/PATH`: what a job of this machine wrote, for example to register it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from amlops.errors import UserError
from amlops.local.jobrecords import JobRecords
from amlops.local.state import LocalState
from amlops.references import JobOutput

# Azure ML: what a run logged, and what it wrote below `outputs/` of its working folder.
_ARTIFACTS = "artifacts"
_SCORE = "score"


def job_output(output: JobOutput, state: LocalState) -> Path:
    """The file or folder that an address means.

    Args:
        output: the job may be a step of a pipeline job, `JOB.STEP`. The output `artifacts` is what its MLflow run
            logged, `score` that of a batch endpoint's job.

    Raises:
        UserError: there is no such job, output or file. One line without a field's name.
    """
    parts = PurePosixPath(output.path.lstrip("/")).parts
    shown = f"azureml://jobs/{output.job}/outputs/{output.output}"
    if ".." in parts or "\\" in output.path:
        raise UserError(f"'{shown}/paths/{output.path}' leaves the job's outputs; for example {shown}")
    record = _record(output.job, state)
    places = _places(record, state)
    if output.output not in places:
        known = ", ".join(sorted(places)) or "none yet"
        raise UserError(f"job '{output.job}' has no output '{output.output}'; it has: {known}")
    path = places[output.output].joinpath(*parts)
    if not path.exists():
        raise UserError(f"'{shown}{'/paths/' if parts else ''}{'/'.join(parts)}' does not exist (looked at {path})")
    return path


def _record(name: str, state: LocalState) -> dict[str, Any]:
    job, dot, step = name.partition(".")
    if not job:
        raise UserError(f"there is no job '{name}'; `amlops job list` shows them")
    try:
        record = JobRecords(state).show(job)
    except UserError as error:
        raise UserError(error.message.removeprefix("--name: ")) from None
    if not dot:
        return record
    steps = record.get("steps") or {}
    if step not in steps:
        raise UserError(f"job '{job}' has no step '{step}'; it has: {', '.join(steps) or 'none'}")
    return steps[step]


def _places(record: dict[str, Any], state: LocalState) -> dict[str, Path]:
    """Output -> where it lies."""
    places = {name: Path(path) for name, path in (record.get("outputs") or {}).items()}
    if record.get("output_path"):
        places.setdefault(_SCORE, Path(record["output_path"]))
    run = record.get("mlflow_run_id")
    logged = sorted(state.mlflow_artifacts.glob(f"*/{run}/artifacts")) if run else []
    if logged:
        places.setdefault(_ARTIFACTS, logged[0])
    return places
