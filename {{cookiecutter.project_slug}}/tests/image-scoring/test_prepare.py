"""prepare: the sample, a folder of one's own, and what is said about a wrong one."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from image_scoring.labelled import fingerprint, labelled_files
from image_scoring.steps import StepError

Prepare = Callable[..., None]


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels" / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_sample_is_split_without_overlap(prepared: Path) -> None:
    rows = rows_of(prepared)
    train = {f"{label}/{path.name}" for label, path in labelled_files(prepared / "train", "train")}
    test = {f"{label}/{path.name}" for label, path in labelled_files(prepared / "test", "test")}
    score = {row["source"] for row in rows}
    assert len(train | test | score) == len(train) + len(test) + len(score) == 1797
    assert len(score) >= 500
    for part in (train, test, score):
        by_label = Counter(name.split("/")[0] for name in part)
        assert len(by_label) == 10
        assert max(by_label.values()) - min(by_label.values()) <= 6


def test_names_and_order_of_images_to_score_tell_nothing(prepared: Path) -> None:
    rows = rows_of(prepared)
    assert [row["file"] for row in rows] == [f"{n:05d}.png" for n in range(1, len(rows) + 1)]
    assert {path.name for path in (prepared / "score").iterdir()} == {row["file"] for row in rows}
    assert len({row["label"] for row in rows[:30]}) > 5


def test_same_seed_same_split(prepared: Path, tmp_path: Path, prepare: Prepare) -> None:
    prepare(tmp_path / "same")
    prepare(tmp_path / "other", "--seed=2")
    assert rows_of(tmp_path / "same") == rows_of(prepared)
    assert rows_of(tmp_path / "other") != rows_of(prepared)


def test_own_folder(few: Path, tmp_path: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    (few / "0" / "notes.txt").write_text("no image", encoding="utf-8")
    (few / "1" / "empty.png").write_bytes(b"")
    (few / "0" / ".DS_Store").write_bytes(b"hidden")
    (few / ".git").mkdir()
    prepare(tmp_path, f"--images={few}")
    said = capsys.readouterr().out
    assert "skipped: 2 files that cannot be read as images" in said
    assert "  0/notes.txt: not a PNG, JPEG, BMP or GIF image" in said
    assert "train: 4 images of 2 labels" in said
    assert {row["label"] for row in rows_of(tmp_path)} == {"0", "1"}


def test_nothing_is_kept_back_for_scoring(few: Path, tmp_path: Path, prepare: Prepare) -> None:
    prepare(tmp_path, f"--images={few}", "--score-fraction=0")
    assert rows_of(tmp_path) == []
    assert len(labelled_files(tmp_path / "train", "train")) == 6


def no_folder(few: Path) -> Path:
    return few / "nowhere"


def flat(few: Path) -> Path:
    return few / "0"


def one_label(few: Path) -> Path:
    (few / "1").rename(few.parent / "1")
    return few


def no_images(few: Path) -> Path:
    for path in few.rglob("*.png"):
        path.write_text("no image", encoding="utf-8")
    return few


def one_readable_label(few: Path) -> Path:
    for path in (few / "1").iterdir():
        path.write_bytes(b"")
    return few


def too_few(few: Path) -> Path:
    for path in sorted((few / "1").iterdir())[:2]:
        path.unlink()
    return few


def other_sample(few: Path) -> Path:
    (few / "sample.json").write_text('{"dataset": "faces"}', encoding="utf-8")
    return few


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (no_folder, "images: '{folder}' is not a folder; give one such as digits/ with digits/0/, digits/1/"),
        (flat, "images: '{folder}' has no label folders; put the images into one sub-folder per label, "),
        (one_label, "images: '{folder}' has the single label '0'; a classifier needs at least two"),
        (no_images, "images: none of the 8 files in the label folders can be read as an image"),
        (one_readable_label, "images: only label '0' has readable images; two labels must"),
        (too_few, "images: label '1' has 2 readable image(s); it needs at least 3 for training, testing and scoring"),
        (other_sample, "images: '{folder}/sample.json' names data set 'faces'; the only one is"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_wrong_folders(
    few: Path, tmp_path: Path, prepare: Prepare, change: Callable[[Path], Path], message: str
) -> None:
    folder = change(few)
    with pytest.raises(StepError) as caught:
        prepare(tmp_path, f"--images={folder}")
    assert str(caught.value).startswith(message.replace("{folder}", folder.as_posix()))
    assert not (tmp_path / "train").exists()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--test-fraction=0", "test_fraction: 0.0 must lie between 0 and 1"),
        ("--score-fraction=-1", "score_fraction: -1.0 must be at least 0 and less than 1"),
        ("--score-fraction=0.9", "test_fraction + score_fraction: 0.16 + 0.9 leaves nothing to train on"),
    ],
)
def test_wrong_fractions(tmp_path: Path, prepare: Prepare, argument: str, message: str) -> None:
    with pytest.raises(StepError, match=message.replace("+", r"\+")):
        prepare(tmp_path, argument)


def test_an_output_folder_with_files_is_left_alone(few: Path, tmp_path: Path, prepare: Prepare) -> None:
    prepare(tmp_path, f"--images={few}")
    with pytest.raises(StepError, match="is not empty"):
        prepare(tmp_path, f"--images={few}")


def test_fingerprint_depends_on_pixels_and_labels_only() -> None:
    import numpy as np

    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert fingerprint(["a", "b", "c"], pixels) == fingerprint(["c", "b", "a"], pixels[::-1])
    assert fingerprint(["a", "b", "c"], pixels) != fingerprint(["a", "c", "b"], pixels)
    assert fingerprint(["a", "b", "c"], pixels) != fingerprint(["a", "b", "c"], pixels + 1)
