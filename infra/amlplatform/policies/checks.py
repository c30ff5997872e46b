"""The parts that most rules are made of: a property has one of these values, is at least so much, is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies.bounds import Bounds
from amlplatform.policies.rule import Context, Resource, ResourceCheck
from amlplatform.policies.values import ABSENT, at, is_known, shown

Number = Callable[[Bounds], int]


def equals(path: str, *allowed: Any) -> ResourceCheck:
    """The property is set, to one of these values. True is not 1 here."""

    def check(resource: Resource, _context: Context) -> Iterator[str]:
        value = at(resource.body, path)
        if value != UNKNOWN and not any(value == one and type(value) is type(one) for one in allowed):
            yield f"{path} is {shown(value)}, must be {' or '.join(shown(one) for one in allowed)}"

    return check


def absent(path: str) -> ResourceCheck:
    """The property is not there, or is empty."""

    def check(resource: Resource, _context: Context) -> Iterator[str]:
        value = at(resource.body, path)
        if value is not ABSENT and value not in ({}, [], "", UNKNOWN):
            yield f"{path} is set, must be left out"

    return check


def given(path: str) -> ResourceCheck:
    """The property is there and not empty."""

    def check(resource: Resource, _context: Context) -> Iterator[str]:
        value = at(resource.body, path)
        if value is ABSENT or value in ({}, [], ""):
            yield f"{path} is {shown(value) if value is ABSENT else 'empty'}, must be given"

    return check


def between(path: str, low: Number, high: Number | None = None) -> ResourceCheck:
    """The property is a number within the environment's bounds."""

    def check(resource: Resource, context: Context) -> Iterator[str]:
        value = at(resource.body, path)
        if value == UNKNOWN:
            return
        least, most = low(context.bounds), high(context.bounds) if high else None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or value < least or (most is not None and value > most):
            limits = f"at least {least}" if most is None else f"{least} to {most}"
            yield f"{path} is {shown(value)}, must be {limits}"

    return check


def each(*checks: ResourceCheck) -> ResourceCheck:
    """All of these."""

    def check(resource: Resource, context: Context) -> Iterator[str]:
        for one in checks:
            yield from one(resource, context)

    return check


def where(path: str, *values: Any, then: ResourceCheck) -> ResourceCheck:
    """Only for resources whose property has one of these values."""

    def check(resource: Resource, context: Context) -> Iterator[str]:
        if at(resource.body, path) in values:
            yield from then(resource, context)

    return check


def where_given(path: str, then: ResourceCheck) -> ResourceCheck:
    """Only for resources that have the property."""

    def check(resource: Resource, context: Context) -> Iterator[str]:
        value = at(resource.body, path)
        if is_known(value) and value not in ({}, [], ""):
            yield from then(resource, context)

    return check


def constant(number: int) -> Number:
    return lambda _bounds: number
