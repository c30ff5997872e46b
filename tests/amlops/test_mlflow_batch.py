"""Batch deployments of MLflow models without a scoring script (row "MLflow no-code deployment" of table a.1)."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from amlops_support import SmallProject

from amlops.errors import JobFailed, UserError
from amlops.local.batch import LocalBatchDeployments, LocalBatchEndpoints, mlflow_models
from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.workspace import CompareOptions

pytestmark = pytest.mark.slow
np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

DEPLOYMENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/modelBatchDeployment.schema.json
name: nocode
endpoint_name: hearts
type: model
model: azureml:hearts@latest
compute: azureml:cpu-cluster
settings: {mini_batch_size: 2, retry_settings: {max_retries: 1, timeout: 60}}
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Saved models: a classifier of tables with a signature, and one of images."""
    folder = tmp_path_factory.mktemp("models")
    sklearn = pytest.importorskip("mlflow.sklearn")
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec
    from sklearn.linear_model import LogisticRegression

    ages = pd.DataFrame({"age": [20, 30, 60, 70], "rate": [0.1, 0.2, 0.8, 0.9]})
    columns = ModelSignature(Schema([ColSpec("long", "age"), ColSpec("double", "rate")]), Schema([ColSpec("long")]))
    # With its requirements given, MLflow does not start a process that finds them out.
    save: dict[str, Any] = {"serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = LogisticRegression().fit(ages, [0, 0, 1, 1])
        sklearn.save_model(table, folder / "hearts" / "model", signature=columns, **save)
        pixels = np.array([[0.0] * 4, [255.0] * 4])
        images = LogisticRegression().fit(pixels, ["dark", "light"])
        tensor = ModelSignature(Schema([TensorSpec(np.dtype("float64"), (-1, 4))]))
        sklearn.save_model(images, folder / "shades" / "model", signature=tensor, **save)
    return folder


class Hearts:
    """A project with an endpoint for MLflow models."""

    def __init__(self, files: SmallProject) -> None:
        project = Project(files.root)
        state = LocalState(project)
        self.root = files.root
        self.files = files
        self.models = ModelStore(state)
        self.endpoints = LocalBatchEndpoints(state, self.models, project)
        self.deployments = LocalBatchDeployments(state, self.models, project)
        self.endpoints.create(name="hearts")

    def deploy(self, model: Path | None, text: str = DEPLOYMENT) -> dict[str, Any]:
        if model is not None:
            self.models.create("hearts", model, type="mlflow_model")
        return self.deployments.create(self.files.write("deployment.yml", text), set_default=True)

    def invoke(self, folder: str) -> dict[str, Any]:
        try:
            return self.endpoints.invoke("hearts", input=str(self.root / folder))
        except JobFailed as failure:
            assert failure.record is not None
            return {**failure.record, "said": str(failure)}


@pytest.fixture
def hearts(project: SmallProject) -> Hearts:
    return Hearts(project)


def lines(job: dict[str, Any]) -> list[str]:
    return Path(job["output_file"]).read_text(encoding="utf-8").splitlines()


def test_predict_is_called_once_per_file_and_rows_have_row_prediction_and_file_name(
    hearts: Hearts, models: Path
) -> None:
    made = hearts.deploy(models / "hearts" / "model")
    assert (made["code_configuration"], made["scored_by"]) == (None, "mlflow_driver.py")
    hearts.files.write("in/a.csv", "age,rate\n25,0.1\n65,0.9\n")
    hearts.files.write("in/b c.csv", "rate,age\n0.9,80\n")  # the signature puts the columns in order
    hearts.files.write("in/deeper/d.csv", "age,rate\n1,1\n")  # not explored
    job = hearts.invoke("in")
    assert job["status"] == "Completed" and job["items"] == {"total": 2, "succeeded": 2, "failed": 0}
    assert lines(job) == ["0,0,a.csv", "1,1,a.csv", "0,1,b c.csv"]


def test_parquet_files_are_tables(hearts: Hearts, models: Path) -> None:
    pytest.importorskip("pyarrow")
    hearts.deploy(models / "hearts" / "model")
    (hearts.root / "in").mkdir()
    pd.DataFrame({"age": [20, 70], "rate": [0.2, 0.8]}).to_parquet(hearts.root / "in" / "c.parquet")
    assert lines(hearts.invoke("in")) == ["0,0,c.parquet", "1,1,c.parquet"]


def test_images_become_arrays_in_the_shape_of_the_signature(hearts: Hearts, models: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    hearts.deploy(models / "shades" / "model")
    (hearts.root / "in").mkdir()
    for name, value in (("a.png", 3), ("b.bmp", 250)):
        image.fromarray(np.full((2, 2), value, dtype=np.uint8)).save(hearts.root / "in" / name)
    assert lines(hearts.invoke("in")) == ["0,dark,a.png", "0,light,b.bmp"]


def test_a_file_of_another_type_is_refused_as_azure_fails_the_job(hearts: Hearts, models: Path) -> None:
    hearts.deploy(models / "hearts" / "model")
    hearts.files.write("in/a.csv", "age,rate\n25,0.1\n")
    hearts.files.write("in/notes.txt", "")
    with pytest.raises(UserError, match=r"'notes.txt' is no file that a deployment of an MLflow model reads"):
        hearts.invoke("in")
    hearts.files.write("deep/deeper/a.csv", "age,rate\n25,0.1\n")
    with pytest.raises(UserError, match="does not look into folders"):
        hearts.invoke("deep")


def test_the_signature_is_enforced(hearts: Hearts, models: Path) -> None:
    hearts.deploy(models / "hearts" / "model")
    hearts.files.write("in/a.csv", "age,rate\nold,0.1\n")
    job = hearts.invoke("in")
    assert job["status"] == "Failed" and "invalid literal for int() with base 10: 'old'" in job["said"]
    hearts.files.write("missing/a.csv", "age\n25\n")
    assert "rate" in hearts.invoke("missing")["said"]


def test_models_that_cannot_be_scored_without_a_script(
    hearts: Hearts, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = hearts.files.write("other/model/MLmodel", "flavors: {onnx: {}}\n").parent
    with pytest.raises(UserError, match="has the flavours onnx, not python_function"):
        hearts.deploy(other)
    with pytest.raises(UserError, match="has no file MLmodel"):
        hearts.deploy(hearts.files.write("plain/weights.txt", "x"))
    monkeypatch.setattr(mlflow_models, "find_spec", lambda name: None if name == "mlflow" else name)
    with pytest.raises(UserError, match="an MLflow model needs mlflow-skinny; pip install mlflow-skinny"):
        hearts.deploy(models / "hearts" / "model")


def test_a_model_whose_files_have_changed_is_not_loaded(hearts: Hearts, models: Path) -> None:
    inline = DEPLOYMENT.replace("azureml:hearts@latest", json.dumps({"path": "mine/model", "type": "mlflow_model"}))
    hearts.files.write("in/a.csv", "age,rate\n25,0.1\n")
    mine = hearts.root / "mine" / "model"
    for source in (models / "hearts" / "model").iterdir():
        mine.mkdir(parents=True, exist_ok=True)
        (mine / source.name).write_bytes(source.read_bytes())
    made = hearts.deploy(None, inline)
    assert lines(hearts.invoke("in")) == ["0,0,a.csv"]
    Path(made["model_path"], "model", "model.pkl").write_bytes(b"changed")
    with pytest.raises(UserError, match="has changed; delete that folder and create the deployment again"):
        hearts.invoke("in")
    registered = hearts.deploy(models / "hearts" / "model")
    Path(registered["model_path"], "model", "model.pkl").write_bytes(b"changed")
    with pytest.raises(UserError, match=r"model\.pkl has changed"):
        hearts.invoke("in")


def test_deployments_without_a_script_can_be_changed_and_compared(hearts: Hearts, models: Path) -> None:
    pytest.importorskip("pyarrow")
    hearts.deploy(models / "hearts" / "model")
    changed = hearts.deployments.update("nocode", "hearts", sets=["settings.mini_batch_size=1"])
    assert (changed["settings"]["mini_batch_size"], changed["scored_by"]) == (1, "mlflow_driver.py")
    hearts.deploy(None, DEPLOYMENT.replace("nocode", "again"))
    hearts.files.write("in/a.csv", "age,rate\n25,0.1\n65,0.9\n")
    hearts.files.write("in/b.csv", "age,rate\n80,0.9\n")
    options = CompareOptions(str(hearts.root / "in"))
    summary = hearts.deployments.compare("nocode", "again", "hearts", options)
    assert summary["verdict"] == "equal: 2 of 2 items have the same result (tolerance 1e-06)"
