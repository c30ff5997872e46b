"""Models in Azure: versions, tags, and the record of the laptop."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cloud_support import Cloud, inherited

pytestmark = pytest.mark.slow

_THERE = "azureml://datastores/workspaceblobstore/paths/weights"


def _printed(cloud: Cloud, program: str) -> str:
    """What a Python program prints that runs in the project and signs in as the person does."""
    environment = {**inherited(), **cloud.variables}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=cloud.project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def registered(shared_cloud: Cloud) -> str:
    """A model with two versions that lie in a data store."""
    for stage in ("test", "live"):
        words = ["-n", "digits", "-p", _THERE, "--tag", f"stage={stage}", "--tag", "team=a", "--env", "dev"]
        done = shared_cloud.amlops("model", "create", *words)
        assert done.code == 0, done.err
    return "digits"


def test_versions_count_up_and_the_latest_is_shown(cloud: Cloud, registered: str) -> None:
    shown = cloud.amlops("model", "show", "-n", registered, "--env", "dev").json
    assert (shown["version"], shown["tags"]) == ("2", {"stage": "live", "team": "a"})
    assert shown["path"].endswith("/datastores/workspaceblobstore/paths/weights")


def test_the_record_has_the_keys_and_kinds_of_values_of_the_laptops(cloud: Cloud, registered: str) -> None:
    folder = cloud.project / "weights"
    folder.mkdir(exist_ok=True)
    (folder / "w.txt").write_text("1", encoding="utf-8")
    here = cloud.amlops("model", "create", "-n", "here", "-p", folder).json
    there = cloud.amlops("model", "show", "-n", registered, "-v", "1", "--env", "dev").json
    assert {key: type(value) for key, value in here.items()} == {key: type(value) for key, value in there.items()}


def test_models_are_listed_by_tags_over_all_names_newest_first(cloud: Cloud, registered: str) -> None:
    assert [entry["version"] for entry in cloud.amlops("model", "list", "--tag", "team=a", "--env", "dev").json] == [
        "2",
        "1",
    ]
    only = cloud.amlops("model", "list", "-n", registered, "--tag", "stage=test", "--env", "dev").json
    assert [entry["version"] for entry in only] == ["1"]


def test_a_version_is_never_overwritten(cloud: Cloud, registered: str) -> None:
    done = cloud.amlops("model", "create", "-n", registered, "-p", _THERE, "-v", "1", "--env", "dev")
    assert done.code == 1 and "never overwritten" in done.line and cloud.calls() == []


def test_what_is_not_there(cloud: Cloud, registered: str) -> None:
    version = cloud.amlops("model", "show", "-n", registered, "-v", "9", "--env", "dev")
    assert version.code == 1 and "has no version '9'" in version.line and "2, 1" in version.line
    name = cloud.amlops("model", "show", "-n", "other", "--env", "dev")
    assert name.code == 1 and "'other' is not registered in workspace" in name.line


def test_tags_are_changed_and_removed_and_the_files_stay(cloud: Cloud, registered: str) -> None:
    program = (
        "import json; from amlops.workspace import connect; models = connect('dev').models\n"
        f"changed = models.update({registered!r}, '1', tags={{'stage': None, 'by': 'me'}}, description='first')\n"
        "print(json.dumps(changed.as_record()))"
    )
    before = cloud.amlops("model", "show", "-n", registered, "-v", "1", "--env", "dev").json
    after = json.loads(_printed(cloud, program))
    assert after == {**before, "tags": {"team": "a", "by": "me"}, "description": "first"}


def test_what_is_uploaded_comes_back_with_the_hash_that_was_kept(cloud: Cloud) -> None:
    folder = cloud.project / "outputs" / "model"
    (folder / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "deep" / "w.txt").write_text("weights", encoding="utf-8")
    (folder / "card.md").write_text("# card", encoding="utf-8")
    made = cloud.amlops("model", "create", "-n", "carried", "-p", folder, "--env", "dev")
    assert (made.code, made.err) == (0, "")
    program = (
        "import pathlib; from amlops.workspace import connect; from amlops import contenthash\n"
        "path = connect('dev').models.download('carried', '1', pathlib.Path('carried'))\n"
        "print((path / 'deep' / 'w.txt').read_text(), path.name, contenthash.of_path(path))"
    )
    kept = made.json["properties"]["amlops.sha256"]
    assert _printed(cloud, program).split() == ["weights", "model", kept]
    assert [path.name for path in (cloud.project / "carried").iterdir()] == ["model"]
