"""Batch endpoints on the laptop, with the semantics that Azure ML gives them.

endpoints    what `amlops batch-endpoint` does        deployments   what `amlops batch-deployment` does
settings     deployment settings and overrides        inputs        items and mini-batches
runner       one job from input to predictions        scheduler     retries, timeouts, the error threshold
worker       runs in each worker process              processes     the same, seen from the parent
failures     which items failed, and why              report        the logs
"""

from __future__ import annotations

from amlops.local.batch.deployments import LocalBatchDeployments
from amlops.local.batch.endpoints import LocalBatchEndpoints

__all__ = ["LocalBatchDeployments", "LocalBatchEndpoints"]
