"""Deployment files written by others, and their `az ml` command lines, run unedited (corpus/others)."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from amlops_support import Result

from amlops import yamlfile
from amlops.errors import UserError
from amlops.local.batch.documents import accepted_deployment
from amlops.project import Project
from amlops.validate import validate
from amlops.validate.schema.batch import ModelBatchDeployment

np = pytest.importorskip("numpy")
OTHERS = Path(__file__).parent / "corpus" / "others"


@dataclass(frozen=True)
class Foreign:
    """A copy of one of the folders, outside of any project; AMLOPS_ROOT is all that it gets."""

    folder: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AMLOPS_", "MLFLOW_"))}
        return {
            **kept,
            "AMLOPS_CACHE": str(self.cache),
            "AMLOPS_ROOT": str(self.folder),
            "AMLOPS_PYTHON": sys.executable,
        }

    def __call__(self, line: str) -> Result:
        """Run one line of `az ml`."""
        words = [sys.executable, "-m", "amlops", *line.removeprefix("az ml ").split()]
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, encoding="utf-8", check=False
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def script(self, name: str) -> Result:
        """Run a script with `az ml` replaced by `amlops`."""
        text = (self.folder / name).read_text(encoding="utf-8").replace("az ml", "amlops")
        words = ["sh", "-c", 'amlops() { "$AMLOPS_PYTHON" -m amlops "$@"; }\n' + text]
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, encoding="utf-8", check=False
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def deployed(self, deployment: str = "deployment.yml") -> Result:
        """Make the endpoint and the deployment in a file."""
        endpoint = next(
            line.split(":")[1].strip()
            for line in (self.folder / deployment).read_text(encoding="utf-8").splitlines()
            if line.startswith("endpoint_name:")
        )
        assert self(f"az ml batch-endpoint create -n {endpoint}").code == 0
        return self(f"az ml batch-deployment create --file {deployment} --endpoint-name {endpoint} --set-default")

    def scored(self, endpoint: str, data: str = "data") -> list[str]:
        """Lines of the predictions for a folder."""
        job = self(f"az ml batch-endpoint invoke --name {endpoint} --input {data}")
        assert job.code == 0, job.err
        return Path(job.json["output_file"]).read_text(encoding="utf-8").splitlines()


@pytest.fixture
def foreign(tmp_path: Path, amlops_cache: Path) -> Callable[[str], Foreign]:
    def copy(name: str) -> Foreign:
        folder = tmp_path / "not a project" / name
        shutil.copytree(OTHERS / name, folder)
        return Foreign(folder, amlops_cache)

    return copy


def digits(folder: Path, number: int = 30) -> list[int]:
    """Write real digits of 8 x 8 points as images; returns what they are."""
    image = pytest.importorskip("PIL.Image")
    from sklearn.datasets import load_digits

    data: Any = load_digits()
    folder.mkdir(parents=True)
    for index in range(number):
        image.fromarray(data.images[index].astype(np.uint8)).save(folder / f"digit {index:02}.png")
    return [int(label) for label in data.target[:number]]


def pickled(file: Path, model: Any) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(pickle.dumps(model))


def digits_model() -> Any:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    data: Any = load_digits()
    return LogisticRegression(max_iter=200).fit(data.data[:400], data.target[:400])


@pytest.mark.slow
def test_a_script_from_registration_to_deletion(foreign: Callable[[str], Foreign]) -> None:
    case = foreign("digits")
    digits(case.folder / "data")
    pickled(case.folder / "deployment-by-file" / "model" / "classifier.pkl", digits_model())
    done = case.script("deploy-and-run.sh")
    assert done.code == 0, done.err
    assert "status: Completed\n" in done.out and "second: Completed\n" in done.out
    assert "default: by-batch\n" in done.out
    written = case.folder.glob(".amlops/datastores/*/digits-batch-x7k2q/predictions_4711.csv")
    assert [len(file.read_text(encoding="utf-8").splitlines()) for file in written] == [30]
    assert len(next(case.folder.rglob("named-outputs/score/predictions.csv")).read_text().splitlines()) == 30
    assert case("az ml batch-endpoint list -o tsv").out == ""
    assert len(case("az ml job list").json) == 5  # jobs stay


@pytest.mark.slow
def test_a_script_of_a_pipeline_deployment(foreign: Callable[[str], Foreign]) -> None:
    case = foreign("hearts-pipeline")
    done = case.script("cli-deploy.sh")
    assert done.code == 0, done.err
    assert "first: Completed\n" in done.out and "completed: 2\n" in done.out
    assert done.out.count(".preprocess_job\n") == 1  # the steps of the first job are listed
    assert (case.folder / "named-outputs/scores/a-replace.csv").read_text(encoding="utf-8") == "0\n1"


@pytest.mark.slow
def test_pickled_models_score_image_by_image_and_at_once(foreign: Callable[[str], Foreign]) -> None:
    case = foreign("digits")
    labels = digits(case.folder / "data")
    pickled(case.folder / "deployment-by-file" / "model" / "classifier.pkl", digits_model())
    assert case.deployed("deployment-by-file/deployment.yml").code == 0
    one = case.scored("digits-batch")
    assert [line.split(" ")[-2] for line in one] == [str(label) for label in labels]
    assert one[0].startswith('"digit 00.png" 0 0.9')
    register = "az ml model create --name digits-pickled --type custom_model --path deployment-by-file/model"
    assert case(register).json["version"] == "1"
    assert case.deployed("deployment-by-batch/deployment.yml").code == 0
    assert [line.split()[2] for line in case.scored("digits-batch")] == [f"digit-{label}" for label in labels]


@pytest.mark.slow
def test_a_state_dict_of_pytorch(foreign: Callable[[str], Foreign]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed in this environment")
    case = foreign("digits-torch")
    digits(case.folder / "data", 12)
    sys.path.insert(0, str(case.folder / "code"))
    try:
        from digit_net import DigitNet  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.pop(0)
    (case.folder / "model").mkdir()
    torch.save(DigitNet().state_dict(), case.folder / "model" / "net.pt")
    assert case.deployed().code == 0
    assert [line.split('"')[1] for line in case.scored("digits-batch")] == [f"digit {n:02}.png" for n in range(12)]


@pytest.mark.slow
def test_a_saved_model_of_tensorflow(foreign: Callable[[str], Foreign]) -> None:
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed in this environment")
    case = foreign("digits-tensorflow")
    digits(case.folder / "data", 12)
    weights = tf.Variable(np.random.default_rng(0).normal(size=(64, 10)).astype(np.float32))
    module = tf.Module()
    module.weights = weights
    module.__call__ = tf.function(
        lambda pixels: tf.matmul(pixels, weights), input_signature=[tf.TensorSpec((None, 64), tf.float32)]
    )
    tf.saved_model.save(module, str(case.folder / "model"))
    assert case.deployed().code == 0
    assert [line.split('"')[1] for line in case.scored("digits-batch")] == [f"digit {n:02}.png" for n in range(12)]


def hearts(folder: Path) -> Any:
    """Two tables; returns a classifier of their rows."""
    pandas = pytest.importorskip("pandas")
    from sklearn.tree import DecisionTreeClassifier

    known = pandas.DataFrame({"age": [30, 40, 70, 80], "rate": [1.0, 2.0, 1.0, 2.0]})
    folder.mkdir()
    known.iloc[:2].to_csv(folder / "young.csv", index=False)
    known.iloc[2:].to_csv(folder / "old.csv", index=False)
    return DecisionTreeClassifier(random_state=0).fit(known, [0, 0, 1, 1])


@pytest.mark.slow
def test_a_driver_that_writes_parquet_itself(foreign: Callable[[str], Foreign]) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed in this environment")
    case = foreign("hearts-parquet")
    pickled(case.folder / "model" / "tree.pkl", hearts(case.folder / "data"))
    assert case("az ml model create --name hearts-pickled --type custom_model --path model").code == 0
    assert case.deployed().code == 0
    job = case("az ml batch-endpoint invoke --name hearts-batch --input data").json
    assert job["items"] == {"total": 2, "succeeded": 2, "failed": 0}
    folder = Path(job["output_path"])
    assert pandas.read_parquet(folder / "old.parquet")["prediction"].tolist() == [1, 1]
    assert pandas.read_parquet(folder / "young.parquet")["prediction"].tolist() == [0, 0]


@pytest.mark.slow
def test_an_mlflow_model_with_a_deployment_of_the_old_form(foreign: Callable[[str], Foreign]) -> None:
    sklearn = pytest.importorskip("mlflow.sklearn")
    case = foreign("hearts-mlflow")
    sklearn.save_model(
        hearts(case.folder / "data"),
        case.folder / "model",
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
    assert case("az ml model create --name hearts-mlflow --type mlflow_model --path model").code == 0
    made = case.deployed()
    assert made.code == 0 and " old-form mini_batch_size: settings stand at the root" in made.err
    settings = made.json["settings"]
    assert (settings["retry_settings"]["timeout"], settings["max_concurrency_per_instance"]) == (300, 2)
    assert sorted(case.scored("hearts-batch")) == ["0,0,young.csv", "0,1,old.csv", "1,0,young.csv", "1,1,old.csv"]


@pytest.mark.slow
def test_the_old_form_with_everything_that_azure_reads_another_way(foreign: Callable[[str], Foreign]) -> None:
    case = foreign("words-old-form")
    (case.folder / "vocabulary.txt").write_text("to be", encoding="utf-8")
    (case.folder / "data").mkdir()
    (case.folder / "data" / "h.txt").write_text("to be or not to be", encoding="utf-8")
    made = case.deployed()
    assert made.code == 0 and made.json["compute"] == "azureml:batch-cluster"
    assert [line.partition("deployment.yml:")[2].split()[1] for line in made.err.splitlines()] == [
        "old-form",
        "compute-reference",
    ]
    assert case.scored("words-batch") == ["{'file': 'h.txt', 'counts': array([2, 2])}"]


@pytest.mark.slow
def test_what_azure_takes_and_then_fails_is_taken_and_fails(foreign: Callable[[str], Foreign]) -> None:
    case = foreign("generator")
    (case.folder / "vocabulary.txt").write_text("to be", encoding="utf-8")
    (case.folder / "data").mkdir()
    (case.folder / "data" / "h.txt").write_text("to be or not to be", encoding="utf-8")
    made = case.deployed()
    assert made.code == 0, made.err
    rules = ("run() is a generator", "settings.instance_count: has no effect here", "has neither image nor build")
    assert all(rule in made.err for rule in rules)
    job = case("az ml batch-endpoint invoke --name words-batch --input data")
    assert (job.code, job.json["status"]) == (3, "Failed") and "run() returned generator" in job.err


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "file", sorted(path.relative_to(OTHERS).as_posix() for path in OTHERS.rglob("deployment*.yml"))
)
def test_azures_client_takes_them_too(foreign: Callable[[str], Foreign], file: str) -> None:
    """The public loader takes the old form; those that are not exported take `settings:` and pipelines."""
    loaders = pytest.importorskip("azure.ai.ml.entities._load_functions")
    path = foreign(file.partition("/")[0]).folder / file.partition("/")[2]
    (path.parent / "vocabulary.txt").write_text("to be", encoding="utf-8")  # the client computes hashes of models
    text = path.read_text(encoding="utf-8")
    loader = "load_model_batch_deployment" if "\nsettings:" in text else "load_batch_deployment"
    if "\ntype: pipeline" in text:
        loader = "load_pipeline_component_batch_deployment"
    loaded = getattr(loaders, loader)(path)
    assert loaded.name


PLAIN = """\
name: plain
endpoint_name: words-batch
type: model
model: azureml:words@latest
code_configuration: {code: code, scoring_script: driver.py}
environment: azureml:words-environment:3
compute: azureml:batch-cluster
settings: {mini_batch_size: 2}
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("name: plain", "name: plain", ""),
        ("type: model\n", "", "old-form there is no 'type:'"),
        ("azureml:batch-cluster", "batch-cluster", "compute-reference compute: 'batch-cluster' is taken for azureml:"),
        ("words@latest", "words", "asset-reference model: 'azureml:words' is taken for azureml:words@latest"),
        ("environment:3", "environment", "asset-reference environment: 'azureml:words-environment' is taken for"),
        ("azureml:words-environment:3", "azureml:AzureML-sklearn-1.0:1", "batch-environment environment: "),
        ("azureml:words-environment:3", "{conda_file: conda.yaml}", "no-environment environment: has neither image"),
        ("{mini_batch_size: 2}", "{mini_batch_size: 2, instance_count: 3}", "write resources.instance_count"),
        ("type: model", "type: model\nenvironment_variables: {A: b}", "write settings.environment_variables"),
        ("driver.py", "online.py", "online-script run() takes a request of an online endpoint"),
        ("driver.py", "empty.py", "script there is no function run()"),
    ],
)
def test_what_azure_takes_is_told_and_not_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Tables a.9 and b.2: what the client misses is no reason to refuse a deployment."""
    (tmp_path / "code").mkdir()
    (tmp_path / "conda.yaml").write_text("dependencies: [python=3.10]\n", encoding="utf-8")
    scripts = {
        "driver.py": "def init(): pass\ndef run(mini_batch): return mini_batch\n",
        "online.py": "def init(): pass\n@input_schema('data', 0)\ndef run(data): return [data]\n",
        "empty.py": "def init(): pass\n",
    }
    for name, text in scripts.items():
        (tmp_path / "code" / name).write_text(text, encoding="utf-8")
    assert old in PLAIN
    document = yamlfile.loads(PLAIN.replace(old, new), tmp_path / "deployment.yml")
    said: list[str] = []
    deployment = accepted_deployment(document, Project(tmp_path), said.append)
    ModelBatchDeployment.model_validate(deployment.data)
    assert len(said) == bool(told) and all(told in line for line in said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("azureml:words@latest", "./words", "is not a reference to a model"),
        ("mini_batch_size: 2", "mini_batch_size: 0", "must be at least 1"),
        ("mini_batch_size: 2", "mini_batches: 2", "is missing; add 'mini_batch_size:' \\(and 1 more"),
        ("code: code", "code: nowhere", "'nowhere' does not exist"),
        ("driver.py", "broken.py", "is not valid Python"),
    ],
)
def test_what_azure_refuses_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "code").mkdir()
    for name, text in {"driver.py": "def init(): pass\ndef run(x): return x\n", "broken.py": "def init(:\n"}.items():
        (tmp_path / "code" / name).write_text(text, encoding="utf-8")
    document = yamlfile.loads(PLAIN.replace(old, new), tmp_path / "deployment.yml")
    with pytest.raises(UserError, match=said):
        accepted_deployment(document, Project(tmp_path), lambda _: None)


def test_validate_knows_a_deployment_under_the_schema_of_an_endpoint(foreign: Callable[[str], Foreign]) -> None:
    file = foreign("words-old-form").folder / "deployment.yml"
    (file.parent / "vocabulary.txt").write_text("to be", encoding="utf-8")
    assert [(fault.rule, fault.is_warning) for fault in validate(None, [file])] == [
        ("old-form", True),
        ("compute-reference", False),
    ]
