"""The scheduled look at an environment: one alert while something is wrong, against stand-ins for `gh` and `az`."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

STAND_IN = """
import json, os, sys
folder = os.environ["STAND_IN"]
with open(folder + "/calls", "a", encoding="utf-8") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if "list" in sys.argv or "query" in sys.argv:
    print(open(folder + "/open", encoding="utf-8").read())
"""


class Place:
    """Where alerts are kept: what is open, and what was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open("[]")

    def open(self, answer: str) -> None:
        (self.folder / "open").write_text(answer, encoding="utf-8")

    @property
    def calls(self) -> list[list[str]]:
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    def verbs(self) -> list[str]:
        return [" ".join(call[1:3] if call[0] == "boards" else call[:2]) for call in self.calls]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "stand_in.py").write_text(STAND_IN, encoding="utf-8")
    for name in ("gh", "az"):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/stand_in.py" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN", str(folder))
    for name in ("GITHUB_ACTIONS", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    return Place(folder)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    """tools/watch.py; `tool.says` is what the environment looks like."""
    path = Path(__file__).parents[1] / "tools" / "watch.py"
    spec = importlib.util.spec_from_file_location("watch_under_test", path)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    wrong = "churn: environment dev\n1 problem\n  job train-1: Failed, step train: KeyError: 'x' (logs/train.log:9)"
    module.says = (3, wrong)
    monkeypatch.setattr(module, "look", lambda _environment: module.says)
    return module


def on_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")


def on_azure_devops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.setenv("SYSTEM_COLLECTIONURI", "https://dev.azure.com/org/")
    monkeypatch.setenv("SYSTEM_TEAMPROJECT", "churn")


def test_github_opens_one_issue_and_keeps_it_current(tool: Any, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    on_github(monkeypatch)
    assert tool.main(["--env", "dev"]) == 3
    assert place.verbs() == ["issue list", "label create", "issue create"]
    words = place.calls[-1]
    assert words[words.index("--title") + 1] == "dev: 1 problem"
    assert "KeyError: 'x' (logs/train.log:9)" in words[words.index("--body") + 1]
    place.open('[{"number": 7}]')
    tool.main(["--env", "dev"])
    assert place.calls[-1][:3] == ["issue", "edit", "7"]
    tool.says = (0, "no problems")
    assert tool.main(["--env", "dev"]) == 0
    assert place.calls[-1][:3] == ["issue", "close", "7"]


def test_azure_devops_opens_one_work_item_and_keeps_it_current(
    tool: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_azure_devops(monkeypatch)
    assert tool.main(["--env", "dev"]) == 3
    assert place.verbs() == ["query --wiql", "work-item create"]
    assert "System.Tags=amlops-dev" in place.calls[-1]
    place.open('[{"id": 12}]')
    tool.main(["--env", "dev"])
    assert place.calls[-1][:5] == ["boards", "work-item", "update", "--id", "12"]
    tool.says = (0, "no problems")
    tool.main(["--env", "dev"])
    assert "Nothing is wrong any more." in place.calls[-1]


def test_nothing_wrong_opens_nothing(tool: Any, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    on_github(monkeypatch)
    tool.says = (0, "no problems")
    assert tool.main(["--env", "dev"]) == 0
    assert place.verbs() == ["issue list"]


def test_an_environment_that_cannot_be_read_is_an_alert_too(
    tool: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_github(monkeypatch)
    tool.says = (1, "amlops: --env dev: sign in first: az login")
    assert tool.main(["--env", "dev"]) == 1
    words = place.calls[-1]
    assert words[words.index("--title") + 1] == "dev: the environment cannot be read"


def test_elsewhere_it_only_looks(tool: Any, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["--env", "dev"]) == 3
    assert place.calls == [] and "1 problem" in capsys.readouterr().out


def test_without_the_program_there_is_one_line(
    tool: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_github(monkeypatch)
    monkeypatch.setenv("PATH", "")
    assert tool.main(["--env", "dev"]) == 1
    assert capsys.readouterr().err == "watch: gh: is not on PATH; it opens the alert\n"
