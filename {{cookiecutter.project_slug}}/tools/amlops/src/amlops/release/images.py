"""The images of a release: built once, registered as environments by their digest, carried to the next environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from amlops.errors import UserError, shown
from amlops.files import read_json, write_json
from amlops.images.build import build
from amlops.images.layout import Layout
from amlops.images.recipe import Recipe, of_deployment
from amlops.promotion.origin import COMMIT
from amlops.release.spec import Release
from amlops.workspace import Record, Workspace

FOLDER = "images"
_CARD, _LAYOUT = "image.json", "layout"
Tell = Callable[[str], None]


class _Card(BaseModel):
    """`images/<name>-<version>/image.json`: which image, from where. `layout/` beside it, where it has to be copied."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    version: str
    image: str
    commit: str


def recipes(releases: Sequence[Release]) -> list[Recipe]:
    """What images the deployments need, each once. Raises UserError."""
    files = [file for release in releases if release.images for file in release.deployments]
    found = [of_deployment(file) for file in files]
    return list(dict.fromkeys(recipe for recipe in found if recipe))


def publish(ws: Workspace, releases: Sequence[Release], commit: str, folder: Path, tell: Tell) -> list[Record]:
    """Build what is not registered yet below `folder`, push it, register it; the environments.

    Raises:
        UserError: no registry to push to, no Docker, a build that failed, no right to push.
    """
    if not ws.images.registry:
        where = ws.environment.name
        raise UserError(
            f"--env: '{where}' has no container registry that images could be pushed to; for example --env dev"
        )
    result: list[Record] = []
    for recipe in recipes(releases):
        known = _registered(ws, recipe.name, recipe.version)
        if known:
            tell(f"{recipe.reference}: is there already, {known['image']}")
            result.append(known)
            continue
        target = folder / f"{recipe.name}-{recipe.version}"
        layout = Layout(target) if target.is_dir() else build(recipe, target, tell)
        reference = ws.images.push(layout, f"{ws.project.name}/{recipe.name}")
        result.append(_register(ws, recipe.name, recipe.version, reference, commit, tell))
    return result


def sets_for(ws: Workspace, release: Release, deployment: Path) -> list[str]:
    """The change that makes a deployment run in its image. None where there is no registry, as on the laptop.

    Raises:
        UserError: the image is not registered.
    """
    recipe = of_deployment(deployment) if release.images and ws.images.registry else None
    if recipe is None:
        return []
    if _registered(ws, recipe.name, recipe.version) is None:
        where = ws.environment.name
        raise UserError(
            f"environment: {recipe.reference} is not in '{where}'; first amlops release images --env {where}, "
            "or bring it there with amlops release promote; without images of your own: 'images: false' in "
            f"{shown(release.file)}"
        )
    return [f"environment={recipe.reference}"]


def export(ws: Workspace, releases: Sequence[Release], folder: Path, *, with_layouts: bool) -> list[Record]:
    """Write which images the deployments run in below `folder`, and the images too where the target has to copy them.

    Raises:
        UserError: one is not registered, or cannot be fetched.
    """
    result: list[Record] = []
    for recipe in recipes(releases):
        known = _registered(ws, recipe.name, recipe.version)
        if known is None:
            raise UserError(
                f"environment: {recipe.reference} is not in '{ws.environment.name}'; deploy the commit first"
            )
        image, place = str(known["image"]), folder / f"{recipe.name}-{recipe.version}"
        card = _Card(name=recipe.name, version=recipe.version, image=image, commit=str(known["tags"].get(COMMIT) or ""))
        if with_layouts:
            ws.images.pull(image, place / _LAYOUT)
        write_json(place / _CARD, card.model_dump())
        result.append({"name": card.name, "version": card.version, "path": shown(place)})
    return result


def bring(ws: Workspace, folder: Path, tell: Tell) -> list[Record]:
    """Register the images below `folder` in an environment, by the digest that they have; the environments.

    Raises:
        UserError: an image was changed, is missing, or is registered with another digest.
    """
    return [_bring(ws, place, tell) for place in sorted(folder.iterdir())] if folder.is_dir() else []


def _bring(ws: Workspace, place: Path, tell: Tell) -> Record:
    try:
        card = _Card.model_validate(read_json(place / _CARD))
    except (OSError, ValueError, ValidationError):
        raise UserError(f"--from: '{shown(place / _CARD)}' is missing or is no such file; export again") from None
    host, _, rest = card.image.partition("/")
    repository, _, digest = rest.partition("@")
    known = _registered(ws, card.name, card.version)
    if known:
        if str(known["image"]).partition("@")[2] != digest:
            raise UserError(
                f"environment: azureml:{card.name}:{card.version} is in '{ws.environment.name}' with another image, "
                f"{known['image']}; change its conda file, which gives it another version"
            )
        return known
    if host == ws.images.registry:
        reference = card.image
    else:
        layout = Layout(place / _LAYOUT)
        if layout.digest != digest:
            raise UserError(f"--from: '{shown(place)}' holds {layout.digest}, and {digest} was exported; export again")
        tell(f"{card.name}: pushing to {ws.images.registry}")
        reference = ws.images.push(layout, repository)
    return _register(ws, card.name, card.version, reference, card.commit, tell)


def _registered(ws: Workspace, name: str, version: str) -> Record | None:
    return next((one for one in ws.environments.list(name) if one["version"] == version), None)


def _register(ws: Workspace, name: str, version: str, reference: str, commit: str, tell: Tell) -> Record:
    values = {
        "name": name,
        "version": version,
        "image": reference,
        "description": "Built by CI; the version is a hash of its base image and conda file.",
        "tags": {COMMIT: commit} if commit else {},
    }
    tell(f"azureml:{name}:{version}: {reference}")
    return ws.environments.create(None, values=values)
