"""Command and pipeline jobs on the laptop."""

from __future__ import annotations

from amlops.local.jobs.jobs import LocalJobs

__all__ = ["LocalJobs"]
