"""What is known of data stores without looking at a workspace: types, the names that every workspace has, safe paths.

Facts: every workspace of Azure ML has the four stores whose names begin with `workspace`, of which
`workspaceblobstore` is the default; the platform of this template adds one of type Azure Data Lake Gen2 for each
container of the lake, and `batch_output`, a blob store on the lake's output container, because batch endpoints write
only to blob stores (Azure ML, "Create jobs and input data for batch endpoints").
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from amlops.references import DatastorePath

DEFAULT = "workspaceblobstore"
BLOB, FILE_SHARE, LAKE = "azure_blob", "azure_file", "azure_data_lake_gen2"
TYPES = (BLOB, FILE_SHARE, LAKE, "azure_data_lake_gen1", "one_lake")
# ARM: workspaces/datastores.
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
# Those that a workspace is made with, then those of the platform (infra/amlplatform/components/workspace.py).
BUILT_IN: dict[str, tuple[str, str]] = {
    DEFAULT: (BLOB, "The workspace's default: uploads, and outputs of jobs"),
    "workspaceartifactstore": (BLOB, "Logs and artifacts of jobs"),
    "workspacefilestore": (FILE_SHARE, "File share of notebooks"),
    "workspaceworkingdirectory": (FILE_SHARE, "Working folders of compute instances"),
    "lake_raw": (LAKE, "Lake: data as it arrived"),
    "lake_curated": (LAKE, "Lake: data that was prepared for use"),
    "lake_output": (LAKE, "Lake: what jobs write"),
    "batch_output": (BLOB, "Lake: outputs of batch endpoints"),
}
# Two stores on one container.
SAME_PLACE = {"batch_output": "lake_output"}


def writable_instead(name: str) -> str:
    """The blob data store that a batch endpoint can write to instead of `name`."""
    return next((blob for blob, place in SAME_PLACE.items() if place == name), DEFAULT)


def parts_of(address: DatastorePath) -> tuple[str, ...] | None:
    """The parts of the path below the store; None for a path that would leave the store's folder."""
    parts = PurePosixPath(address.path.lstrip("/")).parts
    for part in parts:
        if part == ".." or "\\" in part or "\0" in part or part[1:2] == ":":
            return None
    return parts
