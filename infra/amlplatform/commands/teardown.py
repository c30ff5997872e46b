"""`amlplatform teardown`: the steps that take an environment down, so that its names are free again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import typer

from amlplatform import console
from amlplatform.console import Output
from amlplatform.live.write import write_all
from amlplatform.request import RequestError, load_request


def teardown(
    request: Path = typer.Argument(..., metavar="REQUEST", help="The onboarded request."),
    environment: str = typer.Option(..., "--environment", help="The environment, for example dev."),
    output: Output = typer.Option(Output.TABLE, "--output", "-o", help="Form of the result."),
    record: str | None = typer.Option(
        None, "--record", metavar="FILE", help="Also write a page to fill in while the steps are done."
    ),
) -> None:
    """Show the steps that take an environment down for good, and which names stay taken. Changes nothing itself."""
    try:
        asked = load_request(request)
    except RequestError as error:
        raise console.fail(error.faults) from None
    if environment not in asked.environments:
        known = ", ".join(asked.environments)
        raise console.fail([f"--environment: {environment!r} is not in the request; it has {known}"])
    with console.progress(f"Planning {asked.product}-{environment}"):
        from amlplatform import teardown as how  # noqa: PLC0415 (imports Pulumi)
        from amlplatform.plan import plan_environment  # noqa: PLC0415

        plan = plan_environment(asked, environment)
    if record:
        target = Path(record)
        if target.is_dir() or target.exists():
            raise console.fail([f"--record: {record!r} is there already; name a new file, for example teardown.md"])
        try:
            write_all({target: how.record(plan).encode()})
        except OSError as error:
            raise console.fail([f"--record: {record!r} cannot be written ({error.strerror})"]) from None
    if output is Output.JSON:
        found = [dataclasses.asdict(step) for step in how.steps(plan)]
        console.print_json({"steps": found, "blocked_names": how.blocked_names(plan)})
        return
    for number, step in enumerate(how.steps(plan), start=1):
        print(f"{number}. {step.title}: {step.why}")
        if step.command:
            print(f"     {step.command}")
    console.warn(how.blocked_names(plan))
