"""The gate of a model: what its recorded metrics must be before it goes to another environment.

# .cloud/gates/digits.yml
model: digits
conditions:
  - {metric: accuracy, comparison: ">=", threshold: 0.9}
minimum_rows: {property: test_images, rows: 100}
margin: {accuracy: -0.01}     # against the champion of the target; negative: so much worse is still accepted
max_age_days: 30
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlops import yamlfile
from amlops.errors import UserError
from amlops.project import Project

FOLDER = Path(".cloud") / "gates"
COMPARISONS = (">=", ">", "<=", "<")
_KEYS = ("model", "conditions", "minimum_rows", "margin", "max_age_days")


@dataclass(frozen=True)
class Condition:
    """One metric, how it is compared, and with what."""

    metric: str
    comparison: str
    threshold: float


@dataclass(frozen=True)
class Gate:
    """A gate file.

    Attributes:
        rows_property: the property of a model that counts the rows its metrics are from; None: not asked.
        rows: at least so many.
        margin: by metric, how much better than the champion of the target a model must be; may be negative.
        max_age_days: how old the model may be; None: not asked.
    """

    file: Path
    model: str
    conditions: tuple[Condition, ...]
    rows_property: str | None = None
    rows: int = 0
    margin: dict[str, float] = field(default_factory=dict)
    max_age_days: float | None = None

    def more_is_better(self, metric: str) -> bool:
        """Whether a higher value of a metric is better: what its condition says, else yes."""
        return all(one.comparison in (">=", ">") for one in self.conditions if one.metric == metric)


def find(project: Project, model: str, file: Path | None) -> Gate:
    """The gate of a model: `file`, else `.cloud/gates/<model>.yml`.

    Raises:
        UserError: there is none, it is another model's, or something in it is wrong.
    """
    place = file or project.root / FOLDER / f"{model}.yml"
    if not place.is_file():
        raise UserError(
            f"--gate: there is no file '{place}'; write one, for example {(FOLDER / f'{model}.yml').as_posix()}"
        )
    gate = load(place)
    if gate.model != model:
        raise UserError(f"model: is '{gate.model}', and '{model}' is to be promoted; give its own gate", file=place)
    return gate


def load(file: Path) -> Gate:
    """Read a gate file. Raises UserError with the line of what is wrong."""
    document = yamlfile.load(file)
    for key in document.data:
        if key not in _KEYS:
            raise document.error(f"is not a key of a gate; one of {', '.join(_KEYS)}", key)
    model = document.get("model")
    if not isinstance(model, str) or not model:
        raise document.error("must be the name of a model; for example digits", "model")
    rows_property, rows = _minimum_rows(document)
    age = document.get("max_age_days")
    if age is not None and _number(document, "max_age_days") <= 0:
        raise document.error(f"'{age}' must be more than 0; for example 30", "max_age_days")
    margin = document.get("margin")
    if margin is not None and not isinstance(margin, dict):
        raise document.error("must be numbers by metric; for example {accuracy: -0.01}", "margin")
    return Gate(
        file=file,
        model=model,
        conditions=_conditions(document),
        rows_property=rows_property,
        rows=rows,
        margin={str(metric): _number(document, "margin", metric) for metric in margin or {}},
        max_age_days=None if age is None else float(age),
    )


def _conditions(document: yamlfile.YamlFile) -> tuple[Condition, ...]:
    found = document.get("conditions")
    if not isinstance(found, list) or not found:
        example = "{metric: accuracy, comparison: '>=', threshold: 0.9}"
        raise document.error(f"must be a list with a condition or more; for example - {example}", "conditions")
    result: list[Condition] = []
    for number, entry in enumerate(found):
        keys = ("metric", "comparison", "threshold")
        if not isinstance(entry, dict) or set(entry) != set(keys):
            raise document.error(f"must have {', '.join(keys)} and nothing else", "conditions", number)
        if not isinstance(entry["metric"], str) or not entry["metric"]:
            raise document.error("must be the name of a metric; for example accuracy", "conditions", number, "metric")
        if entry["comparison"] not in COMPARISONS:
            rule = f"'{entry['comparison']}' must be one of {' '.join(COMPARISONS)}, in quotes; for example '>='"
            raise document.error(rule, "conditions", number, "comparison")
        threshold = _number(document, "conditions", number, "threshold")
        result.append(Condition(entry["metric"], entry["comparison"], threshold))
    return tuple(result)


def _minimum_rows(document: yamlfile.YamlFile) -> tuple[str | None, int]:
    found = document.get("minimum_rows")
    if found is None:
        return None, 0
    example = "for example {property: test_images, rows: 100}"
    if not isinstance(found, dict) or set(found) != {"property", "rows"} or not isinstance(found["property"], str):
        raise document.error(f"must have property and rows; {example}", "minimum_rows")
    if not isinstance(found["rows"], int) or isinstance(found["rows"], bool) or found["rows"] < 1:
        raise document.error(f"'{found['rows']}' must be a whole number, 1 or more; {example}", "minimum_rows", "rows")
    return found["property"], found["rows"]


def _number(document: yamlfile.YamlFile, *keys: str | int) -> float:
    value: Any = document.get(*keys)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise document.error(f"'{value}' must be a number; for example 0.9", *keys)
    return float(value)
