"""amlops against the offline Azure: one door and one project for the session."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cloud_support import Cloud, opened_cloud

from amlplatform.cloud import blob_storage


@pytest.fixture(scope="session")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """dev and prod of a rendered project, as the platform plans them, behind the HTTPS door."""
    if blob_storage.find() is None:
        if os.environ.get("CI"):
            pytest.fail(blob_storage.MISSING)
        pytest.skip(blob_storage.MISSING)
    with opened_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Iterator[Cloud]:
    """The same with no request recorded yet, and a behaviour of its own. What was made stays for later tests."""
    with shared_cloud.fresh():
        yield shared_cloud
