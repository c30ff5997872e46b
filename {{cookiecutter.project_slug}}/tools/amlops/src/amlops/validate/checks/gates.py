"""Gates of models: what `amlops model promote` would refuse."""

from __future__ import annotations

from collections.abc import Iterator

from amlops.errors import UserError
from amlops.promotion import gate
from amlops.validate.fault import Fault, fault_of
from amlops.yamlfile import YamlFile


def gate_faults(document: YamlFile) -> Iterator[Fault]:
    """The first fault of a gate file."""
    try:
        gate.load(document.path)
    except UserError as error:
        yield fault_of(error, document.path)
