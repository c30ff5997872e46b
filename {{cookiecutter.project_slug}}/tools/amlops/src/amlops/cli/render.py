"""`amlops render`: plain Azure ML YAML with physical names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlops.cli.common import Env
from amlops.cli.flags import flag
from amlops.errors import shown
from amlops.project import Project
from amlops.render import render as render_files

app = typer.Typer(rich_markup_mode=None)


@app.command()
def render(directory: Annotated[Path, flag("directory")], env: Env = None) -> None:
    """Write the project's Azure ML files with the names of an environment, for az ml."""
    project = Project.find()
    changed = render_files(project, project.environment(env), directory)
    for path in changed:
        typer.echo(shown(path))
