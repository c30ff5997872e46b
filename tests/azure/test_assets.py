"""Data assets, environments, components and data stores in Azure, and records of the laptop's shape."""

from __future__ import annotations

from typing import Any

import pytest
from cloud_support import Cloud, Result

pytestmark = pytest.mark.slow

DEV = ("--env", "dev")
COMPONENT = "pipelines/image-scoring/components/prepare.yml"


def done(result: Result) -> Any:
    assert result.code == 0, result.err
    return result.json


@pytest.fixture(scope="module")
def files(shared_cloud: Cloud) -> Cloud:
    """Files to register, in the project."""
    project = shared_cloud.project
    (project / "few").mkdir()
    (project / "few" / "a.txt").write_text("1", encoding="utf-8")
    environment = (
        "name: few-packages\nimage: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04\nconda_file: conda.yml\n"
    )
    (project / "environment.yml").write_text(environment, encoding="utf-8")
    (project / "conda.yml").write_text("dependencies: [python=3.11]\n", encoding="utf-8")
    return shared_cloud


CREATED = {
    "data": ("--name", "few", "--path", "few"),
    "environment": ("--file", "environment.yml"),
    "component": ("--file", COMPONENT),
}


@pytest.mark.parametrize("noun", CREATED)
def test_what_is_registered_has_the_shape_of_the_laptop(files: Cloud, noun: str) -> None:
    there = done(files.amlops(noun, "create", *CREATED[noun], *DEV))
    here = done(files.amlops(noun, "create", *CREATED[noun]))
    assert list(there) == list(here)
    assert (there["name"], there["id"]) == (here["name"], f"azureml:{there['name']}:{there['version']}")
    for key in here.keys() - {"content", "file"}:
        assert type(there[key]) is type(here[key]), key
    listed = done(files.amlops(noun, "list", *DEV))
    assert [one for one in listed if one["name"] == there["name"]] == [there]
    assert done(files.amlops(noun, "show", "-n", there["name"], *DEV)) == there
    refused = files.amlops(noun, "show", "-n", there["name"], "--version", "99", *DEV)
    assert refused.code == 1 and f"the {noun} '{there['name']}' has no version '99'" in refused.line


def test_a_version_that_is_there_is_not_given_other_content(files: Cloud) -> None:
    done(files.amlops("data", "create", "--name", "fixed", "--version", "1", "--path", "few", *DEV))
    (files.project / "other").mkdir()
    (files.project / "other" / "b.txt").write_text("2", encoding="utf-8")
    refused = files.amlops("data", "create", "--name", "fixed", "--version", "1", "--path", "other", *DEV)
    assert refused.code == 1 and "fixed" in refused.line


def test_data_stores(files: Cloud) -> None:
    there, here = done(files.amlops("datastore", "list", *DEV)), done(files.amlops("datastore", "list"))
    assert list(there[0]) == list(here[0])
    names = {one["name"] for one in there}
    assert {"workspaceblobstore", "lake_curated", "batch_output"} <= names
    assert [one["name"] for one in there if one["is_default"]] == ["workspaceblobstore"]
    shown = done(files.amlops("datastore", "show", "-n", "batch_output", *DEV))
    assert shown["type"] == "azure_blob"
    refused = files.amlops("datastore", "show", "-n", "nothing", *DEV)
    assert refused.code == 1 and "there is no data store 'nothing'" in refused.line


def test_the_view_of_an_environment(files: Cloud) -> None:
    view = done(files.amlops("status", *DEV))
    assert view["workspace"] == files.environment()["workspace"]
    assert {"cpu-cluster", "gpu-cluster"} <= {one["name"] for one in view["computes"]}
    assert all(view[part] is not None for part in ("jobs", "batch_endpoints", "online_endpoints", "models"))
