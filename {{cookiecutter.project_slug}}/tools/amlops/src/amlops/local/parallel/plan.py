"""What a parallel job will do, as a value and as the file `plan.json` in the folder of the job.

The list of mini-batches is made once, at the first start, and kept in `mini_batches.jsonl`: a job that is resumed does
what it set out to do, whatever has happened to its input since.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlops.errors import UserError
from amlops.local.parallel.codec import from_json, to_json
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.settings import ParallelSettings

PLAN = "plan.json"
_VERSION = 1


@dataclass(frozen=True)
class ParallelPlan:
    """What a job will do.

    Attributes:
        name: what the job is called in messages.
        source: where the mini-batches come from.
        code: folder with the code; `script` is the entry script in it.
        nodes: the node of each worker.
        cores: cores of the machine that the workers share.
        output: folder that the script may write to.
        output_file: where the rows go (append_row); None for summary_only.
        summary_file: where the summary goes (summary_only); None without.
        overwrite: replace `output_file`, and the typed file beside it, when they are there already.
        variables: environment variables that Azure sets for such a job; those of the settings come on top.
        notes: for the user, shown in the result.
    """

    name: str
    source: BatchInput
    settings: ParallelSettings
    code: Path
    script: Path
    nodes: Sequence[str]
    cores: int
    output: Path
    output_file: Path | None = None
    summary_file: Path | None = None
    overwrite: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write `plan.json` into the job's folder, readable by its owner only: environment variables may be secret."""
        write_private(folder / PLAN, json.dumps({"version": _VERSION, **to_json(self)}, indent=1))

    @classmethod
    def load(cls, folder: Path) -> ParallelPlan:
        """The plan of the job in `folder`.

        Raises:
            UserError: there is none, or another version of amlops wrote it.
        """
        file = folder / PLAN
        try:
            data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            if data.pop("version") != _VERSION:
                raise ValueError
            return from_json(cls, data)
        except FileNotFoundError:
            raise UserError("there is no plan of a parallel job here", file=file) from None
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
            raise UserError(
                "is not a plan that this version of amlops can read; start the job anew", file=file
            ) from None


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:  # noqa: PTH123
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
