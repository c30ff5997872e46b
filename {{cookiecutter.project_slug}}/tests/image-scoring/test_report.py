"""The page: what it shows, that it needs nothing beside it, and that names from outside stay text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from image_scoring.steps import StepError
from PIL import Image

Step = Callable[[str], ModuleType]
NASTY = "<script>alert(1)<script>.png"


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    """Four images of the labels 1 and 2, one wrong, one failed item."""
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png", "c.png", "d.png"):
        Image.new("L", (4, 4), 90).save(tmp_path / "images" / name)
    rows = "b.png 2 0.8\na.png 1 0.9\nc.png 1 0.75\nd.png 1 0.5\n"
    (tmp_path / "predictions.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "labels.csv").write_text("file,label\na.png,1\nb.png,2\nc.png,2\nd.png,1\n", encoding="utf-8")
    (tmp_path / "failed_items").mkdir()
    (tmp_path / "failed_items" / "0.csv").write_text(f"item,reason\n{NASTY},the file is empty\n", encoding="utf-8")
    return tmp_path


def arguments(scored: Path, *more: str) -> list[str]:
    files = {"predictions": "predictions.csv", "labels": "labels.csv", "images": "images", "report": "out/report.html"}
    return [*(f"--{name}={scored / path}" for name, path in files.items()), *more]


def test_page(scored: Path, step: Step) -> None:
    facts = {
        "model": {"name": "digits", "version": "3", "tags": {"owner": "<b>me</b>"}},
        "steps": [{"name": "train", "seconds": 2.5}],
        "scoring": {"images_per_second_and_core": 12345.6, "workers": 2, "seconds": 1.5},
        "parameters": {"epochs": 5},
    }
    (scored / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    step("report.main").main(arguments(scored, f"--facts={scored / 'facts.json'}"))
    page = (scored / "out" / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", " ", page).replace("\N{NO-BREAK SPACE}", " ")
    for words in ("75.0 %", "right: 3 of 4", "digits version 3", "12,346", "2.5 s", "the file is empty", "epochs"):
        assert words in text, words
    assert page.count("data:image/png;base64,") == 3  # the wrong one, and one right one for each label
    assert "<script" not in page
    assert "<b>me</b>" not in page
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_page_without_facts(scored: Path, step: Step) -> None:
    step("report.main").main(arguments(scored))
    assert "right: 3 of 4" in (scored / "out" / "report.html").read_text(encoding="utf-8")


def test_many_labels_become_a_list(scored: Path, step: Step) -> None:
    rows = [(f"{n}.png", n) for n in range(60)]
    (scored / "predictions.csv").write_text("".join(f"{name} {n // 2} 0.9\n" for name, n in rows), encoding="utf-8")
    labels = "".join(f"{name},{n}\n" for name, n in rows)
    (scored / "labels.csv").write_text(f"file,label\n{labels}", encoding="utf-8")
    step("report.main").main(arguments(scored))
    page = (scored / "out" / "report.html").read_text(encoding="utf-8")
    assert "1 taken for 0" in page
    assert 'class="matrix"' not in page


def test_a_page_that_is_there_stays_when_the_new_one_fails(scored: Path, step: Step) -> None:
    step("report.main").main(arguments(scored))
    before = (scored / "out" / "report.html").read_text(encoding="utf-8")
    (scored / "labels.csv").write_text("file,label\n", encoding="utf-8")
    with pytest.raises(StepError, match="none of the predicted files"):
        step("report.main").main(arguments(scored))
    assert [path.name for path in (scored / "out").iterdir()] == ["report.html"]
    assert (scored / "out" / "report.html").read_text(encoding="utf-8") == before
