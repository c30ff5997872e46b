"""Promotion between two workspaces: the gate, the checked copy, the champion and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from amlops_support import SmallProject
from batch_support import DEPLOYMENT, BatchProject

from amlops.errors import UserError
from amlops.local import LocalWorkspace
from amlops.project import Project
from amlops.promotion import gate as gates
from amlops.promotion import package, stages
from amlops.promotion.origin import EnvironmentOrigin
from amlops.promotion.promote import GateNotPassed, promote
from amlops.promotion.rollback import rollback

GATE = """\
model: digits
conditions:
  - {metric: accuracy, comparison: ">=", threshold: 0.9}
  - {metric: loss, comparison: "<", threshold: 0.5}
minimum_rows: {property: test_images, rows: 100}
margin: {accuracy: -0.01}
"""
GOOD = {"accuracy": "0.95", "loss": "0.1", "test_images": "200"}


@pytest.fixture
def places(make_project: Callable[[str], SmallProject]) -> tuple[LocalWorkspace, LocalWorkspace]:
    return _workspace(make_project("source")), _workspace(make_project("target"))


@pytest.fixture
def batch(project: SmallProject) -> BatchProject:
    return BatchProject.make(project)


def _workspace(project: SmallProject) -> LocalWorkspace:
    found = Project.find(project.root)
    return LocalWorkspace(found, found.environment("local"))


def _gate(place: LocalWorkspace, text: str = GATE) -> gates.Gate:
    file = place.project.root / "gate.yml"
    file.write_text(text, encoding="utf-8")
    return gates.find(place.project, "digits", file)


def _register(place: LocalWorkspace, text: str = "w1", tags: dict[str, str] | None = None, **changed: str) -> Path:
    folder = place.project.root / "made" / "digits"
    (folder / "more").mkdir(parents=True, exist_ok=True)
    (folder / "weights.txt").write_text(text, encoding="utf-8")
    (folder / "more" / "labels.txt").write_text("a b", encoding="utf-8")
    place.models.create("digits", folder, properties={**GOOD, **changed}, tags=tags)
    return folder


def test_the_same_version_arrives_with_its_files_and_record(places: tuple[LocalWorkspace, LocalWorkspace]) -> None:
    source, target = places
    _register(source)
    _register(source, "w2", git_commit="abc")
    done = promote(EnvironmentOrigin(source), target, "digits", "2", _gate(source), reason="ticket 42")
    there = target.models.show("digits", "2")
    assert there.files == source.models.show("digits", "2").files
    assert (done["copied"], there.tags[stages.STAGE], there.properties["promotion.commit"]) == (True, "champion", "abc")
    assert done["promotion"]["reason"] == "ticket 42" and done["promotion"]["by"]
    again = promote(EnvironmentOrigin(source), target, "digits", "2", _gate(source))
    assert (again["copied"], again["promotion"]) == (False, done["promotion"])
    assert [one.version for one in target.models.list("digits")] == ["2"]


def test_every_rule_is_told_and_tags_do_not_count(places: tuple[LocalWorkspace, LocalWorkspace]) -> None:
    source, target = places
    _register(source, accuracy="0.5", loss="nan", test_images="10", tags={"accuracy": "0.99", "loss": "0"})
    with pytest.raises(GateNotPassed) as caught:
        promote(EnvironmentOrigin(source), target, "digits", "1", _gate(source))
    found = {one["what"]: (one["value"], one["passed"]) for one in caught.value.record["gate"][:3]}
    assert found == {"accuracy": (0.5, False), "loss": (None, False), "test_images": (10.0, False)}
    assert caught.value.exit_code == 3 and target.models.list() == []


def test_a_worse_model_than_the_champion_is_refused(places: tuple[LocalWorkspace, LocalWorkspace]) -> None:
    source, target = places
    for accuracy in ("0.95", "0.945", "0.93"):
        _register(source, accuracy=accuracy)
    for version in ("1", "2"):
        promote(EnvironmentOrigin(source), target, "digits", version, _gate(source))
    with pytest.raises(GateNotPassed, match=r"accuracy is 0.93, must be >= 0.935 \(champion 2 0.945, margin -0.01\)"):
        promote(EnvironmentOrigin(source), target, "digits", "3", _gate(source))
    lower = GATE.replace("margin: {accuracy: -0.01}", "margin: {loss: 0.05}")
    with pytest.raises(GateNotPassed, match=r"loss is 0\.1, must be <= 0.05"):
        promote(EnvironmentOrigin(source), target, "digits", "3", _gate(source, lower))


def test_a_dry_run_changes_nothing(places: tuple[LocalWorkspace, LocalWorkspace]) -> None:
    source, target = places
    _register(source)
    assert promote(EnvironmentOrigin(source), target, "digits", "1", _gate(source), dry_run=True)["passed"] is True
    assert target.models.list() == []


def test_other_content_under_the_number_and_changed_files(places: tuple[LocalWorkspace, LocalWorkspace]) -> None:
    source, target = places
    _register(source)
    _register(target, "other")
    with pytest.raises(UserError, match="with other content"):
        promote(EnvironmentOrigin(source), target, "digits", "1", _gate(source))
    _register(source, "w2")
    (source.models.show("digits", "2").path / "weights.txt").write_text("evil", encoding="utf-8")
    with pytest.raises(UserError, match=r"weights\.txt has changed"):
        promote(EnvironmentOrigin(source), target, "digits", "2", _gate(source))
    assert [one.version for one in target.models.list("digits")] == ["1"]


def test_the_way_back_and_no_further(places: tuple[LocalWorkspace, LocalWorkspace]) -> None:
    source, target = places
    for text in ("w1", "w2"):
        _register(source, text)
    with pytest.raises(UserError, match="nothing to go back to"):
        rollback(target, "digits")
    for version in ("1", "2"):
        promote(EnvironmentOrigin(source), target, "digits", version, _gate(source))
    done = rollback(target, "digits", reason="wrong labels")
    assert (done["from_version"], done["to_version"], done["endpoints"]) == ("2", "1", {})
    taken_back = target.models.show("digits", "2").tags
    assert (taken_back[stages.STAGE], taken_back["rollback.reason"]) == ("rolled-back", "wrong labels")
    assert target.models.show("digits", "1").tags[stages.STAGE] == "champion"
    with pytest.raises(UserError, match="nothing to go back to"):
        rollback(target, "digits")


def test_an_endpoint_goes_back_with_the_model(
    places: tuple[LocalWorkspace, LocalWorkspace], batch: BatchProject
) -> None:
    source = places[0]
    project = Project.find(batch.files.root)
    target = LocalWorkspace(project, project.environment("local"))
    for text in ("w1", "w2"):
        _register(source, text)
    # The target has a version 1 of its own.
    _register(source, "w3")
    for version in ("2", "3"):
        promote(EnvironmentOrigin(source), target, "digits", version, _gate(source))
        file = batch.files.write(
            f".cloud/endpoints/scorer/v{version}.yml", DEPLOYMENT.replace("digits@latest", f"digits:{version}")
        )
        target.batch_deployments.create(file, name=f"version-{version}", set_default=True)
    endpoint = target.batch_endpoints.list()[0]["name"]
    assert rollback(target, "digits")["endpoints"] == {endpoint: "version-2"}
    assert target.batch_endpoints.show(endpoint)["defaults"]["deployment_name"] == "version-2"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('">="', '"=="', "gate.yml:3: conditions[0].comparison: '==' must be one of"),
        ("0.9}", "high}", "'high' must be a number"),
        ("rows: 100", "rows: 0", "'0' must be a whole number"),
        ("margin:", "margins:", "is not a key of a gate"),
        ("model: digits", "model: letters", "'digits' is to be promoted"),
    ],
)
def test_faults_in_a_gate(places: tuple[LocalWorkspace, LocalWorkspace], old: str, new: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        _gate(places[0], GATE.replace(old, new))
    assert said in str(caught.value)


def test_validate_tells_the_fault_and_its_line(project: SmallProject) -> None:
    project.write(".cloud/gates/digits.yml", GATE.replace("0.9}", "high}"))
    done = project.run("validate")
    assert done.code == 1 and ".cloud/gates/digits.yml:3" in done.out + done.err, done
    project.write(".cloud/gates/digits.yml", GATE)
    assert project.run("validate").code == 0


def test_tags_change_and_files_are_copied_out(project: SmallProject) -> None:
    project.write("w/x.txt", "1")
    project.run("model", "create", "-n", "m", "-p", "w", "--tag", "a=1")
    done = project.run("model", "update", "-n", "m", "-v", "1", "--set", "tags.a=", "--set", "tags.b=2")
    assert done.json["tags"] == {"b": "2"}
    copied = project.run("model", "download", "-n", "m", "-v", "1", "-p", "out")
    assert copied.code == 0 and (project.root / "out" / "w" / "x.txt").read_text(encoding="utf-8") == "1"
    again = project.run("model", "download", "-n", "m", "-v", "1", "-p", "out")
    assert again.code == 1 and "exists; give another folder" in again.line


def test_a_package_brings_the_same_version(places: tuple[LocalWorkspace, LocalWorkspace], tmp_path: Path) -> None:
    source, target = places
    _register(source, tags={"git_commit": "abc", "stage": "champion"})
    made = package.export(EnvironmentOrigin(source), "digits", "1", tmp_path / "hand-over" / "digits")
    done = promote(package.Package(tmp_path / "hand-over" / "digits"), target, "digits", "1", _gate(source))
    there = target.models.show("digits", "1")
    assert there.files == source.models.show("digits", "1").files
    assert (done["hash"], done["from"], there.properties["promotion.commit"]) == (made["hash"], "local", "abc")
    with pytest.raises(UserError, match="the package holds azureml:digits:1"):
        promote(package.Package(tmp_path / "hand-over" / "digits"), target, "digits", "2", _gate(source))
    with pytest.raises(UserError, match="exists; give a new folder"):
        package.export(EnvironmentOrigin(source), "digits", "1", tmp_path / "hand-over" / "digits")


def _other_file(folder: Path) -> None:
    (folder / "files" / "digits" / "weights.txt").write_text("evil", encoding="utf-8")


def _another_file(folder: Path) -> None:
    (folder / "files" / "digits" / "hook.py").write_text("evil", encoding="utf-8")


def _link_out(folder: Path) -> None:
    (folder / "files" / "digits" / "weights.txt").unlink()
    (folder / "files" / "digits" / "weights.txt").symlink_to("/etc/hostname")


def _no_hash(folder: Path) -> None:
    text = (folder / "model.json").read_text(encoding="utf-8")
    (folder / "model.json").write_text(text.replace("amlops.sha256", "sha"), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (_other_file, "are not those that were registered"),
        (_another_file, "are not those that were registered"),
        (_link_out, "must hold one file or folder and no links"),
        (_no_hash, "was registered without a hash"),
    ],
)
def test_a_package_that_was_changed_is_refused(
    places: tuple[LocalWorkspace, LocalWorkspace], tmp_path: Path, change: Callable[[Path], None], line: str
) -> None:
    source, target = places
    _register(source)
    package.export(EnvironmentOrigin(source), "digits", "1", tmp_path / "digits")
    change(tmp_path / "digits")
    with pytest.raises(UserError, match=line):
        promote(package.Package(tmp_path / "digits"), target, "digits", "1", _gate(source))
    assert target.models.list() == []


@pytest.mark.parametrize("card", ["{", "[]", '{"format": 1}', None])
def test_what_is_no_package_is_one_line(tmp_path: Path, card: str | None) -> None:
    if card is not None:
        (tmp_path / "model.json").write_text(card, encoding="utf-8")
    with pytest.raises(UserError, match="export") as caught:
        package.Package(tmp_path)
    assert "\n" not in str(caught.value)


def test_nothing_is_left_of_an_export_that_fails(places: tuple[LocalWorkspace, LocalWorkspace], tmp_path: Path) -> None:
    source = places[0]
    _register(source)
    (source.models.show("digits", "1").path / "weights.txt").write_text("evil", encoding="utf-8")
    with pytest.raises(UserError):
        package.export(EnvironmentOrigin(source), "digits", "1", tmp_path / "out" / "digits")
    assert list((tmp_path / "out").iterdir()) == []
