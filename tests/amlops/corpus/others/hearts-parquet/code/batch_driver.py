import glob
import os
import pickle
from pathlib import Path

import pandas as pd


def init():
    global classifier, output_path

    output_path = os.environ["AZUREML_BI_OUTPUT_PATH"]
    with open(glob.glob(os.environ["AZUREML_MODEL_DIR"] + "/*/*.pkl")[-1], "rb") as stream:
        classifier = pickle.load(stream)


def run(mini_batch):
    for path in mini_batch:
        data = pd.read_csv(path)
        data["prediction"] = classifier.predict(data)
        data.to_parquet(os.path.join(output_path, Path(path).stem + ".parquet"))
    return mini_batch
