"""The pages at the template's root name only files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "{{cookiecutter.project_slug}}"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "requirements" / "README.md",
    *(ROOT / "docs").glob("*.md"),
]
# Paths of the repository or of a project: what begins with one of these folders.
PLACE = re.compile(r"(infra|tools|tests|docs|hooks|templates|benchmarks|code|pipelines|\.cloud|requirements)/[\w./-]+")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for word in re.findall(r"`([^`\n]+)`", text):
        if PLACE.fullmatch(word):
            assert any((folder / word).exists() for folder in (ROOT, PROJECT)), word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert "://" in link or (page.parent / link).exists(), link
