"""Where inputs of jobs and of batch endpoints may come from, and where outputs may go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from amlops_support import SmallProject
from batch_support import BatchProject, InProcess
from web_support import Web, running_web

from amlops.errors import UserError
from amlops.local.data import LocalData
from amlops.local.environments import LocalEnvironments
from amlops.local.jobrecords import JobRecords
from amlops.local.jobs import LocalJobs
from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Project

JOB = """\
type: command
command: python show.py ${{inputs.data}} ${{outputs.seen}}
code: src
environment: {image: ubuntu}
compute: azureml:cpu-cluster
inputs:
  data: {type: TYPE, path: 'PATH'}
outputs:
  seen: {type: uri_folder}
"""
SHOW = """\
import json, sys
from pathlib import Path

path = Path(sys.argv[1])
files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
found = {file.relative_to(path if path.is_dir() else path.parent).as_posix(): file.read_text() for file in files}
Path(sys.argv[2], "seen.json").write_text(json.dumps({"path": str(path), "files": found}))
"""
BLOBS = b"<EnumerationResults><Blobs>%s</Blobs><NextMarker/></EnumerationResults>" % b"".join(
    b"<Blob><Name>a/%d.txt</Name></Blob>" % number for number in (1, 2, 3)
)
STORE = "azureml://datastores/workspaceblobstore/paths"


@pytest.fixture
def web() -> Iterator[Web]:
    with running_web() as server:
        yield server


@pytest.fixture
def batch(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> BatchProject:
    monkeypatch.chdir(project.root)
    made = BatchProject.make(project)
    made.deploy()
    return made


@pytest.fixture
def amlops(project: SmallProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> InProcess:
    return InProcess(project.root, monkeypatch, capsys)


def _data(project: SmallProject) -> LocalData:
    found = Project(project.root)
    return LocalData(found, LocalState(found))


def _job(project: SmallProject, path: str, type: str, *sets: str) -> dict[str, object]:
    """Run a job with one input; returns its record and what its step saw."""
    project.write("src/show.py", SHOW)
    file = project.write("job.yml", JOB.replace("PATH", path).replace("TYPE", type))
    found = Project(project.root)
    state = LocalState(found)
    record = LocalJobs(state, ModelStore(state), found).create(file, sets=sets)
    seen = json.loads(Path(record["outputs"]["seen"], "seen.json").read_text())
    return {**record, "seen": seen["files"], "path": Path(seen["path"])}


@pytest.mark.parametrize("form", ["asset", "label", "arm", "store", "long", "job", "file"])
def test_a_step_reads_data_by_every_kind_of_reference(project: SmallProject, form: str) -> None:
    project.write(".cloud/environments/dev.yml", "environment: dev\nresource_group: rg\nworkspace: mlw\n")
    data = _data(project)
    folder = project.write("scans/a/1.png", "one").parents[1]
    place = data.assets.register("scans", str(folder), base=project.root).content["path"]
    written = project.write(".amlops/jobs/earlier/outputs/scans/a/1.png", "one").parents[1]
    earlier = {"name": "earlier", "status": "Completed", "created_at": "2026", "outputs": {"scans": str(written)}}
    project.write(".amlops/jobs/earlier/job.json", json.dumps(earlier))
    arm = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/mlw"
    forms = {
        "asset": "azureml:scans:1",
        "label": "azureml:scans@latest",
        "arm": f"azureml:{arm}/data/scans/versions/1",
        "store": place,
        "long": place.replace("//", "//subscriptions/1/resourcegroups/rg/workspaces/mlw/"),
        "job": "azureml://jobs/earlier/outputs/scans",
        "file": "file:scans",
    }
    record = _job(project, forms[form], "uri_folder")
    assert record["seen"] == {"a/1.png": "one"}


def test_a_step_reads_a_file_at_an_https_address_that_is_fetched_once(project: SmallProject, web: Web) -> None:
    address = web.serve("/data/sales.csv?sig=s3cret", b"1,2,3")
    record = _job(project, address, "uri_file")
    assert record["seen"] == {"sales.csv": "1,2,3"}
    assert web.asked == ["/data/sales.csv?sig=s3cret"]
    folder = project.root / ".amlops" / "jobs" / str(record["name"])
    assert record["path"] == folder / "inputs" / "1" / "sales.csv"
    assert record["inputs"] == {"data": f"{web.address}/data/sales.csv"}
    assert "s3cret" not in (folder / "job.json").read_text()


def test_what_a_job_wrote_becomes_a_model_and_a_data_asset(project: SmallProject, amlops: InProcess) -> None:
    """As people do with az ml: --path azureml://jobs/NAME/outputs/OUTPUT, of a job, of a step, of a batch job."""
    project.write("scans/1.png", "one")
    name = _job(project, "scans", "uri_folder")["name"]
    output = f"azureml://jobs/{name}/outputs/seen"
    model = amlops("model", "create", "--name", "m", "--path", output, "--type", "custom_model").json
    assert (Path(model["path"]) / "seen.json").is_file()
    assert model["job_name"] == name
    data = amlops("data", "create", "-n", "d", "--path", f"{output}/paths/seen.json", "--type", "uri_file").json
    assert data["path"].endswith("/seen.json")
    project.write("m.yml", f"name: m\npath: azureml://jobs/{name}.command/outputs/seen\n")
    assert amlops("model", "create", "-f", "m.yml").json["version"] == "2"
    line = amlops("model", "create", "--name", "m", "--path", f"azureml://jobs/{name}/outputs/none").line
    assert line == f"amlops: path: job '{name}' has no output 'none'; it has: seen"
    assert "leaves the job's outputs" in amlops("model", "create", "-n", "m", "--path", f"{output}/paths/../../x").line


def test_set_may_name_another_place_for_an_input(project: SmallProject) -> None:
    project.write("scans/1.png", "one")
    project.write("other/2.png", "two")
    _data(project).assets.register("other", "other", base=project.root)
    record = _job(project, "scans", "uri_folder", "inputs.data.path=azureml:other:1")
    assert record["seen"] == {"2.png": "two"}


@pytest.mark.parametrize(
    ("path", "type", "said"),
    [
        ("azureml:none:1", "uri_folder", "the data asset 'none' is not registered; there are: scans"),
        ("azureml:scans:2", "uri_folder", "the data asset 'scans' has no version '2'; it has: 1"),
        ("azureml:scans", "uri_folder", "has neither version nor label; for example azureml:scans@latest"),
        ("azureml:scans@newest", "uri_folder", "the label 'newest' is not known"),
        ("azureml:scans:1", "uri_file", "'azureml:scans:1' is registered as uri_folder; it cannot be used as uri_file"),
        (f"{STORE}/nothing", "uri_folder", f"'{STORE}/nothing' does not exist (looked at "),
        (f"{STORE}/../../../..", "uri_folder", "leaves the data store"),
        ("azureml://jobs/../outputs/x", "uri_folder", "there is no job '..'"),
        ("azureml://jobs/none/outputs/x", "uri_folder", "there is no job 'none'"),
        ("azureml://jobs/a/outputs/x/paths/../../..", "uri_folder", "leaves the job's outputs"),
        ("azureml://registries/shared/data/x/versions/1", "uri_folder", "is not reached from the laptop"),
        ("abfss://raw@lake.dfs.core.windows.net/x", "uri_folder", "is not reached from the laptop"),
        ("http://example.com/a.csv", "uri_file", "is not encrypted; use https://"),
    ],
)
def test_a_wrong_input_of_a_job_is_one_line_and_makes_nothing(
    project: SmallProject, amlops: InProcess, path: str, type: str, said: str
) -> None:
    _data(project).assets.register("scans", str(project.write("scans/1.png", "one").parent), base=project.root)
    project.write("src/show.py", SHOW)
    project.write("job.yml", JOB.replace("PATH", path).replace("TYPE", type))
    result = amlops("job", "create", "-f", "job.yml")
    assert (result.code, said in result.line) == (1, True), result.err
    assert result.line.startswith("amlops: job.yml:7: inputs.data.path: ")
    assert not (project.root / ".amlops" / "jobs").exists()


def test_an_address_that_cannot_be_fetched_leaves_no_job(project: SmallProject, amlops: InProcess, web: Web) -> None:
    project.write("src/show.py", SHOW)
    project.write("job.yml", JOB.replace("PATH", f"{web.address}/none.csv").replace("TYPE", "uri_file"))
    result = amlops("job", "create", "-f", "job.yml")
    assert (result.code, "/none.csv' answers 404 Not Found" in result.line) == (1, True)
    assert amlops("job", "list").json == []
    assert not (project.root / ".amlops" / "jobs").exists()


@pytest.mark.slow
def test_a_batch_endpoint_takes_every_kind_of_input(batch: BatchProject, web: Web) -> None:
    """a.1, b.2 and C: input by path, https address, data store path or registered data asset."""
    folder = batch.images({"a/1.txt": "ok", "2.txt": "ok"})
    data = _data(batch.files)
    place = data.assets.register("scans", str(folder), base=batch.root).content["path"]
    address = web.serve("/images/one%20digit.txt?sig=s3cret", b"ok")
    inputs = {
        "images": 2,
        "images/2.txt": 1,
        "azureml:scans:1": 2,
        "azureml:scans@latest": 2,
        place: 2,
        f"{place}/2.txt": 1,
        address: 1,
    }
    web.serve("/data?restype=container&comp=list&prefix=a%2F", BLOBS)
    for name in ("1", "2", "3"):
        web.serve(f"/data/a/{name}.txt", b"ok")
    folder_record = batch.endpoints.invoke("scorer", input=f"{web.address}/data/a", input_type="uri_folder")
    assert folder_record["items"]["succeeded"] == 3
    web.asked.clear()
    records = {value: batch.endpoints.invoke("scorer", input=value) for value in inputs}
    assert {value: record["items"]["succeeded"] for value, record in records.items()} == inputs
    record = records[address]
    assert Path(record["input"]).name == "one digit.txt"
    assert record["input_reference"] == f"{web.address}/images/one%20digit.txt"
    assert web.asked == ["/images/one%20digit.txt?sig=s3cret"]


@pytest.mark.parametrize(
    ("value", "input_type", "said"),
    [
        ("azureml:none@latest", None, "--input: the data asset 'none' is not registered; there is none yet"),
        ("nothing", None, "--input: 'nothing' does not exist (looked at "),
        ("images", "uri_file", "--input: 'images' is a folder, not uri_file; use --input-type uri_folder"),
        ("images", "mltable", "--input-type: 'mltable' is not a type of input; one of uri_folder, uri_file"),
        ("https://example.com/scans", "uri_folder", "is an address of one file; use type uri_file"),
        ("http://example.com/a.txt", None, "--input: 'http://example.com/a.txt' is not encrypted"),
        (f"{STORE}/../x", None, "leaves the data store"),
    ],
)
def test_a_wrong_input_of_an_endpoint_is_one_line_and_makes_nothing(
    batch: BatchProject, value: str, input_type: str | None, said: str
) -> None:
    batch.images({"1.txt": "ok"})
    with pytest.raises(UserError) as caught:
        batch.endpoints.invoke("scorer", input=value, input_type=input_type)
    assert said in caught.value.message
    assert not (batch.root / ".amlops" / "jobs").exists()


def test_predictions_go_to_a_blob_data_store(batch: BatchProject) -> None:
    batch.images({"1.txt": "ok"})
    record = batch.endpoints.invoke(
        "scorer", input="images", output_path="azureml://datastores/batch_output/paths/scores/today"
    )
    folder = batch.root / ".amlops" / "datastores" / "lake_output" / "scores" / "today"
    assert record["output_path"] == str(folder)
    assert (folder / "predictions.csv").read_text() == "1.txt w1 ok\n"
    # What one job has written there, the next one reads.
    again = batch.endpoints.invoke(
        "scorer", input="azureml://datastores/lake_output/paths/scores/today/predictions.csv"
    )
    assert again["items"]["total"] == 1


def test_predictions_do_not_go_to_a_lake(batch: BatchProject, amlops: InProcess) -> None:
    """first-day row 18: batch outputs go only to blob data stores."""
    batch.images({"1.txt": "ok"})
    words = ("batch-endpoint", "invoke", "-n", "scorer", "--input", "images", "--output-path")
    line = amlops(*words, "azureml://datastores/lake_output/paths/x").line
    assert line == (
        "amlops: --output-path: 'lake_output' is a data store of type azure_data_lake_gen2, and batch endpoints write "
        "only to blob data stores; for example azureml://datastores/batch_output/paths/x"
    )
    assert "is not a place to write to" in amlops(*words, "https://example.com/x").line
    assert not (batch.root / ".amlops" / "jobs").exists()


CHANGING = """\
import sys
from pathlib import Path

path = Path(sys.argv[1])
print(path)
file = path / "1.png" if path.is_dir() else path
file.write_text("changed")
Path(sys.argv[2], "seen.json").write_text(file.read_text())
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", ["job", "pipeline", "step", "component"])
def test_download_gives_a_step_a_copy_that_it_may_change(project: SmallProject, where: str) -> None:
    """Modes: `download` is a private copy, so that what is registered, or lies in the project, stays as it is."""
    source = project.write("scans/1.png", "one")
    _data(project).assets.register("scans", "scans", base=project.root)
    project.write("src/show.py", CHANGING)
    mode = {key: "mode: download, " if key == where else "" for key in ("job", "pipeline", "step", "component")}
    command = "python show.py ${{inputs.data}} ${{outputs.seen}}"
    component = (
        f"{{name: change, type: command, code: src, command: '{command}', environment: {{image: ubuntu}}, "
        f"inputs: {{data: {{{mode['component']}type: uri_folder}}}}, outputs: {{seen: {{type: uri_folder}}}}}}"
    )
    pipeline = (
        "type: pipeline\nsettings: {default_compute: azureml:cpu-cluster}\n"
        f"inputs: {{data: {{{mode['pipeline']}type: uri_folder, path: 'azureml:scans:1'}}}}\n"
        "outputs: {seen: {type: uri_folder}}\n"
        f"jobs:\n  change:\n    type: command\n    component: {component}\n"
        f"    inputs: {{data: {{{mode['step']}type: uri_folder, path: '${{{{parent.inputs.data}}}}'}}}}\n"
        "    outputs: {seen: '${{parent.outputs.seen}}'}\n"
    )
    job = JOB.replace("{type: TYPE, path: 'PATH'}", "{type: uri_folder, path: scans, mode: download}")
    file = project.write("job.yml", job if where == "job" else pipeline)
    found = Project(project.root)
    state = LocalState(found)
    record = LocalJobs(state, ModelStore(state), found).create(file)
    assert Path(record["outputs"]["seen"], "seen.json").read_text() == "changed"
    assert source.read_text() == "one"
    assert isinstance(_data(project).find("azureml:scans:1", None, project.root), Path)
    (step,) = record["steps"].values()
    assert step["inputs"]["data"].startswith("download: is a copy of its own")
    assert not Path(Path(step["log"]).read_text().strip()).exists()


@pytest.mark.slow
def test_other_modes_read_in_place_and_say_so(project: SmallProject, amlops: InProcess) -> None:
    project.write("scans/1.png", "one")
    file = JOB.replace("{type: TYPE, path: 'PATH'}", "{type: uri_folder, path: scans, mode: MODE}")
    project.write("src/show.py", SHOW)
    for mode in ("ro_mount", "mount", "direct", "eval_mount"):
        project.write("job.yml", file.replace("MODE", mode))
        record = amlops("job", "create", "-f", "job.yml").json
        assert json.loads(Path(record["outputs"]["seen"], "seen.json").read_text())["path"] == str(
            project.root / "scans"
        )
        assert record["steps"]["command"]["inputs"]["data"].startswith(f"{mode}: is ")
    project.write("job.yml", file.replace("MODE", "teleport"))
    line = amlops("job", "create", "-f", "job.yml").line
    assert "inputs.data.mode: 'teleport' is not a mode of an input; one of ro_mount, mount" in line


def test_a_deployment_keeps_the_version_of_its_environment(
    batch: BatchProject, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = "environment=azureml:scoring@latest"
    made = batch.deploy(environment)
    assert made["environment"] == "azureml:scoring@latest"
    told = " ".join(capsys.readouterr().err.split())
    assert "environment: the environment 'scoring' is not registered; there is none yet" in told
    found = Project(batch.root)
    environments = LocalEnvironments(found, LocalState(found))
    environments.create(None, values={"name": "scoring", "image": "ubuntu:22.04"})
    assert batch.deploy(environment)["environment"] == "azureml:scoring:1"
    assert "not registered" not in capsys.readouterr().err


NAMED = """\
type: pipeline
settings: {default_compute: azureml:cpu-cluster}
inputs:
  data: {type: uri_folder, path: scans}
outputs:
  seen: {type: uri_folder, name: seen}
jobs:
  one: &step
    type: command
    command: python show.py ${{inputs.data}} ${{outputs.seen}}
    code: src
    environment: {image: ubuntu}
    inputs: {data: '${{parent.inputs.data}}'}
    outputs: {seen: '${{parent.outputs.seen}}'}
  two:
    <<: *step
    outputs: {seen: {type: custom_model, name: weights, version: 'VERSION'}}
"""


@pytest.mark.slow
def test_an_output_with_a_name_registers_itself(project: SmallProject, amlops: InProcess) -> None:
    project.write("scans/1.png", "one")
    project.write("src/show.py", SHOW)
    project.write("job.yml", NAMED.replace("VERSION", "2026.1"))
    record = amlops("job", "create", "-f", "job.yml").json
    assert record["registered"] == {"seen": "azureml:seen:1", "two.seen": "azureml:weights:2026.1"}
    assert amlops("model", "show", "-n", "weights", "--query", "job_name", "-o", "tsv").out.startswith(record["name"])
    found = _data(project).find("azureml:seen:1", "uri_folder", project.root)
    assert isinstance(found, Path)
    assert (found / "seen.json").is_file()
    result = amlops("job", "create", "-f", "job.yml")
    assert (result.code, "outputs.two.seen.version: the model 'weights' has a version '2026.1'" in result.line) == (
        1,
        True,
    )
    assert len(amlops("job", "list").json) == 1


def test_an_output_that_cannot_be_registered_fails_the_job(project: SmallProject, amlops: InProcess) -> None:
    project.write("scans/1.png", "one")
    project.write("src/show.py", "print('writes nothing')\n")
    project.write("job.yml", NAMED.replace("VERSION", "1"))
    result = amlops("job", "create", "-f", "job.yml")
    assert result.code == 3
    assert "outputs.seen: path: " in result.err and "has no file in it" in result.err
    assert amlops("job", "list").json[0]["status"] == "Failed"


@pytest.mark.parametrize("error", [KeyboardInterrupt, UserError])
def test_a_fetch_that_is_stopped_leaves_no_job_and_its_name_free(
    project: SmallProject, error: type[BaseException]
) -> None:
    records = JobRecords(LocalState(Project(project.root)))
    with pytest.raises(error), records.reserved("nightly", "x") as name:
        project.write(f".amlops/jobs/{name}/inputs/1/.half.part", "half")
        raise error("stopped")
    assert not (project.root / ".amlops" / "jobs").exists()
    records.check_name("nightly")
