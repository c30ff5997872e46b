"""What the drivers share: images to predictions, with one call of the network.

A file that is no image becomes a failed item: it is left out of the returned rows, so that Azure ML counts it as
failed, and its reason is written to the log and to `failed_items/` beside the predictions. The others are scored.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from image_scoring.images import Failed, decode
from image_scoring.model_folder import Model, find_model_folder, load_model
from image_scoring.predictions import DECIMALS, FAILED_FOLDER, NOT_UTF8

COLUMNS = ("file", "label", "probability")

log = logging.getLogger("image_scoring")


def load_deployed_model() -> Model:
    """Load the model of the deployment. AZUREML_MODEL_DIR is the folder that contains the registered one.

    What would be loaded at the first image is loaded here too: the time limit counts for `run()` only.

    Raises:
        StepError: there is no model, or its framework is not installed.
    """
    model = load_model(find_model_folder(Path(os.environ["AZUREML_MODEL_DIR"])))
    Image.preinit()
    model.probabilities(np.zeros((1, model.card.size.width * model.card.size.height), dtype=np.uint8))
    return model


def score_files(model: Model, mini_batch: Sequence[str]) -> pd.DataFrame:
    """Score the files of a mini-batch with one call of the network.

    Args:
        model: what `load_deployed_model` returned.
        mini_batch: paths of files.

    Returns:
        One row per image: file (its name), label, probability of that label (0..1). Failed items have no row.
    """
    started = time.perf_counter()
    decoded = decode([Path(item) for item in mini_batch], model.card.size)
    if decoded.failed:
        report_failed(decoded.failed, [f"{Path(item).parent.name}/{Path(item).name}" for item in mini_batch])
    probabilities = model.probabilities(decoded.pixels)
    best = probabilities.argmax(axis=1)
    log.info("%d of %d items scored in %.4f s", len(decoded.paths), len(mini_batch), time.perf_counter() - started)
    return pd.DataFrame(
        {
            # Plain objects: pandas hands text to pyarrow where that is installed, and it takes UTF-8 only.
            "file": pd.Series([path.name for path in decoded.paths], dtype=object),
            "label": pd.Series([model.card.labels[i] for i in best], dtype=object),
            "probability": probabilities.max(axis=1).astype(float).round(DECIMALS) if len(best) else [],
        },
        columns=pd.Index(COLUMNS),
    )


def predictions(model: Model, pixels: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """The predictions of one request: label, probability of that label, and the probabilities of all labels.

    Args:
        pixels: uint8 [n, height * width].
    """
    labels = model.card.labels
    rows = model.probabilities(pixels).astype(float).round(DECIMALS)
    return [
        {"label": labels[best], "probability": row[best], "probabilities": dict(zip(labels, row, strict=True))}
        for best, row in zip(rows.argmax(axis=1).tolist(), rows.tolist(), strict=True)
    ]


def report_failed(failed: Sequence[Failed], mini_batch: Sequence[str]) -> None:
    """Log failed items and write them as CSV (item, reason) into the output folder, if the job has one.

    The file's name follows from the mini-batch: when it is tried again, the same file is written again.
    """
    for item in failed:
        log.warning("item '%s' failed: %s", item.path.name, item.reason)
    output = os.environ.get("AZUREML_BI_OUTPUT_PATH")
    if not output:
        return
    folder = Path(output) / FAILED_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256("\n".join(sorted(mini_batch)).encode(errors=NOT_UTF8)).hexdigest()[:16]
    scratch = folder / f"{name}.csv.{os.getpid()}"
    with scratch.open("w", encoding="utf-8", errors=NOT_UTF8, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("item", "reason"))
        writer.writerows((item.path.name, item.reason) for item in failed)
    scratch.replace(folder / f"{name}.csv")
