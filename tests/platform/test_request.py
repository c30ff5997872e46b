"""Requests: every kind of mistake gets one line, all at once, and nobody sees a traceback."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from platform_requests import GROUP, REQUESTS, ROOT, full, minimal
from typer.testing import CliRunner

from amlplatform import rules, vm_sizes
from amlplatform.cli import app
from amlplatform.regions import REGIONS
from amlplatform.request import Request, check_data, json_schema, load_request, quota, reference, warnings

TODAY = datetime.date(2026, 11, 21)


def put(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change that sets one value."""

    def change(data: dict[str, Any]) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


def drop(*path: str) -> Callable[[dict[str, Any]], None]:
    """A change that removes one key."""

    def change(data: dict[str, Any]) -> None:
        for key in path[:-1]:
            data = data[key]
        del data[path[-1]]

    return change


PROD, DEV = ("environments", "prod"), ("environments", "dev")
PERSON = {"object_id": GROUP}
# What is wrong, the change that makes it so, a part of the line, and whether a JSON schema can say it too.
BAD: dict[str, tuple[Callable[[dict[str, Any]], None], str, bool]] = {
    "no product": (drop("product"), "product: is missing; for example 'digit-scoring'", True),
    "product with capitals": (put("product", value="Digits"), "product: 'Digits' must be lower-case", True),
    "product is a device on Windows": (put("product", value="con"), "no device name of Windows", True),
    "product too long": (put("product", value="a" * 25), "3 to 24 characters, it has 25", True),
    "product too short": (put("product", value="ab"), "3 to 24 characters, it has 2", True),
    "product with a number": (put("product", value=5), "product: 5 must be text", True),
    "option left empty": (
        put("environments", "dev", "options", value={"sql": None}),
        "environments.dev.options.sql: is empty; for example {}",
        False,
    ),
    "product left empty": (put("product", value=None), "product: is empty; for example", True),
    "suffix too long": (put("name_suffix", value="k3x9a7"), "name_suffix: 'k3x9a7' must be 5", True),
    "suffix read as a number": (
        put("name_suffix", value=12345),
        "name_suffix: 12345 must be text; write it in quotes",
        True,
    ),
    "e-mail without @": (put("owner", "email", value="owner"), "owner.email: 'owner' must be an e-mail address", True),
    "cost centre with blanks": (put("cost_centre", value="my budget"), "cost_centre: 'my budget' must be", True),
    "description of two lines": (
        put("description", value="one\ntwo"),
        "description: 'one\\ntwo' must be one line",
        False,
    ),
    "unknown region": (put("region", value="westeurop"), "region: 'westeurop' is not an Azure region", True),
    "unknown CI": (put("ci", "provider", value="gitlab"), "ci.provider: 'gitlab' must be 'github' or", True),
    "repository with an address": (put("ci", "repository", value="https://github.com/a/b"), "ci.repository:", True),
    "group by name": (
        put("groups", "data_scientists", value="scientists"),
        "must be an Entra object id (a GUID)",
        True,
    ),
    "group of zeros": (
        put("groups", "data_scientists", value="00000000-0000-0000-0000-000000000000"),
        "is the empty GUID",
        True,
    ),
    "public network in prod": (put(*PROD, "network", value="public-dev"), "'public-dev' is not allowed in prod", True),
    "unknown network": (put(*DEV, "network", value="vpn"), "environments.dev.network: 'vpn' must be one of", True),
    "person in prod": (put(*PROD, "compute_instances", value=[PERSON]), "no person works in prod", True),
    "one person twice": (
        put(*DEV, "compute_instances", value=[PERSON, dict(PERSON)]),
        "keep one for each person",
        False,
    ),
    "no prod": (drop(*PROD), "environments.prod: is missing", True),
    "unknown environment": (
        put("environments", "live", value=minimal()["environments"]["prod"]),
        "'live' must be one of",
        True,
    ),
    "no nodes": (put(*DEV, "cpu_cluster", "max_nodes", value=0), "max_nodes: 0 must be at least 1", True),
    "too many nodes": (put(*DEV, "cpu_cluster", "max_nodes", value=1000), "max_nodes: 1000 must be at most 100", True),
    "nodes as text": (put(*DEV, "cpu_cluster", "max_nodes", value="4"), "max_nodes: '4' must be a whole number", True),
    "nodes as truth": (
        put(*DEV, "cpu_cluster", "max_nodes", value=True),
        "max_nodes: True must be a whole number",
        True,
    ),
    "VM size without its prefix": (
        put(*DEV, "cpu_cluster", "vm_size", value="DS3_v2"),
        "must be the full name of a VM size: family, cores, features, version; for example 'Standard_DS3_v2'",
        True,
    ),
    "VM size with a slip of the finger": (
        put(*DEV, "cpu_cluster", "vm_size", value="Standard_DS3_v22"),
        "'Standard_DS3_v22' must be the full name of a VM size: family, cores, features, version; for example "
        "'Standard_DS3_v2'",
        True,
    ),
    "GPU cluster without a GPU": (put(*DEV, "gpu_cluster", "vm_size", value="Standard_D4ds_v4"), "has no GPU", True),
    "subnet by name": (
        put(*PROD, "subnets", "compute", value="snet-jobs"),
        "must be the resource id of a subnet; for example '/subscriptions/3f2504e0-4f89-41d3-9a0c-0305e82c3301/"
        "resourceGroups/rg-central/providers/Microsoft.Network/virtualNetworks/vnet-data/subnets/snet-compute'",
        True,
    ),
    "no CPU cluster": (
        put(*DEV, "cpu_cluster", value=None),
        "cpu_cluster: is empty; for example {vm_size: Standard_D4ds_v4",
        True,
    ),
    "budget in the middle of a month": (put(*DEV, "budget_start", value="2026-12-15"), "first day of a month", True),
    "budget that is no date": (put(*DEV, "budget_start", value="2026-13-01"), "first day of a month", False),
    "budget of nothing": (put(*DEV, "monthly_budget", value=0), "monthly_budget: 0 must be at least 1", True),
    "misspelt key": (put(*DEV, "gpu_clusters", value=None), "unknown key; did you mean 'gpu_cluster'?", True),
    "another version": (put("version", value=2), "version: 2 must be 1", True),
    "environments as a list": (put("environments", value=["dev"]), "environments: a list must be a mapping", True),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_gets_exactly_one_line_and_exit_code_1(name: str, write_request: Callable[..., Path]) -> None:
    change, expected, _ = BAD[name]
    path = write_request(change)
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, lines
    assert expected in lines[0]
    assert lines[0].startswith("request.yaml:")
    assert "Traceback" not in result.output


def test_all_mistakes_are_told_at_once(write_request: Callable[..., Path]) -> None:
    names = [
        "product with capitals",
        "unknown region",
        "public network in prod",
        "nodes as text",
        "GPU cluster without a GPU",
    ]

    def change(data: dict[str, Any]) -> None:
        for name in names:
            BAD[name][0](data)

    result = CliRunner().invoke(app, ["check", str(write_request(change))])
    lines = result.stderr.splitlines()
    assert len(lines) == len(names)
    for name in names:
        assert any(BAD[name][1] in line for line in lines), name


def test_a_fault_names_the_line_of_the_file(write_request: Callable[..., Path]) -> None:
    path = write_request(put(*PROD, "network", value="public-dev"))
    lines = path.read_text(encoding="utf-8").splitlines()
    result = CliRunner().invoke(app, ["check", str(path)])
    number = int(result.stderr.split(":")[1])
    assert lines[number - 1].strip() == "network: public-dev"


BROKEN_FILES = {
    "empty": (b"", "is empty"),
    "no mapping": (b"- a\n- b\n", "must be a mapping that begins with 'version: 1'; docs/platform.md has every field"),
    "broken syntax": (b"product: [a\n", "is not YAML"),
    "tab": (b"product:\n\tname: a\n", "is not YAML"),
    "key twice": (b"version: 1\nversion: 1\n", "'version' is given twice"),
    "alias": (b"owner: &a {email: a@b.c}\nci: *a\n", "aliases (*name) are not read"),
    "python object": (b"product: !!python/object/apply:os.getcwd []\n", "is not YAML"),
    "not text": (b"product: \xff\xfe\n", "is not UTF-8"),
    "impossible date": (b"budget_start: 2026-13-45\n", "write it in quotes"),
    "huge": (b"# " + b"x" * 300_000, "at most 262144 are read"),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_a_file_that_is_no_request_gets_one_line(name: str, tmp_path: Path) -> None:
    content, expected = BROKEN_FILES[name]
    path = tmp_path / "request.yaml"
    path.write_bytes(content)
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 1
    assert [expected in line for line in result.stderr.splitlines()] == [True], result.stderr


def test_a_missing_file_and_a_folder_get_one_line(tmp_path: Path) -> None:
    for path, expected in ((tmp_path / "nothing.yaml", "no such file"), (tmp_path, "is a folder")):
        result = CliRunner().invoke(app, ["check", str(path)])
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
        assert expected in result.stderr


def test_faults_as_json(write_request: Callable[..., Path]) -> None:
    result = CliRunner().invoke(app, ["check", str(write_request(BAD["no product"][0])), "-o", "json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["valid"] is False
    assert len(answer["faults"]) == 1


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
paths = st.sampled_from(
    [(key,) for key in full()]
    + [("environments", name) for name in ("dev", "prod", "x")]
    + [("environments", "dev", key) for key in full()["environments"]["dev"]]
    + [("environments", "dev", "cpu_cluster", "vm_size"), ("ci", "provider"), ("groups", "data_scientists")]
)


@given(paths, values)
def test_no_value_anywhere_raises(path: tuple[str, ...], value: Any) -> None:
    data = full()
    put(*path, value=value)(data)
    request, faults = check_data(data)
    assert (request is None) == bool(faults)
    assert all("\n" not in fault.text and fault.text for fault in faults)


@pytest.mark.parametrize("name", REQUESTS)
def test_good_requests_pass_model_and_schema(name: str) -> None:
    data = REQUESTS[name]()
    request, faults = check_data(data)
    assert faults == []
    assert request is not None
    jsonschema.validate(data, json_schema())


@pytest.mark.parametrize("name", [name for name, (_, _, expressible) in BAD.items() if expressible])
def test_the_schema_refuses_what_the_model_refuses(name: str) -> None:
    data = full()
    BAD[name][0](data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json_schema())


@given(paths, values)
def test_the_model_accepts_nothing_that_the_schema_refuses(path: tuple[str, ...], value: Any) -> None:
    data = full()
    put(*path, value=value)(data)
    request, _ = check_data(data)
    # Dates are YAML's own form of a text, which JSON does not have.
    if request is not None and not isinstance(value, datetime.date):
        jsonschema.validate(data, json_schema())


def test_the_schema_is_itself_valid_and_explains_every_field() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for definition in [schema, *(part for name, part in schema["$defs"].items())]:
        for name, field in definition["properties"].items():
            assert field.get("description") or "$ref" in field, name


def test_each_subnet_of_the_table_has_an_example_of_its_own() -> None:
    examples = {row.path.rpartition(".")[2]: row.example for row in reference.rows() if ".subnets." in row.path}
    assert examples["databricks_public"] == "/subscriptions/…/subnets/snet-databricks-public"
    assert len(set(examples.values())) == len(examples) == 5
    assert next(row.example for row in reference.rows() if row.path.endswith("low_priority")) == "true"


def test_the_request_of_the_live_project_is_valid() -> None:
    for path in sorted((ROOT / "infra" / "requests").glob("*.yaml")):
        load_request(path)


def test_what_needs_a_look_is_a_warning() -> None:
    data = minimal()
    data["environments"]["dev"]["cpu_cluster"]["vm_size"] = "Standard_D4ds_v6"
    data["environments"]["dev"]["budget_start"] = "2025-01-01"
    data["environments"]["prod"]["gpu_cluster"] = {"vm_size": "Standard_NC6s_v3", "max_nodes": 1}
    found = warnings(Request.model_validate(data), TODAY)
    expected = [
        "groups.data_scientists: is empty",
        "ci.repository: is empty",
        "environments.dev.cpu_cluster.vm_size: 'Standard_D4ds_v6' is not in the table of VM sizes of "
        f"{vm_sizes.as_of()}; did you mean 'Standard_D4ds_v5'? A newer size may stay",
        "environments.prod.gpu_cluster.vm_size: Azure does not offer 'Standard_NC6s_v3' after 2025-09-30",
        "environments.dev.budget_start: '2025-01-01' is not between 2026-11-01 and 2027-11-01",
        "environments.prod.subnets.endpoints: is empty; without private endpoints nobody reaches what is closed",
        "environments.prod.network: 'managed-vnet' is closed to the internet and ci.runner is 'hosted'",
    ]
    assert [any(line.startswith(start) for line in found) for start in expected] == [True] * len(expected), found
    assert len(found) == len(expected)


def test_valid_is_not_yet_ready_for_onboarding(tmp_path: Path, write_request: Callable[..., Path]) -> None:
    first = tmp_path / "first.yaml"
    first.write_text(yaml.safe_dump(minimal()), encoding="utf-8")
    missing = ["groups.data_scientists", "environments.prod.subnets.endpoints", "ci.runner"]
    text = CliRunner().invoke(app, ["check", str(first)])
    last = text.stdout.splitlines()[-1]
    assert last == f"digit-scoring: the request is valid; not ready for onboarding: {', '.join(missing)}"
    answer = json.loads(CliRunner().invoke(app, ["check", str(first), "-o", "json"]).stdout)
    assert (answer["valid"], answer["ready_for_onboarding"]) == (True, False)
    assert [line.partition(":")[0] for line in answer["undecided"]] == missing
    whole = str(write_request())
    assert CliRunner().invoke(app, ["check", whole]).stdout.endswith("digit-scoring: the request is valid\n")
    ready = json.loads(CliRunner().invoke(app, ["check", whole, "-o", "json"]).stdout)
    assert (ready["ready_for_onboarding"], ready["undecided"]) == (True, [])


def test_a_complete_request_has_no_warning() -> None:
    assert warnings(Request.model_validate(full()), TODAY) == []


def test_quota_counts_every_node_and_instance_per_family() -> None:
    needed = {(entry.environment, entry.family): entry.vcpus for entry in quota(Request.model_validate(full()))}
    assert needed == {
        ("dev", "standardDDSv4Family"): 4 * 4 + 1 * 4,
        ("dev", "standard NCASv3_T4 Family"): 2 * 4,
        ("prod", "standardDDSv4Family"): 4 * 4,
        ("prod", "standard NCASv3_T4 Family"): 2 * 4,
    }


def test_dates_may_be_written_without_quotes(tmp_path: Path) -> None:
    path = tmp_path / "request.yaml"
    text = yaml.safe_dump(full()).replace("'2026-12-01'", "2026-12-01")
    assert "'2026-12-01'" not in text
    path.write_text(text, encoding="utf-8")
    assert load_request(path).environments["dev"].budget_start == "2026-12-01"


def test_the_table_of_vm_sizes_is_whole() -> None:
    sizes = vm_sizes.all_sizes()
    assert len(sizes) > 100
    assert vm_sizes.as_of()[:4].isdigit()
    for size in sizes:
        assert size.vcpus > 0
        assert size.memory_gib > 0
        assert bool(size.gpus) == bool(size.gpu), size
        assert "Family" in size.family, size
        if size.retired:
            datetime.date.fromisoformat(size.retired)
    # The number of cores stands in the name of every series but the oldest.
    for size in sizes:
        digits = "".join(filter(str.isdigit, size.name.split("_")[1]))
        if not size.name.startswith(("Standard_DS", "Standard_D")) or size.name.endswith(("_v3", "_v4", "_v5")):
            assert int(digits) == size.vcpus, size


def test_sizes_are_found_in_any_casing_and_near_misses_are_suggested() -> None:
    found = vm_sizes.find("STANDARD_DS3_V2")
    assert found is not None
    assert found.vcpus == 4
    assert vm_sizes.find("Standard_DS3_v9") is None
    assert vm_sizes.closest("Standard_DS3v2") == "Standard_DS3_v2"


def test_real_names_of_sizes_pass_whether_the_table_has_them_or_not() -> None:
    newer = ("Standard_D4ds_v7", "Standard_M8-2ms", "Standard_NV28adms_V710_v5", "Standard_NC128ds_xl_RTXPRO6000BSE_v6")
    refused = [rules.check_vm_size(name, "vm_size") for name in (*newer, *(size.name for size in vm_sizes.all_sizes()))]
    assert set(refused) == {None}


def test_regions_without_zones_or_partner_exist() -> None:
    # Both are wrong to assume, which is why the storage's redundancy depends on the region.
    assert not REGIONS["northcentralus"].zones
    assert not REGIONS["polandcentral"].paired
    assert REGIONS["westeurope"].zones
    assert REGIONS["westeurope"].paired
