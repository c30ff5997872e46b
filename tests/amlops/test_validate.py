"""`amlops validate` as a command, and what the corpus does not show."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from amlops_support import PROJECT, Result, SmallProject
from batch_support import DEPLOYMENT, DRIVER, InProcess

from amlops import yamlfile
from amlops.validate import validate
from amlops.validate.kinds import kind_of
from amlops.validate.page import page

GOOD = Path(__file__).parent / "corpus" / "good"


@pytest.fixture
def churn(tmp_path: Path) -> Path:
    root = tmp_path / "churn project"
    shutil.copytree(GOOD, root)
    return root


@pytest.fixture
def amlops(churn: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> InProcess:
    monkeypatch.setattr("amlops.manifest.local_edits", lambda *_: [])
    return InProcess(churn, monkeypatch, capsys)


def change(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_good_project_says_so_and_a_fault_is_one_line(churn: Path, amlops: InProcess) -> None:
    assert amlops("validate") == Result(0, "", "no faults\n")
    change(churn, "pipelines/churn/train.yml", "  trees: 200", "  trees: many")
    result = amlops("validate")
    assert (result.code, result.err) == (1, "1 fault(s), 0 warning(s)\n")
    assert result.out == (
        "pipelines/churn/train.yml:14 literal inputs.trees: 'many' is not a whole number "
        "(step 'train' needs it as 'trees'); for example 10\n"
    )


def test_warnings_do_not_fail(churn: Path, amlops: InProcess) -> None:
    change(churn, ".cloud/compute/cpu-cluster.yml", "min_instances: 0", "min_instances: 1")
    result = amlops("validate")
    assert result.code == 0
    assert result.out.startswith(".cloud/compute/cpu-cluster.yml:5 always-on (warning) min_instances: '1' nodes run")


def test_faults_are_sorted_and_machines_get_json(churn: Path, amlops: InProcess) -> None:
    change(churn, "pipelines/churn/train.yml", "test_share: 0.25", "test_share: 9")
    change(churn, "pipelines/churn/train.yml", "  trees: 200", "  trees: many")
    change(churn, ".cloud/models/churn.yml", "type: custom_model", "type: pickle")
    records = amlops("validate", "-o", "json").json
    places = [(record["file"], record["line"], record["rule"], record["severity"]) for record in records]
    assert places == [
        (".cloud/models/churn.yml", 4, "not-allowed", "error"),
        ("pipelines/churn/train.yml", 14, "literal", "error"),
        ("pipelines/churn/train.yml", 28, "literal", "error"),
    ]
    assert set(records[0]) == {"file", "line", "rule", "severity", "message", "fix"}


def test_chosen_files_are_compared_with_the_rest(churn: Path, amlops: InProcess) -> None:
    change(churn, ".cloud/models/churn.yml", "type: custom_model", "type: pickle")
    change(churn, ".cloud/endpoints/churn/endpoint.yml", "sklearn", "nothing")
    assert amlops("validate", "pipelines").code == 0
    result = amlops("validate", ".cloud/endpoints/churn/endpoint.yml")
    assert "default-deployment" in result.out
    assert result.out.count("\n") == 1


def test_paths_that_do_not_exist(amlops: InProcess) -> None:
    result = amlops("validate", "nowhere")
    assert (result.code, "does not exist" in result.line) == (1, True)


def test_files_outside_of_a_project(tmp_path: Path, amlops: InProcess) -> None:
    (tmp_path / "single.yml").write_text("type: amlcompute\nname: x-1\nsize: a\nmin_instances: -1\n", encoding="utf-8")
    result = InProcess(tmp_path, amlops.monkeypatch, amlops.capsys)("validate", "single.yml")
    assert result.out.startswith("single.yml:4 out-of-range min_instances: '-1' must be at least 0")


def test_outside_of_a_project_without_a_path(tmp_path: Path, amlops: InProcess) -> None:
    result = InProcess(tmp_path, amlops.monkeypatch, amlops.capsys)("validate")
    assert (result.code, "there is no project here" in result.line) == (1, True)


@pytest.mark.parametrize(
    ("file", "text", "rule"),
    [
        (".cloud/notes.yml", "hello: world\n", "unknown-kind"),
        (".cloud/x.yml", "- a list\n", "yaml"),
        (".cloud/x.yml", "", "yaml"),
        (".cloud/x.yml", "name: !!python/object:os.system x\n", "yaml"),
        (".cloud/endpoints/churn/deployment-second.yml", DEPLOYMENT.replace("scorer", "churn"), "missing-file"),
    ],
)
def test_other_files(churn: Path, amlops: InProcess, file: str, text: str, rule: str) -> None:
    path = churn / file
    path.write_text(text, encoding="utf-8")
    rules = {fault.rule for fault in validate(churn, [path])}
    assert rules == {rule}
    assert "Traceback" not in amlops("validate").err


def test_a_deployment_without_a_script_is_for_mlflow_models(churn: Path) -> None:
    file = churn / ".cloud/endpoints/churn/deployment-plain.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("code_configuration:\n  code: ../../../code/churn\n  scoring_script: score/driver.py\n", "")
    )
    assert [fault.rule for fault in validate(churn, [file])] == ["no-script"]
    change(
        churn,
        str(file.relative_to(churn)),
        "  path: ../../../made/model",
        "  path: ../../../made/model\n  type: mlflow_model",
    )
    assert validate(churn, [file]) == []


def test_steps_that_only_azure_runs_are_a_warning(churn: Path) -> None:
    change(
        churn,
        "pipelines/churn/train.yml",
        "jobs:\n",
        "jobs:\n  score:\n    type: spark\n    conf: {x: 1}\n    entry: {file: a.py}\n"
        "    inputs:\n      data: ${{parent.jobs.nope.outputs.x}}\n",
    )
    faults = validate(churn, [churn / "pipelines/churn/train.yml"])
    assert [(fault.rule, fault.line) for fault in faults] == [("laptop", 23), ("binding", 27)]


def test_an_edit_of_the_tool_is_told(churn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from amlops import manifest

    tool = tmp_path / "tools" / "amlops"
    (tool / "src").mkdir(parents=True)
    (tool / "src" / "a.py").write_text("1", encoding="utf-8")
    manifest.write(tool)
    (tool / "src" / "a.py").write_text("2", encoding="utf-8")
    monkeypatch.setattr(manifest, "tool_folder", lambda: tool)
    (fault,) = validate(churn)
    assert (fault.rule, fault.is_warning, fault.file) == ("tool-edited", True, tool / "src" / "a.py")


def test_a_pin_depends_on_the_python_of_the_conda_file(churn: Path) -> None:
    change(
        churn,
        "requirements.txt",
        "pandas==2.2.3\n",
        "pandas==2.2.3 ; python_version < '3.12' \\\n    --hash=sha256:00\npandas==2.3.1 ; python_version >= '3.12'\n",
    )
    file = churn / "code/churn/environment.yml"
    assert validate(churn, [file]) == []
    change(churn, "code/churn/environment.yml", "python=3.11", "python=3.12")
    assert [fault.rule for fault in validate(churn, [file])] == ["dependency"]


def test_one_script_of_two_deployments_is_told_once(churn: Path) -> None:
    change(churn, "code/churn/score/driver.py", "def init():", "def start():")
    assert [fault.rule for fault in validate(churn, [churn / ".cloud"])] == ["script"]


@pytest.mark.parametrize(
    "source",
    [
        DRIVER,
        "from shared import init, run\n",
        "from shared import *\n",
        "def init(): pass\ndef run(mini_batch, mini_batch_context): return [i for i in mini_batch]\n",
        "def init(): pass\ndef run(batch):\n    def inner(): return None\n    return [inner()]\n",
        "try:\n    import x\nexcept ImportError:\n    x = None\nif x:\n    def init(): pass\nrun = list\n",
        "def init(*args): pass\ndef run(batch, verbose=False): return tuple(batch)\n",
        "def init(): pass\ndef run(batch): return open(batch[0], 'r').readlines()\n",
    ],
)
def test_good_scripts(churn: Path, source: str) -> None:
    (churn / "code/churn/score/driver.py").write_text(source, encoding="utf-8")
    assert validate(churn, [churn / ".cloud/endpoints"]) == []


@pytest.mark.parametrize(
    ("line", "line_number"),
    [
        ("Path(os.environ['AZUREML_BI_OUTPUT_PATH'], 'all.csv').write_text('x')", 3),
        ("(Path(os.environ['AZUREML_BI_OUTPUT_PATH']) / 'all.csv').write_text('x')", 3),
        ("open(os.path.join(os.environ['AZUREML_BI_OUTPUT_PATH'], 'all.csv'), mode='a').write('x')", 3),
        ("Path(os.environ['AZUREML_BI_OUTPUT_PATH'], Path(batch[0]).name).write_text('x')", 0),
    ],
)
def test_one_name_for_all_mini_batches(churn: Path, line: str, line_number: int) -> None:
    source = f"def init(): pass\ndef run(batch):\n    {line}\n    return batch\n"
    (churn / "code/churn/score/driver.py").write_text(source, encoding="utf-8")
    faults = validate(churn, [churn / ".cloud/endpoints"])
    assert [(fault.rule, fault.line) for fault in faults] == ([("script-output", line_number)] if line_number else [])


@pytest.mark.parametrize(
    ("place", "text", "kind"),
    [
        ("pipelines/x/components/a.yml", "command: python a.py\nenvironment: azureml:e:1", "command-component"),
        ("pipelines/x/a.yml", "command: python a.py\ncompute: azureml:c", "command-job"),
        (".cloud/endpoints/x/endpoint.yml", "name: x", "batch-endpoint"),
        (".cloud/endpoints/x/online.yml", "name: x\ntraffic: {blue: 100}", "managed-online-endpoint"),
        (".cloud/endpoints/x/blue.yml", "name: x\nendpoint_name: y\ninstance_type: z", "managed-online-deployment"),
        (".cloud/endpoints/x/blue.yml", "name: x\nendpoint_name: y\ntype: pipeline", "pipeline-deployment"),
        (".cloud/endpoints/x/blue.yml", "name: x\nendpoint_name: y", "batch-deployment"),
        ("pipelines/x/a.yml", "type: pipeline\njobs: {}", "pipeline-job"),
        ("pipelines/x/a.yml", "type: pipeline\ninputs: {x: {type: string, default: y}}", "pipeline-component"),
        ("pipelines/x/a.yml", "type: parallel\nname: x", "parallel-component"),
        (".cloud/models/a.yml", "name: x", "model"),
        (".cloud/request.yaml", "version: 1", "request"),
        ("code/x/environment.yml", "dependencies: [python=3.11]", "conda"),
        ("x/env.yml", "image: x", "environment"),
        ("x/a.yml", "$schema: https://x/y/AmlCompute.schema.json", "compute-cluster"),
        ("x/a.yml", "hello: world", None),
    ],
)
def test_what_a_file_is(place: str, text: str, kind: str | None) -> None:
    root = Path("/project")
    found = kind_of(yamlfile.loads(text, root / place), root)
    assert (found.id if found else None) == kind


def test_the_page_is_current() -> None:
    current = (PROJECT / "docs" / "validate.md").read_text(encoding="utf-8")
    assert current == page(), "write it again: make generated"


def test_it_imports_no_sdk(churn: Path) -> None:
    code = (
        "import sys\n"
        "from amlops.cli import main\n"
        "main(['validate'])\n"
        "print([name for name in sys.modules if name.startswith(('azure', 'mlflow', 'pandas'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=churn, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_the_command_as_a_process(project: SmallProject) -> None:
    project.write(".cloud/models/x.yml", "name: x\ntype: custom_model\npath: nowhere\n")
    result = project.run("validate", "-o", "json")
    assert (result.code, [record["rule"] for record in json.loads(result.out) if record["severity"] == "error"]) == (
        1,
        ["missing-file"],
    )
