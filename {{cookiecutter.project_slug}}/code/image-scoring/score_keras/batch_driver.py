"""Batch driver with Keras: `init()` once per worker process, `run(mini_batch)` once per mini-batch.

A file that is no image becomes a failed item with its reason (`image_scoring.scoring`); the others are scored.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the code folder; Azure ML may start us from elsewhere

from image_scoring.model_folder import Model
from image_scoring.scoring import load_deployed_model, score_files

_model: Model | None = None


def init() -> None:
    """Load the model, with one thread: the workers of a node share its cores."""
    global _model  # noqa: PLW0603 - the contract of a batch driver has no other place for it
    _model = load_deployed_model()


def run(mini_batch: Sequence[str]) -> pd.DataFrame:
    """Score the files of a mini-batch with one call of the network.

    Args:
        mini_batch: paths of files.

    Returns:
        One row per image: file (its name), label, probability of that label (0..1). Failed items have no row.
    """
    if _model is None:
        raise RuntimeError("init() has not been called")
    return score_files(_model, mini_batch)
