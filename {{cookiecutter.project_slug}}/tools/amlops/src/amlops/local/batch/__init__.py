"""Batch endpoints on the laptop, with the semantics that Azure ML gives them; `amlops.local.parallel` does the scoring.

endpoints    what `amlops batch-endpoint` does        deployments   what `amlops batch-deployment` does
settings     deployment settings and overrides        inputs        what an invocation may name as input
records      what is stored of both                   snapshot      code and model as they were when deployed
documents    their YAML on its way in
"""

from __future__ import annotations

from amlops.local.batch.deployments import LocalBatchDeployments
from amlops.local.batch.endpoints import LocalBatchEndpoints

__all__ = ["LocalBatchDeployments", "LocalBatchEndpoints"]
