"""What stands in the rendered files: nothing of the template left, nothing of others lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment
from template_support import PROJECT_FOLDER, ROOT, Renders, Template, every_combination, git

FOREIGN = re.compile(r"\$\{\{.*?\}\}|\$\[\[.*?\]\]", re.DOTALL)
BRACES = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|cookiecutter\.")
# Text that is copied as it is: braces in it are its own.
COPIED = {".py", ".ipynb", ".png"}
OF_THE_TEMPLATE = re.compile(
    rf"authors of this template|amlplatform\.names|{re.escape(str(ROOT))}|local_extensions|TODO|FIXME|XXX"
)


def texts(project: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(project.rglob("*")):
        name = path.relative_to(project)
        if path.is_file() and name.parts[0] != ".git" and path.suffix != ".png":
            yield name.as_posix(), path.read_text(encoding="utf-8")


@every_combination
def test_no_braces_are_left(renders: Renders, answers: dict[str, str]) -> None:
    for name, text in texts(renders(**answers)):
        if Path(name).suffix not in COPIED:
            assert not BRACES.search(FOREIGN.sub("", text)), name


@every_combination
def test_nothing_of_the_template_itself_is_left(renders: Renders, answers: dict[str, str]) -> None:
    for name, text in texts(renders(**answers)):
        if not name.startswith("tools/amlops/"):
            assert not OF_THE_TEMPLATE.search(text), name


@every_combination
def test_files_end_with_one_newline_and_lines_without_spaces(renders: Renders, answers: dict[str, str]) -> None:
    for name, text in texts(renders(**answers)):
        if name.startswith("tools/amlops/") or name.endswith(".ipynb") or not text:
            continue
        assert text.endswith("\n") and not text.endswith("\n\n"), name
        assert not text.startswith("\n"), name
        assert not re.search(r"[ \t]+$", text, flags=re.MULTILINE), name


def test_expressions_of_others_are_the_same_as_in_the_template(renders: Renders) -> None:
    """Every `${{ }}` of the workflows, pipelines and templates comes through, in number and text."""
    compared = 0
    for ci in ("github", "azure-devops"):
        project = renders(workload="all", ci=ci, licence="MIT")
        for name, text in texts(project):
            source = ROOT / PROJECT_FOLDER / name
            if source.is_file() and name.endswith((".yml", ".yaml")):
                kept = [
                    found
                    for found in FOREIGN.findall(source.read_text(encoding="utf-8"))
                    if "cookiecutter." not in found
                ]
                assert FOREIGN.findall(text) == kept, name
                compared += len(kept)
    assert compared > 20


def keeping(source: str, **answers: str) -> str:
    environment = Environment(extensions=["local_extensions.KeepDollarExpressions"], autoescape=False)
    return environment.from_string(source).render(cookiecutter=answers)


@pytest.mark.parametrize(
    "text",
    [
        "${{ parent.inputs.images }}",
        "${{parent.jobs.train.outputs.model}}",
        "a ${{ x }} b ${{ y }} c",
        "${{ github.event_name == 'pull_request' && 'a' || \"b\" }}",
        "${{ if eq(parameters.x, true) }}:",
        "${{\n  vars.A\n}}",
        "$[[ inputs.path ]] and $[ variables.x ]",
        "path\\with ${{ 'back\\slash' }}",
        "${{ format('{{0}}', 'x') }}",
        "ü ${{ 'größe' }}",
        'for f in "${list[@]}"; do echo ${#list[@]}; done',
        "$(pool) $HOME ${HOME}",
    ],
)
def test_text_of_others_survives(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    assert keeping(text) == text


def test_an_answer_inside_an_expression_of_others_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    assert keeping("{{ cookiecutter.name }} ${{ x }}", name="a") == "a ${{ x }}"


@every_combination
def test_licence(renders: Renders, answers: dict[str, str]) -> None:
    first_words = {"MIT": "MIT License", "Apache-2.0": "Apache License", "Proprietary": "All rights reserved"}
    text = (renders(**answers) / "LICENSE").read_text(encoding="utf-8")
    for licence, words in first_words.items():
        assert (words in text) == (licence == answers["licence"])
    if answers["licence"] == "Apache-2.0":
        assert "END OF TERMS AND CONDITIONS" in text and len(text) > 11_000


def test_answers_with_quotes_and_braces_do_not_break_files(template: Template, tmp_path: Path) -> None:
    description = """Says "no": it's 100 % {braces} & <tags> # \\ back"""
    answers = {
        "project_name": "Café & Überblick",
        "description": description,
        "cost_centre": "1000",
        "person": "a.smith",
    }
    project = template.render(tmp_path / "out", **answers, licence="Proprietary")
    assert project.name == "cafe-uberblick"
    request = yaml.safe_load((project / ".cloud" / "request.yaml").read_text(encoding="utf-8"))
    assert request["description"] == description
    assert request["cost_centre"] == "1000"
    assert description in (project / "README.md").read_text(encoding="utf-8")
    assert (project / "notebooks" / "a.smith").is_dir()


def test_a_project_in_a_folder_with_spaces(template: Template, tmp_path: Path) -> None:
    project = template.render(tmp_path / "my projects" / "new ones")
    assert (project / ".cloud" / "environments" / "local.yml").is_file()


def test_a_new_project_is_a_repository_unless_it_lies_in_one(template: Template, tmp_path: Path) -> None:
    assert (template.render(tmp_path / "alone") / ".git").is_dir()
    (tmp_path / "mono").mkdir()
    git(tmp_path / "mono", "init", "--quiet")
    assert not (template.render(tmp_path / "mono" / "projects") / ".git").exists()
