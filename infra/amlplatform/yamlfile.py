"""Reading YAML that people write: line numbers for messages, and faults that YAML itself lets pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 256 * 1024
# libyaml reads ten times as fast, where it is there.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlFault(Exception):
    """A file that cannot be read as YAML. `faults` has one line for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Document:
    """The content of a file, and where each part of it stands."""

    data: Any
    lines: dict[tuple[str, ...], int]

    def line_of(self, path: tuple[str, ...]) -> int:
        """The line (from 1) of the value at `path`, or of the nearest part above it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(path: Path) -> Document:
    """Read one document. Raises YamlFault: no such file, not UTF-8, broken syntax, a key twice, an alias, a tag."""
    text = _read_text(path)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise YamlFault([f"{path}: is empty"])
        lines: dict[tuple[str, ...], int] = {}
        faults = list(_walk(node, (), lines, set(), path.name))
        if faults:
            raise YamlFault(faults)
        return Document(loader.construct_document(node), lines)
    except yaml.YAMLError as error:
        raise YamlFault([_syntax_fault(path, error)]) from error
    except ValueError as error:
        # A date such as 2026-13-01 has the form of one and is none.
        raise YamlFault(
            [f"{path}: has a value that is not what it looks like ({error}); write it in quotes"]
        ) from error
    finally:
        loader.dispose()


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise YamlFault([f"{path}: no such file"]) from None
    except IsADirectoryError:
        raise YamlFault([f"{path}: is a folder, a file is wanted"]) from None
    except OSError as error:
        raise YamlFault([f"{path}: cannot be read ({error.strerror})"]) from error
    if len(data) > MAX_BYTES:
        raise YamlFault([f"{path}: has {len(data)} bytes, at most {MAX_BYTES} are read"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlFault([f"{path}: is not UTF-8 text (byte {error.start})"]) from error


def _walk(
    node: yaml.Node, path: tuple[str, ...], lines: dict[tuple[str, ...], int], seen: set[int], name: str
) -> Iterator[str]:
    """Note the line of every value; report keys that are given twice, and aliases."""
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if id(node) in seen:
        yield f"{name}:{line}: aliases (*name) are not read here; write the value out"
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            text = str(key.value)
            if text in keys:
                yield f"{name}:{key.start_mark.line + 1}: {text!r} is given twice; keep one"
            keys.add(text)
            lines[(*path, text)] = key.start_mark.line + 1
            yield from _walk(value, (*path, text), lines, seen, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*path, str(index)), lines, seen, name)


def _syntax_fault(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = f"{path.name}:{mark.line + 1}" if mark else str(path)
    return f"{where}: is not YAML: {problem}; check the indentation, and quote values with : or #"
