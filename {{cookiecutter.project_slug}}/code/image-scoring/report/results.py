"""What the page shows, before it is HTML."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from image_scoring.predictions import Comparison, Prediction


@dataclass(frozen=True)
class Results:
    """Results of scoring a folder of images.

    Attributes:
        comparison: predictions beside the true labels.
        labels: file name to true label.
        failed: item to reason.
        images: the folder that was scored.
        facts: what is known about the run: `model` {name, version, tags}, `parameters` {name: value},
            `steps` [{name, seconds}], `scoring` {images_per_second, images_per_second_and_core, seconds, workers},
            `test` {accuracy, images}, `created`, `files` {name: path}. Each may be absent.
    """

    comparison: Comparison
    labels: Mapping[str, str]
    failed: Mapping[str, str]
    images: Path
    facts: Mapping[str, Any] = field(default_factory=dict)

    def all_labels(self) -> list[str]:
        """True and predicted labels; numbers in the order of numbers."""
        both = self.comparison.right + self.comparison.wrong
        found = {row.label for row in both} | {self.labels[row.file] for row in both}
        return sorted(found, key=lambda label: (not label.isdecimal(), int(label) if label.isdecimal() else 0, label))

    def confusion(self) -> dict[str, dict[str, int]]:
        """How often each true label got each predicted label."""
        counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in self.comparison.right + self.comparison.wrong:
            counts[self.labels[row.file]][row.label] += 1
        return counts

    def examples_right(self) -> list[Prediction]:
        """For each label the image that the model was least sure of, and was right."""
        least: dict[str, Prediction] = {}
        for row in self.comparison.right:
            if row.label not in least or row.probability < least[row.label].probability:
                least[row.label] = row
        return [least[label] for label in self.all_labels() if label in least]

    def examples_wrong(self) -> list[Prediction]:
        """The wrong ones, those first of which the model was surest."""
        return sorted(self.comparison.wrong, key=lambda row: (-row.probability, row.file))
