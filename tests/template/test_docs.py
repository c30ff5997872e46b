"""The pages of a project: links lead somewhere, paths and commands that they name exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from template_support import CHOICES, Renders, either_ci

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
# Folders at a project's root; what begins with one of them in a page is a path of the project.
FOLDERS = r"(?:\.cloud|\.github|\.ado|code|docs|notebooks|pipelines|tests|tools)/"
# Made by running things, or an example of a name.
MADE = (".venv", ".amlops", "build", ".tools")


def pages(project: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(project.rglob("*.md")):
        name = path.relative_to(project).as_posix()
        if not name.startswith(("tools/amlops/", ".venv/")):
            yield name, path.read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """The names that headings get as targets of links."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@either_ci
def test_links_lead_to_files_and_headings(renders: Renders, ci: str) -> None:
    project = renders(workload="all", ci=ci, licence="MIT")
    for name, text in pages(project):
        for link in LINK.findall(text):
            if link.startswith(("https://", "mailto:")):
                continue
            path, _, anchor = link.partition("#")
            target = (project / name).parent / path if path else project / name
            assert target.exists(), f"{name}: {link}"
            if anchor:
                assert anchor in anchors(target.read_text(encoding="utf-8")), f"{name}: {link}"


@either_ci
def test_paths_that_pages_name_exist(renders: Renders, ci: str) -> None:
    project = renders(workload="all", ci=ci, licence="MIT")
    for name, text in pages(project):
        blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
        for word in [*CODE.findall(text), *blocks.split()]:
            if re.match(FOLDERS, word) and not re.search(r"[<>*{ ]", word):
                path = re.sub(r":\d+$|[.,:;]+$", "", word)  # a path may be followed by the number of a line
                assert (project / path).exists(), f"{name}: {word}"


@either_ci
def test_commands_that_pages_name_exist(renders: Renders, ci: str) -> None:
    project = renders(workload="all", ci=ci, licence="MIT")
    targets = set(re.findall(r"^([a-z]+):", (project / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    tasks = set(
        re.findall(r'^    "(\w+)": \w+,$', (project / "tools" / "tasks.py").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert targets == (tasks | {"help"}) - {"amlops", "watch"}
    for name, text in pages(project):
        for target in re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE):
            assert target in targets, f"{name}: make {target}"
        for task in re.findall(r"tools/tasks\.py ([a-z]+)", text):
            assert task in tasks, f"{name}: tasks.py {task}"
        for script in re.findall(r"python ((?:tools|pipelines|code)/[\w./-]+\.py)", text):
            assert (project / script).is_file(), f"{name}: {script}"


@either_ci
def test_the_first_commands_stand_at_the_top_of_the_readme(renders: Renders, ci: str) -> None:
    lines = (renders(workload="all", ci=ci, licence="MIT") / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# Digit scoring"
    commands = [line.split("#")[0].strip() for line in lines[:12] if line.startswith("make ")]
    assert commands == ["make setup", "make run", "make test"]


@either_ci
def test_the_tree_in_the_readme_names_what_is_there(renders: Renders, ci: str) -> None:
    project = renders(workload="all", ci=ci, licence="MIT")
    text = (project / "README.md").read_text(encoding="utf-8")
    tree = text.split("## What is where\n```\n")[1].split("```")[0]
    named = {line.split()[0] for line in tree.splitlines() if line and not line.startswith(" ")}
    assert all(list(project.glob(name)) for name in named)
    folders = {f"{path.name}/" for path in project.iterdir() if path.is_dir() and path.name != ".git"}
    assert folders <= named


@pytest.mark.parametrize("ci", CHOICES["ci"])
def test_pages_name_only_the_chosen_ci(renders: Renders, ci: str) -> None:
    other = {
        "github": r"\.ado/|Azure Pipelines|service connection",
        "azure-devops": r"\.github/|GitHub Actions|PROD_RUNNER",
    }
    for name, text in pages(renders(workload="all", ci=ci, licence="MIT")):
        assert not re.search(other[ci], text), name
