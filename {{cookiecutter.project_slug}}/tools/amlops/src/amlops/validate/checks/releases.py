"""Release files: their paths, and what the deployments serve."""

from __future__ import annotations

from collections.abc import Iterator

from amlops import yamlfile
from amlops.errors import UserError
from amlops.project import Project
from amlops.validate.checks.files import local_path, missing_path
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import YamlFile

_FILES = ("endpoint", "deployment", "trial", "smoke", "requests")


def release_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of `.cloud/release/<workload>.yml`."""
    yield from missing_path(document, "the pipeline that trains the model", "pipeline", folder=False)
    for kind in ("batch", "real_time"):
        entries = document.get(kind)
        for number, entry in enumerate(entries if isinstance(entries, list) else []):
            if not isinstance(entry, dict):
                continue
            for key in _FILES:
                what = "the file or folder of the trial" if key == "trial" else f"the {key} file"
                folder = False if key in ("endpoint", "deployment", "smoke") else None
                yield from missing_path(document, what, kind, number, key, folder=folder)
            yield from _other_endpoint(document, kind, number)
            yield from _unknown_environment(document, context, kind, number)


def _other_endpoint(document: YamlFile, kind: str, number: int) -> Iterator[Fault]:
    """A deployment file that is for another endpoint than the one beside it."""
    names: list[object] = []
    for key, name in (("endpoint", "name"), ("deployment", "endpoint_name")):
        value = document.get(kind, number, key)
        try:
            names.append(yamlfile.load(local_path(document, value)).get(name) if isinstance(value, str) else None)
        except UserError:
            return  # told with that file
    if None not in names and names[0] != names[1]:
        yield fault_at(
            document,
            "endpoint-name",
            f"is for the endpoint '{names[1]}', and beside it stands '{names[0]}'",
            "give an endpoint and a deployment that belong together",
            kind,
            number,
            "deployment",
        )


def _unknown_environment(document: YamlFile, context: Context, kind: str, number: int) -> Iterator[Fault]:
    keys = (kind, number, "stress", "environment")
    name = document.get(*keys)
    if context.root is None or not isinstance(name, str):
        return
    known = Project(context.root).environment_names()
    if name not in known:
        yield fault_at(
            document,
            "not-allowed",
            f"'{name}' is not an environment of this project",
            f"use {' or '.join(known)}",
            *keys,
        )
