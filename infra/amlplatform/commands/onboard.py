"""`amlplatform onboard`: take a request into the live project, with a stack file for each environment."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from amlplatform import changes, console, rules
from amlplatform.live import stack_file
from amlplatform.live.project import Project, ProjectError, find_project
from amlplatform.live.stack_file import Settings, StackFileError
from amlplatform.live.write import write_all
from amlplatform.profiles import ENVIRONMENT_PROFILES
from amlplatform.request import Request, RequestError, load_request, undecided, warnings


def onboard(
    request: Path = typer.Argument(..., metavar="REQUEST", help="The request file."),
    project: Path = typer.Option(Path(), "--project", metavar="DIR", help="Folder of the live project."),
    subscription: list[str] = typer.Option(
        [], "--subscription", metavar="ENVIRONMENT=GUID", help="Subscription of one environment; may be repeated."
    ),
) -> None:
    """Copy a request to requests/<product>.yaml and write a stack file for each of its environments.

    Shows what it changes in a request that is there already. Without --subscription, Pulumi takes
    ARM_SUBSCRIPTION_ID of the environment in which it runs, else the subscription of the login. A second time with
    the same request changes nothing.
    """
    try:
        live = find_project(project)
        asked = load_request(request)
        faults = [*undecided(asked).values(), *_subscription_faults(asked, subscription)]
        if faults:
            raise RequestError(faults)
        changes.since_onboarding(asked, live.folder)
        files = _files(asked, request, live, dict(pair.split("=", 1) for pair in subscription))
    except (RequestError, StackFileError) as error:
        raise console.fail(error.faults) from None
    except ProjectError as error:
        raise console.fail([str(error)]) from None
    _show_difference(live.folder / _copy_of(asked), files)
    try:
        written = write_all(files)
    except OSError as error:
        raise console.fail([f"{error.filename}: cannot be written ({error.strerror}); nothing was changed"]) from None
    console.warn([*warnings(asked), *_without_subscription(asked, live, files), *_left_over(asked, live)])
    _print_result(asked, live, written)


def _copy_of(request: Request) -> Path:
    """The platform's copy of the request, relative to the live project."""
    return Path("requests") / f"{request.product}.yaml"


def _subscription_faults(request: Request, given: list[str]) -> list[str]:
    faults: list[str] = []
    seen: set[str] = set()
    for pair in given:
        environment, separator, guid = pair.partition("=")
        example = f"{next(iter(request.environments))}=3f2504e0-4f89-41d3-9a0c-0305e82c3301"
        if not separator:
            faults.append(rules.fault("--subscription", pair, "must be ENVIRONMENT=GUID", example))
        elif environment not in request.environments:
            known = ", ".join(request.environments)
            faults.append(rules.fault("--subscription", environment, f"is not in the request; it has {known}", example))
        elif environment in seen:
            faults.append(f"--subscription: {environment!r} is given twice; keep one")
        elif not re.fullmatch(rules.GUID_PATTERN, guid) or guid == rules.NO_GUID:
            faults.append(rules.fault(f"--subscription {environment}", guid, "must be a GUID", example))
        seen.add(environment)
    return faults


def _files(request: Request, source: Path, live: Project, subscriptions: dict[str, str]) -> dict[Path, bytes]:
    """Path and content of everything that belongs to this request. Raises StackFileError with all faults."""
    files = {live.folder / _copy_of(request): source.read_bytes()}
    faults: list[str] = []
    for environment in request.environments:
        path = live.folder / live.stack_file(request.names(environment).stack)
        wanted = Settings(
            environment,
            live.request_key,
            _copy_of(request).as_posix(),
            request.region,
            subscriptions.get(environment),
        )
        try:
            files[path] = stack_file.updated(path, wanted).encode()
        except StackFileError as error:
            faults += error.faults
    if faults:
        raise StackFileError(faults)
    return files


def _show_difference(path: Path, files: dict[Path, bytes]) -> None:
    """What changes in a request that is there already, as a unified diff."""
    if not path.exists():
        return
    before = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    after = files[path].decode("utf-8-sig").splitlines(keepends=True)
    sys.stdout.writelines(difflib.unified_diff(before, after, f"{path.name} (onboarded)", f"{path.name} (proposed)"))


def _without_subscription(request: Request, live: Project, files: dict[Path, bytes]) -> Iterator[str]:
    """A line for each environment whose stack file names no subscription."""
    for environment in request.environments:
        stack = request.names(environment).stack
        text = files[live.folder / live.stack_file(stack)].decode()
        if not stack_file.has_subscription(text):
            yield f"{stack} has no subscription; {stack_file.subscription_advice(environment)}"


def _left_over(request: Request, live: Project) -> Iterator[str]:
    """A line for each stack file whose environment the request does not have any more."""
    gone = [name for name in ENVIRONMENT_PROFILES if name not in request.environments]
    for stack in sorted({request.names(name).stack for name in gone} & set(live.stacks())):
        file = live.stack_file(stack).as_posix()
        yield f"{file}: is not in the request any more; destroy the stack, then delete the file"


def _print_result(request: Request, live: Project, written: list[Path]) -> None:
    if not written:
        print(f"{request.product}: nothing changed; {_copy_of(request).as_posix()} and the stack files are up to date")
        return
    for path in written:
        print(f"wrote {path.relative_to(live.folder).as_posix()}")
    stacks = [request.names(name).stack for name in request.environments]
    print("next, in the live project:")
    print(f"  amlplatform plan {_copy_of(request).as_posix()}")
    for stack in stacks:
        print(f"  amlplatform offline -- pulumi up -s {stack}")
    print("then open a pull request with these files; after the review:")
    for stack in stacks:
        print(f"  pulumi up -s {stack}")
