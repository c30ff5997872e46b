"""Queries of Stream Analytics jobs, as files."""

from __future__ import annotations
