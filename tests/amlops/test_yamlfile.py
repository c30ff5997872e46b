"""YAML with line numbers and one-line errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlops import yamlfile
from amlops.errors import UserError

TEXT = """\
name: train   # a comment
jobs:
  prepare:
    inputs: {rate: 0.1, "on": true}
    tags:
      - a
      - b: 1
"""


def test_lines_and_relative_paths(tmp_path: Path) -> None:
    document = yamlfile.loads(TEXT, tmp_path / "pipelines" / "train.yml")
    assert document.line("jobs", "prepare", "inputs", "rate") == 4
    assert document.line("jobs", "prepare", "tags", 1, "b") == 7
    assert document.line("jobs", "prepare", "missing") == 3
    assert document.data["jobs"]["prepare"]["inputs"] == {"rate": 0.1, "on": True}
    assert document.resolve("../code") == (tmp_path / "code").resolve()
    error = document.section("jobs", "prepare").error("is wrong", "tags", 1)
    assert str(error).endswith("train.yml:7: jobs.prepare.tags[1]: is wrong")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "empty"),
        ("- a\n- b\n", 1, "mapping"),
        ("a: 1\na: 2\n", 2, "'a' appears twice"),
        ("a:\n  b: 1\n  c: [1\n", 4, "not valid YAML"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "not valid YAML"),
        ("name: ${{inputs.x}}\n? [a]\n: 1\n", 2, "key must be text"),
        ("a: {{ x }}\n", 1, "key must be text"),
        ("a: &a\n  b: *a\n", 1, "alias"),
        ("a: 2026-02-31\n", None, "not valid"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
    ],
)
def test_errors_are_one_line_with_the_place(text: str, line: int | None, says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says) as caught:
        yamlfile.loads(text, tmp_path / "x.yml")
    assert caught.value.line == line
    assert "\n" not in str(caught.value)


def test_missing_folder_and_binary_files(tmp_path: Path) -> None:
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    for name, says in (("missing.yml", "does not exist"), ("", "is a folder"), ("binary.yml", "not UTF-8")):
        with pytest.raises(UserError, match=says):
            yamlfile.load(tmp_path / name)


@given(st.text(max_size=60))
def test_any_text_loads_or_is_refused_in_one_line(text: str) -> None:
    try:
        document = yamlfile.loads(text, Path("x.yml"))
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(document.data, dict)
