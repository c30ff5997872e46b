"""The manifest of the tool's files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from amlops_support import TOOL

from amlops import manifest
from amlops.errors import UserError


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    folder = tmp_path / "amlops"
    shutil.copytree(TOOL, folder, ignore=shutil.ignore_patterns("__pycache__"))
    manifest.write(folder)
    return folder


def test_edits_are_told_by_kind(tool: Path) -> None:
    assert manifest.local_edits(tool) == []
    (tool / "src/amlops/errors.py").write_text("# changed\n")
    (tool / "src/amlops/mine.py").write_text("")
    (tool / "README.md").unlink()
    (tool / "src/amlops/__pycache__").mkdir(exist_ok=True)
    (tool / "src/amlops/__pycache__/errors.pyc").write_bytes(b"x")
    assert [(edit.kind, edit.path) for edit in manifest.local_edits(tool)] == [
        ("missing", "README.md"), ("changed", "src/amlops/errors.py"), ("added", "src/amlops/mine.py"),
    ]  # fmt: skip


def test_line_ends_are_no_edits(tool: Path) -> None:
    file = tool / "src/amlops/errors.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert manifest.local_edits(tool) == []


def test_a_tool_from_a_feed_has_nothing_to_compare(tool: Path) -> None:
    (tool / manifest.NAME).unlink()
    assert manifest.local_edits(tool) == []


def test_a_broken_manifest_is_told(tool: Path) -> None:
    (tool / manifest.NAME).write_text("[]")
    with pytest.raises(UserError, match="is not a manifest"):
        manifest.local_edits(tool)
