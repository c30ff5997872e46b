"""The online driver, called as the inference server calls it, and what it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from image_scoring.images import Size, read_gray
from image_scoring.requests import RequestError, read_images

SIZE = Size(28, 28)


def test_a_request_gets_what_batch_gives(
    model: Path, prepared: Path, step: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(model.parent))
    online, batch = step("score_online.online_driver"), step("score.batch_driver")
    online.init()
    batch.init()
    files = sorted((prepared / "score").iterdir())[:5]
    images = [base64.b64encode(file.read_bytes()).decode() for file in files]
    found = online.run(json.dumps({"images": images}))["predictions"]
    rows = batch.run([str(file) for file in files])
    assert [one["label"] for one in found] == list(rows["label"])
    assert [one["probability"] for one in found] == list(rows["probability"])
    assert sum(found[0]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    pixels = np.asarray(read_gray(files[0])).tolist()
    assert online.run(json.dumps({"images": [pixels]}))["predictions"] == found[:1]


@pytest.mark.parametrize(
    ("request_body", "reason"),
    [
        ("{", "the request is not JSON"),
        ("[]", "images: must be a list of one image or more"),
        ('{"images": []}', "images: must be a list of one image or more"),
        ('{"images": ["aGVsbG8="]}', r"images\[0\]: not a PNG, JPEG, BMP or GIF image"),
        ('{"images": [""]}', r"images\[0\]: the file is empty"),
        ('{"images": ["no base64"]}', r"images\[0\]: is not base64"),
        ('{"images": [[[0, 256]]]}', r"images\[0\]: has values from 0 to 256"),
        ('{"images": [[[0, NaN]]]}', r"images\[0\]: has values from nan"),
        ('{"images": [[[0, 1], [2]]]}', r"images\[0\]: its rows have different lengths"),
        ('{"images": [[[0, 1]], 7]}', r"images\[1\]: must be base64 of an image file, or rows"),
        ('{"images": [[["a"]]]}', r"images\[0\]: must be base64 of an image file, or rows"),
    ],
)
def test_a_bad_request_is_refused_with_the_reason(request_body: str, reason: str) -> None:
    with pytest.raises(RequestError, match=reason):
        read_images(request_body, SIZE)
