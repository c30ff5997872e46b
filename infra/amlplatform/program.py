"""The Pulumi program of a live project: what the stack's configuration names is built.

The key `request` of a stack file is the path of a file: an onboarding request, or a file whose `kind` says what else it
asks for.
"""

from __future__ import annotations

from pathlib import Path

import pulumi

from amlplatform.environment import build_environment
from amlplatform.kinds import kind_of
from amlplatform.request import RequestError, load_request


def run() -> None:
    """Build what the stack's file asks for.

    Raises pulumi.RunError with one line for each reason when the stack's configuration or a file is wrong.
    """
    path = Path(pulumi.Config().require("request"))
    root = Path.cwd().resolve()
    if path.is_absolute() or not (root / path).resolve().is_relative_to(root):
        raise pulumi.RunError(
            f"request: {str(path)!r} must be a path inside the live project; for example 'requests/churn.yaml'"
        )
    try:
        _BUILDERS.get(kind_of(root / path), _environment)(path, root)
    except RequestError as error:
        raise pulumi.RunError(str(error)) from error


def _environment(path: Path, root: Path) -> None:
    from amlplatform.bootstrap.model import is_bootstrapped  # noqa: PLC0415 (only this kind of stack needs it)

    request = load_request(root / path)
    stack = pulumi.get_stack()
    environment = stack.removeprefix(f"{request.product}-")
    if environment not in request.environments:
        stacks = ", ".join(f"{request.product}-{name}" for name in request.environments)
        raise pulumi.RunError(f"stack: {stack!r} does not belong to {path}; its stacks are {stacks}")
    build_environment(request, environment, group_exists=is_bootstrapped(root, request.product, environment))


def _bootstrap(path: Path, root: Path) -> None:
    from amlplatform.bootstrap.model import load_bootstrap, requests_of  # noqa: PLC0415
    from amlplatform.bootstrap.stack import build_bootstrap  # noqa: PLC0415

    bootstrap = load_bootstrap(root / path)
    _check_stack(bootstrap.stack, path)
    build_bootstrap(bootstrap, requests_of(bootstrap, root))


def _shared(path: Path, root: Path) -> None:
    from amlplatform.shared import build_shared  # noqa: PLC0415
    from amlplatform.shared_file import load_shared  # noqa: PLC0415

    shared = load_shared(root / path)
    _check_stack(shared.stack, path)
    build_shared(shared)


def _check_stack(expected: str, path: Path) -> None:
    stack = pulumi.get_stack()
    if stack != expected:
        raise pulumi.RunError(f"stack: {stack!r} does not belong to {path}; its stack is {expected}")


_BUILDERS = {"bootstrap": _bootstrap, "shared": _shared}
