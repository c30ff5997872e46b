"""The exact set of files for every combination of answers, computed from options.yaml."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from template_support import (
    CHOICES,
    COMBINATIONS,
    OPTIONS,
    PROJECT_FOLDER,
    Renders,
    Template,
    chosen,
    every_combination,
    files_of,
    template_files,
)

PERSON = "sample"
ENTRIES = [entry for values in OPTIONS["options"].values() for entry in values.values()]


def claimed(file: str, paths: Iterable[str]) -> bool:
    """Whether one of the paths (files, or folders with a slash at the end) names the file."""
    return any(file == path or (path.endswith("/") and file.startswith(path)) for path in paths)


def unrendered() -> set[str]:
    """Files of the project folder under the names that a render gives them."""
    names = {
        path.relative_to(PROJECT_FOLDER).as_posix() for path in template_files() if path.parts[0] == PROJECT_FOLDER
    }
    return {name.replace("{{cookiecutter.person}}", PERSON) for name in names}


def expected_files(answers: Mapping[str, str]) -> set[str]:
    paths = [path for entry in chosen(answers) for path in entry["paths"]]
    return {file for file in unrendered() if claimed(file, paths)}


@every_combination
def test_exact_set_of_files(renders: Renders, answers: dict[str, str]) -> None:
    assert files_of(renders(**answers)) == expected_files(answers)


def test_every_file_is_in_the_table() -> None:
    """A file that no entry of options.yaml names would be left out of every project, or be in all by accident."""
    paths = [path for entry in [OPTIONS["always"], *ENTRIES] for path in entry["paths"]]
    assert {file for file in unrendered() if not claimed(file, paths)} == set()


def test_every_path_in_the_table_exists() -> None:
    offered = [OPTIONS["always"], *(entry for entry in ENTRIES if entry["offered"])]
    paths = [path for entry in offered for path in entry["paths"]]
    assert [path for path in paths if not any(claimed(file, [path]) for file in unrendered())] == []
    later = [path for entry in ENTRIES if not entry["offered"] for path in entry["paths"]]
    assert [path for path in later if any(claimed(file, [path]) for file in unrendered())] == []


def test_no_path_belongs_to_two_entries() -> None:
    for file in unrendered():
        owners = [entry for entry in [OPTIONS["always"], *ENTRIES] if claimed(file, entry["paths"])]
        assert len(owners) == 1, file


def test_questions_offer_what_the_table_offers() -> None:
    for field, values in OPTIONS["options"].items():
        offered = [name for name, entry in values.items() if entry["offered"]]
        assert CHOICES[field] == ([*offered, "all"] if field == "workload" else offered)


def test_every_value_of_every_option_is_rendered() -> None:
    for field, values in CHOICES.items():
        assert {answers[field] for answers in COMBINATIONS} == set(values)


def test_requirements_are_those_of_the_table(renders: Renders) -> None:
    text = (renders() / "requirements.in").read_text(encoding="utf-8")
    listed = re.findall(r"^([a-z][\w-]*)", text, flags=re.MULTILINE)
    assert sorted(listed) == sorted(package for entry in [OPTIONS["always"], *ENTRIES] for package in entry["packages"])


@every_combination
def test_request_has_the_keys_of_the_table(renders: Renders, answers: dict[str, str]) -> None:
    request = yaml.safe_load((renders(**answers) / ".cloud" / "request.yaml").read_text(encoding="utf-8"))
    keys = {key for entry in chosen(answers) for key in entry["request_keys"]}
    assert set(request["environments"]["dev"]) == keys
    assert set(request["environments"]["prod"]) == (keys - {"compute_instances"}) | {"subnets", "dns_zones"}


def test_what_tests_and_linters_leave_behind_does_not_get_into_a_project(template: Template, tmp_path: Path) -> None:
    folder = tmp_path / "template"
    shutil.copytree(template.folder, folder)
    for name in ("code/__pycache__/main.cpython-311.pyc", "tools/amlops/.ruff_cache/x", "tests/.pytest_cache/x"):
        left = folder / PROJECT_FOLDER / name
        left.parent.mkdir(parents=True)
        left.write_bytes(b"\0")
    made = files_of(Template(folder).render(tmp_path / "out"))
    assert not [file for file in made if "_cache" in file]


def test_code_owners_name_paths_that_exist(renders: Renders) -> None:
    project = renders(workload="all", ci="github", licence="MIT")
    lines = (project / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    owned = [line.split() for line in lines if not line.startswith("#")]
    assert owned[0] == ["*", "owner@example.com"]
    for path, owner in owned[1:]:
        assert (project / path.strip("/")).exists(), path
        assert owner == "owner@example.com"
