"""prepare: labelled images to folders for training, testing and scoring.

    python -m prepare.main --train-images DIR --test-images DIR --score-images DIR --score-labels DIR [--images DIR]

The images to score lie in one flat folder under neutral names, their labels in a file apart from them, so that nothing
about the right answer reaches the model.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from image_scoring.images import Failed, ImageError, read_gray
from image_scoring.labelled import Labelled, labelled_files
from image_scoring.predictions import NOT_UTF8
from image_scoring.steps import StepError, new_folder, progress, run_step

from .sample import is_sample, write_sample
from .split import Fractions, Split, split

REASONS_SHOWN = 5


def main(argv: Sequence[str]) -> None:
    """Run the step."""
    options = _parser().parse_args(argv)
    fractions = Fractions(test=options.test_fraction, score=options.score_fraction)
    with tempfile.TemporaryDirectory() as scratch:
        if options.images is None or is_sample(options.images):
            images = Path(scratch)
            print(f"images: sample of {write_sample(images)} handwritten digits from scikit-learn")
        else:
            images = options.images
            print(f"images: {images}")
        usable, skipped = check_images(labelled_files(images, "images"))
        _tell_skipped(skipped, images)
        parts = split(usable, fractions, options.seed)
        _copy_labelled(parts.train, new_folder(options.train_images))
        _copy_labelled(parts.test, new_folder(options.test_images))
        _copy_to_score(parts.score, images, new_folder(options.score_images), new_folder(options.score_labels))
    _tell_counts(parts)


def check_images(files: Sequence[Labelled]) -> tuple[list[Labelled], list[Failed]]:
    """Decode every file once: the usable ones, and the others with the reason."""
    usable: list[Labelled] = []
    skipped: list[Failed] = []
    for label, path in progress(files, "checking images"):
        try:
            read_gray(path)
        except ImageError as error:
            skipped.append(Failed(path, str(error)))
        else:
            usable.append((label, path))
    if not usable:
        raise StepError(f"images: none of the {len(files)} files in the label folders can be read as an image")
    return usable, skipped


def _copy_labelled(files: Sequence[Labelled], target: Path) -> None:
    for label, path in files:
        folder = target / label
        folder.mkdir(exist_ok=True)
        shutil.copyfile(path, folder / path.name)


def _copy_to_score(files: Sequence[Labelled], root: Path, images: Path, labels: Path) -> None:
    rows = []
    for number, (label, path) in enumerate(files, start=1):
        name = f"{number:05d}{path.suffix.lower()}"
        shutil.copyfile(path, images / name)
        rows.append((name, label, path.relative_to(root).as_posix()))
    with (labels / "labels.csv").open("w", encoding="utf-8", errors=NOT_UTF8, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "label", "source"))
        writer.writerows(rows)


def _tell_skipped(skipped: Sequence[Failed], root: Path) -> None:
    if not skipped:
        return
    print(f"skipped: {len(skipped)} files that cannot be read as images")
    for item in skipped[:REASONS_SHOWN]:
        print(f"  {item.path.relative_to(root).as_posix()}: {item.reason}")
    if len(skipped) > REASONS_SHOWN:
        print(f"  and {len(skipped) - REASONS_SHOWN} more")


def _tell_counts(parts: Split) -> None:
    for name, files in (("train", parts.train), ("test", parts.test), ("score", parts.score)):
        by_label = Counter(label for label, _ in files)
        smallest = f", {min(by_label.values())} to {max(by_label.values())} per label" if by_label else ""
        print(f"{name}: {len(files)} images of {len(by_label)} labels{smallest}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="prepare", description="Split labelled images by what they are for.")
    parser.add_argument("--images", type=Path, help="one sub-folder per label; absent: scikit-learn's digits")
    parser.add_argument("--train-images", type=Path, required=True)
    parser.add_argument("--test-images", type=Path, required=True)
    parser.add_argument("--score-images", type=Path, required=True)
    parser.add_argument("--score-labels", type=Path, required=True, help="folder for labels.csv")
    parser.add_argument("--test-fraction", type=float, default=0.16)
    parser.add_argument("--score-fraction", type=float, default=0.29, help="0: no images to score")
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(run_step("prepare", main))
