"""Look at an environment and keep one alert about it: what the scheduled CI job runs.

    python tools/tasks.py watch --env dev

`amlops status --check` says what is wrong. The first time something is, an alert is opened: an issue on GitHub, a work
item in Azure Boards. While it is open it is brought up to date and no second one is made. When nothing is wrong any
more the issue is closed; a work item gets a comment, as its closing state depends on the project's process. On any
other machine the view is printed and nothing is opened.

Exit codes: 0 nothing is wrong, 1 the environment could not be read or the alert not be opened, 3 something is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

PROJECT = Path(__file__).resolve().parents[1]
# The longest body that both systems take, with room to spare.
_LONGEST = 30_000


class WatchFault(Exception):
    """One line for the person who reads the CI log."""


class Alerts(Protocol):
    """Where alerts are kept."""

    def find(self) -> str | None:
        """Number of the alert that is open."""
        ...

    def open(self, title: str, body: str) -> None:
        """Make one."""
        ...

    def update(self, number: str, title: str, body: str) -> None:
        """Bring one up to date."""
        ...

    def over(self, number: str) -> None:
        """Say that nothing is wrong any more."""
        ...


_OVER = "Nothing is wrong any more."


class GitHubIssues:
    """Issues of the repository, found by their label; `gh` signs in with GH_TOKEN."""

    def __init__(self, label: str) -> None:
        self._label = label

    def find(self) -> str | None:
        found = _started("gh", "issue", "list", "--label", self._label, "--state", "open", "--limit", "1", *_JSON)
        numbers = [str(issue["number"]) for issue in json.loads(found or "[]")]
        return numbers[0] if numbers else None

    def open(self, title: str, body: str) -> None:
        _started("gh", "label", "create", self._label, "--description", "Opened by the watch workflow", "--force")
        _started("gh", "issue", "create", "--title", title, "--label", self._label, "--body", body)

    def update(self, number: str, title: str, body: str) -> None:
        _started("gh", "issue", "edit", number, "--title", title, "--body", body)

    def over(self, number: str) -> None:
        _started("gh", "issue", "close", number, "--comment", _OVER)


_JSON = ("--json", "number")


class WorkItems:
    """Work items of the Azure DevOps project, found by their tag; `az` signs in with AZURE_DEVOPS_EXT_PAT."""

    def __init__(self, tag: str, organization: str, project: str) -> None:
        self._tag = tag
        self._where = ("--org", organization, "--project", project)
        # Scrum has no issues: there it is "Impediment" or "Bug".
        self._type = os.environ.get("WORK_ITEM_TYPE") or "Issue"

    def find(self) -> str | None:
        wiql = (
            f"SELECT [System.Id] FROM WorkItems WHERE [System.Tags] CONTAINS '{self._tag}' "  # noqa: S608 (ours)
            "AND [System.State] NOT IN ('Done', 'Closed', 'Resolved', 'Removed')"
        )
        found = json.loads(_started("az", "boards", "query", "--wiql", wiql, *self._where, "--output", "json") or "[]")
        return str(found[0]["id"]) if found else None

    def open(self, title: str, body: str) -> None:
        fields = ("--fields", f"System.Tags={self._tag}")
        words = ("--type", self._type, "--title", title, "--description", _html(body), *fields, *self._where)
        _started("az", "boards", "work-item", "create", *words, "--output", "none")

    def update(self, number: str, title: str, body: str) -> None:
        self._change(number, "--title", title, "--description", _html(body))

    def over(self, number: str) -> None:
        self._change(number, "--discussion", _OVER)

    def _change(self, number: str, *words: str) -> None:
        _started("az", "boards", "work-item", "update", "--id", number, *words, *self._where[:2], "--output", "none")


def _html(body: str) -> str:
    """Descriptions of work items are HTML."""
    text = body.replace("```\n", "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<pre>{text}</pre>"


def _started(program: str, *words: str) -> str:
    """What a program prints. Raises WatchFault."""
    path = shutil.which(program)
    if path is None:
        raise WatchFault(f"{program}: is not on PATH; it opens the alert")
    result = subprocess.run([path, *words], cwd=PROJECT, capture_output=True, encoding="utf-8", check=False)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise WatchFault(f"{program}: `{program} {' '.join(words[:3])}` failed: {reason}")
    return result.stdout.strip()


def alerts(environment: str) -> Alerts | None:
    """Where this machine keeps alerts; None for one that is no CI system."""
    label = f"amlops-{environment}"
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return GitHubIssues(label)
    if os.environ.get("TF_BUILD"):
        return WorkItems(label, os.environ["SYSTEM_COLLECTIONURI"], os.environ["SYSTEM_TEAMPROJECT"])
    return None


def look(environment: str) -> tuple[int, str]:
    """Exit code of `amlops status --check`, and what it says to a person."""
    words = ["-m", "amlops", "status", "--env", environment, "--check", "--output", "table"]
    result = subprocess.run([sys.executable, *words], cwd=PROJECT, capture_output=True, encoding="utf-8", check=False)
    return result.returncode, (result.stdout + result.stderr).strip()


def watch(environment: str) -> int:
    """Look, print, and keep the alert. Returns the exit code. Raises WatchFault."""
    code, said = look(environment)
    print(said, flush=True)
    place = alerts(environment)
    if place is None:
        return code
    number = place.find()
    if code == 0:
        if number is not None:
            place.over(number)
        return 0
    title = f"{environment}: {_summary(code, said)}"
    body = f"```\n{said[:_LONGEST]}\n```\n"
    if number is None:
        place.open(title, body)
    else:
        place.update(number, title, body)
    return code


def _summary(code: int, said: str) -> str:
    found = re.search(r"^\d+ problems?$", said, re.MULTILINE)
    return found[0] if found and code != 1 else "the environment cannot be read"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", required=True, help="dev or prod")
    try:
        return watch(parser.parse_args(arguments).env)
    except WatchFault as fault:
        print(f"watch: {fault}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
