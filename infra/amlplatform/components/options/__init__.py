"""One file for each option of a request. None is imported unless it is asked for: see `amlplatform.options`."""

from __future__ import annotations
