"""The split: by label, so that each part has the labels in the same proportions, and the same for the same seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from image_scoring.labelled import Labelled
from image_scoring.steps import StepError


@dataclass(frozen=True)
class Fractions:
    """Parts of the images that go to testing and to scoring; the rest is for training.

    Raises:
        StepError: a fraction is out of range, or nothing is left for training.
    """

    test: float
    score: float

    def __post_init__(self) -> None:
        if not 0 < self.test < 1:
            raise StepError(f"test_fraction: {self.test} must lie between 0 and 1, for example 0.16")
        if not 0 <= self.score < 1:
            raise StepError(f"score_fraction: {self.score} must be at least 0 and less than 1, for example 0.29")
        if self.test + self.score >= 1:
            raise StepError(
                f"test_fraction + score_fraction: {self.test} + {self.score} leaves nothing to train on; "
                "keep the sum below 1, for example 0.16 + 0.29"
            )


@dataclass(frozen=True)
class Split:
    """The three parts. `score` is in random order, so that its order says nothing about the labels."""

    train: list[Labelled]
    test: list[Labelled]
    score: list[Labelled]


def split(files: Sequence[Labelled], fractions: Fractions, seed: int) -> Split:
    """Split labelled files at random, label by label; each label gets at least one image in each part that is wanted.

    Raises:
        StepError: a label has too few images, or only one label is left.
    """
    by_label: dict[str, list[Labelled]] = defaultdict(list)
    for item in files:
        by_label[item[0]].append(item)
    parts = "training, testing and scoring" if fractions.score else "training and testing"
    needed = 3 if fractions.score else 2
    if len(by_label) < 2:
        raise StepError(f"images: only label '{next(iter(by_label), '')}' has readable images; two labels must")
    random = np.random.default_rng(seed)
    train: list[Labelled] = []
    test: list[Labelled] = []
    score: list[Labelled] = []
    for label in sorted(by_label):
        items = by_label[label]
        if len(items) < needed:
            raise StepError(
                f"images: label '{label}' has {len(items)} readable image(s); it needs at least {needed} for {parts}"
            )
        shuffled = [items[i] for i in random.permutation(len(items))]
        n_test = max(1, round(len(items) * fractions.test))
        n_score = max(1, round(len(items) * fractions.score)) if fractions.score else 0
        n_test = min(n_test, len(items) - n_score - 1)
        test += shuffled[:n_test]
        score += shuffled[n_test : n_test + n_score]
        train += shuffled[n_test + n_score :]
    return Split(train, test, [score[i] for i in random.permutation(len(score))])
