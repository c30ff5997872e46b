import glob
import os
import pickle
from os.path import basename
from typing import List

import numpy as np
import pandas as pd
from PIL import Image


def init():
    global classifier

    # Whatever the folder of the registered model is called.
    model_file = glob.glob(f"{os.environ['AZUREML_MODEL_DIR']}/*/*.pkl")[-1]
    with open(model_file, "rb") as stream:
        classifier = pickle.load(stream)


def run(mini_batch: List[str]) -> pd.DataFrame:
    print(f"{len(mini_batch)} files")
    rows = []
    for path in mini_batch:
        pixels = np.array(Image.open(path)).reshape(1, -1)
        probabilities = classifier.predict_proba(pixels)[0]
        best = probabilities.argmax()
        rows.append({"file": basename(path), "class": classifier.classes_[best], "probability": probabilities[best]})
    return pd.DataFrame(rows)
