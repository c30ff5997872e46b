"""The template under cruft, as `gh:organisation/name`, replayed, and copied by a pre_prompt hook."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from template_support import PROJECT_FOLDER, Renders, Template, files_of, git, run_cookiecutter

pytestmark = pytest.mark.slow


def cruft(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cruft", *arguments]
    environment = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", env=environment, check=False)


def contents(project: Path) -> dict[str, bytes]:
    return {name: (project / name).read_bytes() for name in files_of(project)}


@pytest.fixture
def repository(template_repository: Path, tmp_path: Path) -> Path:
    """A copy of the template's repository that a test may change."""
    folder = tmp_path / "upstream" / "template"
    shutil.copytree(template_repository, folder)
    return folder


def test_cruft_makes_the_same_project(template_repository: Path, tmp_path: Path, renders: Renders) -> None:
    result = cruft(tmp_path, "create", str(template_repository), "--no-input")
    assert result.returncode == 0, result.stdout + result.stderr
    made = contents(tmp_path / "digit-scoring")
    state = json.loads(made.pop(".cruft.json"))
    assert state["context"]["cookiecutter"]["project_slug"] == "digit-scoring"
    assert made == contents(renders())
    assert cruft(tmp_path / "digit-scoring", "check").returncode == 0


def test_cruft_tells_a_bad_answer_in_one_line(template_repository: Path, tmp_path: Path) -> None:
    answers = json.dumps({"owner_email": "nobody"})
    result = cruft(tmp_path, "create", str(template_repository), "--no-input", "--extra-context", answers)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "owner_email: 'nobody' must be an e-mail address; for example 'owner@example.com'"
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_project_takes_over_a_newer_template(repository: Path, tmp_path: Path) -> None:
    """The new version changes a file, adds one, and renders with a filter that the old one did not have."""
    assert cruft(tmp_path, "create", str(repository), "--no-input").returncode == 0
    project = tmp_path / "digit-scoring"
    readme = project / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8") + "\nOurs.\n", encoding="utf-8")
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=made")

    extensions = repository / "local_extensions.py"
    text = extensions.read_text(encoding="utf-8")
    assert "filters.update(" in text
    extensions.write_text(text.replace("filters.update(", "filters.update(shout=str.upper,", 1), encoding="utf-8")
    docs = repository / PROJECT_FOLDER / "docs"
    (docs / "first-steps.md").write_text("# {{ cookiecutter.project_name | shout }}\n", encoding="utf-8")
    options = repository / "options.yaml"
    options.write_text(
        options.read_text(encoding="utf-8").replace("    - docs/ci.md\n", "    - docs/ci.md\n    - docs/new.md\n"),
        encoding="utf-8",
    )
    (docs / "new.md").write_text("# New\n", encoding="utf-8")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=second")

    assert cruft(project, "check").returncode == 1
    result = cruft(project, "update", "--skip-apply-ask")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (project / "docs" / "first-steps.md").read_text(encoding="utf-8") == "# DIGIT SCORING\n"
    assert (project / "docs" / "new.md").is_file()
    assert readme.read_text(encoding="utf-8").endswith("\nOurs.\n")
    assert not list(project.rglob("*.rej"))
    assert cruft(project, "check").returncode == 0


def test_from_github_by_its_short_name(
    template_repository: Path, tmp_path: Path, renders: Renders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`gh:organisation/name` clones https://github.com/organisation/name; git is told to find that in a folder here."""
    bare = tmp_path / "github" / "organisation" / "template.git"
    bare.parent.mkdir(parents=True)
    git(tmp_path, "clone", "--quiet", "--bare", str(template_repository), str(bare))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{(tmp_path / 'github').as_uri()}/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")
    result = run_cookiecutter(
        Template(Path("gh:organisation/template")), tmp_path / "out", "--no-input", "--checkout", "main"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert contents(tmp_path / "out" / "digit-scoring") == contents(renders())

    again = run_cookiecutter(Template(Path("gh:organisation/template")), tmp_path / "again", "--replay", stdin="y\n")
    assert again.returncode == 0, again.stdout + again.stderr
    assert contents(tmp_path / "again" / "digit-scoring") == contents(renders())


def test_from_the_copy_that_cookiecutter_makes_for_a_pre_prompt_hook(
    template_repository: Path, tmp_path: Path, renders: Renders
) -> None:
    folder = tmp_path / "template"
    shutil.copytree(template_repository, folder)
    (folder / "hooks" / "pre_prompt.py").write_text("", encoding="utf-8")
    assert contents(Template(folder).render(tmp_path / "out")) == contents(renders())
