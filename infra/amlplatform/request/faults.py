"""From pydantic's errors to one line each: field, value, rule, an example that works."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

# Stands for the field's path in the message of a shared rule, until the path is known.
AT = "\0"
_RULE = "rule"
_MAPPING = "must be a mapping (key: value)"


# What pydantic's kinds of errors mean, in words; in braces what pydantic tells about the rule.
_RULE_TEXTS = {
    "string_type": "must be text; write it in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "list_type": "must be a list",
    "too_long": "must have at most {max_length} entries, it has {actual_length}",
}


@dataclass(frozen=True)
class Fault:
    """One fault. `path` leads to the value; `text` is the line for people and already names the field."""

    path: tuple[str, ...]
    text: str


def rule_broken(message: str) -> PydanticCustomError:
    """What a field validator raises when one of the shared rules (with field=AT) answered `message`."""
    return PydanticCustomError(_RULE, "{text}", {"text": message})


def from_pydantic(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """All faults, in the order in which pydantic found them."""
    return [_fault(details, model) for details in error.errors(include_url=False)]


def _fault(details: ErrorDetails, model: type[BaseModel]) -> Fault:
    location = tuple(str(part) for part in details["loc"] if part != "[key]")
    # A key may be anything that YAML allows, line breaks included; a fault is one line.
    where = ".".join(part if part.isprintable() else repr(part) for part in location)
    kind, value = details["type"], details["input"]
    if kind == _RULE:
        text = str(details.get("ctx", {})["text"]).replace(AT, where)
    elif kind == "extra_forbidden":
        text = f"{where}: unknown key{_meant(location, model)}"
    elif kind == "missing" or value is None:
        text = f"{where}: is {'missing' if kind == 'missing' else 'empty'}{_example(location, model)}"
    else:
        text = f"{where}: {_shown(value)} {_rule_text(details)}{_example(location, model)}"
    return Fault(location, text)


def _shown(value: Any) -> str:
    """The value, short enough for a line: a nested part is named by its kind."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _rule_text(details: ErrorDetails) -> str:
    pattern = _RULE_TEXTS.get(details["type"])
    return pattern.format(**details.get("ctx", {})) if pattern else f"is not valid: {details['msg']}"


def _meant(location: tuple[str, ...], model: type[BaseModel]) -> str:
    parent = _model_at(location[:-1], model)
    keys = list(parent.model_fields) if parent else []
    close = difflib.get_close_matches(location[-1], keys, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; allowed are {', '.join(keys)}" if keys else ""


def _example(location: tuple[str, ...], model: type[BaseModel]) -> str:
    """An example that works, from the model itself."""
    parent = _model_at(location[:-1], model)
    field = parent.model_fields.get(location[-1]) if parent else None
    if field is None:
        return ""
    if field.examples:
        return f"; for example {field.examples[0]!r}"
    inner = next(_models(field.annotation), None)
    if inner is None:
        return ""
    # What is kept by name needs a name in its example, too.
    by_name = get_origin(field.annotation) is dict
    return f"; for example {{dev: {_inline(inner)}}}" if by_name else f"; for example {_inline(inner)}"


def _inline(model: type[BaseModel]) -> str:
    """The required keys of a part with example values, as YAML in one line."""
    parts = [
        f"{name}: {field.examples[0]}"
        for name, field in model.model_fields.items()
        if field.is_required() and field.examples
    ]
    return "{" + ", ".join(parts) + "}"


def _model_at(location: tuple[str, ...], model: type[BaseModel]) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for part in location:
        if current is None:
            return None
        field: FieldInfo | None = current.model_fields.get(part)
        if field is not None:
            current = next(_models(field.annotation), None)
        # Otherwise `part` is a key of a mapping or the index of a list, and its model is the one we already have.
    return current


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None:
        for argument in get_args(annotation):
            yield from _models(argument)
