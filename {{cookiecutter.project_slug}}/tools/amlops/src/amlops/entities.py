"""What a workspace hands out, the same for every implementation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Model:
    """A registered version.

    `path` is the file or folder; `files` maps each file's path below `directory` to its sha256. `address` is where a
    model lies that is not on this machine, whose `path` means nothing and whose `files` are not known.
    """

    name: str
    version: str
    type: str
    path: Path
    tags: dict[str, str]
    properties: dict[str, str]
    description: str
    job_name: str
    created_at: str
    files: dict[str, str]
    address: str = ""

    @property
    def directory(self) -> Path:
        """The folder that contains the registered file or folder: what AZUREML_MODEL_DIR is in a deployment."""
        return self.path.parent

    @property
    def reference(self) -> str:
        """`azureml:name:version`."""
        return f"azureml:{self.name}:{self.version}"

    def as_record(self) -> dict[str, Any]:
        """What `model show` prints."""
        record = {**asdict(self), "path": self.address or str(self.path)}
        del record["address"]
        return record
