"""What differs is told as people read it."""

from __future__ import annotations

from typing import Any

import pytest
from combinations import Combination

from amlplatform import comparison
from amlplatform.phrases import MISSING, text
from amlplatform.plan import plan_environment
from amlplatform.request import Request

SUBNET = "/subscriptions/7c9e6679/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet/subnets/s"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (MISSING, "not set"),
        (True, "yes"),
        ("False", "no"),
        ("PT15M", "15 minutes"),
        ("PT120S", "2 minutes"),
        ("PT1H", "1 hour"),
        ("PT90M", "90 minutes"),
        ("P1DT12H", "36 hours"),
        ("P", "P"),
        ("PT", "PT"),
        (SUBNET, "virtualNetworks/vnet/subnets/s"),
        ([], "none"),
        (["1", "2"], "1, 2"),
        ([{"name": "lake", "properties": {}}, {"name": "database", "properties": {}}], "lake; database"),
        ([{"category": "A", "enabled": True}, {"categoryGroup": "allLogs", "enabled": False}], "A; allLogs off"),
        ({"name": "S0", "tier": "Standard"}, "name S0, tier Standard"),
    ],
)
def test_a_value_in_words(value: Any, words: str) -> None:
    assert text(value) == words


@pytest.mark.slow
def test_pools_of_kubernetes_and_durations_are_no_raw_text() -> None:
    data = Combination("dev", "public-dev", ("kubernetes",), ()).request()
    data["environments"]["prod"] = Combination("prod", "own-vnet", ("kubernetes",), ()).request()["environments"][
        "prod"
    ]
    request = Request.model_validate(data)
    found = comparison.differences([plan_environment(request, environment) for environment in ("dev", "prod")])
    by_label = {one.label: one.values for one in found}
    size = data["environments"]["prod"]["options"]["kubernetes"]["vm_size"]
    assert by_label["Pools of Kubernetes' nodes"]["dev"] == f"system: 1 to 3 nodes of {size}, zones none"
    assert f"; endpoints: 3 to 3 nodes of {size}, zones 1, 2, 3" in by_label["Pools of Kubernetes' nodes"]["prod"]
    assert by_label["How often an alert rule looks"] == {"dev": "15 minutes", "prod": "5 minutes"}
    assert [one.path for one in found if one.topic == "Other" and one.path] == []
    said = [value for one in found for value in one.values.values()]
    assert not any(value.startswith("PT") or "/subscriptions/" in value or "osDiskType" in value for value in said)
