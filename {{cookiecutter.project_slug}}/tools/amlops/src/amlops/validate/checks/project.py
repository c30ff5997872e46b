"""Checks over the whole project: names used twice, computes, code, the tool itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from amlops import manifest, references
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import KeyPath, YamlFile

_NAMED = (
    "command-component", "batch-endpoint", "batch-deployment", "environment", "model", "data", "compute-cluster",
    "compute-instance", "schedule",
)  # fmt: skip


def duplicate_faults(context: Context) -> Iterator[Fault]:
    """Two files of one kind with one name. Versions and endpoints are part of a name."""
    seen: dict[tuple[str, ...], YamlFile] = {}
    for kind, document in context.documents:
        name = document.get("name")
        if kind.id not in _NAMED or not isinstance(name, str):
            continue
        key = (kind.id, name, str(document.get("version") or ""), str(document.get("endpoint_name") or ""))
        first = seen.setdefault(key, document)
        if first is not document:
            place = f"{first.path.name}:{first.line('name')}"
            yield fault_at(
                document,
                "duplicate-name",
                f"'{name}' is the name of another {kind.title} ({place})",
                "rename one",
                "name",
            )


def compute_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Compute targets that no environment has."""
    known = context.computes
    if not known:
        return
    for keys in _compute_keys(document):
        value = document.get(*keys)
        if not isinstance(value, str) or not references.is_reference(value) or "/" in value:
            continue
        name = value.removeprefix("azureml:")
        if name not in known:
            fix = f"the environments have: {', '.join(sorted(known))}"
            yield fault_at(
                document, "unknown-compute", f"'{name}' is in no environment of .cloud/environments", fix, *keys
            )


def _compute_keys(document: YamlFile) -> Iterator[KeyPath]:
    yield ("compute",)
    yield ("settings", "default_compute")
    jobs = document.get("jobs")
    for step in jobs if isinstance(jobs, dict) else ():
        yield ("jobs", step, "compute")


def log_model_faults(files: Iterable[Path]) -> Iterator[Fault]:
    """Calls of `mlflow.<flavour>.log_model` in Python files."""
    for file in files:
        source = file.read_bytes()
        if b"log_model" not in source:
            continue
        try:
            tree = ast.parse(source, str(file))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _is_log_model(node.func):
                text = "log_model gets 404 from Azure ML with MLflow 3"
                fix = "use save_model, mlflow.log_artifacts and a model registration"
                yield Fault(file, node.lineno, "log-model", text, fix)


def _is_log_model(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id == "log_model"
    if not isinstance(function, ast.Attribute) or function.attr != "log_model":
        return False
    root = function.value
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and root.id == "mlflow"


def tool_faults() -> Iterator[Fault]:
    """Files of the tool that differ from its manifest."""
    folder = manifest.tool_folder()
    for edit in manifest.local_edits(folder) if folder else ():
        text = f"was {edit.kind} by hand"
        yield Fault(
            (folder or Path()) / edit.path,
            0,
            "tool-edited",
            text,
            "propose the change to the template; an upgrade overwrites it",
        )
