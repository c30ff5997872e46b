"""Requests and plans that the platform's tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from amlplatform.plan import Plan, plan_environment
from amlplatform.profiles import NETWORK_PROFILES
from amlplatform.request import Request

# pytest imports by file here, so a helper beside the tests has to be put in reach.
sys.path.insert(0, str(Path(__file__).parent))

from combinations import Combination, allowed_options
from platform_requests import REQUESTS, ROOT, Change, full


@pytest.fixture(scope="session")
def plans() -> dict[str, dict[str, Plan]]:
    """By request and environment. Planned once: a plan does not change."""
    return {
        name: {
            environment: plan_environment(Request.model_validate(data()), environment)
            for environment in ("dev", "prod")
        }
        for name, data in REQUESTS.items()
    }


@pytest.fixture(scope="session")
def networks() -> dict[str, Plan]:
    """By network profile: dev with every option that goes with it."""
    asked = {name: Combination("dev", name, tuple(allowed_options(name)), ()).request() for name in NETWORK_PROFILES}
    return {name: plan_environment(Request.model_validate(data), "dev") for name, data in asked.items()}


@pytest.fixture
def write_request(tmp_path: Path) -> Callable[..., Path]:
    """Write a request (by default the full one, changed by `change`) and return its path."""

    def write(change: Change | None = None, data: dict[str, Any] | None = None) -> Path:
        data = full() if data is None else data
        if change:
            change(data)
        path = tmp_path / "request.yaml"
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def shared() -> Path:
    """Microsoft's files beside the repository. Tests that need them are skipped where they are absent."""
    folder = Path(os.environ.get("AMLPLATFORM_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: the packed types and role ids cannot be held against Microsoft's files")
    return folder
