"""`amlops render`: only names change, paths stay valid, comments stay, and nothing of the user's is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from amlops_support import SmallProject

DEV_YML = """\
environment: dev
resource_group: rg
workspace: mlw
endpoints: {scoring: scoring-dev-k3x9a}
compute: {cpu-cluster: cpu-large}
"""
SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
FILES = {
    "code/train/main.py": "print(1)\n",
    "code/train/__pycache__/main.pyc": "x",
    "data/images/a.txt": "x",
    "pipelines/p/component.yml": "type: command\ncommand: python main.py\ncode: ../../code/train   # in place\n",
    "pipelines/p/train.yml": """\
# why this file
type: pipeline
settings: {default_compute: azureml:cpu-cluster}   # both here
inputs:
  images: {type: uri_folder, path: ../../data/images}
jobs:
  one: {type: command, component: ./component.yml, compute: "azureml:cpu-cluster", inputs: {images:
  "${{parent.inputs.images}}"}}
""",
    ".cloud/endpoints/scoring/endpoint.yml": f"$schema: {SCHEMAS}/batchEndpoint.schema.json\n"
    "name: scoring  # logical\n",
    ".cloud/endpoints/scoring/deployment.yml": "type: model\nname: scoring\nendpoint_name: 'scoring'\n"
    "compute: azureml:cpu-cluster\n",
    ".cloud/models/scoring.yml": "name: scoring\npath: ../../data/images\n",
    ".cloud/request.yaml": "product: x\n",
}


@pytest.fixture
def full(project: SmallProject) -> SmallProject:
    project.write(".cloud/environments/dev.yml", DEV_YML)
    for path, text in FILES.items():
        project.write(path, text)
    return project


def test_only_what_depends_on_the_environment_changes(full: SmallProject) -> None:
    result = full.run("render", "--env", "dev", "-o", "build/dev")
    assert result.code == 0, result.err
    assert result.out.split() == [
        "build/dev/.cloud/endpoints/scoring/deployment.yml",
        "build/dev/.cloud/endpoints/scoring/endpoint.yml",
        "build/dev/.cloud/models/scoring.yml",
        "build/dev/pipelines/p/train.yml",
    ]
    build = full.root / "build/dev"
    train = (build / "pipelines/p/train.yml").read_text()
    assert train == FILES["pipelines/p/train.yml"].replace('"azureml:cpu-cluster"', "azureml:cpu-large").replace(
        "azureml:cpu-cluster", "azureml:cpu-large"
    ).replace("../../data/images", "../../../../data/images")
    assert (build / "pipelines/p/component.yml").read_text() == FILES["pipelines/p/component.yml"]
    assert (
        (build / ".cloud/endpoints/scoring/endpoint.yml").read_text().endswith("name: scoring-dev-k3x9a  # logical\n")
    )
    deployment = yaml.safe_load((build / ".cloud/endpoints/scoring/deployment.yml").read_text())
    assert deployment == {
        "type": "model", "name": "scoring", "endpoint_name": "scoring-dev-k3x9a", "compute": "azureml:cpu-large",
    }  # fmt: skip
    assert yaml.safe_load((build / ".cloud/models/scoring.yml").read_text())["name"] == "scoring"
    path = yaml.safe_load(train)["inputs"]["images"]["path"]
    assert (build / "pipelines/p" / path).resolve() == full.root / "data/images"
    copied = {file.relative_to(build).as_posix() for file in build.rglob("*") if file.is_file()}
    assert copied == {path for path in FILES if path.startswith(("code/", "pipelines/", ".cloud/"))} - {
        ".cloud/request.yaml", "code/train/__pycache__/main.pyc",
    } | {".amlops-render.json"}  # fmt: skip


def test_paths_of_a_schedule_stay_valid(full: SmallProject) -> None:
    """Those in its changes start at the job's file, as azure-ai-ml reads them."""
    full.write("elsewhere/train.yml", "type: pipeline\n")
    changed = "create_job: {type: pipeline, job: %s, inputs: {images: {type: uri_folder, path: ../../data/images}}}\n"
    full.write(".cloud/schedules/near.yml", changed % "../../pipelines/p/train.yml")
    full.write(".cloud/schedules/far.yml", "create_job: {type: pipeline, job: ../../elsewhere/train.yml}\n")
    assert full.call("render", "--env", "dev", "-o", "build/dev").code == 0
    build = full.root / "build/dev"
    near, far = (yaml.safe_load((build / f".cloud/schedules/{name}.yml").read_text()) for name in ("near", "far"))
    job = build / ".cloud/schedules" / near["create_job"]["job"]
    assert job.resolve() == build / "pipelines/p/train.yml"
    assert (job.parent / near["create_job"]["inputs"]["images"]["path"]).resolve() == full.root / "data/images"
    assert (build / ".cloud/schedules" / far["create_job"]["job"]).resolve() == full.root / "elsewhere/train.yml"


def test_rendered_again_replaces_what_was_rendered_and_keeps_the_rest(full: SmallProject) -> None:
    assert full.run("render", "--env", "dev", "-o", "build/dev").code == 0
    full.write("build/dev/jobs.json", "{}")
    full.write("build/dev/code/left.py", "")
    (full.root / "pipelines/p/component.yml").rename(full.root / "pipelines/p/other.yml")
    full.write("pipelines/p/train.yml", FILES["pipelines/p/train.yml"].replace("component.yml", "other.yml"))
    assert full.run("render", "--env", "dev", "-o", "build/dev").code == 0
    assert (full.root / "build/dev/jobs.json").read_text() == "{}"
    assert not (full.root / "build/dev/code/left.py").exists()
    assert sorted(path.name for path in (full.root / "build/dev/pipelines/p").iterdir()) == ["other.yml", "train.yml"]


def test_an_open_data_input_is_left_out_with_its_bindings(full: SmallProject) -> None:
    full.write("pipelines/p/train.yml", FILES["pipelines/p/train.yml"].replace(", path: ../../data/images", ""))
    assert full.run("render", "--env", "dev", "-o", "build/dev").code == 0
    rendered = yaml.safe_load((full.root / "build/dev/pipelines/p/train.yml").read_text())
    assert rendered["inputs"] == {} and rendered["jobs"]["one"]["inputs"] == {}


SHARED = {
    "an anchor": (
        "compute: &c azureml:cpu-cluster\nnote: 1  # kept as data\n",
        {"compute": "azureml:cpu-large", "note": 1},
    ),
    "an alias of a value": (
        "settings: {default_compute: &c azureml:cpu-cluster}\njobs: {a: {compute: *c}, b: {compute: *c}}\n",
        {
            "settings": {"default_compute": "azureml:cpu-large"},
            "jobs": {"a": {"compute": "azureml:cpu-large"}, "b": {"compute": "azureml:cpu-large"}},
        },
    ),
    "an alias where the value is no name": (
        "description: &c azureml:cpu-cluster\ncompute: *c\n",
        {"description": "azureml:cpu-cluster", "compute": "azureml:cpu-large"},
    ),
    "an alias of a mapping": (
        "jobs:\n  a: &a\n    compute: azureml:cpu-cluster\n  b: *a\n",
        {"jobs": {"a": {"compute": "azureml:cpu-large"}, "b": {"compute": "azureml:cpu-large"}}},
    ),
    "a merge key": (
        "jobs:\n  a: &a\n    compute: azureml:cpu-cluster\n    type: command\n  b:\n    <<: *a\n    type: sweep\n",
        {
            "jobs": {
                "a": {"compute": "azureml:cpu-large", "type": "command"},
                "b": {"compute": "azureml:cpu-large", "type": "sweep"},
            }
        },
    ),
    "a folded value": (
        "compute: >-\n  azureml:cpu-cluster\ntype: command\n",
        {"compute": "azureml:cpu-large", "type": "command"},
    ),
    "a literal value": (
        "jobs:\n  a:\n    compute: |-\n      azureml:cpu-cluster\n    type: command\n",
        {"jobs": {"a": {"compute": "azureml:cpu-large", "type": "command"}}},
    ),
    "a quoted value over two lines": (
        'compute: "azureml:cpu-\\\n  cluster"\ntype: command\n',
        {"compute": "azureml:cpu-large", "type": "command"},
    ),
    "a tag": ("compute: !!str azureml:cpu-cluster\n", {"compute": "azureml:cpu-large"}),
}


@pytest.mark.parametrize("case", SHARED)
def test_a_value_without_a_place_of_its_own_is_replaced_too(full: SmallProject, case: str) -> None:
    text, expected = SHARED[case]
    full.write("pipelines/p/train.yml", text)
    result = full.run("render", "--env", "dev", "-o", "build/dev")
    assert result.code == 0, result.err
    rendered = (full.root / "build/dev/pipelines/p/train.yml").read_text()
    assert yaml.safe_load(rendered) == expected
    assert rendered.startswith("# Rendered from pipelines/p/train.yml: written anew")


def test_anchors_and_blocks_that_hold_no_name_stay_as_they_are(full: SmallProject) -> None:
    text = (
        "command: >-  # long\n  python main.py\n  --all\nx: &x {a: 1}\ny: *x\nz: {<<: *x}\n"
        "compute: azureml:cpu-cluster  # here\n"
    )
    full.write("pipelines/p/train.yml", text)
    assert full.run("render", "--env", "dev", "-o", "build/dev").code == 0
    rendered = (full.root / "build/dev/pipelines/p/train.yml").read_text()
    assert rendered == text.replace("cpu-cluster", "cpu-large")


FOREIGN = {
    "two documents": "a: 1\n---\nb: 2\n",
    "a list": "# names\n- a\n- compute: azureml:other\n",
    "Jinja": "{% for x in y %}\n{{ x }}: 1\n{% endfor %}\n",
    "a compute of its own": "compute: azureml:other\npath: ../../data/images\n",
    "a name of ours": "compute: azureml:cpu-cluster\r\nendpoint_name: scoring\r\n",
    "not UTF-8": "name: \udce9\n",
}


@pytest.mark.parametrize("case", FOREIGN)
def test_yaml_in_code_is_copied_as_it_is(full: SmallProject, case: str) -> None:
    content = FOREIGN[case].encode("utf-8", "surrogateescape")
    (full.root / "code/train/config.yml").write_bytes(content)
    result = full.run("render", "--env", "dev", "-o", "build/dev")
    assert result.code == 0, result.err
    assert "code/" not in result.out
    assert (full.root / "build/dev/code/train/config.yml").read_bytes() == content


FAULTS = {
    "unknown endpoint": (
        ".cloud/endpoints/scoring/deployment.yml",
        "endpoint_name: other\n",
        ".cloud/endpoints/scoring/deployment.yml:1: endpoint_name: 'other' has no physical name in "
        ".cloud/environments/dev.yml",
    ),
    "unknown cluster": (
        "pipelines/p/train.yml",
        "compute: azureml:gpu\n",
        "'azureml:gpu' is not a cluster in .cloud/environments/dev.yml",
    ),
    "not YAML": ("pipelines/p/train.yml", "a: [\n", "not valid YAML"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_leave_an_earlier_rendering_as_it_was(full: SmallProject, fault: str) -> None:
    assert full.run("render", "--env", "dev", "-o", "build/dev").code == 0
    before = snapshot(full.root / "build")
    path, text, says = FAULTS[fault]
    full.write(path, text)
    result = full.run("render", "--env", "dev", "-o", "build/dev")
    assert result.code == 1 and says in result.line
    assert snapshot(full.root / "build") == before
    assert full.run("render", "--env", "dev", "-o", "build/new").code == 1
    assert not (full.root / "build" / "new").exists()


@pytest.mark.parametrize(
    ("directory", "says"),
    [
        (".", "has a folder 'code' that was not rendered"),
        ("code/x", "is part of the project's sources"),
        (".cloud", "is part of the project's sources"),
        ("taken", "has a folder 'pipelines' that was not rendered"),
        ("taken/pipelines/mine.txt", "is a file"),
    ],
)
def test_no_folder_of_the_user_is_overwritten(full: SmallProject, directory: str, says: str) -> None:
    full.write("taken/pipelines/mine.txt", "mine")
    before = snapshot(full.root)
    result = full.run("render", "--env", "dev", "-o", directory)
    assert result.code == 1 and says in result.line
    assert snapshot(full.root) == before


def test_the_laptop_needs_no_rendering(full: SmallProject) -> None:
    assert "'local' is not in Azure" in full.run("render", "-o", "build/x").line
    assert not (full.root / "build").exists()


def snapshot(folder: Path) -> str:
    """Every file below a folder with its content."""
    return json.dumps({str(file): file.read_bytes().hex() for file in sorted(folder.rglob("*")) if file.is_file()})
