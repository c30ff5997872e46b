"""The command line put together. Only the noun that was asked for is imported, so that every call starts fast."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Collection, Sequence
from typing import Any

import typer

from amlops import __version__
from amlops.cli.flags import FLAGS, refusal
from amlops.cli.words import as_declared
from amlops.errors import AmlopsError

# noun -> module, the Typer app in it, one line of help. An app with a single command is a noun without verbs (`amlops
# status`).
NOUNS: dict[str, tuple[str, str, str]] = {
    "validate": ("amlops.cli.validate", "app", "Check the project's files; one line per fault."),
    "job": ("amlops.cli.job", "app", "Jobs: create, show, list, wait, stream, cancel, download, resume, replay."),
    "model": (
        "amlops.cli.model",
        "app",
        "Models: create, update, show, list, download, export, promote, rollback.",
    ),
    "batch-endpoint": (
        "amlops.cli.batch",
        "endpoint_app",
        "Batch endpoints: create, update, show, list, delete, invoke, list-jobs.",
    ),
    "batch-deployment": (
        "amlops.cli.batch",
        "deployment_app",
        "Their deployments: create, update, show, list, delete, list-jobs, compare.",
    ),
    "online-endpoint": (
        "amlops.cli.online",
        "endpoint_app",
        "Real-time endpoints: create, update, show, list, delete, invoke, get-credentials, rollout.",
    ),
    "online-deployment": (
        "amlops.cli.online",
        "deployment_app",
        "Their deployments: create, update, show, list, delete, get-logs, smoke, stress, profile.",
    ),
    "data": ("amlops.cli.data", "app", "Data assets: create, show, list."),
    "datastore": ("amlops.cli.datastore", "app", "Data stores: create, show, list."),
    "environment": ("amlops.cli.environment", "app", "Environments: create, show, list."),
    "component": ("amlops.cli.component", "app", "Components of pipelines: create, show, list."),
    "compute": ("amlops.cli.compute", "app", "Compute targets: create, show, list, delete."),
    "release": (
        "amlops.cli.release",
        "app",
        "A commit's way: train, images, wait, deploy, export, promote, abort.",
    ),
    "schedule": ("amlops.cli.schedule", "app", "Schedules: create, show, list, preview, enable, disable, delete."),
    "status": ("amlops.cli.status", "app", "What is wrong in an environment, then what is in it."),
    "render": ("amlops.cli.render", "app", "Write plain Azure ML YAML with physical names, for az ml."),
}
_SETTINGS = {"help_option_names": ["-h", "--help"]}
_EXIT_INTERRUPTED = 130
# What typer says, in its own words and in those of click.
_NOT_AN_INTEGER = re.compile(r"(is not|Input should be) a valid integer.*")


def build(nouns: Collection[str]) -> typer.Typer:
    """The command line with these nouns imported; the others appear in the help only."""
    root = typer.Typer(
        name="amlops",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_SETTINGS,
        help="Run, check and deploy this project, on the laptop or in Azure. Nouns and verbs are those of az ml.",
    )

    @root.callback(invoke_without_command=True)
    def top(
        context: typer.Context,
        version: bool = typer.Option(False, "--version", help="Print the version of amlops."),
    ) -> None:
        if version:
            typer.echo(__version__)
        elif context.invoked_subcommand is None:
            typer.echo(context.get_help())
            raise typer.Exit(2)

    for noun, (module, attribute, help_line) in NOUNS.items():
        if noun in nouns:
            _add(root, noun, getattr(importlib.import_module(module), attribute), help_line)
        else:
            root.command(noun, help=help_line)(_not_imported)
    return root


def _add(root: typer.Typer, noun: str, app: typer.Typer, help_line: str) -> None:
    """Add a noun with its verbs, or, when it has a single command, that command under the noun's name."""
    if len(app.registered_commands) == 1:
        callback = app.registered_commands[0].callback
        root.command(noun)(callback or _not_imported)
    else:
        root.add_typer(app, name=noun, help=help_line, context_settings=_SETTINGS)


def _not_imported() -> None:
    """Stands for a noun in the help of `amlops` itself."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns the exit code: 0 done, 1 files or arguments wrong, 2 usage, 3 the job failed, 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    asked = {word for word in given[:1] if word in NOUNS}
    try:
        root = build(asked)
        words, notes = as_declared(given, lambda: _options(root, given))
        for note in notes:
            typer.echo(f"amlops: note: {note}", err=True)
        result = root(args=words, prog_name="amlops", standalone_mode=False)
    except AmlopsError as error:
        typer.echo(f"amlops: {error}", err=True)
        return error.exit_code
    except typer.TyperException as error:
        typer.echo(_usage(error), err=True)
        return error.exit_code
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"amlops: {error.filename}: {error.strerror}", err=True)
        return 1
    except typer.Abort:
        return _EXIT_INTERRUPTED
    return result if isinstance(result, int) else 0


def _options(root: typer.Typer, arguments: Sequence[str]) -> set[str]:
    """The flags of the command that is asked for."""
    command: Any = typer.main.get_command(root)
    for word in arguments[:2]:
        command = getattr(command, "commands", {}).get(word, command)
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


def _usage(error: typer.TyperException) -> str:
    """One line for a wrong command line: what is wrong, why, and where the right flags are listed."""
    message = error.format_message().strip().rstrip(".")
    if message.startswith("Usage:"):  # a noun without a verb: its help
        return message
    message = _NOT_AN_INTEGER.sub("must be a whole number; for example 10", message)
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "amlops"
    name = getattr(error, "option_name", None)
    reason = refusal(name) if name else None
    if reason:
        message = f"{name} is not supported: {reason}"
    elif command == "amlops" and name in FLAGS["env"].names:
        message = f"{name} stands after the verb, for example amlops job list {name} dev"
    verbs = list(getattr(getattr(context, "command", None), "commands", {}))
    if verbs and "ommand" in message:
        message = f"{message}; one of {', '.join(verbs)}"
    return f"{command}: {message} (see `{command} --help`)"
