"""Data stores of the laptop: which there are, that no path leaves them, and which may be written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from amlops_support import SmallProject

from amlops import references
from amlops.datastores import BUILT_IN
from amlops.errors import UserError
from amlops.local.data import Datastores
from amlops.local.state import LocalState
from amlops.project import Project

STORE = """\
$schema: https://azuremlschemas.azureedge.net/latest/azureBlob.schema.json
name: training
type: azure_blob
account_name: lake
container_name: raw
credentials: {account_key: s3cret}
"""
DEV = "environment: dev\nresource_group: rg-dev\nworkspace: mlw-dev\nlocation: westeurope\nsubscription_id: '{}'\n"
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
LONG = "azureml://subscriptions/{}/resourcegroups/{}/workspaces/{}/datastores/lake_raw/paths/a/b.csv"


@pytest.fixture
def stores(project: SmallProject) -> Datastores:
    found = Project(project.root)
    return Datastores(found, LocalState(found))


def _path(stores: Datastores, address: str) -> Path:
    found = references.datastore_path(address)
    assert found is not None
    return stores.path(found)


def test_the_names_are_those_that_the_platform_makes() -> None:
    from amlplatform.components.storage import LAKE_CONTAINERS
    from amlplatform.components.workspace import BATCH_OUTPUT_DATASTORE

    made = {f"lake_{container}": "azure_data_lake_gen2" for container in LAKE_CONTAINERS}
    made[BATCH_OUTPUT_DATASTORE] = "azure_blob"
    assert {name: kind for name, (kind, _) in BUILT_IN.items() if not name.startswith("workspace")} == made


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "a/..", "..\\x", "a/..\\..\\x", "C:/x", "a\0b", "/../x", "./../x", "%2e%2e/../x"]
)
def test_no_address_leaves_the_folder_of_its_data_store(stores: Datastores, path: str) -> None:
    with pytest.raises(UserError, match="leaves the data store"):
        _path(stores, f"azureml://datastores/lake_raw/paths/{path}")


def test_an_address_is_a_place_below_the_store(stores: Datastores, project: SmallProject) -> None:
    folder = project.root / ".amlops" / "datastores"
    assert _path(stores, "azureml://datastores/lake_raw/paths/a/b c.csv") == folder / "lake_raw" / "a" / "b c.csv"
    assert _path(stores, "azureml://datastores/lake_raw/paths//etc/passwd") == folder / "lake_raw" / "etc" / "passwd"
    assert _path(stores, "azureml://datastores/lake_raw/paths/") == folder / "lake_raw"
    # One container of the lake in Azure, so one folder here.
    output = _path(stores, "azureml://datastores/batch_output/paths/x")
    assert output == _path(stores, "azureml://datastores/lake_output/paths/x")


@pytest.mark.parametrize("subscription", ["", SUBSCRIPTION])
def test_the_long_form_must_name_a_workspace_of_the_project(
    project: SmallProject, stores: Datastores, subscription: str
) -> None:
    project.write(".cloud/environments/dev.yml", DEV.format(subscription))
    short = _path(stores, "azureml://datastores/lake_raw/paths/a/b.csv")
    assert _path(stores, LONG.format(SUBSCRIPTION, "rg-dev", "mlw-dev")) == short
    assert (
        _path(stores, LONG.format(SUBSCRIPTION, "RG-dev", "MLW-dev").replace("resourcegroups", "resourceGroups"))
        == short
    )
    arm = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-dev/providers/Microsoft.MachineLearningServices/workspaces"
    assert _path(stores, f"azureml:{arm}/mlw-dev/datastores/lake_raw/paths/a/b.csv") == short
    with pytest.raises(UserError, match=r"names the workspace 'mlw-other', which is not this project's \(mlw-dev\)"):
        _path(stores, LONG.format(SUBSCRIPTION, "rg-dev", "mlw-other"))
    if subscription:
        with pytest.raises(UserError, match="which is not this project's"):
            _path(stores, LONG.format("22222222-2222-2222-2222-222222222222", "rg-dev", "mlw-dev"))


def test_local_yml_maps_a_data_store_to_a_folder(project: SmallProject, stores: Datastores) -> None:
    project.write(
        ".cloud/environments/local.yml",
        "environment: local\ndatastores:\n  lake_curated: ../../data/curated\n  extra: ../../data/extra\n",
    )
    assert _path(stores, "azureml://datastores/lake_curated/paths/x") == project.root / "data" / "curated" / "x"
    assert stores.find("lake_curated").type == "azure_data_lake_gen2"
    assert stores.find("extra").type == "azure_blob"
    assert project.run("validate").code == 0


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (
            "lake_output",
            "'lake_output' is a data store of type azure_data_lake_gen2, and batch endpoints write only to blob data "
            "stores; for example azureml://datastores/batch_output/paths/scores",
        ),
        ("workspacefilestore", "of type azure_file, and batch endpoints write only to blob data stores; for example"),
        ("nothing", "there is no data store 'nothing'; there are: workspaceblobstore"),
    ],
)
def test_batch_outputs_go_only_to_blob_data_stores(stores: Datastores, store: str, said: str) -> None:
    """first-day row 18: batch outputs go only to blob data stores; the lake is hierarchical."""
    address = references.datastore_path(f"azureml://datastores/{store}/paths/scores")
    assert address is not None
    with pytest.raises(UserError) as caught:
        stores.output(address)
    assert said in caught.value.message


def test_a_data_store_from_a_file_keeps_no_key(project: SmallProject) -> None:
    project.write("store.yml", STORE)
    made = project.run("datastore", "create", "-f", "store.yml").json
    assert (made["name"], made["type"], made["container_name"]) == ("training", "azure_blob", "raw")
    assert "credentials" not in made
    for folder, _, files in os.walk(project.root / ".amlops"):
        assert all(b"s3cret" not in Path(folder, name).read_bytes() for name in files)
    assert project.run("datastore", "show", "-n", "training", "--query", "id", "-o", "tsv").out.strip() == (
        "azureml://datastores/training"
    )
    project.write("store.yml", STORE.replace("training", "workspaceblobstore"))
    assert "name: 'workspaceblobstore' is there already" in project.run("datastore", "create", "-f", "store.yml").line
    project.write("store.yml", STORE.replace("container_name: raw\n", ""))
    line = project.run("datastore", "create", "-f", "store.yml").line
    assert line == "amlops: store.yml:1: container_name: is missing; a data store of type azure_blob needs it"
