"""Data assets, environments, components and computes: versions that never change, as with az ml."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from amlops_support import SmallProject
from batch_support import InProcess

from amlops import references
from amlops.errors import UserError
from amlops.jobspec import load_job
from amlops.local.components import LocalComponents
from amlops.local.data import LocalData
from amlops.local.state import LocalState
from amlops.project import Project

DATA = """\
$schema: https://azuremlschemas.azureedge.net/latest/data.schema.json
name: digits
version: 1
type: uri_folder
path: ../data/images
description: Handwritten digits
tags: {source: scanner}
"""
COMPONENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: prepare
type: command
inputs:
  rate: {type: number, default: 0.5}
outputs:
  result: {type: uri_folder}
code: ./src
command: python main.py --rate ${{inputs.rate}} --out ${{outputs.result}}
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
  conda_file: ./conda.yml
"""
CONDA = "name: steps\nchannels: [conda-forge]\ndependencies: [python=3.11, pip]\n"


@pytest.fixture
def amlops(project: SmallProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> InProcess:
    monkeypatch.delenv("AMLOPS_ENV", raising=False)
    monkeypatch.delenv("AMLOPS_ROOT", raising=False)
    return InProcess(project.root, monkeypatch, capsys)


@pytest.fixture
def data(project: SmallProject) -> LocalData:
    found = Project(project.root)
    return LocalData(found, LocalState(found))


def _images(project: SmallProject) -> Path:
    project.write("data/images/a/1.png", "one")
    return project.write("data/images/2 ü.png", "two").parent


def test_a_local_folder_is_copied_so_that_a_version_stays_as_it_was(
    project: SmallProject, amlops: InProcess, data: LocalData
) -> None:
    folder = _images(project)
    project.write("assets/digits.yml", DATA)
    made = amlops("data", "create", "-f", "assets/digits.yml").json
    assert (made["id"], made["type"], made["tags"]) == ("azureml:digits:1", "uri_folder", {"source": "scanner"})
    assert references.datastore_path(made["path"]) is not None
    shutil.rmtree(folder)
    found = data.find("azureml:digits:1", "uri_folder", project.root)
    assert isinstance(found, Path)
    assert found.name == "images"
    assert (found / "a" / "1.png").read_text() == "one"
    assert (found / "2 ü.png").read_text() == "two"
    assert os.name == "nt" or not (found / "2 ü.png").stat().st_mode & 0o222


def test_a_version_is_never_changed_and_may_be_created_again_as_it_is(project: SmallProject, amlops: InProcess) -> None:
    folder = _images(project)
    project.write("assets/digits.yml", DATA)
    first = amlops("data", "create", "-f", "assets/digits.yml").json
    again = amlops("data", "create", "-f", "assets/digits.yml", "--tags", "checked=yes", "by=me").json
    assert again == {**first, "tags": {"source": "scanner", "checked": "yes", "by": "me"}}
    (folder / "3.png").write_text("three")
    line = amlops("data", "create", "-f", "assets/digits.yml").line
    assert "version: the data asset 'digits' has a version '1' with other content; a version is never changed" in line
    # Without a version the next whole number is taken, and it is the latest.
    assert amlops("data", "create", "--name", "digits", "--path", "data/images").json["version"] == "2"
    assert amlops("data", "create", "--name", "digits", "--path", "data/images", "-v", "2026.1").code == 0
    assert amlops("data", "show", "-n", "digits", "--label", "latest").json["version"] == "2026.1"
    assert amlops("data", "show", "-n", "digits", "--version", "1").json["path"] == first["path"]
    assert [each["version"] for each in amlops("data", "list", "-n", "digits").json] == ["2026.1", "2", "1"]
    assert len(amlops("data", "list", "--max-results", "1").json) == 1


def test_a_copy_that_somebody_has_changed_is_told(project: SmallProject, amlops: InProcess, data: LocalData) -> None:
    _images(project)
    amlops("data", "create", "--name", "digits", "--path", "data/images")
    found = data.find("azureml:digits@latest", None, project.root)
    assert isinstance(found, Path)
    (found / "new.png").write_text("added")
    with pytest.raises(UserError, match=r"azureml:digits:1 is damaged: its copy .* has changed"):
        data.find("azureml:digits@latest", None, project.root)
    # The same data once more is whole again.
    assert amlops("data", "create", "--name", "digits", "--path", "data/images").json["version"] == "2"
    assert isinstance(data.find("azureml:digits@latest", None, project.root), Path)


def test_a_place_in_a_data_store_and_an_address_stay_references(project: SmallProject, amlops: InProcess) -> None:
    place = "azureml://datastores/lake_raw/paths/2026/a.csv"
    made = amlops("data", "create", "-n", "a", "--path", place, "--type", "uri_file").json
    assert (made["path"], "content" in made) == (place, False)
    address = "https://example.com/a.csv"
    assert amlops("data", "create", "-n", "b", "--path", address, "--type", "uri_file").json["path"] == address


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--path", "nothing"], "/nothing' does not exist"),
        (["--path", "data/images", "--type", "uri_file"], "is a folder"),
        (["--path", "data/images", "--type", "mltable"], "has no file called MLTable; an mltable is a folder with one"),
        (["--path", "data/images", "--type", "csv"], "'csv' is not allowed; use uri_file or uri_folder or mltable"),
        (["--path", "data/images", "--version", "latest"], "version: 'latest' is the label of the newest version"),
        (["--path", "data/images", "--version", "a b"], "version: 'a b' must be letters, digits"),
        (["--path", "data/empty"], "has no file in it"),
        (["--path", "."], "holds the project's data store itself"),
        (["--path", "http://example.com/a.csv"], "path: 'http://example.com/a.csv' is not encrypted"),
        (["--path", "https://example.com/a.csv?sig=s3cret"], "which may hold a key, and an asset is not secret"),
        (["--path", "wasbs://a@b/c"], "is not a place of data; for example ./images"),
        (["--path", "azureml://datastores/lake_raw/paths/../x"], "leaves the data store"),
        (["--path", "data/images", "--name", "../x"], "'../x' must be letters, digits"),
    ],
)
def test_a_wrong_asset_gets_one_line_and_makes_nothing(
    project: SmallProject, amlops: InProcess, words: list[str], said: str
) -> None:
    _images(project)
    (project.root / "data" / "empty").mkdir()
    result = amlops("data", "create", "--name", "digits", *words)
    assert (result.code, said in result.line) == (1, True), result.err
    assert "s3cret" not in result.err
    assert amlops("data", "list").json == []


def test_processes_that_register_at_once_get_versions_of_their_own(project: SmallProject, data: LocalData) -> None:
    folder = _images(project)

    def register(number: int) -> str:
        file = project.write(f"many/{number}/x.txt", str(number)).parent
        return data.assets.register("digits", str(file if number % 2 else folder), base=project.root).version

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(register, range(16)))
    assert sorted(versions, key=int) == [str(number) for number in range(1, 17)]


def test_links_are_followed_once_into_the_copy(project: SmallProject, data: LocalData) -> None:
    folder = _images(project)
    try:
        (folder / "more").symlink_to(project.write("elsewhere/x.png", "x").parent)
        (folder / "back").symlink_to(folder)
    except OSError:
        pytest.skip("no links here")
    data.assets.register("digits", str(folder), base=project.root)
    found = data.find("azureml:digits:1", None, project.root)
    assert isinstance(found, Path)
    assert (found / "more" / "x.png").read_text() == "x"
    assert not (found / "more").is_symlink()
    assert not (found / "back").exists()


def test_an_environment_keeps_what_its_files_said(project: SmallProject, amlops: InProcess) -> None:
    project.write("env/conda.yml", CONDA)
    project.write("env/env.yml", "name: steps\nimage: ubuntu:22.04\nconda_file: conda.yml\n")
    made = amlops("environment", "create", "-f", "env/env.yml").json
    assert (made["id"], made["image"]) == ("azureml:steps:1", "ubuntu:22.04")
    assert made["conda_file"]["dependencies"] == ["python=3.11", "pip"]
    project.write("env/conda.yml", CONDA.replace("3.11", "3.12"))
    assert amlops("environment", "create", "-f", "env/env.yml", "--version", "1").code == 1
    assert amlops("environment", "create", "-f", "env/env.yml").json["version"] == "2"
    project.write("docker/Dockerfile", "FROM ubuntu:22.04\n")
    built = amlops("environment", "create", "-n", "own", "--build-context", "docker", "--tags", "a=1").json
    assert built["build"]["path"].startswith("azureml://datastores/workspaceblobstore/paths/LocalUpload/")
    assert "has neither image nor build" in amlops("environment", "create", "-f", "env/env.yml", "--set", "image=").line


def test_a_component_is_kept_with_its_code(project: SmallProject, amlops: InProcess) -> None:
    project.write("steps/component.yml", COMPONENT)
    project.write("steps/conda.yml", CONDA)
    code = project.write("steps/src/main.py", "print('first')\n")
    assert amlops("component", "create", "-f", "steps/component.yml").json["version"] == "1"
    assert amlops("component", "create", "-f", "steps/component.yml", "--version", "1").code == 0
    code.write_text("print('second')\n")
    assert "with other content" in amlops("component", "create", "-f", "steps/component.yml", "-v", "1").line
    assert amlops("component", "create", "-f", "steps/component.yml").json["id"] == "azureml:prepare:2"
    project.write(
        "job.yml",
        "type: pipeline\nsettings: {default_compute: azureml:cpu-cluster}\njobs:\n"
        "  one: {type: command, component: 'azureml:prepare:1'}\n"
        "  two: {type: command, component: 'azureml:prepare@latest'}\n",
    )
    found = Project(project.root)
    components = LocalComponents(found, LocalState(found))
    assert _code(project, components) == {"one": "print('first')\n", "two": "print('second')\n"}
    file = components.resolve("azureml:prepare:1")
    file.write_text(file.read_text() + "# changed\n")
    with pytest.raises(UserError, match="azureml:prepare:1 is damaged"):
        components.resolve("azureml:prepare:1")


def test_a_pipeline_component_takes_the_components_in_it_along(project: SmallProject, amlops: InProcess) -> None:
    project.write("steps/component.yml", COMPONENT)
    project.write("steps/conda.yml", CONDA)
    project.write("steps/src/main.py", "print('inner')\n")
    project.write(
        "steps/all.yml",
        "name: everything\ntype: pipeline\noutputs: {result: {type: uri_folder}}\njobs:\n"
        "  prepare: {type: command, component: ./component.yml, outputs: {result: '${{parent.outputs.result}}'}}\n",
    )
    assert amlops("component", "create", "-f", "steps/all.yml").json["type"] == "pipeline"
    shutil.rmtree(project.root / "steps")
    project.write(
        "job.yml",
        "type: pipeline\nsettings: {default_compute: azureml:cpu-cluster}\njobs:\n"
        "  outer: {type: pipeline, component: 'azureml:everything@latest'}\n",
    )
    found = Project(project.root)
    assert _code(project, LocalComponents(found, LocalState(found))) == {"outer.prepare": "print('inner')\n"}


def _code(project: SmallProject, components: LocalComponents) -> dict[str, str]:
    """The program of each step of job.yml."""
    job = load_job(project.root / "job.yml", resolve_component=components.resolve)
    codes = {name: step.component.code for name, step in job.steps.items()}
    return {name: (code / "main.py").read_text() for name, code in codes.items() if code}


def test_a_compute_target_is_a_record(project: SmallProject, amlops: InProcess) -> None:
    project.write(".cloud/compute/gpu-cluster.yml", "type: amlcompute\nname: gpu-cluster\nsize: Standard_NC4as_T4_v3\n")
    words = ("-n", "cpu-cluster", "--type", "AmlCompute", "--min-instances", "0", "--max-instances", "4")
    made = amlops("compute", "create", *words).json
    assert (made["type"], made["size"], made["max_instances"]) == ("amlcompute", "Standard_DS3_v2", 4)
    assert amlops("compute", "create", *words, "--set", "max_instances=2").json["max_instances"] == 4
    assert [each["name"] for each in amlops("compute", "list").json] == ["cpu-cluster", "gpu-cluster"]
    assert (
        amlops("compute", "show", "-n", "gpu-cluster", "--query", "size", "-o", "tsv").out == "Standard_NC4as_T4_v3\n"
    )
    assert "--yes: is needed" in amlops("compute", "delete", "-n", "cpu-cluster").line
    assert amlops("compute", "delete", "-n", "cpu-cluster", "--yes", "--no-wait").code == 0
    assert "is a file of the project (.cloud/compute)" in amlops("compute", "delete", "-n", "gpu-cluster", "-y").line
    assert amlops("compute", "create", *words).code == 0
    line = amlops("compute", "create", "-n", "cc", "--type", "amlcompute", "--min-instances", "9").line
    assert "min_instances" in line
    assert (
        "there is no compute target 'none'; there are: cpu-cluster, gpu-cluster"
        in amlops("compute", "show", "-n", "none").line
    )


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (
            "data create -n images --path data/images --type uri_folder --tags a=1",
            "az ml data create --name images --path data/images --type uri_folder --tags a=1",
        ),
        ("data show -n images --label latest", "az ml data show --name images --label latest"),
        ("data list -n images", "az ml data list --name images"),
        (
            "environment create -n own --build-context docker",
            "az ml environment create --name own --build-context docker",
        ),
        ("component create -f c.yml -v 3", "az ml component create --file build/dev/c.yml --version 3"),
        ("datastore show -n training", "az ml datastore show --name training"),
        (
            "compute create -n c --type amlcompute --min-instances 0",
            "az ml compute create --name c --type amlcompute --min-instances 0",
        ),
    ],
)
def test_print_az_has_the_command_for_azure(project: SmallProject, amlops: InProcess, words: str, command: str) -> None:
    project.write(".cloud/environments/dev.yml", "environment: dev\nresource_group: rg\nworkspace: mlw\n")
    result = amlops(*words.split(), "--env", "dev", "--print-az")
    assert result.out.strip() == f"{command} --resource-group rg --workspace-name mlw"
