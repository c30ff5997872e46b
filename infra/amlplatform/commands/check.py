"""`amlplatform check`: everything that can be said about a request without building anything, in under a second."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from amlplatform import changes, console
from amlplatform.commands import stacks
from amlplatform.console import Output
from amlplatform.costs import prices
from amlplatform.costs.items import fixed_costs, monthly
from amlplatform.costs.prices import PriceError, PriceTable
from amlplatform.kinds import kind_of
from amlplatform.names import rule_of
from amlplatform.request import Request, RequestError, load_request, quota, undecided, warnings

if TYPE_CHECKING:
    from rich.table import Table


def check(
    request: Path = typer.Argument(..., metavar="REQUEST", help="The request file."),
    output: Output = typer.Option(Output.TABLE, "--output", "-o", help="Form of the result."),
) -> None:
    """Check a request: all faults at once, the names it gives, the quota it needs.

    In a live project, the request is also held against the one that was onboarded.
    """
    kind = kind_of(request)
    if kind:
        stacks.check(request, kind, output)
        return
    try:
        asked = load_request(request)
        differences = changes.since_onboarding(asked, Path.cwd())
        table = _price_table(request)
    except (RequestError, PriceError) as error:
        faults = error.faults if isinstance(error, RequestError) else [str(error)]
        if output is Output.JSON:
            console.print_json({"valid": False, "faults": faults})
            raise typer.Exit(console.FAULT) from None
        raise console.fail(faults) from None
    if output is Output.JSON:
        console.print_json(_document(asked, differences, table))
        return
    _print(asked, differences, table)


def _price_table(request: Path) -> PriceTable | None:
    """The table beside the request or in the current folder. Raises PriceError when it cannot be read."""
    for folder in dict.fromkeys((request.resolve().parent, Path.cwd())):
        table = prices.load(folder / prices.FILE)
        if table:
            return table
    return None


def _document(request: Request, differences: list[changes.Change], table: PriceTable | None) -> dict[str, Any]:
    return {
        "valid": True,
        "ready_for_onboarding": not undecided(request),
        "undecided": list(undecided(request).values()),
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
            {
                "environment": entry.environment,
                "quota": entry.kind,
                "family": entry.family,
                "vcpus": entry.vcpus,
                "uses": list(entry.uses),
            }
            for entry in quota(request)
        ],
        "fixed_costs": {
            "prices_as_of": table.as_of.isoformat() if table else None,
            "currency": table.currency if table else None,
            "items": [
                {
                    "environment": cost.environment,
                    "item": cost.item,
                    "quantity": cost.quantity,
                    "monthly": monthly(cost, request.region, table),
                    "why": cost.why,
                }
                for cost in fixed_costs(request)
            ],
        },
        "changes": [
            {"field": change.field, "onboarded": change.before, "proposed": change.after} for change in differences
        ],
    }


def _print(request: Request, differences: list[changes.Change], prices_table: PriceTable | None) -> None:
    from rich.table import Table  # noqa: PLC0415 (not needed for JSON)

    out = console.results()
    environments = list(request.environments)
    table = Table(title="Names in Azure", title_justify="left")
    table.add_column("")
    for environment in environments:
        table.add_column(environment)
        table.add_column("length", justify="right")
    all_names = {environment: request.derived_names(environment) for environment in environments}
    for kind in dict.fromkeys(kind for names in all_names.values() for kind in names):
        cells = [kind.replace("_", " ")]
        for environment in environments:
            name = all_names[environment].get(kind, "")
            cells += [name, f"{len(name)}/{rule_of(kind).high}"] if name else ["-", ""]
        table.add_row(*cells)
    out.print(table)
    table = Table(title=f"vCPU quota needed in {request.region}", title_justify="left")
    for heading in ("environment", "quota of", "VM family", "vCPUs", "for"):
        table.add_column(heading, justify="right" if heading == "vCPUs" else "left")
    for entry in quota(request):
        table.add_row(entry.environment, entry.kind, entry.family, str(entry.vcpus), ", ".join(entry.uses))
    out.print(table)
    out.print(_cost_table(request, prices_table))
    if differences:
        table = Table("field", "onboarded", "proposed", title="Changes since onboarding", title_justify="left")
        for change in differences:
            table.add_row(change.field, change.before, change.after)
        out.print(table)
    console.warn(warnings(request))
    if prices_table and prices_table.is_stale(datetime.datetime.now(tz=datetime.UTC).date()):
        console.warn([f"prices are of {prices_table.as_of}; write them again with `amlplatform prices REQUEST`"])
    missing = ", ".join(undecided(request))
    out.print(f"{request.product}: the request is valid{f'; not ready for onboarding: {missing}' if missing else ''}")


def _cost_table(request: Request, prices_table: PriceTable | None) -> Table:
    """What is charged at rest: items and quantities, and what they cost where the table of prices says so."""
    from rich.table import Table  # noqa: PLC0415 (not needed for JSON)

    source = (
        f"list prices of {prices_table.as_of}, {prices_table.currency}"
        if prices_table
        else "prices: `amlplatform prices REQUEST`"
    )
    table = Table(title=f"Charged every month although nobody works ({source})", title_justify="left")
    for heading in ("environment", "item", "pieces", *(["a month"] if prices_table else []), "why"):
        table.add_column(heading, justify="right" if heading in ("pieces", "a month") else "left")
    totals: dict[str, float] = {}
    for cost in fixed_costs(request):
        price = monthly(cost, request.region, prices_table)
        totals[cost.environment] = totals.get(cost.environment, 0) + (price or 0)
        shown = "not in the table" if price is None else f"{price:,.2f}"
        table.add_row(cost.environment, cost.item, str(cost.quantity), *([shown] if prices_table else []), cost.why)
    if prices_table:
        table.add_section()
        for environment, total in totals.items():
            table.add_row(environment, "together, as far as known", "", f"{total:,.2f}", "")
    return table
