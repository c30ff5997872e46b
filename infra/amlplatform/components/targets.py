"""Parts of an environment as Azure Monitor sees them: a type, and an id that a setting or a rule is made for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pulumi

from amlplatform.armtypes.resource_types import RESOURCE_TYPES
from amlplatform.components.context import Part


@dataclass(frozen=True)
class Target:
    """A part, or a child of it. `name`: unique in the environment; `child`: the child's own name, "" for the part."""

    name: str
    arm_type: str
    arm_id: pulumi.Input[str]
    child: str = ""


def logged(part: Part) -> Iterator[Target]:
    """What a part has diagnostic settings for."""
    return (_target(part, suffix) for suffix in part.diagnostics)


def watched(part: Part) -> Iterator[Target]:
    """What a part can have alert rules for: itself, and its children with logs, but not SQL's own database."""
    found = (_target(part, suffix) for suffix in dict.fromkeys(("", *part.diagnostics)))
    return (target for target in found if target.child != "master")


def of_type(parts: Iterable[Part], arm_type: str) -> Iterator[Target]:
    """What can have alert rules and is of this type."""
    return (target for part in parts for target in watched(part) if target.arm_type == arm_type)


def _target(part: Part, suffix: str) -> Target:
    """`suffix`: "" or the path to a child, for example "/blobServices/default"."""
    arm_type = RESOURCE_TYPES[part.resource.pulumi_resource_type].arm_type
    if not suffix:
        return Target(part.name, arm_type, part.resource.id)
    kinds, names = suffix.strip("/").split("/")[::2], suffix.strip("/").split("/")[1::2]
    # "blobServices/default" is called "blob": all services of an account are called "default".
    word = kinds[-1].removesuffix("Services").lower() if names[-1] == "default" else names[-1]
    return Target(
        f"{part.name}-{word}",
        "/".join((arm_type, *kinds)),
        pulumi.Output.concat(part.resource.id, suffix),
        names[-1],
    )
