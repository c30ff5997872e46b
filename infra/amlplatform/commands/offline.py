"""`amlplatform offline -- COMMAND…`: run a command against the offline Azure."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from amlplatform import console
from amlplatform.cloud import blob_storage, callers, engine
from amlplatform.cloud.hindrances import hostility
from amlplatform.cloud.state import CloudState
from amlplatform.cloud.workplace import Workplace, WorkplaceError
from amlplatform.live.project import Project, ProjectError, find_project

# Options after the command's first word belong to the command, also where `--` was forgotten.
CONTEXT_SETTINGS = {"allow_interspersed_args": False}

_EXAMPLE = "amlplatform offline -- pulumi up -s churn-dev"
# The commands of Pulumi that work on a stack, for which it is made when it is not there.
_ON_A_STACK = frozenset({"up", "update", "preview", "refresh", "destroy", "import", "config"})
_USAGE = 2


def offline(
    command: list[str] | None = typer.Argument(None, metavar="COMMAND", help="What to run.", show_default=False),
    reset: bool = typer.Option(False, "--reset", help="Empty the offline Azure and forget all stacks first."),
    project: Path = typer.Option(Path(), "--project", metavar="DIR", help="Folder of the live project."),
    identity: str = typer.Option(
        "",
        "--as",
        metavar="IDENTITY",
        envvar="AMLPLATFORM_OFFLINE_IDENTITY",
        help="Run as this managed identity, with the roles that it has: its ARM id, client id or object id.",
    ),
    hostile: bool = typer.Option(
        False,
        "--hostile",
        envvar="AMLPLATFORM_OFFLINE_HOSTILE",
        help="Refuse what Azure refuses for a while, too: see docs/offline-azure.md.",
    ),
) -> None:
    """Run COMMAND, for example `pulumi up -s churn-dev`, against the offline Azure: nothing leaves this machine.

    What was made stays in `.offline/` of the live project until --reset. COMMAND runs in a copy of the project, so
    that no real stack file is touched; its exit code is the one of this command.
    """
    if not command and not reset:
        print(f"COMMAND: is missing; for example {_EXAMPLE}", file=sys.stderr)
        raise typer.Exit(_USAGE)
    try:
        workplace = Workplace(find_project(project))
        if reset:
            workplace.reset()
            print(f"offline Azure: {workplace.folder} is empty", file=sys.stderr)
        code = run(workplace, command, identity=identity, hostile=hostile) if command else 0
    except (ProjectError, WorkplaceError) as error:
        raise console.fail([str(error)]) from None
    raise typer.Exit(code)


def _manners(workplace: Workplace, identity: str, *, hostile: bool) -> engine.Manners:
    """Raises WorkplaceError when the offline Azure cannot be so."""
    with contextlib.closing(CloudState(workplace.cloud_file)) as state:
        try:
            hostility.chosen(state, hostile=hostile)
            return engine.Manners(callers.find(identity, state).object_id if identity else "", hostile)
        except hostility.HostilityError as error:
            raise WorkplaceError(str(error)) from None
        except callers.UnknownCaller as error:
            raise WorkplaceError(f"--as: {error}") from None


def run(workplace: Workplace, command: Sequence[str], *, identity: str = "", hostile: bool = False) -> int:
    """Run `command` in the copy of the project. Returns its exit code. Raises WorkplaceError when it cannot start.

    `identity`: which identity of the offline Azure it runs as, "" for the person.
    """
    cli = engine.find_cli(workplace.project.folder)
    if _is_pulumi(command) and cli is None:
        raise WorkplaceError(
            "pulumi: not on PATH and not in .tools/bin; install the Pulumi CLI, or build it: `make pulumi` in the "
            "template's repository"
        )
    stack = stack_of(command)
    if stack:
        _check_stack(workplace.project, stack)
    with contextlib.ExitStack() as running:
        running.enter_context(workplace.in_use())
        private = running.enter_context(engine.private_folder())
        manners = _manners(workplace, identity, hostile=hostile)
        # Both doors start while the copy and the stack are made.
        provider = running.enter_context(engine.provider(workplace, manners))
        azurite = blob_storage.find(workplace.project.folder, *workplace.project.folder.parents)
        https = running.enter_context(engine.https_door(workplace, private, manners, azurite))
        for note in workplace.update_copy(stack):
            _note(note)
        variables = engine.environment(workplace, cli, private)
        program = shutil.which(command[0], path=variables["PATH"])
        if program is None:
            raise WorkplaceError(f"COMMAND: {command[0]!r} is not on PATH; for example {_EXAMPLE}")
        if stack and not workplace.has_stack(stack):
            _make_stack(program, stack, workplace, variables)
        variables["PULUMI_DEBUG_PROVIDERS"] = f"azure-native:{provider.port()}"
        opened = _https_variables(https)
        if opened and azurite is None and not _is_pulumi(command):  # which uploads nothing
            _note(blob_storage.MISSING)
        variables |= opened
        code = engine.run([program, *command[1:]], workplace.copy, variables)
    if https.refused:
        _note(f"asked for and refused, since nothing leaves this machine: {', '.join(https.refused)}")
    return code


def _https_variables(door: engine.HttpsDoor) -> dict[str, str]:
    """How COMMAND finds the HTTPS door. Where it cannot start COMMAND runs without it: Pulumi does not need it."""
    try:
        return door.variables()
    except WorkplaceError as error:
        _note(str(error))
        return {}


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def _is_pulumi(command: Sequence[str]) -> bool:
    return Path(command[0]).stem.lower() == "pulumi"


def stack_of(command: Sequence[str]) -> str | None:
    """The stack that a Pulumi command is to work on; None when it names none, or is not such a command."""
    if not _is_pulumi(command) or not _ON_A_STACK & set(command):
        return None
    found: str | None = None
    for word, following in zip(command, [*command[1:], ""], strict=True):
        if word in ("-s", "--stack"):
            found = following
        elif word.startswith("--stack="):
            found = word.removeprefix("--stack=")
        elif word.startswith("-s") and not word.startswith("--"):
            found = word.removeprefix("-s").removeprefix("=")
    # organization/project/stack: the last part is the stack.
    return found.rsplit("/", 1)[-1] if found else None


def _check_stack(project: Project, stack: str) -> None:
    if (project.folder / project.stack_file(stack)).is_file():
        return
    there = ", ".join(project.stacks()) or "none"
    raise WorkplaceError(
        f"--stack: {stack!r} has no file {project.stack_file(stack).as_posix()}; there are: {there}; "
        "amlplatform onboard REQUEST writes them"
    )


def _make_stack(pulumi: str, stack: str, workplace: Workplace, variables: Mapping[str, str]) -> None:
    result = subprocess.run(
        [pulumi, "stack", "init", stack, "--no-select", "--non-interactive"],
        cwd=workplace.copy,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["it said nothing"]
        raise WorkplaceError(f"--stack: {stack!r} cannot be made: {lines[-1]}")
