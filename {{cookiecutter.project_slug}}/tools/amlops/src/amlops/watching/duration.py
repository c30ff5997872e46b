"""Spans of time as people write them: 90m, 24h, 7d."""

from __future__ import annotations

import re
from datetime import timedelta

from amlops.errors import UserError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=3650)


def parse(text: str, option: str) -> timedelta:
    """Raises UserError, which names `option`, for text that is no span, or one over ten years."""
    match = re.fullmatch(r"(\d{1,9})([smhd])", text.strip())
    span = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else _LONGEST
    if not match or span >= _LONGEST:
        raise UserError(f"{option}: '{text}' must be a number and s, m, h or d; for example {option} 24h")
    return span
