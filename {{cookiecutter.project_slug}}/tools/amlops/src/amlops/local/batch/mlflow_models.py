"""Deployments of MLflow models, which need no scoring script: what they must be, and which files they read.

Facts (Azure ML, "Deploy MLflow models in batch deployments"): only models with a pyfunc flavour; folders inside the
input folder are not looked into; a file of another type fails the job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from amlops import yamlfile
from amlops.errors import UserError
from amlops.local.batch import mlflow_driver
from amlops.local.batch.snapshot import snapshot_file
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.minibatches import MiniBatch
from amlops.local.parallel.progress import note

MODEL_TYPE = "mlflow_model"
DRIVER = Path(mlflow_driver.__file__)
_NEEDED = {"mlflow": "mlflow-skinny", "pandas": "pandas", "numpy": "numpy"}
_FLAVOUR = "python_function"


def driver_for(model: Path, store: Path) -> Path:
    """The code folder of a deployment of the MLflow model in the folder `model` (or in a folder in it).

    Args:
        store: where code snapshots are kept.

    Raises:
        UserError: it is no MLflow model, has no pyfunc flavour, or a package is missing.
    """
    found = [*model.glob("MLmodel"), *model.glob("*/MLmodel")]
    if not found:
        raise UserError(
            f"model: '{model}' has no file MLmodel; register the folder that mlflow.<flavour>.save_model wrote, or "
            "give the deployment a code_configuration"
        )
    flavours = yamlfile.load(found[0]).section("flavors").values
    if _FLAVOUR not in flavours:
        known = ", ".join(map(str, flavours)) or "none"
        raise UserError(
            f"model: the MLflow model has the flavours {known}, not {_FLAVOUR}, the only one that runs without "
            "a scoring script; add 'code_configuration:'",
            file=found[0],
        )
    missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise UserError(f"model: an MLflow model needs {' and '.join(missing)}; pip install {' '.join(missing)}")
    return snapshot_file(DRIVER, store)


def readable(source: BatchInput, batches: Sequence[MiniBatch]) -> list[MiniBatch]:
    """The mini-batches that such a deployment scores: those of files in the input folder itself.

    Raises:
        UserError: there is none, or one has a file of a type that is not read; Azure ML fails such a job.
    """
    top = [batch for batch in batches if all(Path(file).parent == source.root for file in batch.files)]
    known = (*mlflow_driver.TABLES, *mlflow_driver.IMAGES)
    for batch in top:
        for file in batch.files:
            if Path(file).suffix.lower() not in known:
                raise UserError(
                    f"--input: '{source.name(file)}' is no file that a deployment of an MLflow model reads, and would "
                    f"fail the job in Azure; it reads {' '.join(known)}"
                )
    if not top:
        raise UserError(
            f"--input: '{source.path}' has files in folders only, and a deployment of an MLflow model does not look "
            "into folders; give a folder with the files in it"
        )
    if left := sum(len(batch.files) for batch in batches) - sum(len(batch.files) for batch in top):
        note(f"{left} files in folders of the input are not scored: an MLflow model without a script looks into none")
    return [replace(batch, index=index) for index, batch in enumerate(top)]
