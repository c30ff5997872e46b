"""Scoring script of deployments that have none: an MLflow model scores files as Azure ML's own script for it does.

This file is copied into the deployment and run by its workers; nothing of amlops is imported.

Facts (Azure ML, "Deploy MLflow models in batch deployments"): the model is loaded with its pyfunc flavour; predict() is
called once for each file; .csv and .parquet become a DataFrame, typed by the model's signature while it is read; images
become an array, reshaped to the signature's tensor (uint8 where there is no signature); the output has the columns row,
prediction and file_name, separated by commas, without a header.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

TABLES = (".csv", ".parquet", ".pqt")
IMAGES = (".png", ".jpg", ".jpeg", ".tiff", ".bmp", ".gif")
_model: Any = None


def init() -> None:
    """Load the model."""
    global _model  # noqa: PLW0603 (the contract of scoring scripts: init() prepares what run() uses)
    import mlflow

    folder = Path(os.environ["AZUREML_MODEL_DIR"])
    found = [*folder.glob("MLmodel"), *folder.glob("*/MLmodel")]
    if not found:
        raise FileNotFoundError(f"there is no file MLmodel in {folder} or a folder in it")
    _model = mlflow.pyfunc.load_model(str(found[0].parent))


def run(mini_batch: list[str]) -> Any:
    """Predict once for each file. Returns one row for each prediction."""
    pd: Any = import_module("pandas")

    class CommaSeparated(pd.DataFrame):
        """A table that is written with commas, as this kind of deployment does; others have spaces."""

        def to_csv(self, *arguments: Any, **options: Any) -> Any:
            return super().to_csv(*arguments, **{**options, "sep": ","})

    rows: list[tuple[int, Any, str]] = []
    for path in mini_batch:
        name = Path(path).name
        rows += [(row, value, name) for row, value in enumerate(_predictions(path))]
    return CommaSeparated(rows, columns=["row", "prediction", "file_name"])


def _predictions(path: str) -> Iterator[Any]:
    kind = Path(path).suffix.lower()
    if kind in TABLES:
        data = _table(path, kind)
    elif kind in IMAGES:
        data = _image(path)
    else:
        raise ValueError(f"file type '{kind.removeprefix('.')}' is not supported: {Path(path).name}")
    yield from _each(_model.predict(data))


def _table(path: str, kind: str) -> Any:
    pd: Any = import_module("pandas")
    if kind != ".csv":
        return pd.read_parquet(path)
    types, dates = _column_types()
    return pd.read_csv(path, dtype=types, parse_dates=dates)


def _column_types() -> tuple[dict[str, Any], list[str]]:
    """The types that the signature wants of columns; and its columns of dates, which pandas takes apart from them."""
    types: dict[str, Any] = {}
    dates: list[str] = []
    schema = _input_schema()
    if schema is None or schema.is_tensor_spec() or not schema.has_input_names():
        return types, dates
    for column in schema.inputs:
        to_pandas = getattr(column.type, "to_pandas", None)
        if to_pandas is None:  # arrays and objects: the model sees what the file has
            continue
        if "datetime" in str(column.type).lower():
            dates.append(column.name)
        else:
            types[column.name] = to_pandas()
    return types, dates


def _image(path: str) -> Any:
    import numpy as np
    from PIL import Image

    with Image.open(path) as image:
        pixels = np.asarray(image)
    schema = _input_schema()
    if schema is None or not schema.is_tensor_spec():
        return pixels.astype(np.uint8)[np.newaxis]
    tensor = schema.inputs[0]
    pixels = pixels.astype(tensor.type)
    if list(tensor.shape).count(-1) > 1:  # the size of the image is free: only the number of images is in front of it
        return pixels[np.newaxis] if pixels.ndim < len(tensor.shape) else pixels
    return pixels.reshape(tensor.shape)


def _input_schema() -> Any:
    signature = _model.metadata.signature if _model.metadata else None
    return signature.inputs if signature else None


def _each(predicted: Any) -> Iterator[Any]:
    """One value for each prediction. Several values of one are JSON, so that they stay in one column."""
    import pandas as pd

    if isinstance(predicted, pd.DataFrame):
        single = predicted.shape[1] == 1
        yield from predicted.iloc[:, 0].tolist() if single else map(_as_text, predicted.to_dict("records"))
        return
    values = predicted.tolist() if hasattr(predicted, "tolist") else predicted
    if not isinstance(values, list | tuple):
        yield values
        return
    for value in values:
        yield _as_text(value) if isinstance(value, list | tuple | dict) else value


def _as_text(value: Any) -> str:
    return json.dumps(value, default=str)
