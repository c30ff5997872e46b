"""What one environment hands to the next: its models as packages, then promoted there behind their gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from amlops.errors import UserError, shown
from amlops.promotion import gate as gates
from amlops.promotion import package
from amlops.promotion.origin import EnvironmentOrigin
from amlops.promotion.promote import check_environments, promote
from amlops.release import images
from amlops.release.spec import Release
from amlops.release.training import version_for
from amlops.workspace import Record, Workspace

MODELS = "models"


def export(ws: Workspace, releases: Sequence[Release], commit: str, folder: Path) -> list[Record]:
    """Write the version of each release, and the images of its deployments, below `folder`, which must be new.

    Raises:
        UserError: the folder is not empty, a version has no hash, an image is not registered.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"--download-path: '{shown(folder)}' is not empty; give a new folder, e.g. build/hand-over")
    models = [version_for(ws, release, commit) for release in releases]
    origin = EnvironmentOrigin(ws)
    written = [package.export(origin, model.name, model.version, folder / MODELS / model.name) for model in models]
    if not ws.images.registry:
        return written
    return written + images.export(ws, releases, folder / images.FOLDER, with_layouts=_has_other_registries(ws))


def _has_other_registries(ws: Workspace) -> bool:
    """Whether another environment of the project has another registry, into which images have to be copied."""
    places = [ws.project.environment(name) for name in ws.project.environment_names()]
    names = {str(place.values.get("registry") or "") for place in places if not place.is_local}
    return len(names) > 1


def bring(
    ws: Workspace,
    releases: Sequence[Release],
    folder: Path,
    tell: Callable[[str], None],
    *,
    reason: str = "",
    dry_run: bool = False,
) -> list[Record]:
    """Promote the packages below `folder`. Every gate is asked before the first one is promoted.

    Raises:
        UserError: a package is missing or was changed.
        GateNotPassed: a model does not pass; nothing has been changed.
    """
    packages = {release.model: package.Package(folder / MODELS / release.model) for release in releases}
    result: list[Record] = []
    for dry in (True,) if dry_run else (True, False):
        if not dry and ws.images.registry:
            images.bring(ws, folder / images.FOLDER, tell)
        result = []
        for name, found in packages.items():
            check_environments(found.environment, ws.environment.name)
            gate = gates.find(ws.project, name, None)
            result.append(promote(found, ws, name, found.model.version, gate, reason=reason, dry_run=dry))
    return result
