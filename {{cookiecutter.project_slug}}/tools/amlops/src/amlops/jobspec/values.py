"""Values of inputs: literals by their declared type and range, data by where it lies."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amlops import references
from amlops.errors import UserError
from amlops.jobspec.model import InputSpec, Literal
from amlops.references import WebAddress

_TRUE_FALSE = {"true": True, "false": False}
_MLTABLE = "MLTable"
Resolve = Callable[[str, str], Path | WebAddress]
"""Finds what `azureml:…` and an address mean; the second argument is the type. Raises UserError."""


def literal(value: Any, spec: InputSpec) -> Literal:
    """`value` as the type that `spec` declares, inside its range.

    Azure ML sends every literal as text and reads it again by the component's type; so "0.5" is a number, and 3 a
    string.

    Raises:
        ValueError: one line without the field's name.
    """
    converted = _CONVERTERS[spec.type](value)
    if spec.minimum is not None and isinstance(converted, int | float) and converted < spec.minimum:
        raise ValueError(f"'{value}' is below the minimum {spec.minimum:g}; for example {spec.minimum:g}")
    if spec.maximum is not None and isinstance(converted, int | float) and converted > spec.maximum:
        raise ValueError(f"'{value}' is above the maximum {spec.maximum:g}; for example {spec.maximum:g}")
    if spec.enum and as_text(converted) not in spec.enum:
        raise ValueError(f"'{value}' is not allowed; one of {', '.join(spec.enum)}")
    return converted


def as_text(value: Literal | Path | WebAddress) -> str:
    """The value as it stands in a command, and as Azure ML writes it: True and False with a capital."""
    return str(value)


def _string(value: Any) -> str:
    if isinstance(value, dict | list):
        raise ValueError(f"{_kind(value)} is not a string; for example blue")
    if isinstance(value, datetime.date):  # an unquoted date or time in YAML
        return value.isoformat()
    return str(value)


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            pass
        else:
            if math.isfinite(number):
                return number
    raise ValueError(f"{_kind(value)} is not a number; for example 0.1")


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    raise ValueError(f"{_kind(value)} is not a whole number; for example 10")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUE_FALSE:
        return _TRUE_FALSE[value.lower()]
    raise ValueError(f"{_kind(value)} is not a boolean; true or false")


_CONVERTERS: dict[str, Callable[[Any], Literal]] = {
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
}


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"'{value}'"


def data(value: str, type: str, base: Path, resolve: Resolve) -> Path | WebAddress:
    """The local file or folder that `path: value` means; for an https address, what has to be fetched.

    Args:
        type: uri_file, uri_folder, mltable or a model type.
        base: folder that a relative path starts from.

    Raises:
        ValueError: there is nothing, or it is not what `type` says. One line without the field's name.
    """
    if references.is_remote(value) and not value.startswith("file:"):
        try:
            return resolve(value, type)
        except UserError as error:
            raise ValueError(error.message.removeprefix("model: ")) from None
    path = local_path(value, base)
    check_type(path, type, value)
    return path


def local_path(value: str, base: Path) -> Path:
    """The file or folder that a path of this machine means; `file:` in front is taken.

    Raises:
        ValueError: there is nothing.
    """
    text = value.removeprefix("file:")
    text = text.removeprefix("//") if text.startswith("///") else text
    path = (base / Path(text).expanduser()).resolve()
    if not path.exists():
        raise ValueError(f"'{value}' does not exist (looked at {path})")
    return path


def check_type(path: Path, type: str, value: str) -> None:
    """Raise ValueError for a file where `type` needs a folder, and the other way round."""
    if type == "uri_file" and not path.is_file():
        raise ValueError(f"'{value}' is a folder; uri_file needs a file (or use type: uri_folder)")
    if type in ("uri_folder", "mltable", "mlflow_model") and not path.is_dir():
        raise ValueError(f"'{value}' is a file; {type} needs a folder")
    if type == "mltable" and not (path / _MLTABLE).is_file():
        raise ValueError(f"'{value}' has no file called {_MLTABLE}; an mltable is a folder with one")
