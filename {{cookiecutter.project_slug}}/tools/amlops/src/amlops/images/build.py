"""Build an image with Docker's buildx, as a folder: nothing is pushed, and its digest is known before anyone has it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from amlops.errors import UserError
from amlops.files import new_folder
from amlops.images.layout import Layout
from amlops.images.recipe import DOCKERFILE, Recipe

# Azure ML's machines.
_PLATFORM = "linux/amd64"
# Docker's own driver writes no image layouts; this one runs in a container.
_BUILDER = "amlops"


def build(recipe: Recipe, folder: Path, tell: Callable[[str], None]) -> Layout:
    """Build the image into `folder`, which must be new.

    Raises:
        UserError: there is no Docker with buildx, or the build failed; its own output says why.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise UserError(
            "docker: is not on PATH; it builds the images, as on the hosted runners of GitHub and Azure DevOps. "
            "Without it: 'images: false' in the release file, and Azure ML builds them"
        )
    _make_builder(docker)
    tell(f"{recipe.name}: building from {recipe.base}")
    with tempfile.TemporaryDirectory(prefix="amlops-image-") as context, new_folder(folder) as made:
        (Path(context) / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
        (Path(context) / "environment.yml").write_text(recipe.conda, encoding="utf-8")
        words = ["buildx", "build", "--builder", _BUILDER, "--platform", _PLATFORM, "--pull"]
        # An attestation would make the image an index of two manifests; the digest is to name the image itself.
        words += ["--provenance=false", "--sbom=false", "--build-arg", f"BASE={recipe.base}"]
        words += ["--output", f"type=oci,tar=false,dest={made}", context]
        # Its progress goes to stderr, where the person or the CI log sees it.
        if subprocess.run([docker, *words], stdout=subprocess.DEVNULL, check=False).returncode:
            raise UserError(f"environment: the image of {recipe.name} could not be built (its reason stands above)")
        Layout(made).check()
    return Layout(folder)


def _make_builder(docker: str) -> None:
    """Make the builder, unless it is there. Raises UserError."""
    there = subprocess.run([docker, "buildx", "inspect", _BUILDER], capture_output=True, check=False)
    if there.returncode == 0:
        return
    words = ["buildx", "create", "--name", _BUILDER, "--driver", "docker-container"]
    made = subprocess.run([docker, *words], capture_output=True, encoding="utf-8", check=False)
    if made.returncode:
        reason = (made.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UserError(f"docker: cannot make a builder: {reason}; is Docker running, and is buildx installed?")
