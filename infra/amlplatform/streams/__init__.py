"""Queries of Stream Analytics jobs, as files."""

from __future__ import annotations

from importlib import resources


def query(*, database: bool) -> str:
    """The query of the job: into the lake, and into the database as well."""
    parts = ["windows.asaql", *(["database.asaql"] if database else [])]
    return "\n".join(_text(part) for part in parts)


def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
