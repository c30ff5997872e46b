"""Versions of what is registered, the same for models, data assets, environments and components.

Rules of Azure ML: a version is text; without one the next whole number is taken; `@latest` is the version made last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from amlops.errors import UserError

LATEST = "latest"
_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


def check_version(version: str | None) -> None:
    """Raise UserError for a version that Azure ML does not take; None is the next one."""
    if version is not None and not _PATTERN.fullmatch(version):
        raise UserError(f"version: '{version}' must be letters, digits, '.', '-' and '_'; for example 1 or 2026.1")
    if version == LATEST:
        raise UserError(f"version: '{LATEST}' is the label of the newest version; for example 1")


def next_version(versions: Iterable[str]) -> str:
    """One more than the highest version that is a whole number."""
    numbers = [int(version) for version in versions if version.isascii() and version.isdigit()]
    return str(max(numbers, default=0) + 1)
