"""YAML files with the line of every key, so that a fault can be told as file:line.

document = yamlfile.load(Path("train.yml"))
document.data["jobs"]["prepare"]                 # plain dicts, lists and scalars
document.line("jobs", "prepare")                 # 12
document.resolve("./components/prepare.yml")     # relative to the file, not to the current folder
raise document.error("is not a step", "jobs", "prepare")
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from amlops.errors import UserError

KeyPath = tuple[str | int, ...]

# Text that may stand without quotes wherever a value does, also inside {} and [].
_PLAIN = re.compile(r"[A-Za-z./][A-Za-z0-9_./:@-]*[A-Za-z0-9/]")
# libyaml's parser, where PyYAML was built with it, is about ten times faster.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE_TAG = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class YamlFile:
    """One loaded file: `data` (a mapping with string keys at every level) and where each key stands in `path`."""

    path: Path
    data: dict[str, Any]
    lines: dict[KeyPath, int] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> Path:
        """The folder that relative paths in the file start from."""
        return self.path.parent

    def resolve(self, value: str) -> Path:
        """The absolute path that `value`, written in this file, means."""
        return (self.folder / Path(value).expanduser()).resolve()

    def line(self, *keys: str | int) -> int | None:
        """Line (from 1) of the key, or of the nearest parent that the file has; None for an empty path in an empty
        file.
        """
        for length in range(len(keys), -1, -1):
            if keys[:length] in self.lines:
                return self.lines[keys[:length]]
        return None

    def get(self, *keys: str | int) -> Any:
        """The value at a key path, None where a key is missing."""
        value: Any = self.data
        for key in keys:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value

    def error(self, message: str, *keys: str | int) -> UserError:
        """A one-line error at the key: "file:line: a.b.c: message". Returned, not raised."""
        prefix = f"{dotted(keys)}: " if keys else ""
        return UserError(f"{prefix}{message}", file=self.path, line=self.line(*keys))

    def section(self, *keys: str | int) -> Section:
        """The mapping at a key path; empty where the key is missing or null.

        Raises UserError when it is something else.
        """
        value = self.get(*keys)
        if value is not None and not isinstance(value, dict):
            raise self.error(f"'{value}' must be a mapping of keys to values", *keys)
        return Section(self, keys)


@dataclass(frozen=True)
class Section:
    """A mapping inside a file, with errors and relative paths that know where it stands."""

    document: YamlFile
    keys: KeyPath

    @property
    def values(self) -> dict[str, Any]:
        """The mapping."""
        return self.document.get(*self.keys) or {}

    def get(self, *keys: str | int) -> Any:
        """The value at a key path below this mapping, None where a key is missing."""
        return self.document.get(*self.keys, *keys)

    def section(self, *keys: str | int) -> Section:
        """A mapping below this one. Raises UserError when it is something else."""
        return self.document.section(*self.keys, *keys)

    def error(self, message: str, *keys: str | int) -> UserError:
        """A one-line error at a key below this mapping. Returned, not raised."""
        return self.document.error(message, *self.keys, *keys)

    def text(self, key: str, default: str = "") -> str:
        """A value that must be text; numbers and dates are taken as they are written in Python. Raises UserError."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, dict | list | bool):
            raise self.error("must be text", key)
        return str(value)

    def resolve(self, value: str) -> Path:
        """The absolute path that `value` means in this file."""
        return self.document.resolve(value)


def dotted(keys: tuple[str | int, ...]) -> str:
    """A key path as people write it: ("jobs", "a", "inputs", 0) is "jobs.a.inputs[0]"."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else (f".{key}" if text else str(key))
    return text


def scalar(value: str) -> str:
    """Text as it is written in YAML: plain where that means the same, else in double quotes."""
    plain = _PLAIN.fullmatch(value) and yaml.safe_load(value) == value
    return value if plain else json.dumps(value, ensure_ascii=False)


def load(path: Path | str) -> YamlFile:
    """Read a YAML file whose top level is a mapping.

    Raises:
        UserError: the file is missing, is not UTF-8, is not YAML, has a key twice, has a key that is not a string,
        uses a
            tag such as !!python/object, or is not a mapping.
    """
    path = Path(path).expanduser().absolute()
    return loads(_read(path), path)


def loads(text: str, path: Path) -> YamlFile:
    """As `load`, from a string; `path` stands in errors and is where relative paths start."""
    lines: dict[KeyPath, int] = {}
    try:
        loader = _LOADER(text)
        node = loader.get_single_node()
        if node is None:
            raise UserError("the file is empty; it needs a mapping, for example 'name: my-job'", file=path)
        if not isinstance(node, yaml.MappingNode):
            raise UserError("the top level must be a mapping, for example 'name: my-job'", file=path, line=_line(node))
        _record_lines(node, (), lines, path, frozenset())
        data = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise _syntax_error(error, path) from None
    except ValueError as error:  # for example the date 2026-02-31
        raise UserError(f"a value is not valid YAML: {error}", file=path) from None
    return YamlFile(path, data, lines)


def _read(path: Path) -> str:
    if path.is_dir():
        raise UserError("is a folder; a YAML file is needed", file=path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError("the file does not exist", file=path) from None
    except UnicodeDecodeError as error:
        raise UserError(f"is not UTF-8 text (byte {error.start})", file=path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _record_lines(
    node: yaml.Node, keys: KeyPath, lines: dict[KeyPath, int], path: Path, parents: frozenset[int]
) -> None:
    """Walk the node tree: note the line of each key, refuse repeated and non-string keys."""
    lines.setdefault(keys, _line(node))
    if id(node) in parents:
        raise UserError("an alias must not contain itself", file=path, line=_line(node))
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _record_lines(child, (*keys, index), lines, path, parents | {id(node)})
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, child in node.value:
            if key_node.tag == _MERGE_TAG:
                continue
            key = _key(key_node, path)
            if key in seen:
                raise UserError(f"the key '{key}' appears twice; keep one", file=path, line=_line(key_node))
            seen.add(key)
            lines[(*keys, key)] = _line(key_node)
            _record_lines(child, (*keys, key), lines, path, parents | {id(node)})


def _key(node: yaml.Node, path: Path) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise UserError("a key must be text; quote values that hold {{ }}", file=path, line=_line(node))
    # A bare `on`, `yes` or `1` would become a bool or an int: keys of Azure ML files are names, so they are read as
    # written.
    node.tag = "tag:yaml.org,2002:str"
    return node.value


def _syntax_error(error: yaml.YAMLError, path: Path) -> UserError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    problem = " ".join(str(problem).split())
    return UserError(f"not valid YAML: {problem}", file=path, line=mark.line + 1 if mark else None)
