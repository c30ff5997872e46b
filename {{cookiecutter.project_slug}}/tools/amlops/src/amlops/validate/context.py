"""What checks need beside the file in hand: the project, its other files, what has been read already."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from amlops import yamlfile
from amlops.errors import UserError
from amlops.validate.kinds import Kind, kind_of
from amlops.yamlfile import YamlFile

REQUIREMENTS = "requirements.txt"


@dataclass
class Context:
    """The project (None outside of one) and every file that was read.

    `documents` are the files to compare names with: those of the whole project, also when one file is checked.
    """

    root: Path | None
    _read: dict[Path, YamlFile | UserError] = field(default_factory=dict)
    _kinds: dict[Path, Kind | None] = field(default_factory=dict)
    documents: list[tuple[Kind, YamlFile]] = field(default_factory=list)

    def load(self, path: Path) -> YamlFile:
        """The file, read once. Raises UserError."""
        path = path.absolute()
        if path not in self._read:
            try:
                self._read[path] = yamlfile.load(path)
            except UserError as error:
                self._read[path] = error
        found = self._read[path]
        if isinstance(found, UserError):
            raise found
        return found

    def kind(self, document: YamlFile) -> Kind | None:
        """What the file is; None when it cannot be told."""
        if document.path not in self._kinds:
            self._kinds[document.path] = kind_of(document, self.root)
        return self._kinds[document.path]

    def add(self, paths: Iterable[Path]) -> None:
        """Make files known to the checks that compare names.

        Unreadable ones are left out: they have a fault of their own.
        """
        for path in paths:
            try:
                document = self.load(path)
            except UserError:
                continue
            if kind := self.kind(document):
                self.documents.append((kind, document))

    def of_kind(self, kind: str) -> Iterator[YamlFile]:
        """The project's files of one kind."""
        return (document for known, document in self.documents if known.id == kind)

    @cached_property
    def requirements(self) -> list[Requirement] | None:
        """The pinned packages of the project's requirements.txt; None where there is none.

        A package stands there once for each Python version that needs a version of its own (`; python_version <
        "3.12"`).
        """
        file = self.root / REQUIREMENTS if self.root else None
        if file is None or not file.is_file():
            return None
        lines = (line.rstrip("\\ ") for line in file.read_text(encoding="utf-8").splitlines())
        found: list[Requirement] = []
        for line in lines:
            if line and not line.startswith((" ", "#", "-")):
                with contextlib.suppress(InvalidRequirement):
                    found.append(Requirement(line))
        return found

    def pin(self, name: str, python: str) -> str | None:
        """The version of a package in requirements.txt for a Python version such as "3.11"; None where it is not
        there.
        """
        environment = {"python_version": python, "python_full_version": f"{python}.0"}
        for requirement in self.requirements or ():
            if normal_name(requirement.name) != name:
                continue
            if requirement.marker is None or requirement.marker.evaluate(environment):
                return str(requirement.specifier).removeprefix("==")
        return None

    @cached_property
    def computes(self) -> set[str]:
        """The compute targets that the environments in Azure have; empty when no environment lists any."""
        names = [document.get("compute") for document in self.of_kind("azure-environment")]
        return {str(name) for entry in names if isinstance(entry, dict) for name in entry}


def normal_name(name: str) -> str:
    """A package's name as indexes compare it: lower case, dashes."""
    return name.strip().lower().replace("_", "-").replace(".", "-")
