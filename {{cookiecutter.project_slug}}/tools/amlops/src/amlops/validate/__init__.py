"""`amlops validate`: every fault of the project's files, in well under a second, without any SDK.

    faults = validate(Project.find().root)          # the whole project
    faults = validate(root, [Path("train.yml")])    # some files, compared with the rest of the project

Shapes (keys, types, ranges) are in `schema`, everything else in `checks`, the list of rules in `rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from amlops.errors import UserError
from amlops.validate import forms
from amlops.validate.accepted import without_accepted
from amlops.validate.checks import (
    batch,
    commands,
    conda,
    datastores,
    deployments,
    files,
    gates,
    online,
    parallel,
    pipelines,
    project,
    releases,
    schedules,
)
from amlops.validate.context import Context
from amlops.validate.discovery import python_files, yaml_files
from amlops.validate.fault import Fault, fault_at, fault_of
from amlops.validate.kinds import Kind
from amlops.validate.schema import schema_faults
from amlops.yamlfile import YamlFile

__all__ = ["Context", "Fault", "document_faults", "validate"]

# Checks beside the shape, by kind.
_CHECKS: dict[str, Callable[[YamlFile, Context], Iterable[Fault]]] = {
    "pipeline-job": pipelines.pipeline_faults,
    "pipeline-component": pipelines.component_faults,
    "pipeline-deployment": deployments.deployment_faults,
    "command-component": lambda document, _: commands.component_faults(document),
    "parallel-component": lambda document, _: parallel.component_faults(document),
    "command-job": lambda document, _: commands.job_faults(document),
    "batch-endpoint": batch.endpoint_faults,
    "batch-deployment": batch.deployment_faults,
    "managed-online-endpoint": online.endpoint_faults,
    "kubernetes-online-endpoint": online.endpoint_faults,
    "managed-online-deployment": online.deployment_faults,
    "kubernetes-online-deployment": online.deployment_faults,
    "environment": lambda document, _: files.environment_faults(document),
    "conda": conda.conda_faults,
    "model": lambda document, _: files.asset_faults(document),
    "data": lambda document, _: files.asset_faults(document),
    "compute-cluster": lambda document, _: schedules.cluster_faults(document),
    "gate": lambda document, _: gates.gate_faults(document),
    "release": releases.release_faults,
    "schedule": schedules.schedule_faults,
}


def validate(root: Path | None, paths: Sequence[Path] = ()) -> list[Fault]:
    """Every fault, sorted by file and line.

    Args:
        root: the project; None checks files outside of one.
        paths: files and folders; empty means the whole project, with its code and the tool.

    Raises:
        UserError: a path does not exist, or there is neither a project nor a path.
    """
    if root is None and not paths:
        raise UserError("path: there is no project here; give files or folders, for example amlops validate pipelines")
    context = Context(root)
    known = yaml_files(root) if root else []
    context.add(known)
    chosen = [file for path in paths for file in _chosen(path)] if paths else known
    context.add(file for file in chosen if file not in set(known))
    faults = [fault for file in dict.fromkeys(chosen) for fault in _file_faults(file, context)]
    faults += (fault for fault in project.duplicate_faults(context) if fault.file in set(chosen))
    if root and not paths:
        faults += project.log_model_faults(python_files(root))
        faults += project.tool_faults()
    # A scoring script may belong to several deployments: its faults are told once.
    return sorted(without_accepted(dict.fromkeys(faults)), key=lambda fault: fault.sort_key)


def document_faults(document: YamlFile, kind: Kind, context: Context) -> list[Fault]:
    """Every fault of one file of a known kind."""
    told: list[Fault] = []
    if kind.id == "batch-deployment":
        document, told = forms.current(document)
    return [*told, *_shape_faults(document, kind), *_other_faults(document, kind, context)]


def _file_faults(file: Path, context: Context) -> list[Fault]:
    try:
        document = context.load(file)
    except UserError as error:
        return [fault_of(error, file)]
    kind = context.kind(document)
    if kind is None:
        fix = "add '$schema:' or 'type:' as in Azure ML's YAML reference"
        return [fault_at(document, "unknown-kind", "it cannot be told what this file is", fix)]
    return document_faults(document, kind, context)


def _shape_faults(document: YamlFile, kind: Kind) -> Iterator[Fault]:
    shape = kind.load_shape()
    for fault in schema_faults(shape, document.data) if shape else ():
        yield fault_at(document, fault.rule, fault.message, fault.fix, *fault.keys)


def _other_faults(document: YamlFile, kind: Kind, context: Context) -> Iterator[Fault]:
    check = _CHECKS.get(kind.id)
    if check is not None:
        yield from check(document, context)
    yield from project.compute_faults(document, context)
    yield from datastores.address_faults(document, kind, context)


def _chosen(path: Path) -> list[Path]:
    path = path.absolute()
    if path.is_dir():
        return yaml_files(path)
    if not path.exists():
        raise UserError(f"path: '{path}' does not exist; give files or folders, for example amlops validate pipelines")
    return [path]
