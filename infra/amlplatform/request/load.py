"""Reading and checking a request file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from amlplatform.request import crosschecks, faults
from amlplatform.request.faults import Fault
from amlplatform.request.model import Request
from amlplatform.yamlfile import YamlFault, read_yaml


class RequestError(Exception):
    """A request that cannot be used. `faults` has one line for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load_request(path: Path) -> Request:
    """Read and check a request. Raises RequestError with every fault, each in one line with file and line number."""
    try:
        document = read_yaml(path)
    except YamlFault as error:
        raise RequestError(error.faults) from error
    if not isinstance(document.data, dict):
        raise RequestError([f"{path}: must be a mapping that begins with 'version: 1'; see the example in the docs"])
    request, found = check_data(document.data)
    if found or request is None:
        raise RequestError([f"{path.name}:{document.line_of(fault.path)}: {fault.text}" for fault in found])
    return request


def check_data(data: dict[str, Any]) -> tuple[Request | None, list[Fault]]:
    """The request, or None with all faults: of single fields, and of fields that do not go together."""
    request: Request | None = None
    found: list[Fault] = []
    try:
        request = Request.model_validate(data)
    except ValidationError as error:
        found = faults.from_pydantic(error, Request)
    known = {fault.path for fault in found}
    found += [fault for fault in crosschecks.faults(data) if fault.path not in known]
    return (None if found else request), found
