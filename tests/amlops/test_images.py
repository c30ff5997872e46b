"""Images as folders, and what they are built from: a changed blob is found, a changed file gives another version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from amlops.errors import UserError
from amlops.images import recipe
from amlops.images.layout import Layout

DEPLOYMENT = """\
name: default
endpoint_name: scorer
environment: {image: 'mcr.example/base:1', conda_file: env/environment.yml}
"""
CONDA = "name: scoring\ndependencies: [python=3.11, pip]\n"


def blob(folder: Path, content: bytes) -> dict[str, object]:
    name = hashlib.sha256(content).hexdigest()
    (folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    (folder / "blobs" / "sha256" / name).write_bytes(content)
    return {"digest": f"sha256:{name}", "size": len(content)}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A layout with a config and a layer."""
    folder = tmp_path / "image"
    manifest = {"config": blob(folder, b"{}"), "layers": [blob(folder, b"layer")]}
    Layout.write(folder, json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
    return folder


def _change_layer(folder: Path) -> None:
    (folder / "blobs" / "sha256" / hashlib.sha256(b"layer").hexdigest()).write_bytes(b"evil!")


def _lose_layer(folder: Path) -> None:
    (folder / "blobs" / "sha256" / hashlib.sha256(b"layer").hexdigest()).unlink()


def _change_manifest(folder: Path) -> None:
    digest = json.loads((folder / "index.json").read_text("utf-8"))["manifests"][0]["digest"]
    (folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).write_text("{}", "utf-8")


def _leave_the_folder(folder: Path) -> None:
    index = {"manifests": [{"digest": "sha256:../../../../etc/hostname"}]}
    (folder / "index.json").write_text(json.dumps(index), "utf-8")


def _two_images(folder: Path) -> None:
    index = json.loads((folder / "index.json").read_text("utf-8"))
    (folder / "index.json").write_text(json.dumps({"manifests": index["manifests"] * 2}), "utf-8")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (_change_layer, "is missing or is another"),
        (_lose_layer, "is missing or is another"),
        (_change_manifest, "the manifest is not sha256:"),
        (_leave_the_folder, "must be a digest"),
        (_two_images, "must name one image"),
    ],
)
def test_an_image_that_was_changed_is_refused(image: Path, change: Callable[[Path], None], line: str) -> None:
    Layout(image).check()
    change(image)
    with pytest.raises(UserError, match=line):
        Layout(image).check()


def _written(folder: Path, deployment: str = DEPLOYMENT, conda: str = CONDA) -> Path:
    (folder / "env").mkdir(exist_ok=True)
    (folder / "env" / "environment.yml").write_text(conda, "utf-8")
    (folder / "deployment.yml").write_text(deployment, "utf-8")
    return folder / "deployment.yml"


def test_the_version_is_that_of_what_goes_into_the_image(tmp_path: Path) -> None:
    first = recipe.of_deployment(_written(tmp_path))
    assert first is not None and first.name == "scoring" and first.reference == f"azureml:scoring:{first.version}"
    assert recipe.of_deployment(_written(tmp_path, DEPLOYMENT.replace("default", "other"))) == first
    others = [
        recipe.of_deployment(_written(tmp_path, conda=CONDA.replace("3.11", "3.12"))),
        recipe.of_deployment(_written(tmp_path, DEPLOYMENT.replace("base:1", "base:2"))),
    ]
    assert len({one.version for one in (first, *others) if one}) == 3


def test_a_registered_environment_needs_no_image(tmp_path: Path) -> None:
    text = "name: default\nendpoint_name: scorer\nenvironment: azureml:scoring:3\n"
    assert recipe.of_deployment(_written(tmp_path, text)) is None


@pytest.mark.parametrize(
    ("deployment", "conda", "line"),
    [
        (DEPLOYMENT.replace(", conda_file: env/environment.yml", ""), CONDA, "must have image and conda_file"),
        (DEPLOYMENT, CONDA.replace("scoring", "Scoring!"), "must be lower-case letters"),
    ],
)
def test_what_cannot_be_built_is_one_line(tmp_path: Path, deployment: str, conda: str, line: str) -> None:
    with pytest.raises(UserError, match=line) as caught:
        recipe.of_deployment(_written(tmp_path, deployment, conda))
    assert "\n" not in str(caught.value)
