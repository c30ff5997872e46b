"""The YAML of endpoints and deployments on its way in: changes applied, then every check that `amlops validate`
makes.

A deployment is refused for what Azure ML refuses when it is created. What Azure takes, and a job or the cloud shows
later, is told as a note, so that the files of others run as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amlops import references
from amlops.errors import UserError
from amlops.jobspec import overrides
from amlops.local.parallel.progress import note
from amlops.project import Project
from amlops.validate import Context, Fault, document_faults, forms
from amlops.validate.fault import fault_at
from amlops.validate.kinds import KINDS
from amlops.validate.rules import RULES
from amlops.yamlfile import YamlFile

# Keys that Azure's client (azure-ai-ml 1.35.2) takes and that have no effect, with the one that has.
_WITHOUT_EFFECT: dict[tuple[str, ...], str] = {
    ("id",): "",
    ("environment_variables",): "settings.environment_variables",
    ("error_threshold",): "settings.error_threshold",
    ("settings", "instance_count"): "resources.instance_count",
}


def from_data(data: dict[str, Any], path: Path) -> YamlFile:
    """A document that has no file, or whose file may have changed since; `path` is where relative paths start."""
    return YamlFile(path, copy.deepcopy(data))


def changed(document: YamlFile, sets: Sequence[str], **values: str | None) -> YamlFile:
    """The document with `--set` changes, then with the values that flags gave. Raises UserError."""
    document = overrides.apply(document, sets, Path.cwd())
    given = {key: value for key, value in values.items() if value is not None}
    return replace(document, data={**document.data, **given})


def checked(document: YamlFile, kind: str, project: Project, *, ignoring: Collection[str] = ()) -> YamlFile:
    """The document, if it has no fault other than against the rules in `ignoring`.

    Raises:
        UserError: the first fault, and how many more there are.
    """
    # Nothing is compared with the project's other files: what exists is what has been created.
    found = document_faults(document, KINDS[kind], Context(project.root))
    _raise_first([fault for fault in found if not fault.is_warning and fault.rule not in ignoring])
    return document


def is_pipeline(document: YamlFile) -> bool:
    """True for a deployment with `type: pipeline`."""
    return str(document.data.get("type")).lower() == "pipeline"


def accepted_deployment(document: YamlFile, project: Project, tell: Callable[[str], None] = note) -> YamlFile:
    """A model deployment in the form that the rest of amlops reads, as far as Azure ML takes it.

    Args:
        tell: gets a line for each thing that Azure takes and that is not as it should be.

    Raises:
        UserError: the first fault for which Azure would not create the deployment, and how many more there are.
    """
    document, told = forms.current(document)
    document, lenient = _as_azure_reads_it(document)
    found = [*told, *lenient, *document_faults(document, KINDS["batch-deployment"], Context(project.root))]
    _raise_first(
        [fault for fault in found if not fault.is_warning and not RULES[fault.rule].taken and fault not in lenient]
    )
    for fault in sorted(found, key=lambda fault: fault.sort_key):
        tell(str(fault).replace(" (warning)", ""))
    return document


def _raise_first(faults: list[Fault]) -> None:
    if not faults:
        return
    first, more = min(faults, key=lambda fault: fault.sort_key), len(faults) - 1
    hint = f" (and {more} more: amlops validate shows all)" if more else ""
    raise UserError(f"{first.message}; {first.fix}{hint}", file=first.file, line=first.line or None)


def _as_azure_reads_it(document: YamlFile) -> tuple[YamlFile, list[Fault]]:
    """What Azure's client reads another way than `amlops validate` wants it, written in full; and what to tell."""
    data = copy.deepcopy(document.data)
    told: list[Fault] = []
    for keys, better in _WITHOUT_EFFECT.items():
        section = data if len(keys) == 1 else data.get(keys[0])
        if isinstance(section, dict) and keys[-1] in section:
            del section[keys[-1]]
            told.append(
                fault_at(
                    document, "unknown-key", "has no effect here", f"write {better}" if better else "remove it", *keys
                )
            )
    compute = data.get("compute")
    if isinstance(compute, str) and compute and not references.is_reference(compute) and "/" not in compute:
        data["compute"] = f"azureml:{compute}"
        told.append(
            fault_at(
                document, "compute-reference", f"'{compute}' is taken for azureml:{compute}", "write that", "compute"
            )
        )
    for key in ("model", "environment"):
        value = data.get(key)
        if references.is_reference(value) and (full := _with_label(str(value))):
            data[key] = full
            told.append(fault_at(document, "asset-reference", f"'{value}' is taken for {full}", "write that", key))
    return replace(document, data=data), told


def _with_label(value: str) -> str | None:
    """`azureml:name` with the label that Azure ML's client takes for it; None for a reference that says more."""
    try:
        found = references.parse(value)
    except ValueError:
        return None
    return None if found.version or found.label else f"{value}@latest"
