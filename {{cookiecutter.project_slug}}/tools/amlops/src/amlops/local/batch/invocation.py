"""What a person gives a batch endpoint when it is invoked: several inputs and outputs by name.

Forms (Azure ML, "Create jobs and input data for batch endpoints"): a file with `--file`, or `--set`, which wins:

    inputs:                                        --set inputs.images.type=uri_folder inputs.images.path=./images
      images: {type: uri_folder, path: ./images}
      mode: {type: string, default: append}        --set inputs.mode.type=string inputs.mode.default=append
    outputs:
      score: {type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/scores}

Relative paths start at the current folder, in a file too, as with `az ml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops import yamlfile
from amlops.errors import UserError
from amlops.jobspec import overrides
from amlops.jobspec.model import DATA_TYPES, LITERAL_TYPES
from amlops.yamlfile import Section, YamlFile

_PARTS = ("inputs", "outputs")
_INPUT = ("type", "path", "default", "mode", "description")
_OUTPUT = ("type", "path", "mode", "description")


@dataclass(frozen=True)
class Invocation:
    """The named inputs and outputs, each a mapping as in a job; `sets` are the other changes, of settings."""

    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    sets: Sequence[str] = ()

    @property
    def named(self) -> bool:
        """True when anything was given by name."""
        return bool(self.inputs or self.outputs)

    def only_input(self, given: str | None, given_type: str | None) -> tuple[str, str | None]:
        """Path and type of the one input of a model deployment: what `--input` says, or the only one given by name.

        Raises:
            UserError: there is none, there are several, or it is not data.
        """
        example = "--input ./images, or --set inputs.images.type=uri_folder inputs.images.path=./images"
        if given is not None:
            if self.inputs:
                raise UserError(f"--input: inputs are given by name too; one of them, for example {example}")
            return given, given_type
        if len(self.inputs) != 1:
            found = f"it has {len(self.inputs)}: {', '.join(self.inputs)}" if self.inputs else "there is none"
            raise UserError(
                f"--input: a model deployment needs exactly one data input, and {found}; for example {example}"
            )
        ((name, entry),) = self.inputs.items()
        if entry.get("path") is None:
            raise UserError(f"inputs.{name}: a model deployment takes data only; for example {example}")
        return str(entry["path"]), given_type or str(entry.get("type") or "uri_folder")

    def only_output(self, given: str | None) -> str | None:
        """Where a model deployment writes: what `--output-path` says, or the path of the only output given by name.

        Raises:
            UserError: there are several.
        """
        if len(self.outputs) > 1:
            raise UserError(f"outputs: a model deployment has one output, not {len(self.outputs)}")
        path = next((entry.get("path") for entry in self.outputs.values()), None)
        if given is not None and path is not None:
            raise UserError("--output-path: an output is given by name too; leave one of them out")
        return given if given is not None else path


def read(file: Path | None, sets: Sequence[str]) -> Invocation:
    """The invocation in a file, with changes.

    Raises:
        UserError: the file or a change is wrong.
    """
    mine = [entry for entry in sets if entry.partition("=")[0].strip().partition(".")[0] in _PARTS]
    document = yamlfile.load(file) if file else YamlFile(Path.cwd() / "--set", {})
    try:
        document = overrides.apply(document, mine, Path.cwd())
        known = ", ".join(_PARTS)
        for key in document.data:
            if key not in (*_PARTS, "$schema"):
                raise document.error(f"is not a key of an invocation; it has {known}", key)
        inputs = {name: _input(document.section("inputs"), name) for name in document.section("inputs").values}
        outputs = {name: _output(document.section("outputs"), name) for name in document.section("outputs").values}
    except UserError as error:
        if file is None and error.file is not None:  # there is no such file to name
            raise UserError(f"--set: {error.message.removeprefix('--set: ')}") from None
        raise
    return Invocation(inputs, outputs, [entry for entry in sets if entry not in mine])


def _input(section: Section, name: str) -> dict[str, Any]:
    value = section.get(name)
    if not isinstance(value, dict):
        kind = {bool: "boolean", int: "integer", float: "number"}.get(type(value), "string")
        raise section.error(
            f"must say its type: {{type: {kind}, default: {value}}} for a literal, "
            "{type: uri_folder, path: ./images} for data",
            name,
        )
    entry = section.section(name)
    _check_keys(entry, _INPUT, "an input")
    kind = value.get("type") or ("uri_folder" if "path" in value else "string")
    if kind not in (*DATA_TYPES, *LITERAL_TYPES):
        raise entry.error(
            f"'{kind}' is not a type of an input; one of {', '.join((*LITERAL_TYPES, *DATA_TYPES))}", "type"
        )
    needed = "path" if kind in DATA_TYPES else "default"
    if value.get(needed) is None:
        raise entry.error(f"an input of type {kind} needs a value here", needed)
    return {**value, "type": kind}


def _output(section: Section, name: str) -> dict[str, Any]:
    entry = section.section(name)
    _check_keys(entry, _OUTPUT, "an output")
    return dict(entry.values)


def _check_keys(entry: Section, known: Sequence[str], what: str) -> None:
    for key in entry.values:
        if key not in known:
            raise entry.error(f"is not a key of {what}; it has {', '.join(known)}", key)
