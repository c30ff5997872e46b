"""Parameters and metrics to MLflow, where the step runs inside a job."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence


def log(
    parameters: Mapping[str, object], metrics: Mapping[str, float], series: Mapping[str, Sequence[float]] | None = None
) -> None:
    """Log to the run of the job, in one request.

    The job, here and in Azure ML, sets MLFLOW_RUN_ID and MLFLOW_TRACKING_URI. Without them the step was started by
    hand and nothing is tracked. MLflow's `log_model` is not used: Azure ML's tracking server does not have the
    endpoint that MLflow 3 calls for it (Azure/azure-sdk-for-python issue 44896).

    Args:
        parameters: what was chosen; values become strings.
        metrics: what came out.
        series: values over epochs, counted from 1.
    """
    run_id = os.environ.get("MLFLOW_RUN_ID")
    if not run_id:
        return
    from mlflow.entities import Metric, Param  # noqa: PLC0415 - slow to import, and only needed in a job
    from mlflow.tracking import MlflowClient  # noqa: PLC0415

    now = int(time.time() * 1000)
    values = [Metric(name, float(value), now, 0) for name, value in metrics.items()]
    for name, points in (series or {}).items():
        values += [Metric(name, float(point), now, epoch) for epoch, point in enumerate(points, start=1)]
    MlflowClient().log_batch(run_id, metrics=values, params=[Param(k, str(v)) for k, v in parameters.items()])
