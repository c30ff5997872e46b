import os
from typing import List

import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image


def init():
    global network

    network = tf.saved_model.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model"))


def run(mini_batch: List[str]) -> pd.DataFrame:
    results = []
    for path in mini_batch:
        pixels = tf.expand_dims(np.array(Image.open(path), dtype=np.float32).reshape(-1), axis=0)
        scores = tf.nn.softmax(network(pixels), axis=-1)
        results.append(
            {
                "file": os.path.basename(path),
                "class": tf.argmax(scores, axis=-1).numpy()[0],
                "probability": tf.reduce_max(scores).numpy(),
            }
        )
    return pd.DataFrame(results)
