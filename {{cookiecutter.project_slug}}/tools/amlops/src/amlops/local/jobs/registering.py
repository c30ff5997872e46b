"""Outputs that register themselves: `name:` (and `version:`) of an output, as data asset or model, once it is written.

Facts: Azure ML, "Access data in a job" ("name" of an output registers it when the job is done); azure-ai-ml takes
`name` and `version` in outputs of jobs and of steps. Outputs of type custom_model, mlflow_model and triton_model become
models, the others data assets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from amlops.errors import UserError
from amlops.jobspec import JobSpec, OutputSpec
from amlops.jobspec.model import MODEL_TYPES
from amlops.local.data import LocalData
from amlops.local.models import ModelStore


class Registrations:
    """What the outputs of one job register."""

    def __init__(self, spec: JobSpec, models: ModelStore, data: LocalData) -> None:
        self._spec = spec
        self._models = models
        self._data = data

    def check(self) -> None:
        """Raise UserError for a version that exists already, before the job starts."""
        for _, output, spec in self._all():
            if spec.version is None:
                continue
            taken = self._models.list(spec.asset) if self._is_model(spec) else self._data.assets.versions(spec.asset)
            if any(each.version == spec.version for each in taken):
                kind = "model" if self._is_model(spec) else "data asset"
                raise UserError(
                    f"outputs.{output}.version: the {kind} '{spec.asset}' has a version '{spec.version}' already; "
                    "leave the version out for the next one",
                    file=self._spec.file,
                )

    def done(self, job: str, steps: Collection[str]) -> dict[str, str]:
        """Register what the steps that were completed have written.

        Returns output -> `azureml:name:version`. Raises UserError when an output cannot be registered.
        """
        found: dict[str, str] = {}
        for step, output, spec in self._all():
            if step not in steps:
                continue
            at_job = output in self._spec.outputs
            address = f"azureml://jobs/{job if at_job else f'{job}.{step}'}/outputs/{spec.name}"
            try:
                found[output] = self._register(spec, address)
            except UserError as error:
                raise UserError(f"outputs.{output}: {error.message}", file=self._spec.file) from None
        return found

    def _register(self, spec: OutputSpec, address: str) -> str:
        if self._is_model(spec):
            return self._models.create(spec.asset, address, type=spec.type, version=spec.version).reference
        kept = self._data.assets.register(spec.asset, address, base=Path.cwd(), type=spec.type, version=spec.version)
        return kept.reference

    def _all(self) -> Iterator[tuple[str, str, OutputSpec]]:
        """Step that writes the output, the output as the record calls it, and what it says."""
        for step in self._spec.steps.values():
            for target in step.outputs.values():
                if target.spec.asset:
                    yield step.name, f"{step.name}.{target.spec.name}", target.spec
                bound = target.pipeline_output
                if bound is not None and self._spec.outputs[bound].asset:
                    yield step.name, bound, self._spec.outputs[bound]

    @staticmethod
    def _is_model(spec: OutputSpec) -> bool:
        return spec.type in MODEL_TYPES
