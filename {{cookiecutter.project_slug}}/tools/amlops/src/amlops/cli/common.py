"""What the commands share: the flags that every command has, the workspace, and printing.

@app.command()
def show(name: Annotated[str, flag("name")], env: Env = None, output: Output = None, query: Query = None) -> None:
    emit(connect(env).jobs.show(name), output, query)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from amlops.cli.flags import flag
from amlops.cli.output import emit
from amlops.errors import AzCommand, JobFailed, UsageError, UserError
from amlops.workspace import Record, Workspace, connect

Env = Annotated[str | None, flag("env")]
Output = Annotated[str | None, flag("output")]
Query = Annotated[str | None, flag("query")]
PrintAz = Annotated[bool, flag("print-az")]
Sets = Annotated[list[str] | None, flag("set")]
Tags = Annotated[list[str] | None, flag("tag")]
EndpointName = Annotated[str, flag("name", "Name of the endpoint.")]
DeploymentName = Annotated[str, flag("name", "Name of the deployment.")]
OfEndpoint = Annotated[str, flag("endpoint-name")]
Yes = Annotated[bool, flag("yes")]
_LATEST = "latest"

__all__ = [
    "DeploymentName",
    "EndpointName",
    "Env",
    "OfEndpoint",
    "Output",
    "PrintAz",
    "Query",
    "Sets",
    "Tags",
    "Yes",
    "asked_version",
    "confirm_delete",
    "emit",
    "pairs",
    "record_of_failure",
    "workspace",
]


@contextmanager
def workspace(env: str | None, print_az: bool = False) -> Iterator[Workspace]:
    """The workspace of `env`. With `print_az`, the az command for what the block asks is printed and nothing is done.

    Raises:
        UsageError: `print_az` for an environment that is not in Azure.
    """
    found = connect(env, print_az=print_az)
    if print_az and found.environment.is_local:
        raise UsageError("--print-az: the environment 'local' is not in Azure; for example --env dev --print-az")
    try:
        yield found
    except AzCommand as answer:
        if not print_az:
            raise
        typer.echo(answer.command)
        raise typer.Exit(0) from None


@contextmanager
def record_of_failure(show: Callable[[Record], None]) -> Iterator[None]:
    """Show the record of what fails in the block, then let the failure go on: its reason is told after it."""
    try:
        yield
    except JobFailed as failure:
        if failure.record is not None:
            show(failure.record)
        raise


def confirm_delete(what: str, command: str, *, yes: bool) -> None:
    """Ask on a terminal whether to delete `what`; `yes` answers beforehand.

    Args:
        command: the command line that was given, for the example in the error.

    Raises:
        UserError: nobody can be asked, or the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError(f"--yes: is needed to delete without a terminal; for example {command} --yes")
    if not typer.confirm(f"Delete {what}?", err=True):
        raise UserError("nothing was deleted")


def asked_version(version: str | None, label: str | None) -> str | None:
    """The version that `--version` or `--label` asks for; None for neither.

    Raises:
        UsageError: both are given.
        UserError: another label than `latest`, as labels are not kept.
    """
    if version and label:
        raise UsageError("--label: give a version or a label, not both; for example --label latest")
    if label not in (None, _LATEST):
        raise UserError(f"--label: '{label}' is not known; use {_LATEST}, or --version")
    return label or version


def pairs(values: list[str] | None, option: str = "--tag") -> dict[str, str]:
    """["a=1", "b=x=y"] -> {"a": "1", "b": "x=y"}. Raises UsageError for text without a key and '='."""
    result: dict[str, str] = {}
    for value in values or []:
        key, equals, text = value.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{option}: '{value}' must be KEY=VALUE; for example {option} stage=test")
        result[key.strip()] = text
    return result
