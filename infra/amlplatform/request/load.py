"""Reading and checking a request file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from amlplatform import kinds
from amlplatform.request import crosschecks, faults
from amlplatform.request.faults import Fault
from amlplatform.request.model import Request
from amlplatform.yamlfile import YamlFault, read_yaml

Model = TypeVar("Model", bound=BaseModel)
Crosscheck = Callable[[dict[str, Any]], Iterable[Fault]]


class RequestError(Exception):
    """A request that cannot be used. `faults` has one line for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load_request(path: Path) -> Request:
    """Read and check a request. Raises RequestError with every fault, each in one line with file and line number."""
    return read_model(path, Request, crosschecks.faults)


def check_data(data: dict[str, Any]) -> tuple[Request | None, list[Fault]]:
    """The request, or None with all faults: of single fields, and of fields that do not go together."""
    return _checked(data, Request, crosschecks.faults)


def read_model(path: Path, model: type[Model], crosscheck: Crosscheck = lambda _: ()) -> Model:
    """Read a file of this model. Raises RequestError as `load_request` does."""
    try:
        document = read_yaml(path)
    except YamlFault as error:
        raise RequestError(error.faults) from error
    if not isinstance(document.data, dict):
        rule = "must be a mapping that begins with 'version: 1'; docs/platform.md has every field"
        raise RequestError([f"{path}: {rule}"])
    other = None if "kind" in model.model_fields else kinds.fault_of_request(path, document)
    if other:
        raise RequestError([other])
    read, found = _checked(document.data, model, crosscheck)
    if found or read is None:
        raise RequestError([f"{path.name}:{document.line_of(fault.path)}: {fault.text}" for fault in found])
    return read


def _checked(data: dict[str, Any], model: type[Model], crosscheck: Crosscheck) -> tuple[Model | None, list[Fault]]:
    read: Model | None = None
    found: list[Fault] = []
    try:
        read = model.model_validate(data)
    except ValidationError as error:
        found = faults.from_pydantic(error, model)
    known = {fault.path for fault in found}
    found += [fault for fault in crosscheck(data) if fault.path not in known]
    return (None if found else read), found
