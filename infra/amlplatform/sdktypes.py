"""A check of Pulumi inputs against the types of the installed SDK (pulumi-azure-native).

The SDK itself accepts nearly anything: wrong types, misspelt enum values, unknown keys in a dict. Its type annotations
know better, so inputs on their way to the engine are held against them here.
"""

from __future__ import annotations

import enum
import functools
import importlib
import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi import _types as pulumi_types

from amlplatform.armtypes.catalogue import UNKNOWN, normal_token

# How the engine marks secrets and outputs in what it sends.
SIGNATURE = "4dabf18193072939515e22adb298388d"


class UnknownResourceType(KeyError):
    """The SDK has no arguments class for this token."""


@dataclass(frozen=True)
class _Property:
    alternatives: tuple[Any, ...]
    required: bool


def check_inputs(token: str, inputs: Mapping[str, Any]) -> list[str]:
    """One line per fault: unknown property, missing required one, wrong type, value outside an enum. Names as on the
    wire.

    Secrets are looked into, values that are not yet known pass. Raises UnknownResourceType when the SDK has no such
    resource.
    """
    faults: list[str] = []
    _check_object(inputs, _arguments_class(normal_token(token)), "", faults)
    return faults


def input_names(token: str) -> frozenset[str]:
    """The inputs that the SDK's class takes, as they are called on the wire. Raises UnknownResourceType."""
    return frozenset(_properties(_arguments_class(normal_token(token))))


@functools.cache
def _arguments_class(token: str) -> type:
    _, module, name = token.split(":")
    try:
        # From the package, not from its submodule: the SDK loads packages when an attribute is first asked for, and a
        # submodule that was imported on its own leaves the package empty.
        package = importlib.import_module(f"pulumi_azure_native.{module}")
        # Where a nested type has the name already, the SDK calls the resource's own arguments "InitArgs".
        return getattr(package, f"{name}InitArgs", None) or getattr(package, f"{name}Args")
    except (ImportError, AttributeError) as error:
        raise UnknownResourceType(f"{token}: pulumi-azure-native has no such resource") from error


# Azure has two enums of this name, the SDK kept the other one. Microsoft's types say what is allowed.
_MIXED_UP_ENUMS = frozenset({("ConditionArgs", "operator")})
# Some streams of many: learn.microsoft.com/azure/azure-monitor/containers, "Stream values in DCR".
_SOME_OF_MANY = frozenset({("ExtensionDataSourceArgs", "streams"), ("DataFlowArgs", "streams")})


@functools.cache
def _properties(arguments: type) -> dict[str, _Property]:
    """Wire name to type, from the constructor of an SDK arguments class."""
    parameters = inspect.signature(arguments).parameters
    scope = vars(importlib.import_module(arguments.__module__))
    found: dict[str, _Property] = {}
    for python_name, wire_name in pulumi_types.input_type_py_to_pulumi_names(arguments).items():
        parameter = parameters.get(python_name)
        if parameter is not None:
            alternatives = tuple(_alternatives(parameter.annotation, scope))
            if (arguments.__name__, wire_name) in _MIXED_UP_ENUMS | _SOME_OF_MANY:
                alternatives = _without_enums(alternatives)
            found[wire_name] = _Property(alternatives, parameter.default is inspect.Parameter.empty)
    return found


def _without_enums(alternatives: tuple[Any, ...]) -> tuple[Any, ...]:
    plain = (_List(_without_enums(kind.items)) if isinstance(kind, _List) else kind for kind in alternatives)
    return tuple(kind for kind in plain if not _is_enum(kind))


def _alternatives(annotation: Any, scope: dict[str, Any]) -> list[Any]:
    """The plain types that an annotation allows: `Input[Optional[Union[str, 'Kind']]]` gives [str, Kind].

    Annotations are strings with names of the SDK's own module, hence the evaluation in that module's names.
    """
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        if annotation.startswith(("Output", "Awaitable")):
            return []
        return _alternatives(eval(annotation, {**scope, "typing": typing}), scope)  # noqa: S307
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        ignored = annotation in (None, type(None)) or typing.is_typeddict(annotation)
        return [] if ignored else [annotation]
    return _generic_alternatives(annotation, origin, [_alternatives(argument, scope) for argument in arguments])


def _generic_alternatives(annotation: Any, origin: Any, arguments: list[list[Any]]) -> list[Any]:
    if origin in (typing.Union, types.UnionType):
        return [plain for alternatives in arguments for plain in alternatives]
    if origin in (list, Sequence):
        return [_List(tuple(arguments[0]))]
    if origin in (dict, Mapping):
        return [_Map(tuple(arguments[1]))]
    return [] if getattr(origin, "__name__", "") in ("Awaitable", "Output") else [annotation]


@dataclass(frozen=True)
class _List:
    items: tuple[Any, ...]


@dataclass(frozen=True)
class _Map:
    values: tuple[Any, ...]


def _check_object(value: Mapping[str, Any], arguments: type, path: str, faults: list[str]) -> None:
    properties = _properties(arguments)
    prefix = f"{path}." if path else ""
    for key, inner in value.items():
        if key in properties:
            _check(inner, properties[key].alternatives, prefix + key, faults)
        else:
            faults.append(f"{prefix}{key}: unknown property of {arguments.__name__}")
    faults.extend(
        f"{prefix}{key}: required property is missing"
        for key, wanted in properties.items()
        if wanted.required and key not in value
    )


def _check(value: Any, alternatives: tuple[Any, ...], path: str, faults: list[str]) -> None:
    if isinstance(value, Mapping) and SIGNATURE in value:
        value = value.get("value", UNKNOWN)
    if value is None or value == UNKNOWN or not alternatives or Any in alternatives:
        return
    if isinstance(value, Mapping):
        _check_mapping(value, alternatives, path, faults)
    elif isinstance(value, list | tuple):
        lists = [alternative for alternative in alternatives if isinstance(alternative, _List)]
        if not lists:
            faults.append(f"{path}: a list is given, wanted is {_words(alternatives)}")
        for index, item in enumerate(value):
            _check(item, tuple(kind for one in lists for kind in one.items), f"{path}[{index}]", faults)
    else:
        _check_scalar(value, alternatives, path, faults)


def _check_mapping(value: Mapping[str, Any], alternatives: tuple[Any, ...], path: str, faults: list[str]) -> None:
    attempts: list[list[str]] = []
    for alternative in alternatives:
        attempt: list[str] = []
        if isinstance(alternative, _Map):
            for key, inner in value.items():
                _check(inner, alternative.values, f"{path}.{key}", attempt)
        elif inspect.isclass(alternative) and pulumi_types.is_input_type(alternative):
            _check_object(value, alternative, path, attempt)
        else:
            continue
        attempts.append(attempt)
    if attempts:
        # Of several object types the nearest is meant: the one with the fewest faults.
        faults.extend(min(attempts, key=len))
    else:
        faults.append(f"{path}: an object is given, wanted is {_words(alternatives)}")


def _is_enum(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, enum.Enum)


def _check_scalar(value: Any, alternatives: tuple[Any, ...], path: str, faults: list[str]) -> None:
    enums = [kind for kind in alternatives if _is_enum(kind)]
    members = {member.value for kind in enums for member in kind}
    if value in members:
        return
    if members and isinstance(value, str):
        # The SDK also lets any text pass where it has an enum. We send nothing that Microsoft has not listed.
        faults.append(f"{path}: {value!r} is none of {', '.join(sorted(map(str, members)))}")
        return
    if isinstance(value, bool):
        fits = bool in alternatives
    elif isinstance(value, int | float):
        # Every number is a float on the wire; an int property takes those without a fraction.
        fits = float in alternatives or (int in alternatives and float(value).is_integer())
    else:
        fits = type(value) in alternatives
    if not fits:
        faults.append(f"{path}: {value!r} is given, wanted is {_words(alternatives)}")


def _words(alternatives: tuple[Any, ...]) -> str:
    names = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}

    def word(kind: Any) -> str:
        if isinstance(kind, _List):
            return "a list"
        if isinstance(kind, _Map):
            return "a map"
        return names.get(kind, getattr(kind, "__name__", str(kind)))

    return " or ".join(dict.fromkeys(word(kind) for kind in alternatives))
