"""`check` and `plan` of the files that are no request: the bootstrap stack, and what products share."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlplatform import console
from amlplatform.console import Output
from amlplatform.request import RequestError

if TYPE_CHECKING:
    from amlplatform.plan import PlannedResource


def check(path: Path, kind: str, output: Output) -> None:
    """All faults of the file, and of the requests that it names. Raises typer.Exit when there are any."""
    try:
        stack = _read(path, kind)[0]
    except RequestError as error:
        if output is Output.JSON:
            console.print_json({"valid": False, "faults": error.faults})
            raise console.fail([]) from None
        raise console.fail(error.faults) from None
    if output is Output.JSON:
        console.print_json({"valid": True, "stack": stack})
    else:
        print(f"{path.name}: is valid; its stack is {stack}")


def plan(path: Path, kind: str, output: Output) -> None:
    """What the stack would be made of. Raises typer.Exit when the file or a body has faults, or a rule is broken."""
    try:
        stack, resources = _planned(path, kind)
    except RequestError as error:
        raise console.fail(error.faults) from None
    from amlplatform.policies.evaluate import together  # noqa: PLC0415
    from amlplatform.policies.planned import judge_stack  # noqa: PLC0415

    findings = judge_stack(stack, resources)
    if output is Output.JSON:
        console.print_json(
            {
                "stack": stack,
                "policies": [dataclasses.asdict(one) for one in findings],
                "resources": [dataclasses.asdict(one) for one in resources],
            }
        )
    else:
        _print(stack, resources)
        console.warn(advice.line for advice in together(one for one in findings if one.warns))
    faults = [f"{one.name} ({one.arm_type}): {fault}" for one in resources for fault in one.faults]
    faults += [one.line for one in findings if one.stops]
    if faults:
        raise console.fail(faults)


def _read(path: Path, kind: str) -> tuple[str, Any]:
    """The stack's name, and what builds it."""
    if kind == "bootstrap":
        from amlplatform.bootstrap.model import load_bootstrap, requests_of  # noqa: PLC0415 (only for this kind)

        bootstrap = load_bootstrap(path)
        requests = requests_of(bootstrap, path.resolve().parent.parent)
        return bootstrap.stack, (bootstrap, requests)
    from amlplatform.shared_file import load_shared  # noqa: PLC0415

    shared = load_shared(path)
    return shared.stack, (shared,)


def _planned(path: Path, kind: str) -> tuple[str, tuple[PlannedResource, ...]]:
    stack, arguments = _read(path, kind)
    with console.progress(f"Planning {stack}"):
        from amlplatform.plan import planned  # noqa: PLC0415 (imports Pulumi)

        if kind == "bootstrap":
            from amlplatform.bootstrap.stack import build_bootstrap as build  # noqa: PLC0415
        else:
            from amlplatform.shared import build_shared as build  # noqa: PLC0415
        return stack, planned(lambda: build(*arguments), stack)


def _print(stack: str, resources: tuple[PlannedResource, ...]) -> None:
    from rich.table import Table  # noqa: PLC0415 (not needed for JSON)

    table = Table(title=f"{stack}: what would be built", title_justify="left")
    for heading in ("resource", "name in Azure", "type", "protected"):
        table.add_column(heading, overflow="fold")
    for one in resources:
        table.add_row(one.name, one.azure_name, one.arm_type, "yes" if one.protect else "")
    out = console.results()
    out.print(table)
    out.print(f"{stack}: {len(resources)} resources")
