"""Prices from Azure's public price list, in a dated file of the live project.

The list needs no login. `refresh` asks it for the meters that fixed costs use, and for nothing else.
"""

from __future__ import annotations

import datetime
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlplatform.costs.meters import GLOBAL, Meter

ADDRESS = "https://prices.azure.com/api/retail/prices"
API_VERSION = "2023-01-01-preview"
FILE = "prices.json"
"""The table's name in a live project."""
_TIMEOUT_S = 30
_PAGES = 20
_STALE = datetime.timedelta(days=180)


class PriceError(Exception):
    """The list or the file cannot be used. The message is one line for the person."""


@dataclass(frozen=True)
class PriceTable:
    """Prices of one unit by region and meter, as of a day, in one currency."""

    as_of: datetime.date
    currency: str
    prices: Mapping[str, Mapping[str, float]]

    def monthly(self, meter: Meter, region: str) -> float | None:
        """What one piece costs in a month of 730 hours; None where the table does not have it."""
        price = self.prices.get(meter.region or region, {}).get(meter.key)
        return None if price is None else price * meter.units_a_month

    def is_stale(self, today: datetime.date) -> bool:
        """Half a year old or more."""
        return today - self.as_of >= _STALE


def load(path: Path) -> PriceTable | None:
    """The table in this file; None when there is no file. Raises PriceError when it is not such a table."""
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        prices = {
            str(region): {str(key): float(price) for key, price in entries.items()}
            for region, entries in data["prices"].items()
        }
        return PriceTable(datetime.date.fromisoformat(data["as_of"]), str(data["currency"]), prices)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PriceError(
            f"{path}: is no table of prices ({type(error).__name__}: {error}); write it again with `amlplatform prices`"
        ) from None


def dump(table: PriceTable) -> str:
    """The content of the file."""
    content = {
        "as_of": table.as_of.isoformat(),
        "currency": table.currency,
        "source": "Azure Retail Prices, pay as you go, one unit of each meter",
        "prices": {region: dict(sorted(entries.items())) for region, entries in sorted(table.prices.items())},
    }
    return json.dumps(content, indent=2) + "\n"


def refresh(meters: Iterable[Meter], region: str, currency: str, address: str = ADDRESS) -> PriceTable:
    """Ask the price list for these meters in one region. What it does not have is left out.

    Raises PriceError when it cannot be reached or answers with something else.
    """
    prices: dict[str, dict[str, float]] = {region: {}}
    for meter in meters:
        price = _lowest(_items(meter, meter.region or region, currency, address))
        if price is not None:
            prices.setdefault(meter.region or region, {})[meter.key] = price
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return PriceTable(today, currency, prices)


def _filter(meter: Meter, region: str) -> str:
    wanted = {"serviceName": meter.service, "armRegionName": region, "priceType": "Consumption"}
    if meter.size:
        wanted["armSkuName"] = meter.size
    else:
        wanted |= {"productName": meter.product, "meterName": meter.meter}
    # An apostrophe in a text is written twice (OData).
    return " and ".join(f"{name} eq '{value.replace(chr(39), chr(39) * 2)}'" for name, value in wanted.items())


def _items(meter: Meter, region: str, currency: str, address: str) -> Iterator[Mapping[str, Any]]:
    query = {"api-version": API_VERSION, "currencyCode": f"'{currency}'", "$filter": _filter(meter, region)}
    page = f"{address}?{urllib.parse.urlencode(query)}"
    for _ in range(_PAGES):
        answer = _get(page)
        for item in answer.get("Items") or []:
            if _is_wanted(item, meter):
                yield item
        following = answer.get("NextPageLink")
        if not following:
            return
        if not str(following).startswith(f"{address}?"):
            raise PriceError(f"the price list names a next page elsewhere: {following!r}; nothing was written")
        page = str(following)


def _get(page: str) -> Mapping[str, Any]:
    try:
        with urllib.request.urlopen(page, timeout=_TIMEOUT_S) as response:  # noqa: S310 (the address is ours: https)
            answer = json.load(response)
    except (urllib.error.URLError, TimeoutError, ValueError, OSError) as error:
        reason, rest = getattr(error, "reason", error), "nothing was written, try again later"
        raise PriceError(f"the price list at {_place(page)} cannot be read ({reason}); {rest}") from None
    if not isinstance(answer, Mapping):
        raise PriceError(f"the price list at {_place(page)} answers with something else; nothing was written")
    return answer


def _place(page: str) -> str:
    """The address without its question, which is long and says nothing about a failure."""
    return page.partition("?")[0]


def _is_wanted(item: Mapping[str, Any], meter: Meter) -> bool:
    """Pay as you go, from the first unit on; of a machine: Linux, and not one that may be taken away."""
    words = f"{item.get('productName', '')} {item.get('skuName', '')} {item.get('meterName', '')}"
    taken_away = any(word in words for word in ("Spot", "Low Priority", "Windows"))
    first = float(item.get("tierMinimumUnits") or 0) == 0
    return first and item.get("unitOfMeasure") == meter.unit and not (meter.size and taken_away)


def _lowest(items: Iterable[Mapping[str, Any]]) -> float | None:
    """A meter may stand there several times, for example with a dedicated host: the plain one is the cheapest."""
    prices = [float(item["retailPrice"]) for item in items if item.get("retailPrice")]
    return min(prices, default=None)


def regions_of(table: PriceTable) -> list[str]:
    """The regions that the table has prices of."""
    return sorted(region for region in table.prices if region != GLOBAL)


def merged(before: PriceTable, after: PriceTable) -> PriceTable:
    """The new prices, and of regions and meters that were not asked for the old ones. The day is the older one."""
    prices = {region: {**entries, **after.prices.get(region, {})} for region, entries in before.prices.items()}
    untouched = any(
        key not in after.prices.get(region, {}) for region, entries in before.prices.items() for key in entries
    )
    as_of = min(before.as_of, after.as_of) if untouched else after.as_of
    return PriceTable(as_of, after.currency, {**after.prices, **prices})
