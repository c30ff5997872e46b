"""`amlops render`: the project's Azure ML files with the names of one environment, for `az ml`.

The folders that jobs and endpoints need are copied to DIR under the same relative paths. In the YAML files of
pipelines/ and .cloud/ only the values that differ by environment are replaced, at their place in the text; comments and
layout stay. What is below code/ is the user's and is copied as it is.

- the name of an endpoint, and `endpoint_name` of a deployment: logical -> physical
- `compute` and `default_compute`: the environment's name for the cluster
- a relative path that leaves the copied folders: rewritten, so that it still points to the same file

A data input of a pipeline without a path (see the docs: an optional input) is left out, with the bindings to it. Such
a file, and one where a value to replace is shared (an anchor, an alias, a merge key) or spans lines, is written anew:
with the same data, without its comments.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from amlops import references, yamlfile
from amlops.bindings import ParentInput, has_expression, parse
from amlops.errors import UserError, shown
from amlops.files import write_json, write_text
from amlops.jobspec.model import PATH_TYPES
from amlops.project import Environment, Project

FOLDERS = ("code", "pipelines", ".cloud")
# Where the files of Azure ML are; YAML in other folders may be anything.
_AZURE_ML_FOLDERS = ("pipelines", ".cloud")
MARKER = ".amlops-render.json"
# What az ml has no use for: where environments are, and what the team asks of the platform.
_NOT_COPIED = {Path(".cloud") / "environments", Path(".cloud") / "request.yaml", Path(".cloud") / "README.md"}
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".ipynb_checkpoints", ".DS_Store")
_COMPUTE_KEYS = ("compute", "default_compute")
_PATH_KEYS = ("code", "path", "component", "conda_file", "create_job", "job_definition")
# In a schedule, where it changes the job.
_SCHEDULED_JOB = ("create_job", "job")
# Compute that is not a cluster of ours.
_OTHER_COMPUTE = ("serverless",)


def render(
    project: Project, environment: Environment, directory: Path, instead: Mapping[Path, Mapping[str, Any]] | None = None
) -> list[Path]:
    """Write the files of `environment` to `directory`; returns the YAML files that differ from the project's.

    An earlier rendering there is replaced; other files in `directory` stay.

    Args:
        instead: what YAML files are to say instead of what is in them, by path relative to the project's root.

    Raises:
        UserError: the environment is the laptop, `directory` is part of the project's sources or holds something that
        was not rendered,
            a file is not YAML, or a name has no entry in the environment's file. Nothing has been changed then.
    """
    directory = directory.expanduser().absolute()
    _check(project, environment, directory)
    sources = [folder for folder in FOLDERS if (project.root / folder).is_dir()]
    renderer = _Renderer(project, environment, directory, tuple(sources))
    texts = {file: _dumped(dict(data), file, "changed") for file, data in (instead or {}).items()}
    files = {file: renderer.rendered(file, texts.get(file)) for file in _yaml_files(project.root)}
    changed = {file: text for file, text in files.items() if text is not None}
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=directory, ignore_cleanup_errors=True) as temporary:
        for name in sources:
            _copy(project.root, name, Path(temporary))
        for file, text in changed.items():
            write_text(Path(temporary) / file, text)
        # Before the folders change places, so that a rendering that was interrupted can be done again.
        write_json(directory / MARKER, {"environment": environment.name, "folders": sources})
        _swap(directory, Path(temporary), sources)
    return [directory / file for file in changed]


def _check(project: Project, environment: Environment, directory: Path) -> None:
    if environment.is_local:
        raise UserError("--env: 'local' is not in Azure and needs no rendering; for example --env dev")
    for name in FOLDERS:
        if directory == project.root / name or directory.is_relative_to(project.root / name):
            raise UserError(
                f"-o: '{shown(directory)}' is part of the project's sources; for example -o build/{environment.name}"
            )
    if directory.exists() and not directory.is_dir():
        raise UserError(f"-o: '{shown(directory)}' is a file; for example -o build/{environment.name}")
    taken = [name for name in FOLDERS if (directory / name).exists()]
    if taken and not (directory / MARKER).is_file():
        raise UserError(
            f"-o: '{shown(directory)}' has a folder '{taken[0]}' that was not rendered; "
            f"name another one, for example build/{environment.name}"
        )


def _is_copied(relative: Path) -> bool:
    return not any(relative == path or path in relative.parents for path in _NOT_COPIED)


def _copy(root: Path, name: str, target: Path) -> None:
    def ignore(folder: str, names: list[str]) -> set[str]:
        relative = Path(folder).relative_to(root)
        return {entry for entry in names if not _is_copied(relative / entry)} | set(_IGNORED(folder, names))

    shutil.copytree(root / name, target / name, ignore=ignore)


def _swap(directory: Path, new: Path, names: list[str]) -> None:
    """Put the new folders in the place of the old ones."""
    for name in FOLDERS:
        if (directory / name).exists():
            shutil.rmtree(directory / name)
        if name in names:
            (new / name).rename(directory / name)


def _yaml_files(root: Path) -> list[Path]:
    """The files of Azure ML that are copied, relative to `root`."""
    found = [
        file
        for folder in _AZURE_ML_FOLDERS
        for file in (root / folder).rglob("*.y*ml")
        if file.suffix in (".yml", ".yaml")
    ]
    return sorted(file.relative_to(root) for file in found if _is_copied(file.relative_to(root)))


class _Renderer:
    def __init__(self, project: Project, environment: Environment, directory: Path, folders: tuple[str, ...]) -> None:
        self._root = project.root
        self._environment = environment
        self._directory = directory
        self._folders = folders
        self._compute: Mapping[str, Any] = environment.values.get("compute") or {}

    def rendered(self, relative: Path, instead: str | None = None) -> str | None:
        """The text of a file for the environment; None when it stays as it is. Raises UserError.

        `instead` is taken for what the file says.
        """
        return self._rendered(relative, instead) or instead

    def _rendered(self, relative: Path, instead: str | None) -> str | None:
        source = self._root / relative
        text = source.read_text(encoding="utf-8") if instead is None else instead
        if not text.strip() or text.lstrip().startswith("- "):
            return None  # an empty file or a list: not a file of Azure ML
        document = yamlfile.loads(text, source)
        without = _without_open_inputs(document.data)
        data = document.data if without is None else without
        new = {
            keys: value
            for keys, old in _values(data, ())
            if (value := self._replacement(document, keys, old, relative)) is not None and value != old
        }
        if without is not None:
            return _dumped(_with(data, new), relative, "data inputs without a path were left out")
        if not new:
            return None
        expected = _with(data, new)
        edited = _edited(text, new)
        if edited is None or not _means(edited, source, expected):
            return _dumped(expected, relative, "written anew, without its comments, anchors and aliases")
        return edited

    def _replacement(
        self, document: yamlfile.YamlFile, keys: yamlfile.KeyPath, value: str, relative: Path
    ) -> str | None:
        """What stands in the environment's file instead of `value`; None for a value that does not depend on it."""
        key = keys[-1]
        if keys == ("endpoint_name",) or (keys == ("name",) and _is_endpoint(document, relative)):
            return self._endpoint(document, keys, value)
        if key in _COMPUTE_KEYS and references.is_reference(value):
            return self._cluster(document, keys, value)
        if keys == ("settings", "default_compute") and "endpoint_name" in document.data:
            # Deployments of pipelines name a cluster without `azureml:`, as in Microsoft's examples.
            return (self._cluster(document, keys, f"azureml:{value}") or value).removeprefix("azureml:")
        if keys[:1] == ("create_job",) and key == "path":
            return self._path(value, _job_of(document, relative))
        if key in _PATH_KEYS or keys == _SCHEDULED_JOB:
            return self._path(value, relative)
        return None

    def _endpoint(self, document: yamlfile.YamlFile, keys: yamlfile.KeyPath, value: str) -> str:
        physical = self._environment.endpoints.get(value)
        if physical is None:
            file, example = shown(self._environment.file), f"{value}: {value}-{self._environment.name}-a1b2c"
            raise document.error(
                f"'{value}' has no physical name in {file}; add under endpoints, for example {example}", *keys
            )
        return physical

    def _cluster(self, document: yamlfile.YamlFile, keys: yamlfile.KeyPath, value: str) -> str | None:
        name = value.removeprefix("azureml:")
        if not self._compute or name in _OTHER_COMPUTE:
            return None
        if name not in self._compute:
            known = ", ".join(self._compute)
            raise document.error(
                f"'{value}' is not a cluster in {shown(self._environment.file)}; there are: {known}", *keys
            )
        return f"azureml:{self._compute[name]}"

    def _path(self, value: str, relative: Path) -> str | None:
        """A relative path that leaves the copied folders, as it must stand in the copy."""
        prefix, path = ("file:", value[5:]) if value.startswith("file:") else ("", value)
        if (
            references.is_reference(path)
            or references.is_address(path)
            or has_expression(path)
            or Path(path).is_absolute()
        ):
            return None
        target = (self._root / relative.parent / path).resolve()
        if any(target.is_relative_to(self._root / folder) for folder in self._folders) or not target.exists():
            return None
        return prefix + _relative_to(target, (self._directory / relative).parent)


def _relative_to(target: Path, folder: Path) -> str:
    return Path(os.path.relpath(target, folder)).as_posix()


def _job_of(document: yamlfile.YamlFile, relative: Path) -> Path:
    """The file of a schedule's job, where relative paths in its changes start; relative to the project's root."""
    job = str(document.get(*_SCHEDULED_JOB) or "").removeprefix("file:")
    return Path(os.path.normpath(relative.parent / job))


def _is_endpoint(document: yamlfile.YamlFile, relative: Path) -> bool:
    """True for the file of an endpoint: by its schema, or by its place and what it does not say."""
    schema = str(document.data.get("$schema", "")).lower()
    if schema:
        return "endpoint.schema.json" in schema
    in_endpoints = relative.parts[:2] == (".cloud", "endpoints")
    return in_endpoints and "endpoint_name" not in document.data and relative.stem.startswith("endpoint")


def _values(data: Any, keys: yamlfile.KeyPath) -> Iterator[tuple[yamlfile.KeyPath, str]]:
    """Every value of a key that is neither a mapping nor a list, as text, with the key path."""
    if isinstance(data, dict):
        for key, child in data.items():
            path = (*keys, key)
            if isinstance(child, dict | list):
                yield from _values(child, path)
            else:
                yield path, "" if child is None else str(child)
    elif isinstance(data, list):
        for index, child in enumerate(data):
            yield from _values(child, (*keys, index))


def _with(data: Any, new: Mapping[yamlfile.KeyPath, str], keys: yamlfile.KeyPath = ()) -> Any:
    """A copy of `data` with the values at the key paths in `new` replaced; nothing in it is shared."""
    if keys in new:
        return new[keys]
    if isinstance(data, dict):
        return {key: _with(child, new, (*keys, key)) for key, child in data.items()}
    if isinstance(data, list):
        return [_with(child, new, (*keys, index)) for index, child in enumerate(data)]
    return data


def _edited(text: str, new: Mapping[yamlfile.KeyPath, str]) -> str | None:
    """The text with the values in `new` at their places.

    None where a value has no place of its own (it comes from an alias or a merge key) or is not plain or quoted text
    on one line.
    """
    edits: dict[tuple[int, int], str] = {}
    replaced: set[yamlfile.KeyPath] = set()
    for keys, node in _scalars(yaml.compose(text, Loader=yaml.SafeLoader), ()):
        if keys not in new:
            continue
        place = node.start_mark.index, node.end_mark.index
        if place in edits or not _is_simple(node, text):
            return None
        edits[place] = new[keys]
        replaced.add(keys)
    if replaced != new.keys():
        return None
    for (start, end), value in sorted(edits.items(), reverse=True):
        text = text[:start] + yamlfile.scalar(value) + text[end:]
    return text


def _is_simple(node: yaml.ScalarNode, text: str) -> bool:
    """True for plain or quoted text on one line, without an anchor or a tag."""
    written = text[node.start_mark.index : node.end_mark.index]
    return (
        node.style not in ("|", ">")
        and node.start_mark.line == node.end_mark.line
        and bool(written)
        and written[0] not in "&!"
    )


def _means(text: str, source: Path, expected: dict[str, Any]) -> bool:
    try:
        return yamlfile.loads(text, source).data == expected
    except UserError:
        return False


def _dumped(data: dict[str, Any], relative: Path, note: str) -> str:
    header = f"# Rendered from {relative.as_posix()}: {note}.\n"
    return header + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)


def _scalars(node: yaml.Node | None, keys: yamlfile.KeyPath) -> Iterator[tuple[yamlfile.KeyPath, yaml.ScalarNode]]:
    """Every scalar in the text that is the value of a key, with the key path; one with aliases comes once for each."""
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            path = (*keys, str(key.value))
            if isinstance(child, yaml.ScalarNode):
                yield path, child
            else:
                yield from _scalars(child, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from _scalars(child, (*keys, index))


def _without_open_inputs(data: dict[str, Any]) -> dict[str, Any] | None:
    """A pipeline without its data inputs that have no path, and without the bindings to them; None when there are
    none.
    """
    inputs = data.get("inputs")
    if data.get("type") != "pipeline" or not isinstance(inputs, dict):
        return None
    open_inputs = {name for name, value in inputs.items() if _is_open(value)}
    if not open_inputs:
        return None
    jobs = {}
    for name, step in (data.get("jobs") or {}).items():
        given = step.get("inputs") if isinstance(step, dict) else None
        kept = {key: value for key, value in (given or {}).items() if _bound_to(value) not in open_inputs}
        jobs[name] = {**step, "inputs": kept} if given else step
    return {**data, "inputs": {name: value for name, value in inputs.items() if name not in open_inputs}, "jobs": jobs}


def _is_open(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("type", "uri_folder") in PATH_TYPES
        and not {"path", "value"} & value.keys()
    )


def _bound_to(value: Any) -> str | None:
    text = value.get("path") if isinstance(value, dict) else value
    try:
        binding = parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return binding.name if isinstance(binding, ParentInput) else None
