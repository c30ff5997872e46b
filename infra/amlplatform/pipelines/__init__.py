"""Pipelines of Data Factory, as files in the form that its editor shows and Azure Resource Manager takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

SCORE_ARRIVED_FILE = "score_arrived_file"


@dataclass(frozen=True)
class Pipeline:
    """One pipeline: its name in the factory, and its properties, which are a copy that may be changed."""

    name: str
    properties: dict[str, Any]

    def activities(self) -> Iterator[dict[str, Any]]:
        """All activities, also those inside of loops and conditions."""
        yield from _inside(self.properties["activities"])

    def set_default(self, parameter: str, value: object) -> None:
        """Give a parameter the value that it has where a run names none. Raises KeyError."""
        self.properties["parameters"][parameter]["defaultValue"] = value

    def connect_via(self, integration_runtime: str) -> None:
        """Let every call go out through this integration runtime."""
        for activity in self.activities():
            if activity["type"] == "WebActivity":
                activity["typeProperties"]["connectVia"] = {
                    "referenceName": integration_runtime,
                    "type": "IntegrationRuntimeReference",
                }


def load(name: str) -> Pipeline:
    """The pipeline in this file of the package. Raises FileNotFoundError."""
    document = json.loads(resources.files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return Pipeline(document["name"], document["properties"])


def _inside(activities: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for activity in activities:
        yield activity
        for key in ("activities", "ifTrueActivities", "ifFalseActivities"):
            yield from _inside(activity["typeProperties"].get(key, []))
