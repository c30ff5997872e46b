"""Addresses in data stores: well formed, of a store that is known, and for batch endpoints of a blob store."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from amlops import references
from amlops.datastores import BLOB, BUILT_IN, parts_of, writable_instead
from amlops.references import DATASTORE_EXAMPLE
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.validate.kinds import Kind
from amlops.yamlfile import KeyPath, YamlFile

_SHORT, _LONG = "azureml://datastores/", "azureml://subscriptions/"
_PREFIX = "azureml:"
# What files about a place hold for Azure only.
_OTHER_KINDS = ("local-environment", "azure-environment", "request", "other", "conda")


def address_faults(document: YamlFile, kind: Kind, context: Context) -> Iterator[Fault]:
    """Faults of every address in a data store that a file holds, and of the default store of a batch deployment."""
    if kind.id in _OTHER_KINDS:
        return
    batch = kind.id == "pipeline-deployment"
    for keys, text in _texts(document.data, ()):
        if text.startswith((_SHORT, _LONG)):
            yield from _address(document, context, keys, text)
        elif keys[-2:] == ("settings", "default_datastore"):
            name = text.removeprefix(_PREFIX)
            yield from _known(document, context, keys, name)
            kind_of_store = _types(context).get(name)
            if batch and kind_of_store not in (None, BLOB):
                fix = f"batch endpoints write only to blob data stores: {_PREFIX}{writable_instead(name)}"
                yield fault_at(document, "batch-output", f"'{name}' is of type {kind_of_store}", fix, *keys)


def _address(document: YamlFile, context: Context, keys: KeyPath, text: str) -> Iterator[Fault]:
    found = references.datastore_path(text)
    fix = f"for example {DATASTORE_EXAMPLE}"
    if found is None:
        yield fault_at(document, "datastore-path", f"'{text}' is not a place in a data store", fix, *keys)
    elif parts_of(found) is None:
        yield fault_at(document, "datastore-path", f"'{text}' leaves the data store", fix, *keys)
    elif "${{" not in found.datastore:
        yield from _known(document, context, keys, found.datastore)


def _known(document: YamlFile, context: Context, keys: KeyPath, name: str) -> Iterator[Fault]:
    known = _types(context)
    if name in known or not name:
        return
    near = get_close_matches(name, known, n=1)
    fix = f"did you mean '{near[0]}'?" if near else "add its file to .cloud/datastores, or name it in local.yml"
    yield fault_at(document, "unknown-datastore", f"'{name}' is not a data store of this project", fix, *keys)


def _types(context: Context) -> dict[str, str]:
    """Data store -> type: those of every workspace and of the platform, and those of the project's files."""
    types = {name: kind for name, (kind, _) in BUILT_IN.items()}
    for document in context.of_kind("local-environment"):
        mapped = document.get("datastores")
        types |= {str(name): types.get(str(name), BLOB) for name in mapped} if isinstance(mapped, dict) else {}
    for document in context.of_kind("datastore"):
        types[str(document.get("name"))] = str(document.get("type")).lower()
    return types


def _texts(value: Any, keys: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*keys, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*keys, index))
    elif isinstance(value, str):
        yield keys, value
