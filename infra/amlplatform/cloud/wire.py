"""Property values as the Pulumi engine sends them: protobuf structs with markers for secrets and unknown values.

The markers are part of Pulumi's protocol (github.com/pulumi/pulumi, sdk/go/common/resource/sig): an object with the
signature key is not an object but a secret or an output value; a certain string stands for every value that is not
known yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2

from amlplatform.armtypes.catalogue import UNKNOWN

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker, not a secret
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

Path = tuple[str | int, ...]


def marked(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The values with the markers left in: what is sent back unchanged."""
    return json_format.MessageToDict(struct)


def plain(struct: struct_pb2.Struct, secrets: set[Path] | None = None) -> dict[str, Any]:
    """The values without markers and nulls, whole numbers as integers. The paths of secrets are added to `secrets`."""
    return unmarked(marked(struct), secrets)


def unmarked(value: Any, secrets: set[Path] | None = None, path: Path = ()) -> Any:
    """`plain` for a value that is Python already."""
    if isinstance(value, Mapping):
        signature = value.get(_SIGNATURE)
        if signature in (_SECRET, _OUTPUT):
            if secrets is not None and (signature == _SECRET or value.get("secret")):
                secrets.add(path)
            return unmarked(value["value"], secrets, path) if "value" in value else UNKNOWN
        return {key: unmarked(item, secrets, (*path, key)) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [unmarked(item, secrets, (*path, index)) for index, item in enumerate(value)]
    # Structs know only floating point numbers.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    json_format.ParseDict(dict(values), message)
    return message


def secret(value: Any) -> dict[str, Any]:
    return {_SIGNATURE: _SECRET, "value": value}


def with_secrets(values: Mapping[str, Any], secrets: Iterable[Path]) -> dict[str, Any]:
    """`values` with the secrets marked again. For a path that leads nowhere any more, its first property is marked."""
    result: dict[str, Any] = dict(values)
    for path in sorted(secrets, key=len, reverse=True):
        if path and path[0] in result:
            result[path[0]] = _mark(result[path[0]], path[1:])
    return result


def _mark(value: Any, path: Path) -> Any:
    if isinstance(value, Mapping) and value.get(_SIGNATURE) == _SECRET:
        return value
    if path and isinstance(value, Mapping) and path[0] in value:
        return {**value, path[0]: _mark(value[path[0]], path[1:])}
    if path and isinstance(value, list) and isinstance(path[0], int) and path[0] < len(value):
        return [_mark(item, path[1:]) if index == path[0] else item for index, item in enumerate(value)]
    return secret(value)


def has_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return isinstance(value, str) and UNKNOWN in value
