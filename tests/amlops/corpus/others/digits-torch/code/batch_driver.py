import glob
import os

import numpy as np
import pandas as pd
import torch
from digit_net import DigitNet
from PIL import Image


def init():
    global device, net

    net = DigitNet()
    net.load_state_dict(torch.load(glob.glob(os.environ["AZUREML_MODEL_DIR"] + "/*/*.pt")[-1]))
    net.eval()
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    net.to(device)


def run(mini_batch):
    rows = []
    with torch.no_grad():
        for path in mini_batch:
            pixels = torch.from_numpy(np.array(Image.open(path))).float().expand(1, -1, -1)
            probability, label = torch.softmax(net(pixels.to(device)), dim=-1).max(axis=-1)
            rows.append([os.path.basename(path), label.cpu().numpy()[0], probability.cpu().numpy()[0]])
    return pd.DataFrame(rows, columns=["file", "class", "probability"])
