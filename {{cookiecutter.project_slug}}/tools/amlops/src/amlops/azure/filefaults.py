"""What azure-ai-ml finds wrong in a file, as a few words for each key.

Its validation wraps JSON in text in JSON, with advice around it: "Validation for CommandSchema failed: {…}".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_MOST = 3


def told(text: str) -> str | None:
    """`resourcez: Unknown field; compute: Not a valid string`; None for text that is not of that form."""
    data = _json_in(text)
    if not isinstance(data, dict):
        return None
    found = list(dict.fromkeys(f"{path}: {words}" if path else words for path, words in _faults(data, ())))
    if not found:
        return None
    more = f" (and {len(found) - _MOST} more)" if len(found) > _MOST else ""
    return "; ".join(found[:_MOST]) + more


def _json_in(text: str) -> Any:
    start = text.find("{")
    if start < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(text[start:])[0]
    except ValueError:
        return None


def _faults(data: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Key path and words of each fault."""
    if isinstance(data, dict) and isinstance(data.get("errors"), list):
        for entry in data["errors"]:
            yield from _entry(entry)
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _faults(value, path if key.startswith("_") else (*path, key))
    elif isinstance(data, list):
        # The alternatives that a value could have been; the shortest says most plainly what is wrong.
        words = [found for value in data for found in _faults(value, path)]
        deepest = max((len(found[0]) for found in words), default=0)
        yield from sorted((found for found in words if len(found[0]) == deepest), key=lambda found: len(found[1]))[:1]
    else:
        yield ".".join(path), " ".join(str(data).split()).rstrip(".")


def _entry(entry: Any) -> Iterator[tuple[str, str]]:
    message = str(entry.get("message") if isinstance(entry, dict) else entry)
    inner = _json_in(message)
    if isinstance(inner, dict):
        yield from _faults(inner, ())
        return
    path = str(entry.get("path") or "") if isinstance(entry, dict) else ""
    yield path.replace("*", ""), " ".join(message.split()).rstrip(".")
