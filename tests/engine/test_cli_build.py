"""tools/pulumi/build.py: when it builds, when it does not, and what it says."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from engine_support import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the programs of these tests are shell scripts")


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, with `.tools/bin` in a temporary folder and an empty PATH."""
    spec = importlib.util.spec_from_file_location("pulumi_build", ROOT / "tools" / "pulumi" / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    folder = tmp_path / ".tools" / "bin"
    monkeypatch.setattr(module, "BIN", folder)
    monkeypatch.setattr(module, "CLI", folder / "pulumi")
    monkeypatch.setattr(module, "HOST", folder / "pulumi-language-python")
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return module


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


# What `go build` is replaced by: it writes a program that says the version from the linker's flags.
GO = """
case $1 in
  mod) echo '# get module' >&2;;
  build)
    while [ $# -gt 0 ]; do case $1 in -o) out=$2;; -ldflags) flags=$2;; esac; shift; done
    echo 'example.com/one' >&2
    printf '#!/bin/sh\\necho %s\\n' "${flags##*=}" > "$out"; /bin/chmod +x "$out";;
esac
"""


def test_a_new_enough_pulumi_on_path_is_enough(
    build: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path / "path" / "pulumi", "echo v4.0.0")
    assert build.main() == 0
    assert "pulumi 4.0.0 is on PATH" in capsys.readouterr().out
    assert not build.CLI.exists()


def test_an_older_one_on_path_is_not(build: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(tmp_path / "path" / "pulumi", "echo v3.1.0")
    program(tmp_path / "path" / "go", GO)
    assert build.main() == 0
    assert build.version_of(build.CLI) == build.pinned()
    assert "-m amlplatform.cloud.language_host" in build.HOST.read_text(encoding="utf-8")
    assert os.access(build.HOST, os.X_OK)
    assert sorted(path.name for path in build.BIN.iterdir()) == ["pulumi", "pulumi-language-python"]
    capsys.readouterr()
    (tmp_path / "path" / "go").unlink()
    assert build.main() == 0
    assert "is built already" in capsys.readouterr().out


def test_without_go_one_line_says_what_to_do(build: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main() == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("pulumi: go: not on PATH")
    assert "\n" not in error


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'example.com/x: broken' >&2; exit 1", "go mod failed: example.com/x: broken"),
        (GO.replace("${flags##*=}", "v0.0.1"), "the CLI that was built says 0.0.1 for its version"),
    ],
)
def test_a_build_that_fails_leaves_what_was_there(
    build: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, says: str
) -> None:
    program(build.CLI, "echo v3.0.0")
    program(tmp_path / "path" / "go", script)
    assert build.main() == 1
    assert says in capsys.readouterr().err
    assert build.version_of(build.CLI) == (3, 0, 0)
    assert not list(build.BIN.glob(".build-*"))
