"""`amlops batch-endpoint` and `amlops batch-deployment`: what is stored, what is refused, exit codes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from amlops_support import SmallProject
from batch_support import DEPLOYMENT, DRIVER, ENDPOINT, BatchProject, InProcess

from amlops.errors import UserError

pytestmark = pytest.mark.slow

FILE = ".cloud/endpoints/scorer/deployment.yml"


@pytest.fixture
def batch(project: SmallProject) -> BatchProject:
    return BatchProject.make(project)


@pytest.fixture
def amlops(batch: BatchProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> InProcess:
    return InProcess(batch.root, monkeypatch, capsys)


def rows(record: dict) -> list[str]:
    return Path(record["output_file"]).read_text(encoding="utf-8").splitlines()


def test_the_whole_way_on_the_command_line(batch: BatchProject) -> None:
    amlops = batch.files.run
    batch.files.write(FILE, DEPLOYMENT)
    images = batch.images({"1.txt": "ok", "2.txt": "ok", "3.txt": "skip"})
    trace = f"settings.environment_variables.TRACE={batch.root / 'trace'}"
    made = amlops(
        "batch-deployment", "create", "-f", FILE, "--endpoint-name", "scorer", "--set-default", "--set", trace
    )
    assert (made.code, made.json["model"]) == (0, "azureml:digits:1")
    invoked = amlops(
        "batch-endpoint", "invoke", "--name", "scorer", "--input", str(images), "--input-type", "uri_folder"
    )
    failed_items = Path(invoked.json["failed_items_file"]).relative_to(batch.root).as_posix()
    assert (invoked.code, invoked.line) == (0, f"amlops: note: 1 of 3 items failed: {failed_items}")
    assert invoked.json["items"] == {"total": 3, "succeeded": 2, "failed": 1}
    job = amlops(
        "batch-endpoint", "invoke", "-n", "scorer", "--input", str(images), "--query", "name", "-o", "tsv"
    ).out.strip()
    assert amlops("job", "show", "-n", job, "--query", "status").json == "Completed"
    assert amlops("batch-endpoint", "list", "--query", "[].defaults.deployment_name").json == ["first"]
    assert amlops("batch-deployment", "list", "-e", "scorer", "--query", "[].name", "-o", "tsv").out == "first\n"
    failed = amlops("batch-endpoint", "invoke", "-n", "scorer", "--input", str(images), "--set", "error_threshold=0")
    assert (failed.code, failed.json["status"]) == (3, "Failed")
    assert failed.err.startswith("amlops: 3.txt: missing from the result of run()\n")
    assert "1 of 3 items failed: .amlops/jobs/" in failed.err
    table = amlops("batch-endpoint", "invoke", "-n", "scorer", "--input", str(images), "-o", "table")
    assert "2 of 3 scored, 1 failed" in table.out
    deleted = amlops("batch-endpoint", "delete", "-n", "scorer", "--yes")
    assert (deleted.code, deleted.line) == (0, "deleted the batch endpoint 'scorer' and its deployments: first")
    assert amlops("batch-endpoint", "list").json == []
    assert amlops("job", "show", "-n", job).code == 0  # jobs survive their endpoint


def test_a_second_deployment_is_tried_by_name_and_then_becomes_the_default(batch: BatchProject) -> None:
    batch.deploy()
    images = batch.images({"1.txt": "ok"})
    second = DRIVER.replace("{Path(item).name} {model}", "second {model}")
    batch.files.write("code/scoring/score/driver.py", second)
    sets = [f"settings.environment_variables.TRACE={batch.root / 'trace'}"]
    batch.deployments.create(batch.root / FILE, name="second", sets=sets)
    assert rows(batch.invoke(images)) == ["1.txt w1 ok"]  # the default still serves
    assert rows(batch.invoke(images, deployment_name="second")) == ["second w1 ok"]
    batch.endpoints.update("scorer", sets=["defaults.deployment_name=second"])
    assert rows(batch.invoke(images)) == ["second w1 ok"]
    batch.deployments.delete("first", "scorer")
    with pytest.raises(UserError, match="is the default deployment"):
        batch.deployments.delete("second", "scorer")
    assert [record["name"] for record in batch.deployments.list("scorer")] == ["second"]


def test_a_deployment_stays_as_it_was_made(batch: BatchProject) -> None:
    batch.deploy()
    images = batch.images({"1.txt": "ok"})
    batch.files.write("code/scoring/score/driver.py", "this is not Python")
    batch.models.create("digits", batch.files.write("made2/digits/weights.txt", "w2").parent)
    assert rows(batch.invoke(images)) == ["1.txt w1 ok"]
    batch.deploy(driver=DRIVER)  # made again: the new version is the latest now
    assert rows(batch.invoke(images)) == ["1.txt w2 ok"]


def test_update_changes_only_what_it_says(batch: BatchProject) -> None:
    batch.deploy()
    before = batch.deployments.show("first", "scorer")
    after = batch.deployments.update("first", "scorer", sets=["settings.mini_batch_size=7"])
    assert after["settings"]["mini_batch_size"] == 7
    changing = ("settings", "spec", "created_at")
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert rows(batch.invoke(batch.images({"1.txt": "ok"}))) == ["1.txt w1 ok"]
    with pytest.raises(UserError, match="mini_batch_size: '0' must be at least 1"):
        batch.deployments.update("first", "scorer", sets=["settings.mini_batch_size=0"])
    assert batch.deployments.show("first", "scorer") == after


def test_a_deployment_is_shown_as_az_nests_it(batch: BatchProject) -> None:
    """Scripts ask for `--query settings.retry_settings.timeout`."""
    batch.deploy("settings.retry_settings.timeout=7", "settings.environment_variables.TOKEN=secret")
    shown = batch.deployments.show("first", "scorer")
    assert shown["resources"] == {"instance_count": 1}
    assert shown["settings"]["retry_settings"] == {"max_retries": 3, "timeout": 7}
    assert shown["settings"]["output_file_name"] == "predictions.csv"
    assert shown["settings"]["environment_variables"]["TOKEN"] == "(not shown)"


def test_an_endpoint_made_again_keeps_its_deployments(batch: BatchProject) -> None:
    batch.deploy()
    again = batch.endpoints.create(batch.root / ".cloud/endpoints/scorer/endpoint.yml", sets=["description=new"])
    assert (again["description"], again["defaults"]) == ("new", {"deployment_name": "first"})


def test_a_model_that_is_not_registered(batch: BatchProject) -> None:
    batch.files.write(FILE, DEPLOYMENT.replace("azureml:digits@latest", "{path: ../../../made/digits}"))
    sets = [f"settings.environment_variables.TRACE={batch.root / 'trace'}"]
    batch.deployments.create(batch.root / FILE, set_default=True, sets=sets)
    (batch.root / "made/digits/weights.txt").write_text("changed", encoding="utf-8")
    assert rows(batch.invoke(batch.images({"1.txt": "ok"}))) == ["1.txt w1 ok"]


def test_an_override_wins_for_one_job_only(batch: BatchProject) -> None:
    batch.deploy()
    images = batch.images({f"{n}.txt": "ok" for n in range(6)})
    sets = [
        "retry_settings.timeout=9",
        "retry_settings.max_retries=1",
        "compute.instance_count=2",
        "output_file_name=x.csv",
    ]
    settings = batch.invoke(images, sets=sets, mini_batch_size=3)["settings"]
    assert (settings["timeout"], settings["max_retries"], settings["instance_count"]) == (9, 1, 2)
    assert (settings["mini_batch_size"], settings["output_file_name"]) == (3, "x.csv")
    again = batch.invoke(images)["settings"]
    assert (again["timeout"], again["instance_count"], again["mini_batch_size"]) == (30, 1, 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "max_retries=2"], "write retry_settings.max_retries"),
        (["--set", "instance_count=4"], "write compute.instance_count"),
        (["--set", "nothing=1"], "an invocation can change mini_batch_size"),
        (["--set", "mini_batch_size"], "must be KEY=VALUE"),
        (["--set", "retry_settings.timeout=0"], "--set retry_settings.timeout: '0' must be at least 1"),
        (["--set", "error_threshold=-2"], "must be at least -1"),
        (["--set", "output_file_name=a/b.csv"], "'a/b.csv' has /"),
        (["--mini-batch-size", "0"], "--mini-batch-size: '0' must be at least 1"),
        (["--instance-count", "-1"], "--instance-count: '-1' must be at least 1"),
        (["--deployment-name", "none"], "has no deployment 'none'; it has: first"),
        (["--input-type", "uri_file"], "is a folder, not uri_file"),
        (["--output-path", "images/1.txt"], "is a file; give a folder"),
        (["--output-path", "azureml://datastores/x/paths/y"], "there is no data store 'x'; there are: workspaceblob"),
        (["--job-name", "../x"], "--job-name: '../x' must be"),
    ],
)
def test_a_wrong_invocation_gets_one_line_and_makes_nothing(
    batch: BatchProject, amlops: InProcess, options: list[str], said: str
) -> None:
    batch.deploy()
    batch.images({"1.txt": "ok"})
    result = amlops("batch-endpoint", "invoke", "--name", "scorer", "--input", "images", *options)
    assert result.code == 1
    assert said in result.line
    assert not (batch.root / ".amlops" / "jobs").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("scoring_script: score/driver.py", "scoring_script: score.py", "'score.py' is not in the code folder"),
        ("scoring_script: score/driver.py", "scoring_script: ../../made/x.py", "is outside the code folder"),
        ("code: ../../../code/scoring", "code: ../nowhere", "'../nowhere' does not exist"),
        ("@latest", ":9", "'digits' has no version '9'; it has: 1"),
        ("azureml:digits@latest", "azureml:other@latest", "'other' is not registered"),
        ("azureml:digits@latest", "../made", "or 'model: {path: ../made}'"),
        ("azureml:digits@latest", "{path: ../made}", "model.path: '../made' does not exist"),
        ("endpoint_name: scorer", "endpoint_name: another", "there is no batch endpoint 'another' yet"),
        ("name: first", "name: 1st", "'1st' must be 3 to 32 letters"),
        ("mini_batch_size: 2", "mini_batch_size: 0", "settings.mini_batch_size: '0' must be at least 1"),
        (
            "code_configuration:\n  code: ../../../code/scoring\n  scoring_script: score/driver.py\n",
            "",
            "the model is a custom_model, and only an mlflow_model needs no scoring script",
        ),
    ],
)
def test_a_wrong_deployment_gets_one_line_and_makes_nothing(
    batch: BatchProject, amlops: InProcess, old: str, new: str, said: str
) -> None:
    assert old in DEPLOYMENT
    batch.files.write(FILE, DEPLOYMENT.replace(old, new))
    result = amlops("batch-deployment", "create", "--file", FILE)
    assert result.code == 1
    assert said in result.line
    assert result.line.startswith(f"amlops: {FILE}:")
    assert batch.deployments.list("scorer") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create",), "--file or --name is needed"),
        (("create", "-n", "x"), "must be 3 to 32 letters"),
        (("create", "-f", "other.yml"), "name: is missing"),
        (("create", "-f", "key.yml"), "auth_mode: 'key' is not allowed; use aad_token"),
        (("create", "-f", "default.yml"), "has no deployment 'first' yet"),
        (("update", "-n", "scorer", "--set", "defaults.deployment_name=new"), "has no deployment 'new' yet"),
        (("show", "-n", "nope"), "there is no batch endpoint 'nope'; there are: scorer"),
        (("show", "-n", "../../x"), "there is no batch endpoint"),
        (("delete", "-n", "nope", "--yes"), "there is no batch endpoint 'nope'"),
        (("invoke", "-n", "scorer", "--input", "."), "has no default deployment"),
    ],
)
def test_wrong_endpoints_get_one_line(
    batch: BatchProject, amlops: InProcess, words: tuple[str, ...], said: str
) -> None:
    batch.files.write("other.yml", "description: no name\n")
    batch.files.write("key.yml", ENDPOINT + "auth_mode: key\n")
    batch.files.write("default.yml", ENDPOINT + "defaults: {deployment_name: first}\n")
    result = amlops("batch-endpoint", *words)
    assert result.code in (1, 2)
    assert said in result.line


def test_deleting_needs_a_yes(batch: BatchProject) -> None:
    batch.deploy()
    amlops = batch.files.run
    for words in (
        ("batch-endpoint", "delete", "--name", "scorer"),
        ("batch-deployment", "delete", "--name", "first", "--endpoint-name", "scorer"),
    ):
        result = amlops(*words)
        example = f"amlops {' '.join(words)} --yes"
        says = f"amlops: --yes: is needed to delete without a terminal; for example {example}"
        assert (result.code, result.line) == (1, says)
    assert [record["name"] for record in batch.deployments.list("scorer")] == ["first"]


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, ["scorer"]), ("y", 0, [])])
def test_deleting_asks_on_a_terminal(batch: BatchProject, answer: str, code: int, left: list[str]) -> None:
    pty = pytest.importorskip("pty")
    batch.deploy()
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    result = batch.files.run("batch-endpoint", "delete", "-n", "scorer", stdin=theirs)
    os.close(theirs)
    os.close(ours)
    assert result.code == code and "Delete the batch endpoint 'scorer' and its deployments?" in result.err
    assert [record["name"] for record in batch.endpoints.list()] == left


def test_a_deployment_is_deleted_by_name(batch: BatchProject, amlops: InProcess) -> None:
    batch.deploy()
    sets = [f"settings.environment_variables.TRACE={batch.root / 'trace'}"]
    batch.deployments.create(batch.root / FILE, name="second", sets=sets)
    words = ("batch-deployment", "delete", "-e", "scorer", "--yes", "-n")
    assert "has no deployment '../endpoint'" in amlops(*words, "../endpoint").line
    assert amlops(*words, "second").line == "deleted the deployment 'second' of the batch endpoint 'scorer'"
    assert [record["name"] for record in batch.deployments.list("scorer")] == ["first"]


def test_an_endpoint_that_deployments_do_not_find(amlops: InProcess) -> None:
    result = amlops("batch-deployment", "list", "-e", "nope")
    assert result.code == 1 and "--endpoint-name: there is no batch endpoint 'nope'" in result.line


def test_code_that_is_data_is_refused(batch: BatchProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amlops.local.batch.snapshot.LARGEST_CODE", 10)
    with pytest.raises(UserError, match="keep data out of the code folder"):
        batch.deploy()


def test_caches_are_not_part_of_the_code(batch: BatchProject) -> None:
    batch.files.write("code/scoring/__pycache__/x.pyc", "")
    batch.files.write("code/scoring/.venv/lib/x.py", "")
    code = Path(batch.deploy()["code_path"])
    assert [path.relative_to(code).as_posix() for path in code.rglob("*") if path.is_file()] == ["score/driver.py"]
    first = code.stat().st_ino
    assert Path(batch.deploy()["code_path"]).stat().st_ino == first  # the same content is kept once


@pytest.mark.parametrize("name", ["../endpoint", "../../../../package", "..", ""])
def test_a_name_never_leads_out_of_the_endpoints_folder(batch: BatchProject, name: str) -> None:
    batch.deploy()
    file = batch.root / "package.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="has no deployment"):
        batch.deployments.delete(name, "scorer")
    assert file.exists()
    assert batch.endpoints.show("scorer")["name"] == "scorer"
