"""`.cloud/release/<workload>.yml`: what CI trains, promotes and deploys. Ours; Azure ML has nothing like it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from amlops.validate.schema.fields import AssetName, Number, Positive, Shape, Text

Bound = Annotated[Number, Field(gt=0)]
PerCent = Annotated[Number, Field(ge=0, le=100)]


class Batch(Shape):
    """One batch endpoint. `trial` is a file or folder that a new deployment scores before it becomes the default."""

    endpoint: Text
    deployment: Text
    trial: Text = ""


class Stress(Shape):
    """`amlops online-deployment stress` in `environment`, before the deployment gets traffic there."""

    environment: Text
    rates: Annotated[list[Bound], Field(min_length=1)]
    min_rate: Bound
    max_p99_ms: Bound = 500
    duration: Bound = 30


class Rollout(Shape):
    """`amlops online-endpoint rollout`; `hold` in seconds, `rate` of our own requests per second."""

    max_p95_ms: Bound
    max_error_rate: PerCent = 1
    min_requests: Positive = 20
    steps: Annotated[list[Positive], Field(min_length=1)] = Field(default_factory=lambda: [10, 50, 100])
    hold: Bound = 60
    rate: Bound = 10


class RealTime(Shape):
    """One real-time endpoint. `smoke` has requests with expected answers, `requests` those that are sent."""

    endpoint: Text
    deployment: Text
    smoke: Text = ""
    requests: Text
    rollout: Rollout
    stress: Stress | None = None


class Release(Shape):
    """The whole file. Paths are relative to it."""

    pipeline: Text
    model: AssetName
    images: bool = True
    batch: list[Batch] = Field(default_factory=list)
    real_time: list[RealTime] = Field(default_factory=list)
