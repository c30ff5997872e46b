import os
import pathlib

import numpy as np


def init():
    global words
    words = (pathlib.Path(os.environ["AZUREML_MODEL_DIR"]) / "vocabulary.txt").read_text().split()


def run(mini_batch):
    results = []
    for name in mini_batch:
        text = pathlib.Path(name).read_text().split()
        counts = np.array([text.count(word) for word in words])
        results.append({"file": pathlib.Path(name).name, "counts": counts})
    return results
