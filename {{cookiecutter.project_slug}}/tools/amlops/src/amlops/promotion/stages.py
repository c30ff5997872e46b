"""Which version an environment holds for the best: the tag `stage`, `champion` or `previous`."""

from __future__ import annotations

from amlops.entities import Model
from amlops.workspace import Models

STAGE, CHAMPION, PREVIOUS, ROLLED_BACK = "stage", "champion", "previous", "rolled-back"


def of(models: Models, name: str, stage: str) -> Model | None:
    """The version of that stage; the newest, should there be several."""
    return next((one for one in models.list(name) if one.tags.get(STAGE) == stage), None)


def crown(models: Models, model: Model) -> Model:
    """Make a version the champion, and the one before it the previous.

    In this order an interruption leaves no champion or the old one, and the same command ends what was begun.
    """
    champion, previous = of(models, model.name, CHAMPION), of(models, model.name, PREVIOUS)
    if champion and champion.version == model.version:
        return champion
    if champion:
        if previous and previous.version != model.version:
            models.update(previous.name, previous.version, tags={STAGE: None})
        models.update(champion.name, champion.version, tags={STAGE: PREVIOUS})
    return models.update(model.name, model.version, tags={STAGE: CHAMPION})
