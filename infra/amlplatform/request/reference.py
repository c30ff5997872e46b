"""The table of a request's fields for the docs, made from the model."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from amlplatform.request.model import Environment, Request


@dataclass(frozen=True)
class FieldRow:
    """One field: where it stands, whether it must be there, what it means, and an example ("" where it has parts)."""

    path: str
    required: bool
    meaning: str
    example: str


def rows() -> list[FieldRow]:
    """All fields in the order of the model; parts follow what they are part of."""
    return list(_rows(Request, ""))


def markdown() -> str:
    """The table."""
    lines = ["| field | needed | meaning | example |", "| --- | --- | --- | --- |"]
    for row in rows():
        example = f"`{row.example}`" if row.example else ""
        lines.append(f"| `{row.path}` | {'yes' if row.required else 'no'} | {row.meaning} | {example} |")
    return "\n".join(lines) + "\n"


def _rows(model: type[BaseModel], prefix: str) -> Iterator[FieldRow]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        part, step = _part(field.annotation)
        meaning = field.description or _first_line(part)
        yield FieldRow(path, field.is_required(), meaning, "" if part else _example(field))
        if part:
            yield from _rows(part, f"{path}{step}.")


def _part(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The model inside a field's type, and how its place in a path is written; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is dict:
        return Environment, ".NAME"
    if origin is list:
        return _part(inner[0])[0], "[]"
    if origin in {types.UnionType, typing.Union, typing.Annotated}:
        return next((found for found in map(_part, inner) if found[0]), (None, ""))
    return None, ""


def _example(field: FieldInfo) -> str:
    example = str(field.examples[0]) if field.examples else ""
    if example in {"True", "False"}:
        return example.lower()
    if example.startswith("/subscriptions/"):
        # A resource id: its beginning says nothing, and it would make the table unreadably wide.
        return f"/subscriptions/…/{'/'.join(example.split('/')[-2:])}"
    return example


def _first_line(part: type[BaseModel] | None) -> str:
    return ((part.__doc__ or "") if part else "").strip().splitlines()[0]
