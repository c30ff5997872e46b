"""What an environment costs at rest: which items, how many, and prices from a list like Azure's."""

from __future__ import annotations

import datetime
import json
import ssl
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from combinations import Combination, all_combinations
from platform_requests import NETWORK, full, minimal
from typer.testing import CliRunner

from amlplatform.cli import app
from amlplatform.costs import prices
from amlplatform.costs.items import fixed_costs
from amlplatform.costs.meters import HOURS_A_MONTH, meter
from amlplatform.costs.prices import PriceTable
from amlplatform.plan import plan_environment
from amlplatform.request import Request

TODAY = datetime.date(2026, 11, 24)


def items(data: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(cost.environment, cost.item): cost.quantity for cost in fixed_costs(Request.model_validate(data))}


def test_the_items_of_a_request_are_these() -> None:
    assert items(full()) == {
        ("dev", "container registry"): 1,
        ("dev", "disks of compute instances"): 1,
        ("dev", "alert rules over logs"): 3,
        ("prod", "container registry"): 1,
        # blob, file, queue, table; vault; registry; blob and dfs of the lake; workspace.
        ("prod", "private endpoints"): 9,
        # The network's own to blob, file, vault, registry and workspace; queue and table; blob and dfs of the lake.
        ("prod", "private endpoints of the managed network"): 9,
        # None for a cap: there is none in prod.
        ("prod", "alert rules over logs"): 2,
    }


def test_what_is_central_is_not_charged_here() -> None:
    data = full()
    hub = NETWORK.replace("rg-network", "rg-central")
    data["environments"]["prod"]["central"] = {
        "container_registry": f"{hub}/providers/Microsoft.ContainerRegistry/registries/crcentral",
        "lake": {"account": f"{hub}/providers/Microsoft.Storage/storageAccounts/dlcentral"},
    }
    found = items(data)
    assert ("prod", "container registry") not in found
    assert found["prod", "private endpoints"] == 6


@pytest.mark.parametrize(
    "combination",
    [one for one in all_combinations() if len(one.options) != 1 and one.environment == "prod"],
    ids=lambda combination: combination.id,
)
@pytest.mark.slow
def test_as_many_endpoints_are_charged_as_would_be_made(combination: Combination) -> None:
    request = Request.model_validate(combination.request())
    plan = plan_environment(request, "prod")
    made = [one for one in plan.resources if one.arm_type == "Microsoft.Network/privateEndpoints"]
    charged = {cost.item: cost.quantity for cost in fixed_costs(request) if cost.environment == "prod"}
    assert charged["private endpoints"] == len(made)
    alerts = [one for one in plan.resources if one.arm_type == "Microsoft.Insights/scheduledQueryRules"]
    assert charged["alert rules over logs"] == len(alerts)
    rules = plan.resource("workspace").body["properties"]["managedNetwork"].get("outboundRules", {})
    if rules:
        assert charged["private endpoints of the managed network"] == 5 + len(rules)
    kind = "Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints"
    of_factory = [one for one in plan.resources if one.arm_type == kind]
    assert charged.get("managed private endpoints of Data Factory", 0) == len(of_factory)
    of_synapse = [one for one in plan.resources if one.arm_type == "Microsoft.Synapse/workspaces"]
    asked = [one.body["properties"]["defaultDataLakeStorage"]["createManagedPrivateEndpoint"] for one in of_synapse]
    assert charged.get("managed private endpoints of Synapse", 0) == sum(asked)


def test_options_that_are_never_idle_are_named() -> None:
    options = ("streaming", "sql")
    request = Request.model_validate(Combination("prod", "own-vnet", options, ()).request())
    found = {cost.item: (cost.quantity, cost.meter) for cost in fixed_costs(request) if cost.environment == "prod"}
    assert found["SQL vCores"] == (2, "sql-vcore")
    assert found["streaming units"] == (1, "streaming-unit")
    assert found["Microsoft Defender for SQL"] == (1, "")
    dev = Request.model_validate(Combination("dev", "own-vnet", options, ()).request())
    assert "SQL vCores" not in {cost.item for cost in fixed_costs(dev) if cost.environment == "dev"}


def test_synapse_has_its_network_in_an_open_environment_too_and_data_factory_has_not() -> None:
    request = Request.model_validate(Combination("dev", "public-dev", ("synapse", "data_factory"), ()).request())
    found = {cost.item: cost.quantity for cost in fixed_costs(request) if cost.environment == "dev"}
    assert found["managed private endpoints of Synapse"] == 1
    assert "managed private endpoints of Data Factory" not in found


def test_a_month_has_730_hours() -> None:
    table = PriceTable(TODAY, "USD", {"westeurope": {"registry": 2.0}, "Global": {"private-endpoint": 0.01}})
    assert table.monthly(meter("private-endpoint"), "westeurope") == pytest.approx(0.01 * HOURS_A_MONTH)
    assert table.monthly(meter("registry"), "westeurope") == pytest.approx(2.0 * 365 / 12)
    assert table.monthly(meter("registry"), "northeurope") is None


# --- The price list ---------------------------------------------------------------------------------


class PriceList(BaseHTTPRequestHandler):
    """A list that answers as Azure's does: filtered, in pages of two."""

    items: list[dict[str, Any]] = []  # noqa: RUF012 (filled by the fixture)
    queries: list[str] = []  # noqa: RUF012
    broken = False

    def do_GET(self) -> None:
        query: dict[str, str] = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        self.queries.append(query["$filter"])
        wanted = dict(part.split(" eq ", 1) for part in query["$filter"].split(" and "))
        found = [
            item
            for item in self.items
            if all(
                str(item.get("type" if key == "priceType" else key)) == value.strip("'")
                for key, value in wanted.items()
            )
        ]
        skip = int(query.get("$skip", 0))
        host = f"https://{self.headers['Host']}{urllib.parse.urlsplit(self.path).path}"
        following = {**query, "$skip": str(skip + 2)}
        answer: Any = {
            "Items": found[skip : skip + 2],
            "NextPageLink": f"{host}?{urllib.parse.urlencode(following)}" if found[skip + 2 :] else None,
        }
        body = b"<html>" if self.broken else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


def line(service: str, product: str, name: str, unit: str, price: float, **more: Any) -> dict[str, Any]:
    return {
        "serviceName": service,
        "productName": product,
        "meterName": name,
        "unitOfMeasure": unit,
        "retailPrice": price,
        "armRegionName": "westeurope",
        "type": "Consumption",
        "tierMinimumUnits": 0.0,
        **more,
    }


@pytest.fixture
def price_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a price list on this machine, with a certificate of its own."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(PriceList, "queries", [])
    monkeypatch.setattr(PriceList, "broken", False)
    monkeypatch.setattr(
        PriceList,
        "items",
        [
            # The one that counts is on the second page.
            line("Container Registry", "Container Registry", "Premium Registry Unit", "1 Hour", 99),
            line("Container Registry", "Container Registry", "Premium Registry Unit", "1/Month", 98),
            line("Container Registry", "Container Registry", "Premium Registry Unit", "1/Day", 1.667),
            line("Container Registry", "Container Registry", "Basic Registry Unit", "1/Day", 0.167),
            line("Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "1/Month", 19.71),
            line("Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "1/Month", 1.0, tierMinimumUnits=100.0),
            line("Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "1/Month", 2.0, type="Reservation"),
            line(
                "Virtual Network",
                "Virtual Network Private Link",
                "Standard Private Endpoint",
                "1 Hour",
                0.01,
                armRegionName="Global",
            ),
        ],
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), PriceList)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_address[1]}/api/retail/prices"
    server.shutdown()
    server.server_close()


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    path = tmp_path / "request.yaml"
    path.write_text(yaml.safe_dump(full()), encoding="utf-8")
    return path


def amlplatform(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_check_names_items_and_quantities_without_prices(request_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(request_file.parent)
    result = amlplatform("check", request_file, "-o", "json")
    costs = json.loads(result.stdout)["fixed_costs"]
    assert costs["prices_as_of"] is None
    assert {one["monthly"] for one in costs["items"]} == {None}
    text = amlplatform("check", request_file).stdout
    assert "private endpoints of the managed network" in text
    assert "amlplatform prices REQUEST" in text


def test_prices_are_asked_for_and_shown_by_check(
    request_file: Path, price_list: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(request_file.parent)
    written = amlplatform("prices", request_file, "--address", price_list)
    assert written.exit_code == 0, written.output
    assert len(PriceList.queries) == 6, "one for each meter, and a second page"
    table = json.loads((request_file.parent / "prices.json").read_text(encoding="utf-8"))
    assert table["prices"] == {
        "Global": {"private-endpoint": 0.01},
        "westeurope": {"registry": 1.667, "instance-disk": 19.71},
    }
    costs = json.loads(amlplatform("check", request_file, "-o", "json").stdout)["fixed_costs"]
    assert costs["currency"] == "USD"
    monthly = {(one["environment"], one["item"]): one["monthly"] for one in costs["items"]}
    assert monthly["prod", "private endpoints"] == pytest.approx(9 * 7.3)
    assert monthly["dev", "container registry"] == pytest.approx(50.70, abs=0.01)
    assert "together, as far as known" in amlplatform("check", request_file).stdout


def test_what_the_list_does_not_have_is_said(
    request_file: Path, price_list: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(request_file.parent)
    monkeypatch.setattr(PriceList, "items", [one for one in PriceList.items if one["serviceName"] != "Storage"])
    result = amlplatform("prices", request_file, "--address", price_list)
    assert result.exit_code == 0
    assert "instance-disk: the price list has no price for it in westeurope" in result.stderr
    assert "not in the table" in amlplatform("check", request_file).stdout


def test_of_a_machine_the_plain_linux_price_counts(price_list: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size = {"armSkuName": "Standard_D4ds_v5"}
    product = "Virtual Machines Ddsv5 Series"
    monkeypatch.setattr(
        PriceList,
        "items",
        [
            line("Virtual Machines", product, "D4ds v5", "1 Hour", 0.27, **size),
            line("Virtual Machines", f"{product} Windows", "D4ds v5", "1 Hour", 0.1, **size),
            line("Virtual Machines", product, "D4ds v5 Spot", "1 Hour", 0.03, **size),
            line("Virtual Machines", product, "D4ds v5 Low Priority", "1 Hour", 0.05, **size),
        ],
    )
    table = prices.refresh([meter("machine:Standard_D4ds_v5")], "westeurope", "USD", price_list)
    assert table.prices["westeurope"] == {"machine:Standard_D4ds_v5": 0.27}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--currency", "euro"], "--currency: 'euro' must be three capital letters"),
        (["--address", "http://localhost/prices"], "--address: 'http://localhost/prices' must be an https address"),
        (["--address", "https://localhost:9/prices"], "the price list at https://localhost:9/prices cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line_and_writes_nothing(request_file: Path, words: list[str], expected: str) -> None:
    target = request_file.with_name("prices.json")
    result = amlplatform("prices", request_file, "-o", target, *words)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert expected in result.stderr
    assert not target.exists()


def test_an_answer_that_is_no_price_list_writes_nothing(
    request_file: Path, price_list: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PriceList, "broken", True)
    target = request_file.with_name("prices.json")
    result = amlplatform("prices", request_file, "-o", target, "--address", price_list)
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
    assert not target.exists()


def test_a_broken_table_is_one_line(request_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(request_file.parent)
    request_file.with_name("prices.json").write_text('{"prices": 1}', encoding="utf-8")
    result = amlplatform("check", request_file)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "is no table of prices" in result.stderr


def test_prices_of_other_regions_stay_and_the_day_is_the_older_one() -> None:
    before = PriceTable(
        datetime.date(2026, 1, 1), "USD", {"northeurope": {"registry": 2.0}, "Global": {"private-endpoint": 1.0}}
    )
    after = PriceTable(TODAY, "USD", {"westeurope": {"registry": 1.0}, "Global": {"private-endpoint": 0.01}})
    table = prices.merged(before, after)
    assert table.prices == {
        "northeurope": {"registry": 2.0},
        "westeurope": {"registry": 1.0},
        "Global": {"private-endpoint": 0.01},
    }
    assert table.as_of == datetime.date(2026, 1, 1)
    assert table.is_stale(TODAY)
    assert not PriceTable(TODAY, "USD", {}).is_stale(TODAY)


def test_a_minimal_request_names_its_items() -> None:
    assert items(minimal())["dev", "container registry"] == 1
