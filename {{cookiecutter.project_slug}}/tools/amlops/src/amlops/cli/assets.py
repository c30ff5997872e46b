"""`show` and `list`, the same for every noun that has versions, or has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from amlops.cli.common import Env, Output, PrintAz, Query, asked_version, emit, workspace
from amlops.cli.flags import flag
from amlops.workspace import Assets, Resources, Workspace

MaxResults = Annotated[int | None, flag("max-results")]


def add_asset_verbs(app: typer.Typer, what: str, of: Callable[[Workspace], Assets], columns: tuple[str, ...]) -> None:
    """Add `show` and `list` for things with versions; `what` is how the help calls one."""

    @app.command(help=f"Show one version of {what}.")
    def show(
        name: Annotated[str, flag("name")],
        version: Annotated[str | None, flag("version", "Version (default: the latest).")] = None,
        label: Annotated[str | None, flag("label")] = None,
        env: Env = None,
        print_az: PrintAz = False,
        output: Output = None,
        query: Query = None,
    ) -> None:
        with workspace(env, print_az) as ws:
            emit(of(ws).show(name, asked_version(version, label)), output, query)

    @app.command("list", help=f"List the versions of {what}, or of all, newest first.")
    def list_versions(
        name: Annotated[str | None, flag("name", "Only this name.")] = None,
        max_results: MaxResults = None,
        env: Env = None,
        print_az: PrintAz = False,
        output: Output = None,
        query: Query = None,
    ) -> None:
        with workspace(env, print_az) as ws:
            emit(of(ws).list(name)[:max_results], output, query, columns=columns)


def add_resource_verbs(
    app: typer.Typer, what: str, of: Callable[[Workspace], Resources], columns: tuple[str, ...]
) -> None:
    """Add `show` and `list` for things without versions; `what` is how the help calls them."""

    @app.command(help=f"Show one of the {what}.")
    def show(
        name: Annotated[str, flag("name")],
        env: Env = None,
        print_az: PrintAz = False,
        output: Output = None,
        query: Query = None,
    ) -> None:
        with workspace(env, print_az) as ws:
            emit(of(ws).show(name), output, query)

    @app.command("list", help=f"List the {what}.")
    def list_all(
        max_results: MaxResults = None,
        env: Env = None,
        print_az: PrintAz = False,
        output: Output = None,
        query: Query = None,
    ) -> None:
        with workspace(env, print_az) as ws:
            emit(of(ws).list()[:max_results], output, query, columns=columns)
