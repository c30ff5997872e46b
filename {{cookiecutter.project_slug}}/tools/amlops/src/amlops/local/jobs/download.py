"""`amlops job download`: outputs and logs of a job, copied to the folders that `az ml job download` makes.

    DIR/named-outputs/<output>/…      what an output holds            DIR/artifacts/…      the logs

Facts: azure-ai-ml 1.35.2, JobOperations.download: without a flag only the logs, with `output_name` only that output,
with `all` everything; only of a job that has ended. Files that are there are replaced, as `az ml` does.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from amlops.errors import UserError
from amlops.files import files_below
from amlops.local.jobrecords import FINISHED

_OUTPUTS = "named-outputs"
_ARTIFACTS = "artifacts"


def download(
    record: dict[str, Any], folder: Path, target: Path, *, output_name: str | None = None, everything: bool = False
) -> list[Path]:
    """Copy what is asked for below `target`.

    Args:
        record: the job; `folder` is its folder.
        output_name: one output; else the logs, or with `everything` both.

    Returns: the folders that were written.

    Raises:
        UserError: the job has not ended, has no such output, or the output holds nothing.
    """
    name = record["name"]
    if record["status"] not in FINISHED:
        raise UserError(
            f"--name: job '{name}' is {record['status']}; it can be downloaded when it has ended: "
            f"amlops job stream -n {name}"
        )
    if target.exists() and not target.is_dir():
        raise UserError(f"--download-path: '{target}' is a file; give a folder, for example ./results")
    outputs = _outputs(record)
    if output_name is not None:
        if output_name not in outputs:
            known = ", ".join(outputs) or "none"
            raise UserError(f"--output-name: job '{name}' has no output '{output_name}'; it has: {known}")
        if not _holds_something(outputs[output_name]):
            raise UserError(
                f"--output-name: the output '{output_name}' of job '{name}' holds nothing ({record['status']})"
            )
    wanted = {output_name: outputs[output_name]} if output_name else outputs if everything else {}
    written = [_copy(path, target / _OUTPUTS / key) for key, path in wanted.items() if _holds_something(path)]
    if output_name is None:
        written.append(_artifacts(record, folder, target / _ARTIFACTS))
    return written


def _outputs(record: dict[str, Any]) -> dict[str, Path]:
    """Where the named outputs of a job lie."""
    return {name: Path(path) for name, path in (record.get("outputs") or {}).items()}


def _holds_something(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and any(path.iterdir()))


def _artifacts(record: dict[str, Any], folder: Path, target: Path) -> Path:
    """The job's logs, and those of its parallel steps below `steps/<step>/logs`."""
    _copy(folder / "logs", target / "logs")
    for name, step in (record.get("steps") or {}).items():
        if step.get("logs") and Path(step["logs"]).is_dir():
            _copy(Path(step["logs"]), target / "steps" / name / "logs")
    return target


def _copy(source: Path, target: Path) -> Path:
    """Copy a folder's files, or one file, into the folder `target`."""
    root = source if source.is_dir() else source.parent
    target.mkdir(parents=True, exist_ok=True)
    for file in files_below(source):
        place = target / file.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)
    return target
