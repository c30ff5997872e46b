"""`amlplatform prices`: write a table of prices from Azure's public price list."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from amlplatform import console, rules
from amlplatform.costs import prices as price_list
from amlplatform.costs.items import fixed_costs
from amlplatform.costs.meters import meter
from amlplatform.costs.prices import PriceError
from amlplatform.live.write import write_all
from amlplatform.request import RequestError, load_request


def prices(
    request: Path = typer.Argument(..., metavar="REQUEST", help="The request whose fixed costs are to be priced."),
    output: Path = typer.Option(
        Path(price_list.FILE), "--output", "-o", metavar="FILE", help="The table; prices of other regions in it stay."
    ),
    currency: str = typer.Option("USD", "--currency", help="Currency, for example EUR; Microsoft prices in USD."),
    address: str = typer.Option(price_list.ADDRESS, "--address", help="The price list, or your own mirror of it."),
) -> None:
    """Ask Azure's public price list for what this request costs at rest. Needs the internet, no login.

    `check` shows the prices of a table that lies beside the request or in the current folder.
    """
    try:
        asked = load_request(request)
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise PriceError(rules.fault("--currency", currency, "must be three capital letters", "EUR"))
        if not address.startswith("https://"):
            raise PriceError(rules.fault("--address", address, "must be an https address", price_list.ADDRESS))
        if output.is_dir():
            raise PriceError(f"--output: '{output}' is a folder; it must name a file; for example -o {price_list.FILE}")
        before = price_list.load(output)
        meters = [meter(key) for key in dict.fromkeys(cost.meter for cost in fixed_costs(asked) if cost.meter)]
        with console.progress(f"Asking the price list for {len(meters)} meters in {asked.region}"):
            table = price_list.refresh(meters, asked.region, currency, address)
    except RequestError as error:
        raise console.fail(error.faults) from None
    except PriceError as error:
        raise console.fail([str(error)]) from None
    if before and before.currency == currency:
        table = price_list.merged(before, table)
    try:
        write_all({output: price_list.dump(table).encode()})
    except OSError as error:
        raise console.fail([f"--output: '{output}' cannot be written ({error.strerror})"]) from None
    missing = [one.key for one in meters if table.monthly(one, asked.region) is None]
    print(f"{output}: prices of {len(meters) - len(missing)} meters in {asked.region}, {currency}, {table.as_of}")
    console.warn(f"{key}: the price list has no price for it in {asked.region}" for key in missing)
