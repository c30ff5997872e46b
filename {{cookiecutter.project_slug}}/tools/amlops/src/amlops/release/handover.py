"""What one environment hands to the next: its models as packages, then promoted there behind their gates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amlops.errors import UserError, shown
from amlops.promotion import gate as gates
from amlops.promotion import package
from amlops.promotion.origin import EnvironmentOrigin
from amlops.promotion.promote import check_environments, promote
from amlops.release.spec import Release
from amlops.release.training import version_for
from amlops.workspace import Record, Workspace


def export(ws: Workspace, releases: Sequence[Release], commit: str, folder: Path) -> list[Record]:
    """Write the version of each release to a package below `folder`, which must be new. Raises UserError."""
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"--download-path: '{shown(folder)}' is not empty; give a new folder, e.g. build/hand-over")
    models = [version_for(ws, release, commit) for release in releases]
    origin = EnvironmentOrigin(ws)
    return [package.export(origin, model.name, model.version, folder / model.name) for model in models]


def bring(
    ws: Workspace, releases: Sequence[Release], folder: Path, *, reason: str = "", dry_run: bool = False
) -> list[Record]:
    """Promote the packages below `folder`. Every gate is asked before the first one is promoted.

    Raises:
        UserError: a package is missing or was changed.
        GateNotPassed: a model does not pass; nothing has been changed.
    """
    packages = {release.model: package.Package(folder / release.model) for release in releases}
    result: list[Record] = []
    for dry in (True,) if dry_run else (True, False):
        result = []
        for name, found in packages.items():
            check_environments(found.environment, ws.environment.name)
            gate = gates.find(ws.project, name, None)
            result.append(promote(found, ws, name, found.model.version, gate, reason=reason, dry_run=dry))
    return result
