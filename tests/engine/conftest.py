"""Fixtures of the tests with the real Pulumi engine: both environments are brought up once, tests copy the result."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from azure_support import azure  # noqa: F401  fixture
from engine_support import PRODUCT, REQUEST, BroughtUp, LiveProject, Result, amlplatform, explained, find_cli
from https_support import door, opened  # noqa: F401  fixtures


@pytest.fixture(scope="session")
def pulumi_cli() -> Path:
    """The Pulumi CLI. Without one, these tests are skipped on a laptop and fail in CI."""
    cli = find_cli()
    if cli is None:
        message = "no pulumi on PATH and none in .tools/bin: run `make pulumi`, which needs Go"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return cli


@pytest.fixture
def new_live_project(tmp_path: Path) -> Callable[[], LiveProject]:
    """Makes a live project with `amlplatform init`. There is a space in its path."""

    def make() -> LiveProject:
        project = LiveProject(tmp_path / "live project")
        result = amlplatform("init", project.folder)
        assert result.returncode == 0, explained(result)
        return project

    return make


@pytest.fixture(scope="session")
def brought_up(pulumi_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> BroughtUp:
    """Both environments of the example request in one offline Azure. Tests must not change it: see `fresh`."""
    project = LiveProject(tmp_path_factory.mktemp("brought-up") / "live")
    for arguments in (("init", project.folder), ("onboard", REQUEST, "--project", project.folder)):
        result = amlplatform(*arguments)
        assert result.returncode == 0, explained(result)
    previews: dict[str, Result] = {}
    ups: dict[str, Result] = {}
    for environment in ("dev", "prod"):
        stack = f"{PRODUCT}-{environment}"
        previews[environment] = project.pulumi("preview", stack)
        ups[environment] = project.pulumi("up", stack, "--skip-preview")
        assert ups[environment].returncode == 0, explained(ups[environment])
    return BroughtUp(project, previews, ups)


@pytest.fixture
def fresh(brought_up: BroughtUp, tmp_path: Path) -> LiveProject:
    """A copy of the project with both environments up, which the test may change."""
    return brought_up.project.copied_to(tmp_path / "live")
