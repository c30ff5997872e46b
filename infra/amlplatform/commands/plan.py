"""`amlplatform plan`: what would be built, for people (table, HTML page) and for machines (JSON, ARM template)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from amlplatform import console
from amlplatform.console import Output
from amlplatform.request import Request, RequestError, load_request

if TYPE_CHECKING:
    from amlplatform.plan import Plan


def plan(
    request: Path = typer.Argument(..., metavar="REQUEST", help="The request file."),
    environment: str = typer.Option("", "--environment", help="Only this environment, for example dev."),
    output: Output = typer.Option(Output.TABLE, "--output", "-o", help="Form of the result."),
    html: Path | None = typer.Option(None, "--html", metavar="FILE", help="Also write a page for people."),
    arm: Path | None = typer.Option(
        None, "--arm", metavar="FILE", help="Also write an ARM template; needs --environment."
    ),
) -> None:
    """Show what would be built, with every request body checked against Microsoft's types. Needs no login."""
    asked = _request(request, environment, arm)
    plans = _plans(asked, [environment] if environment else list(asked.environments))
    faults = [fault for one in plans for fault in one.faults]
    from amlplatform import armtemplate, report  # noqa: PLC0415 (they import Pulumi)

    if html:
        _write(html, report.html(plans))
    if arm:
        _write(arm, armtemplate.render(plans[0]))
    if output is Output.JSON:
        console.print_json(report.document(plans))
    else:
        report.print_tables(plans, console.results())
        console.warn(dict.fromkeys(line for one in plans for line in one.warnings))
    if faults:
        raise console.fail(faults)


def _request(path: Path, environment: str, arm: Path | None) -> Request:
    try:
        request = load_request(path)
    except RequestError as error:
        raise console.fail(error.faults) from None
    if environment and environment not in request.environments:
        known = ", ".join(request.environments)
        raise console.fail([f"--environment: {environment!r} is not in the request; it has {known}"])
    if arm and not environment:
        raise console.fail(["--arm: a template is for one environment; add for example --environment dev"])
    return request


def _plans(request: Request, environments: list[str]) -> list[Plan]:
    plans: list[Plan] = []
    with console.progress("Loading the resource types"):
        from amlplatform.plan import plan_environment  # noqa: PLC0415 (imports Pulumi)
    for environment in environments:
        with console.progress(f"Planning {request.product}-{environment}"):
            plans.append(plan_environment(request, environment))
    return plans


def _write(path: Path, text: str) -> None:
    """Write to a temporary name and rename, so that no half page is left behind."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise console.fail([f"{path}: cannot be written ({error.strerror})"]) from None
