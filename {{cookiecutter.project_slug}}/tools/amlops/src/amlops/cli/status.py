"""`amlops status`: the project, its environments, and what is on this machine."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer

from amlops import __version__, manifest
from amlops.cli.common import Env, Output, Query, emit, workspace
from amlops.errors import AzCommand
from amlops.workspace import Workspace

app = typer.Typer(rich_markup_mode=None)


@app.command()
def status(env: Env = None, output: Output = None, query: Query = None) -> None:
    """Show the project, its environments, and what is on this machine."""
    with workspace(env) as ws:
        project = ws.project
        result: dict[str, Any] = {
            "project": project.name,
            "root": str(project.root),
            "environment": ws.environment.name,
            "environments": project.environment_names(),
            "amlops": __version__,
            "local_edits": [f"{edit.kind}: {edit.path}" for edit in manifest.local_edits()],
            **_contents(ws),
        }
    emit(result, output, query)


def _contents(ws: Workspace) -> dict[str, Any]:
    """What the workspace holds; for one in Azure, where it is."""
    try:
        jobs = ws.jobs.list()
        newest = jobs[0] if jobs else {}
        models: dict[str, str] = {}
        for model in ws.models.list():
            models.setdefault(model.name, model.version)
        return {
            "jobs": dict(Counter(job["status"] for job in jobs)),
            "last_job": {key: newest[key] for key in ("name", "status", "ended_at") if key in newest},
            "models": models,
            "batch_endpoints": [endpoint["name"] for endpoint in ws.batch_endpoints.list()],
        }
    except AzCommand:
        place = ws.environment
        return {"resource_group": place.resource_group, "workspace": place.workspace, "endpoints": place.endpoints}
