"""Job files: Azure ML's YAML for command and pipeline jobs, read and checked before anything runs.

spec = load_job(Path("pipelines/image-scoring/train.yml"), sets=["inputs.epochs=3"])
spec.steps["train"].inputs        # values, or which step's output they come from
"""

from __future__ import annotations

from amlops.jobspec.loader import job_of, load_job
from amlops.jobspec.model import Component, InputSpec, JobSpec, OutputSpec, OutputTarget, Step

__all__ = ["Component", "InputSpec", "JobSpec", "OutputSpec", "OutputTarget", "Step", "job_of", "load_job"]
