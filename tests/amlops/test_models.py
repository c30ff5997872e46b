"""The model store: versions, tags, references, and several processes at once."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from amlops_support import SmallProject
from hypothesis import given
from hypothesis import strategies as st

from amlops import references
from amlops.errors import UserError
from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Project


@pytest.fixture
def store(project: SmallProject) -> ModelStore:
    project.write("weights/w.txt", "0.5")
    project.write("weights/more/v.txt", "0.7")
    return ModelStore(LocalState(Project.find(project.root)))


def test_versions_are_strings_that_count_up_and_are_never_overwritten(store: ModelStore, project: SmallProject) -> None:
    weights = project.root / "weights"
    assert [store.create("m", weights).version for _ in range(3)] == ["1", "2", "3"]
    assert store.create("m", weights, version="10").version == "10"
    assert store.create("m", weights, version="2026.1-rc").version == "2026.1-rc"
    assert store.create("m", weights).version == "11"
    assert store.create("other", weights).version == "1"
    with pytest.raises(UserError, match="has a version '3' already; a version is never overwritten"):
        store.create("m", weights, version="3")
    assert store.show("m").version == "11", "the latest is the one created last"
    assert [model.version for model in store.list("m")] == ["11", "2026.1-rc", "10", "3", "2", "1"]
    assert sorted(path.name for path in (project.root / ".amlops/models/m").iterdir()) == [
        "1", "10", "11", "2", "2026.1-rc", "3",
    ]  # fmt: skip


def test_a_folder_and_a_file_keep_their_names_and_hashes(store: ModelStore, project: SmallProject) -> None:
    folder = store.create(
        "m", project.root / "weights", tags={"accuracy": "0.97"}, properties={"rows": "3"}, description="x"
    )
    assert folder.path == project.root / ".amlops/models/m/1/weights"
    assert folder.files == {
        "weights/w.txt": hashlib.sha256(b"0.5").hexdigest(),
        "weights/more/v.txt": hashlib.sha256(b"0.7").hexdigest(),
    }
    single = store.create("f", project.root / "weights" / "w.txt")
    assert single.path.read_text() == "0.5" and single.directory == single.path.parent
    project.write("weights/w.txt", "changed later")
    assert store.resolve("azureml:m:1") == store.show("m") == folder
    assert folder.tags == {"accuracy": "0.97"} and folder.properties == {"rows": "3"}


def test_list_by_tags(store: ModelStore, project: SmallProject) -> None:
    for tags in ({"shop": "1", "kind": "a"}, {"shop": "2", "kind": "a"}, {}):
        store.create("m", project.root / "weights", tags=tags)
    assert [model.version for model in store.list(tags={"kind": "a"})] == ["2", "1"]
    assert [model.version for model in store.list("m", {"kind": "a", "shop": "1"})] == ["1"]
    assert store.list("m", {"kind": "b"}) == [] == store.list("nothing")


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("azureml:m:9", "has no version '9'; it has: 1"),
        ("azureml:n@latest", "'n' is not registered; there are: m"),
        ("azureml:m@production", "label 'production' is not known"),
        ("azureml:m:1:2", "is not a reference"),
        ("azureml:@latest", "is not a reference"),
        ("azureml:m:", "is not a reference"),
    ],
)
def test_references_that_mean_nothing(store: ModelStore, project: SmallProject, reference: str, says: str) -> None:
    store.create("m", project.root / "weights")
    with pytest.raises(UserError, match=says):
        store.resolve(reference)


@given(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True),
)
def test_references_survive_writing_and_reading(name: str, version: str) -> None:
    for reference in (references.AssetReference(name, version=version), references.AssetReference(name, label=version)):
        assert references.parse(str(reference)) == reference
        assert references.is_reference(str(reference))


def test_changed_and_missing_files_are_noticed(store: ModelStore, project: SmallProject) -> None:
    model = store.create("m", project.root / "weights")
    (model.path / "w.txt").write_text("0.6")
    with pytest.raises(UserError, match=r"damaged: weights/w\.txt has changed"):
        store.resolve("azureml:m@latest")
    (model.path / "w.txt").unlink()
    with pytest.raises(UserError, match=r"damaged: weights/w\.txt is missing"):
        store.resolve("azureml:m:1")


def test_a_file_that_was_added_to_a_model_is_noticed(store: ModelStore, project: SmallProject) -> None:
    """An MLmodel file beside the registered folder would be loaded in place of the one in it."""
    model = store.create("m", project.root / "weights")
    (model.directory / "MLmodel").write_text("flavors: {}")
    with pytest.raises(UserError, match=r"damaged: MLmodel was added; remove it"):
        store.resolve("azureml:m:1")


BAD = {
    "name": (["-n", "a b", "-p", "weights"], "name: 'a b' must be"),
    "version": (["-n", "m", "-p", "weights", "-v", "../1"], "version: '../1' must be"),
    "label as version": (["-n", "m", "-p", "weights", "-v", "latest"], "is the label of the newest version"),
    "type": (["-n", "m", "-p", "weights", "-t", "onnx"], "type: 'onnx' is not a model type; one of custom_model"),
    "path": (["-n", "m", "-p", "missing"], "does not exist"),
    "empty folder": (["-n", "m", "-p", "empty"], "has no file in it"),
    "link to nothing": (["-n", "m", "-p", "linked"], "cannot be copied: [Errno 2] No such file"),
    "no name": (["-f", "noname.yml"], "name: the model has no name"),
    "unknown key": (["-f", "unknown.yml"], "unknown.yml:2: pth: is not a key of a model; did you mean 'path'?"),
    "cloud path": (["-f", "cloud.yml"], "path: there is no job 'x'; "),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(project: SmallProject, case: str) -> None:
    project.write("weights/w.txt", "0.5")
    project.write("noname.yml", "path: weights\n")
    project.write("unknown.yml", "name: m\npth: weights\n")
    project.write("cloud.yml", "name: m\npath: azureml://jobs/x/outputs/artifacts\n")
    (project.root / "empty").mkdir()
    project.write("linked/w.txt", "0.5")
    (project.root / "linked" / "broken").symlink_to("nowhere")
    words, says = BAD[case]
    result = project.run("model", "create", *words)
    assert result.code == 1 and says in result.line
    assert not list(project.root.glob(".amlops/models/*"))


def test_file_and_flags(project: SmallProject) -> None:
    project.write("models/weights/w.txt", "0.5")
    project.write(
        "models/m.yml",
        "name: m\nversion: 3\npath: ./weights\ntype: mlflow_model\ntags: {rows: 10, stage: test}\ndescription: d\n",
    )
    created = project.run("model", "create", "-f", "models/m.yml", "--tag", "stage=live", "--set", "tags.more=a").json
    assert created["version"] == "3" and created["type"] == "mlflow_model" and created["description"] == "d"
    assert created["tags"] == {"rows": "10", "stage": "live", "more": "a"}
    assert project.run("model", "show", "-n", "m").json == created
    assert project.run("model", "list", "--tag", "stage=live", "--query", "[0].version", "-o", "tsv").out == "3\n"
    assert project.run("model", "create", "-f", "models/m.yml", "-v", "4").json["version"] == "4"


CREATE = """
import sys
from pathlib import Path
from pathlib import Path
from amlops.workspace import connect
models = connect().models
print(*[models.create("m", Path(sys.argv[1])).version for _ in range(5)])
"""


def test_processes_that_register_at_once_get_versions_of_their_own(store: ModelStore, project: SmallProject) -> None:
    command = [sys.executable, "-c", CREATE, str(project.root / "weights")]
    processes = [
        subprocess.Popen(command, cwd=project.root, env=project.environment(), stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    versions = [version for process in processes for version in process.communicate(timeout=60)[0].split()]
    assert sorted(map(int, versions)) == list(range(1, 21))
    for model in store.list("m"):
        store.verify(model)
    assert not list((project.root / ".amlops" / "models").glob(".new-*"))


CRASH = """
import os, sys
from pathlib import Path
from amlops.local.models import ModelStore
from amlops.workspace import connect
moved = ModelStore._move
def crash(self, *arguments):
    moved(self, *arguments)
    os._exit(9)
ModelStore._move = crash
connect().models.create("m", Path(sys.argv[1]))
"""


def test_a_crash_before_the_end_leaves_no_version(store: ModelStore, project: SmallProject) -> None:
    store.create("m", project.root / "weights")
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(project.root / "weights")],
        cwd=project.root,
        env=project.environment(),
        check=False,
    )
    assert done.returncode == 9 and (project.root / ".amlops/models/m/2").is_dir()
    assert [model.version for model in store.list("m")] == ["1"]
    project.write("weights/w.txt", "new")
    model = store.create("m", project.root / "weights")
    assert model.version == "2" and (model.path / "w.txt").read_text() == "new"
    store.verify(model)


def test_a_step_registers_with_the_name_of_its_job(project: SmallProject) -> None:
    project.write("code/weights/w.txt", "1")
    project.write(
        "code/main.py",
        "from pathlib import Path\nfrom amlops.workspace import connect\n"
        "connect().models.create('m', Path('weights'))\n",
    )
    project.write("job.yml", "type: command\ncode: code\ncommand: python main.py\nenvironment: azureml:e@latest\n")
    result = project.run("job", "create", "-f", "job.yml", "--name", "train-1")
    assert result.code == 0, result.err
    assert project.run("model", "show", "-n", "m").json["job_name"] == "train-1"


def test_a_damaged_index_is_told(project: SmallProject) -> None:
    project.write(".amlops/models/models.db", "not a database " * 99)
    result = project.run("model", "list")
    assert result.code == 1 and "models.db" in result.line


def test_the_folder_that_holds_the_store_is_no_model_and_dots_are_no_name(
    store: ModelStore, project: SmallProject
) -> None:
    with pytest.raises(UserError, match="holds the model store itself"):
        store.create("m", project.root)
    model = store.create("m", project.root / "weights" / "more" / "..")
    assert [path.name for path in Path(model.path).parent.iterdir()] == ["weights"]
