"""`amlplatform plan`: what would be built, for people (table, HTML page) and for machines (JSON, ARM template)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from amlplatform import console
from amlplatform.commands import stacks
from amlplatform.console import Output
from amlplatform.kinds import kind_of
from amlplatform.live.write import write_all
from amlplatform.request import Request, RequestError, load_request

if TYPE_CHECKING:
    from amlplatform.plan import Plan


def plan(  # noqa: PLR0917 (each is an option of the command line)
    request: Path = typer.Argument(..., metavar="REQUEST", help="The request file."),
    environment: str = typer.Option("", "--environment", help="Only this environment, for example dev."),
    output: Output = typer.Option(Output.TABLE, "--output", "-o", help="Form of the result."),
    html: str | None = typer.Option(None, "--html", metavar="FILE", help="Also write a page for people."),
    arm: str | None = typer.Option(
        None, "--arm", metavar="FILE", help="Also write an ARM template; needs --environment."
    ),
    reachability: bool = typer.Option(False, "--reachability", help="Also show who reaches what, by which way."),
) -> None:
    """Show what would be built, checked against Microsoft's types and the policies. Needs no login."""
    kind = kind_of(request)
    if kind:
        if environment or html or arm or reachability:
            raise console.fail(
                [f"REQUEST: '{request}' is a file of kind {kind}; of the options it takes only --output"]
            )
        stacks.plan(request, kind, output)
        return
    asked = _request(request, environment)
    page, template = _targets(request, environment, html, arm)
    plans = _plans(asked, [environment] if environment else list(asked.environments))
    faults = [line for one in plans for line in (*one.faults, *one.violations, *one.unreachable)]
    from amlplatform import armtemplate, report  # noqa: PLC0415 (they import Pulumi)

    if page:
        _write("--html", page, report.html(plans))
    if template:
        _write("--arm", template, armtemplate.render(plans[0]))
    if output is Output.JSON:
        console.print_json(report.document(plans))
    else:
        report.print_tables(plans, console.results())
        if reachability:
            report.print_reachability(plans, console.results())
        console.warn(dict.fromkeys(line for one in plans for line in (*one.warnings, *one.advice)))
    if faults:
        raise console.fail(faults)


def _request(path: Path, environment: str) -> Request:
    try:
        request = load_request(path)
    except RequestError as error:
        raise console.fail(error.faults) from None
    if environment and environment not in request.environments:
        known = ", ".join(request.environments)
        raise console.fail([f"--environment: {environment!r} is not in the request; it has {known}"])
    return request


def _targets(request: Path, environment: str, html: str | None, arm: str | None) -> tuple[Path | None, Path | None]:
    """The files to write, checked before the work of planning."""
    if arm is not None and not environment:
        raise console.fail(["--arm: a template is for one environment; add for example --environment dev"])
    faults: list[str] = []
    taken = {request.resolve(): "REQUEST"}
    for option, value, example in (("--html", html, "plan.html"), ("--arm", arm, "template.json")):
        if value is None:
            continue
        fault = _target_fault(value, taken)
        if fault:
            faults.append(f"{option}: {value!r} {fault}; for example {option} {example}")
        else:
            taken[Path(value).resolve()] = option
    if faults:
        raise console.fail(faults)
    # Path("") is the current folder; an empty value is refused above.
    return (Path(html) if html else None, Path(arm) if arm else None)


def _target_fault(value: str, taken: Mapping[Path, str]) -> str | None:
    """Why a file cannot be written there; `taken` says which paths have another use."""
    if not value:
        return "is empty; it must name a file"
    path = Path(value)
    try:
        if path.is_dir():
            return "is a folder; it must name a file"
        if not path.parent.is_dir():
            return f"is in the folder '{path.parent}', which does not exist; make it, or name another"
        other = taken.get(path.resolve())
    except OSError as error:
        return f"cannot be written ({error.strerror})"
    return f"is the file of {other}, too; name another" if other else None


def _plans(request: Request, environments: list[str]) -> list[Plan]:
    plans: list[Plan] = []
    with console.progress("Loading the resource types"):
        from amlplatform.plan import plan_environment  # noqa: PLC0415 (imports Pulumi)
    for environment in environments:
        with console.progress(f"Planning {request.product}-{environment}"):
            plans.append(plan_environment(request, environment))
    return plans


def _write(option: str, path: Path, text: str) -> None:
    try:
        write_all({path: text.encode()})
    except OSError as error:
        raise console.fail([f"{option}: '{path}' cannot be written ({error.strerror})"]) from None
