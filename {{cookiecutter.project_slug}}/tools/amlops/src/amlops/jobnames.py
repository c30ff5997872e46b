"""Names of jobs: which Azure ML takes, and those that are made where none was given."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from amlops.errors import UserError

# Azure ML: letters, digits, dashes and underscores, at most 255 characters, starting with a letter or digit.
PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")


def check(name: str, option: str = "--name") -> None:
    """Raise UserError, which names `option`, for a name that Azure ML does not take."""
    if not PATTERN.fullmatch(name):
        raise UserError(
            f"{option}: '{name}' must be letters, digits, '-' and '_', starting with a letter or digit, "
            "at most 255; for example train-1"
        )


def new(prefix: str) -> str:
    """A name that no job has: `prefix`, the time and four random letters."""
    return f"{prefix}-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
