"""Runs a shape over the data of a file and tells what is wrong in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

KeyPath = tuple[str | int, ...]
_SHOWN_KEYS = 12
# Keys that people put in the wrong place, with the right one.
_MISPLACED: dict[KeyPath, str] = {("settings", "instance_count"): "it stands below 'resources:'"}


@dataclass(frozen=True)
class SchemaFault:
    """A fault in the shape of some data: which key, which rule, what is wrong, what to do."""

    keys: KeyPath
    rule: str
    message: str
    fix: str


def schema_faults(shape: type[BaseModel], data: Any) -> list[SchemaFault]:
    """Every fault of `data` against `shape`; empty when it fits."""
    try:
        shape.model_validate(data)
    except ValidationError as error:
        return list(_translated(shape, data, error.errors(include_url=False)))
    return []


def _translated(shape: type[BaseModel], data: Any, errors: list[ErrorDetails]) -> Iterator[SchemaFault]:
    seen: set[KeyPath] = set()
    for error in errors:
        keys = _keys(error["loc"], data)
        if keys in seen:  # the branches of a union tell the same fault once each
            continue
        seen.add(keys)
        yield _fault(keys, error, shape)


def _keys(location: tuple[str | int, ...], data: Any) -> KeyPath:
    """The key path in the file: pydantic adds the branch of a union and "[key]" to it."""
    keys: list[str | int] = []
    value = data
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if _has(value, part):
            keys.append(part)
            value = value[part]
        elif last and part != "[key]" and isinstance(value, dict):
            keys.append(part)  # a key that is missing
    return tuple(keys)


def _has(value: Any, part: str | int) -> bool:
    """True when `part` is a key or an index of `value`."""
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def _fault(keys: KeyPath, error: ErrorDetails, shape: type[BaseModel]) -> SchemaFault:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "amlops":
        return SchemaFault(keys, context["rule"], context["message"], context["fix"])
    rule, message, fix = _WORDS.get(kind, _other)(error, keys, shape)
    return SchemaFault(keys, rule, message, fix)


Words = tuple[str, str, str]


def _unknown_key(error: ErrorDetails, keys: KeyPath, shape: type[BaseModel]) -> Words:
    if keys[-2:] in _MISPLACED:
        return "unknown-key", "has no effect here", _MISPLACED[keys[-2:]]
    known = _known_keys(shape, error["loc"][:-1])
    near = get_close_matches(str(keys[-1]), known, n=1)
    if near:
        return "unknown-key", "is not a key that Azure ML knows here", f"did you mean '{near[0]}'?"
    some = ", ".join(known[:_SHOWN_KEYS]) + (", …" if len(known) > _SHOWN_KEYS else "")
    return (
        "unknown-key",
        "is not a key that Azure ML knows here",
        f"remove it, or use one of {some}" if some else "remove it",
    )


def _missing_key(error: ErrorDetails, keys: KeyPath, shape: type[BaseModel]) -> Words:  # noqa: ARG001
    return "missing-key", "is missing", f"add '{keys[-1]}:'"


def _wrong_type(kind: str, example: str) -> Callable[[ErrorDetails, KeyPath, type[BaseModel]], Words]:
    def words(error: ErrorDetails, keys: KeyPath, shape: type[BaseModel]) -> Words:  # noqa: ARG001
        value = error["input"]
        if value is None:
            return "wrong-type", f"has no value; {kind} is needed", f"{example}, or remove the key"
        return "wrong-type", f"{_shown(value)} is not {kind}", example

    return words


def _not_text(error: ErrorDetails, keys: KeyPath, shape: type[BaseModel]) -> Words:  # noqa: ARG001
    value = error["input"]
    if value is None:
        return "wrong-type", "has no value; text is needed", "write a value, or remove the key"
    if isinstance(value, dict | list):
        return "wrong-type", f"{_shown(value)} is not text", "write one value"
    return "wrong-type", f"{_shown(value)} is not text", f"quote it: {_shown(value)}"


def _out_of_range(bound: str, words_of: str) -> Callable[[ErrorDetails, KeyPath, type[BaseModel]], Words]:
    def words(error: ErrorDetails, keys: KeyPath, shape: type[BaseModel]) -> Words:  # noqa: ARG001
        limit = error.get("ctx", {}).get(bound)
        value = _shown(error["input"])
        return "out-of-range", f"{value} must be {words_of} {limit}", f"for example {_inside(bound, limit)}"

    return words


def _inside(bound: str, limit: Any) -> Any:
    """A value that the limit allows."""
    return {"gt": limit + 1, "lt": limit - 1}.get(bound, limit)


def _no_branch(error: ErrorDetails, keys: KeyPath, shape: type[BaseModel]) -> Words:  # noqa: ARG001
    return "wrong-type", f"{_shown(error['input'])} cannot stand here", "see docs/validate.md"


def _other(error: ErrorDetails, keys: KeyPath, shape: type[BaseModel]) -> Words:  # noqa: ARG001
    return "wrong-type", f"{_shown(error['input'])}: {error['msg']}", "see docs/validate.md"


_WHOLE = _wrong_type("a whole number", "for example 10")
_NUMBER = _wrong_type("a number", "for example 0.5")
_FLAG = _wrong_type("true or false", "write true or false")
_MAPPING = _wrong_type("a mapping of keys to values", "write 'key: value' lines below it")
_WORDS: dict[str, Callable[[ErrorDetails, KeyPath, type[BaseModel]], Words]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "string_type": _not_text,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "list_type": _wrong_type("a list", "for example [a, b]"),
    "greater_than": _out_of_range("gt", "more than"),
    "greater_than_equal": _out_of_range("ge", "at least"),
    "less_than": _out_of_range("lt", "less than"),
    "less_than_equal": _out_of_range("le", "at most"),
    "union_tag_invalid": _no_branch,
    "union_tag_not_found": _no_branch,
}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{str(value).lower()}'" if isinstance(value, bool) else f"'{value}'"


def _known_keys(shape: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The keys of the mapping at `location`, by the names they have in YAML."""
    found: list[Any] = [shape]
    for part in location:
        found = [below for kind in found for below in _below(kind, part)]
    shapes = [kind for kind in found if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [field.alias or name for kind in shapes for name, field in kind.model_fields.items()]


def _below(kind: Any, part: str | int) -> list[Any]:
    """The types one step of a location further: a field, a value of a dict, an element of a list, or a branch of
    a union.
    """
    if isinstance(part, str) and part.startswith("<"):
        return [kind] if part in ("<mapping>", f"<{getattr(kind, '__name__', '')}>") else []
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part == (field.alias or name):
                return _branches(field.annotation)
        return []
    return _branches(get_args(kind)[-1]) if get_origin(kind) in (dict, list) else []


def _branches(kind: Any) -> list[Any]:
    """The types that a type stands for: those of a union, without what Annotated adds."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _branches(get_args(kind)[0])
    if origin in (Union, UnionType):
        return [branch for argument in get_args(kind) for branch in _branches(argument)]
    return [kind]
