"""Conda files of environments, by themselves and beside the project's own requirements.

All steps run in the project's one environment on the laptop, and in the environment of the conda file in Azure. Where
the two differ, what passes here may fail there.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from amlops.validate.context import Context, normal_name
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import KeyPath, YamlFile

# Packages that only run inside Azure ML, or that the laptop's runner takes the place of.
CLOUD_ONLY = re.compile(r"azureml-.*|azure-ai-ml|azure-identity")
_NOT_COMPARED = frozenset({"python", "pip"})
_CONDA_SPEC = re.compile(
    r"(?:[\w.-]+::)?([A-Za-z0-9_.-]+)\s*(?:(=|==)?\s*([0-9][\w.*+!-]*)(?:=[\w.*]+)?|([<>!~]=?.*|==.*))?"
)


def conda_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of a conda file."""
    dependencies = document.get("dependencies")
    if not isinstance(dependencies, list):
        return
    packages = [_Package.parse(entry, index) for index, entry in enumerate(dependencies) if isinstance(entry, str)]
    python = next((package.version for package in packages if package.name == "python"), None)
    differences = _Differences(document, context, python)
    for package in packages:
        if package.name is None:
            text = f"'{dependencies[package.index]}' is not a package"
            yield fault_at(document, "conda", text, "for example numpy=2.1", "dependencies", package.index)
        else:
            yield from differences.of(package.name, package.allowed, ("dependencies", package.index))
    names = {package.name for package in packages}
    for index, entry in enumerate(dependencies):
        if isinstance(entry, dict):
            yield from _pip_faults(document, differences, entry.get("pip"), ("dependencies", index, "pip"))
            if "pip" not in names:
                yield fault_at(document, "conda", "packages from pip need pip", "add '- pip'", "dependencies")
    if "python" not in names:
        yield fault_at(document, "conda", "no Python version is named", "add '- python=3.11'", "dependencies")


@dataclass(frozen=True)
class _Package:
    """One entry of conda; `name` is None for what is no package.

    `allowed` is None where it cannot be said in pip's terms.
    """

    index: int
    name: str | None
    version: str | None = None
    allowed: SpecifierSet | None = None

    @classmethod
    def parse(cls, entry: str, index: int) -> _Package:
        match = _CONDA_SPEC.fullmatch(entry.strip())
        if match is None:
            return cls(index, None)
        name, operator, version, comparison = match.groups()
        if version is not None:
            comparison = f"=={version}" if operator == "==" or version.endswith("*") else f"=={version}.*"
        try:
            allowed = SpecifierSet(comparison or "")
        except InvalidSpecifier:
            allowed = None
        return cls(index, normal_name(name), version, allowed)


@dataclass(frozen=True)
class _Differences:
    """Compares packages with the project's requirements, for the Python version of the conda file."""

    document: YamlFile
    context: Context
    python: str | None

    def of(self, name: str, allowed: SpecifierSet | None, keys: KeyPath) -> Iterator[Fault]:
        if self.context.requirements is None or name in _NOT_COMPARED or CLOUD_ONLY.fullmatch(name):
            return
        pin = self.context.pin(name, ".".join((self.python or platform.python_version()).split(".")[:2]))
        if pin is None:
            text = f"'{name}' is not in requirements.txt, so the laptop does not have it"
            fix = "add it to requirements.in and run make lock, or remove it here"
            yield fault_at(self.document, "dependency", text, fix, *keys)
        elif allowed is not None and not allowed.contains(pin, prereleases=True):
            text = f"'{name}{allowed}' does not allow {pin}, which the laptop has (requirements.txt)"
            yield fault_at(self.document, "dependency", text, f"write {name}=={pin}", *keys)


def _pip_faults(document: YamlFile, differences: _Differences, entries: object, keys: KeyPath) -> Iterator[Fault]:
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if not isinstance(entry, str) or entry.startswith("-"):  # an option of pip
            continue
        try:
            requirement = Requirement(entry)
        except InvalidRequirement:
            text = f"'{entry}' is not a requirement of pip"
            yield fault_at(document, "conda", text, "for example numpy==2.1.3", *keys, index)
            continue
        yield from differences.of(normal_name(requirement.name), requirement.specifier, (*keys, index))
