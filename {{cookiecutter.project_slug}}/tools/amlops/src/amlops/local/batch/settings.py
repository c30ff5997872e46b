"""The settings that one batch job runs with: those of its deployment, changed by the invocation.

Defaults and ranges are those of the shapes in `amlops.validate.schema.batch`. What an invocation may change is what
Azure ML's own client accepts (azure-ai-ml 1.35.2, BatchJobSchema); `{"instance_count": 4}` and `{"max_retries": 2}`,
which its documentation shows, are refused there too.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from amlops.errors import UserError
from amlops.local.parallel.settings import ParallelSettings
from amlops.validate.schema import schema_faults
from amlops.validate.schema.batch import ModelBatchDeployment

# Key of an invocation -> where it stands in a deployment.
OVERRIDES: dict[str, tuple[str, ...]] = {
    "mini_batch_size": ("settings", "mini_batch_size"),
    "error_threshold": ("settings", "error_threshold"),
    "output_file_name": ("settings", "output_file_name"),
    "retry_settings.max_retries": ("settings", "retry_settings", "max_retries"),
    "retry_settings.timeout": ("settings", "retry_settings", "timeout"),
    "compute.instance_count": ("resources", "instance_count"),
}
# What people write instead, with what it is called.
_MEANT = {
    "instance_count": "compute.instance_count",
    "resources.instance_count": "compute.instance_count",
    "max_retries": "retry_settings.max_retries",
    "timeout": "retry_settings.timeout",
}


# Stands for a deployment whose own values do not matter.
_SOME_DEPLOYMENT: dict[str, Any] = {
    "name": "as-before",
    "endpoint_name": "as-before",
    "type": "model",
    "compute": "azureml:local",
    "model": "azureml:as-before:1",
    "settings": {"mini_batch_size": 1},
}


def settings_of(spec: Mapping[str, Any]) -> ParallelSettings:
    """The settings that a deployment's (valid) YAML stands for, defaults filled in."""
    deployment = ModelBatchDeployment.model_validate(spec)
    settings = deployment.settings
    return ParallelSettings(
        instance_count=deployment.resources.instance_count,
        max_concurrency_per_instance=settings.max_concurrency_per_instance,
        mini_batch_size=settings.mini_batch_size,
        output_action=settings.output_action,
        output_file_name=settings.output_file_name,
        max_retries=settings.retry_settings.max_retries,
        timeout=settings.retry_settings.timeout,
        error_threshold=settings.error_threshold,
        logging_level=settings.logging_level,
        environment_variables=settings.environment_variables,
    )


def shown_settings(spec: Mapping[str, Any]) -> dict[str, Any]:
    """`settings` and `resources` of a deployment as `az ml batch-deployment show` nests them, defaults filled in.

    Environment variables are there by name only: their values may be secret.
    """
    deployment = ModelBatchDeployment.model_validate(spec)
    variables = dict.fromkeys(sorted(deployment.settings.environment_variables), "(not shown)")
    return {
        "resources": {"instance_count": deployment.resources.instance_count},
        "settings": {**deployment.settings.model_dump(), "environment_variables": variables},
    }


def changed(
    spec: Mapping[str, Any],
    sets: Sequence[str] = (),
    mini_batch_size: int | None = None,
    instance_count: int | None = None,
) -> ParallelSettings:
    """The settings of one invocation.

    Args:
        spec: the deployment's YAML.
        sets: "KEY=VALUE" with a key of `OVERRIDES`.
        mini_batch_size: `--mini-batch-size`; `instance_count` likewise. They win over `sets`.

    Raises:
        UserError: an unknown key, or a value that the deployment could not have either.
    """
    result = copy.deepcopy(dict(spec))
    for entry in sets:
        key, value = _parsed(entry)
        _put(result, f"--set {key}", OVERRIDES[key], value)
    if mini_batch_size is not None:
        _put(result, "--mini-batch-size", OVERRIDES["mini_batch_size"], mini_batch_size)
    if instance_count is not None:
        _put(result, "--instance-count", OVERRIDES["compute.instance_count"], instance_count)
    return settings_of(result)


def overrides_of(
    sets: Sequence[str] = (), mini_batch_size: int | None = None, instance_count: int | None = None
) -> dict[str, Any]:
    """What an invocation changes, by key of `OVERRIDES`; flags win over `sets`. Raises UserError."""
    # The values are checked as those of a deployment.
    changed(_SOME_DEPLOYMENT, sets, mini_batch_size, instance_count)
    flags = {"mini_batch_size": mini_batch_size, "compute.instance_count": instance_count}
    given = {key: value for key, value in flags.items() if value is not None}
    return dict(map(_parsed, sets)) | given


def changed_again(settings: ParallelSettings, sets: Sequence[str]) -> ParallelSettings:
    """The settings of a job that exists, changed by "KEY=VALUE" with a key of `OVERRIDES`. Raises UserError."""
    if not sets:
        return settings
    result = changed(_SOME_DEPLOYMENT, sets)
    given = {_parsed(entry)[0].rpartition(".")[2] for entry in sets}
    return replace(settings, **{key: getattr(result, key) for key in given})


def _parsed(entry: str) -> tuple[str, Any]:
    key, equals, text = entry.partition("=")
    key = key.strip()
    if not equals or not key:
        raise UserError(f"--set: '{entry}' must be KEY=VALUE; for example --set retry_settings.max_retries=1")
    if key not in OVERRIDES:
        known = ", ".join(OVERRIDES)
        hint = f"write {_MEANT[key]}" if key in _MEANT else f"an invocation can change {known}"
        raise UserError(f"--set: '{key}' cannot be changed by an invocation; {hint}")
    try:
        return key, yaml.safe_load(text)
    except yaml.YAMLError:
        raise UserError(f"--set: the value in '{entry}' is not a YAML value; for example --set {key}=1") from None


def _put(spec: dict[str, Any], flag: str, keys: tuple[str, ...], value: Any) -> None:
    target = spec
    for key in keys[:-1]:
        target = target.setdefault(key, {})
    target[keys[-1]] = value
    for fault in schema_faults(ModelBatchDeployment, spec):
        if fault.keys == keys:
            raise UserError(f"{flag}: {fault.message}; {fault.fix}")
