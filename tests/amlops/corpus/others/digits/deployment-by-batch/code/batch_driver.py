import argparse
import os
import pickle

import numpy as np
from PIL import Image


def init():
    global classifier, options

    parser = argparse.ArgumentParser()
    parser.add_argument("--digits", type=int, default=3)
    options, _ = parser.parse_known_args()
    folder = os.path.join(os.environ["AZUREML_MODEL_DIR"], "model")
    with open(os.path.join(folder, "classifier.pkl"), "rb") as stream:
        classifier = pickle.load(stream)


def run(mini_batch):
    pixels = np.stack([np.asarray(Image.open(path)).ravel() for path in mini_batch])
    probabilities = classifier.predict_proba(pixels)
    labels = classifier.classes_[probabilities.argmax(axis=1)]
    prefix = os.environ["LABEL_PREFIX"]
    return [
        f"{os.path.basename(path)}: {prefix}{label} {round(float(row.max()), options.digits)}"
        for path, label, row in zip(mini_batch, labels, probabilities)
    ]
