"""The numbers that the rules demand, by kind of environment.

Apart from `amlplatform.profiles` on purpose: those say what is built, these what is accepted. An environment that is
not named here is held to what prod is held to.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What is accepted in one kind of environment. Retention in days, idle times in seconds."""

    kind: str
    people: bool
    """Groups of people may have roles."""
    vault_retention: int
    blob_retention: int
    image_retention: int
    log_retention: int
    cluster_idle: int
    """A node without work goes after this long at the latest."""
    instance_idle: int
    """A compute instance without use stops after this long at the latest."""
    spark_idle_minutes: int
    cluster_nodes: int
    """Nodes of one cluster at most."""

    @property
    def platform(self) -> bool:
        """It is a stack of the platform itself."""
        return self.kind == "platform"


_BOUNDS: dict[str, Bounds] = {
    bounds.kind: bounds
    for bounds in (
        Bounds("dev", True, 7, 7, 7, 30, 900, 3_600, 30, 100),
        Bounds("test", False, 7, 7, 7, 30, 900, 3_600, 30, 100),
        Bounds("prod", False, 90, 30, 30, 90, 900, 3_600, 30, 100),
        # What environments are brought up with: identities, their state and its keys, registries of models.
        Bounds("platform", False, 90, 7, 7, 30, 900, 3_600, 30, 100),
    )
}
KINDS = tuple(_BOUNDS)
"""Kinds of environments, and the stacks of the platform itself."""


def bounds_of(environment: str) -> Bounds:
    """What is accepted in this environment: that of prod, unless it is known to be less strict."""
    return _BOUNDS.get(environment, _BOUNDS["prod"])


_PLATFORM_STACKS = ("bootstrap", "shared")


def bounds_of_stack(stack: str) -> Bounds:
    """What is accepted in a Pulumi stack, by its name: that of an environment, or one of the platform's own."""
    name = stack.rpartition("/")[2]
    return _BOUNDS["platform"] if name.partition("-")[0] in _PLATFORM_STACKS else bounds_of(environment_of_stack(name))


def environment_of_stack(stack: str) -> str:
    """The environment of a Pulumi stack: the last part of its name, `digit-scoring-prod` is prod."""
    return stack.rpartition("/")[2].rpartition("-")[2]
