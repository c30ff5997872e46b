"""The Pulumi program of a live project: what the stack's configuration says is built."""

from __future__ import annotations

from pathlib import Path

import pulumi

from amlplatform.environment import build_environment
from amlplatform.request import RequestError, load_request


def run() -> None:
    """Read which request the stack belongs to, and build the stack's environment.

    Raises pulumi.RunError with one line for each reason when the stack's configuration or the request is wrong.
    """
    path = Path(pulumi.Config().require("request"))
    stack = pulumi.get_stack()
    root = Path.cwd().resolve()
    if path.is_absolute() or not (root / path).resolve().is_relative_to(root):
        raise pulumi.RunError(
            f"request: {str(path)!r} must be a path inside the live project; for example 'requests/churn.yaml'"
        )
    try:
        request = load_request(root / path)
    except RequestError as error:
        raise pulumi.RunError(str(error)) from error
    environment = stack.removeprefix(f"{request.product}-")
    if environment not in request.environments:
        stacks = ", ".join(f"{request.product}-{name}" for name in request.environments)
        raise pulumi.RunError(f"stack: {stack!r} does not belong to {path}; its stacks are {stacks}")
    build_environment(request, environment)
