"""Batch driver."""

import argparse
import os
from pathlib import Path

import pandas as pd

loaded = {}


def init():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=0.5)
    options, _ = parser.parse_known_args()
    loaded["rate"] = options.rate
    loaded["weights"] = Path(os.environ["AZUREML_MODEL_DIR"], "model", "weights.txt").read_text(encoding="utf-8")


def run(mini_batch):
    rows = [(Path(item).name, loaded["weights"]) for item in mini_batch]
    return pd.DataFrame(rows)
