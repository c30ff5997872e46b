"""The same version of a model in another workspace, checked by its hash."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from amlops import contenthash
from amlops.entities import Model
from amlops.errors import UserError
from amlops.promotion.origin import Origin
from amlops.promotion.stages import STAGE
from amlops.workspace import Workspace


def recorded_hash(model: Model) -> str:
    """The hash taken when a version was registered.

    Raises:
        UserError: none was taken.
    """
    found = contenthash.of_files(model.files) if model.files else model.properties.get(contenthash.PROPERTY, "")
    if not found:
        raise UserError(
            f"{contenthash.PROPERTY}: {model.reference} was registered without a hash of its files, so a copy cannot "
            "be checked; register it from a folder or file, for example amlops model create --name NAME --path FOLDER"
        )
    return found


def present(target: Workspace, model: Model) -> Model | None:
    """The version in the target. Raises UserError when its content is another, or its hash is not known."""
    there = next((one for one in target.models.list(model.name) if one.version == model.version), None)
    if there and recorded_hash(there) != recorded_hash(model):
        raise UserError(
            f"--version: {model.reference} is in '{target.environment.name}' with other content; register the model "
            "again, and promote that version"
        )
    return there


def copied(source: Origin, target: Workspace, model: Model, properties: Mapping[str, str]) -> Model:
    """Download the version, compare it with its hash, upload it under the same number, read it back and compare again.

    Raises:
        UserError: what was downloaded or read back is not what was registered.
    """
    expected = recorded_hash(model)
    with tempfile.TemporaryDirectory(prefix="amlops-", ignore_cleanup_errors=True) as temporary:
        place = source.download(model.name, model.version, Path(temporary) / "from")
        compare(place, expected, model, source.environment)
        made = target.models.create(
            model.name,
            place,
            type=model.type,
            version=model.version,
            tags={key: value for key, value in model.tags.items() if key != STAGE},
            properties={**model.properties, **properties, contenthash.PROPERTY: expected},
            description=model.description,
        )
        check(target, made, expected, Path(temporary) / "back")
    return made


def check(workspace: Workspace, model: Model, expected: str, folder: Path) -> None:
    """Read a version back into `folder` and compare its files with the hash. Raises UserError."""
    compare(workspace.models.download(model.name, model.version, folder), expected, model, workspace.environment.name)


def compare(place: Path, expected: str, model: Model, environment: str) -> None:
    """Compare the files at `place`, which are from that environment, with the hash. Raises UserError."""
    if contenthash.of_path(place) != expected:
        raise UserError(
            f"{contenthash.PROPERTY}: the files of {model.reference} in '{environment}' are not those "
            "that were registered; nothing serves them, register the model again"
        )
