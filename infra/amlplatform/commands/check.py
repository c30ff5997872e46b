"""`amlplatform check`: everything that can be said about a request without building anything, in under a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from amlplatform import changes, console
from amlplatform.console import Output
from amlplatform.names import rule_of
from amlplatform.request import Request, RequestError, load_request, quota, warnings


def check(
    request: Path = typer.Argument(..., metavar="REQUEST", help="The request file."),
    output: Output = typer.Option(Output.TABLE, "--output", "-o", help="Form of the result."),
) -> None:
    """Check a request: all faults at once, the names it gives, the quota it needs.

    In a live project, the request is also held against the one that was onboarded.
    """
    try:
        asked = load_request(request)
        differences = changes.since_onboarding(asked, Path.cwd())
    except RequestError as error:
        if output is Output.JSON:
            console.print_json({"valid": False, "faults": error.faults})
            raise typer.Exit(console.FAULT) from None
        raise console.fail(error.faults) from None
    if output is Output.JSON:
        console.print_json(_document(asked, differences))
        return
    _print(asked, differences)


def _document(request: Request, differences: list[changes.Change]) -> dict[str, Any]:
    return {
        "valid": True,
        "product": request.product,
        "warnings": warnings(request),
        "names": {
            environment: {
                kind: {"name": name, "length": len(name), "limit": rule_of(kind).high}
                for kind, name in request.derived_names(environment).items()
            }
            for environment in request.environments
        },
        "quota": [
            {"environment": entry.environment, "family": entry.family, "vcpus": entry.vcpus, "uses": list(entry.uses)}
            for entry in quota(request)
        ],
        "changes": [
            {"field": change.field, "onboarded": change.before, "proposed": change.after} for change in differences
        ],
    }


def _print(request: Request, differences: list[changes.Change]) -> None:
    from rich.table import Table  # noqa: PLC0415 (not needed for JSON)

    out = console.results()
    environments = list(request.environments)
    table = Table(title="Names in Azure", title_justify="left")
    table.add_column("")
    for environment in environments:
        table.add_column(environment)
        table.add_column("length", justify="right")
    all_names = {environment: request.derived_names(environment) for environment in environments}
    for kind in all_names[environments[0]]:
        cells = [kind.replace("_", " ")]
        for environment in environments:
            name = all_names[environment][kind]
            cells += [name, f"{len(name)}/{rule_of(kind).high}"]
        table.add_row(*cells)
    out.print(table)
    table = Table(title=f"vCPU quota of Azure ML needed in {request.region}", title_justify="left")
    for heading in ("environment", "VM family", "vCPUs", "for"):
        table.add_column(heading, justify="right" if heading == "vCPUs" else "left")
    for entry in quota(request):
        table.add_row(entry.environment, entry.family, str(entry.vcpus), ", ".join(entry.uses))
    out.print(table)
    if differences:
        table = Table("field", "onboarded", "proposed", title="Changes since onboarding", title_justify="left")
        for change in differences:
            table.add_row(change.field, change.before, change.after)
        out.print(table)
    console.warn(warnings(request))
    out.print(f"{request.product}: the request is valid")
