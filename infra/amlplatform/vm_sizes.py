"""VM sizes with their cores, GPUs and quota family, from a dated table (vm_sizes.csv). Standard library only.

Azure adds sizes faster than any table, so a size that is not here is not refused: it costs a warning with the nearest
known one, and its quota is not counted. Even the nearest name may be another real size: v6 came after v5. What cannot
be a name by Azure's naming rules is refused (`rules.check_vm_size`).
"""

from __future__ import annotations

import csv
import difflib
import functools
import re
from dataclasses import dataclass
from importlib import resources

# Family, features and version of a size: learn.microsoft.com/azure/virtual-machines/vm-naming-conventions.
_FEATURES = re.compile(r"Standard_(?P<family>[DEF])\d+(-\d+)?(?P<features>[a-z]*)(_v(?P<version>\d+))?", re.IGNORECASE)


@dataclass(frozen=True)
class VmSize:
    """One row: memory in GiB, `family` as quotas name it, `retired` the date from which the size is gone (or empty)."""

    name: str
    vcpus: int
    memory_gib: float
    gpus: int
    gpu: str
    family: str
    retired: str


@functools.cache
def _text() -> str:
    return resources.files("amlplatform").joinpath("vm_sizes.csv").read_text(encoding="utf-8")


@functools.cache
def _table() -> dict[str, VmSize]:
    rows = csv.DictReader(line for line in _text().splitlines() if not line.startswith("#"))
    sizes = (
        VmSize(
            row["name"],
            int(row["vcpus"]),
            float(row["memory_gib"]),
            int(row["gpus"]),
            row["gpu"],
            row["family"],
            row["retired"],
        )
        for row in rows
    )
    return {size.name.lower(): size for size in sizes}


def as_of() -> str:
    """The date of the table, YYYY-MM."""
    first = _text().splitlines()[0]
    return first.removeprefix("# as of ").split(" ", maxsplit=1)[0]


def all_sizes() -> list[VmSize]:
    return list(_table().values())


def find(name: str) -> VmSize | None:
    """The size of this name, in any casing (Azure does not care about it either), or None."""
    return _table().get(name.lower())


def has_local_disk(name: str) -> bool:
    """Whether a machine of this size has a disk of its own that goes with it, by Azure's naming rules.

    Families D, E and F from version 4 (6 for F) on have one where the features after the number hold a `d`; older ones
    and other families have it always (learn.microsoft.com/azure/virtual-machines/vm-naming-conventions).
    """
    match = _FEATURES.fullmatch(name)
    if match is None:
        return True
    first_without = 6 if match["family"].upper() == "F" else 4
    return int(match["version"] or 1) < first_without or "d" in match["features"].lower()


def closest(name: str) -> str | None:
    """The name in the table that is most like an unknown one."""
    names = {size.name.lower(): size.name for size in _table().values()}
    close = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.8)
    return names[close[0]] if close else None
