"""Compute targets, schedules, and the project's own files on its environments.

Keys: azure-ai-ml 1.35.2 (AmlComputeSchema, ComputeInstanceSchema, JobScheduleSchema). The schedule reference in Azure's
documentation calls two keys `timezone` and `pattern`; the client takes only `time_zone` and `schedule`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag

from amlops.scheduling.trigger import FREQUENCIES, WEEK_DAYS
from amlops.validate.schema.fields import (
    AssetName,
    ComputeName,
    Count,
    EndpointName,
    Moment,
    Positive,
    Shape,
    Tags,
    Text,
    Whole,
    one_of,
)


class _Compute(Shape):
    schema_address: Text = Field("", alias="$schema")
    name: ComputeName
    description: Text = ""
    location: Text = ""
    resource_id: Text = ""
    tags: Tags = Field(default_factory=dict)
    identity: dict[str, Any] | None = None
    network_settings: dict[str, Any] | None = None
    ssh_settings: dict[str, Any] | None = None
    ssh_public_access_enabled: bool = False
    enable_node_public_ip: bool = True


class Cluster(_Compute):
    """`type: amlcompute`. `idle_time_before_scale_down` is in seconds."""

    type: Annotated[str, one_of("amlcompute")]
    size: Text = ""
    tier: Annotated[str, one_of("dedicated", "low_priority")] = "dedicated"
    min_instances: Count = 0
    max_instances: Positive = 1
    idle_time_before_scale_down: Positive = 120


class Instance(_Compute):
    """`type: computeinstance`."""

    type: Annotated[str, one_of("computeinstance")]
    size: Text = ""
    create_on_behalf_of: dict[str, Any] | None = None
    schedules: dict[str, Any] | None = None
    idle_time_before_shutdown: Text = ""
    idle_time_before_shutdown_minutes: Positive = 60
    custom_applications: list[Any] = Field(default_factory=list)
    setup_scripts: dict[str, Any] | None = None
    enable_sso: bool = True
    enable_root_access: bool = True
    release_quota_on_stop: bool = False
    enable_os_patching: bool = False


class _Trigger(Shape):
    start_time: Moment = ""
    end_time: Moment = ""
    time_zone: Text = "UTC"


class CronTrigger(_Trigger):
    """`type: cron`."""

    type: Annotated[str, one_of("cron")]
    expression: Text


Hour = Annotated[Whole, Field(ge=0, le=23)]
Minute = Annotated[Whole, Field(ge=0, le=59)]
MonthDay = Annotated[Whole, Field(ge=1, le=31)]
WeekDay = Annotated[str, one_of(*WEEK_DAYS)]
# Azure ML takes one value where it takes a list.
one_or_more = BeforeValidator(lambda value: value if isinstance(value, list) else [value])


class Pattern(Shape):
    """`schedule:` of a recurrence."""

    hours: Annotated[list[Hour], one_or_more]
    minutes: Annotated[list[Minute], one_or_more]
    week_days: Annotated[list[WeekDay], one_or_more] = Field(default_factory=list)
    month_days: Annotated[list[MonthDay], one_or_more] = Field(default_factory=list)


class RecurrenceTrigger(_Trigger):
    """`type: recurrence`."""

    type: Annotated[str, one_of("recurrence")]
    frequency: Annotated[str, one_of(*FREQUENCIES)]
    interval: Positive
    schedule: Pattern | None = None


def _kind_of_trigger(value: Any) -> str:
    return "<CronTrigger>" if isinstance(value, dict) and value.get("type") == "cron" else "<RecurrenceTrigger>"


def _text_or_mapping(value: Any) -> str:
    return "<mapping>" if isinstance(value, dict) else "<text>"


class CreateJob(Shape):
    """`create_job:` with changes to the job."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, one_of("pipeline", "command", "spark")]
    job: Text


class Schedule(Shape):
    """A schedule."""

    schema_address: Text = Field("", alias="$schema")
    name: AssetName
    display_name: Text = ""
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    properties: Tags = Field(default_factory=dict)
    is_enabled: bool = True
    trigger: Annotated[
        Annotated[CronTrigger, Tag("<CronTrigger>")] | Annotated[RecurrenceTrigger, Tag("<RecurrenceTrigger>")],
        Discriminator(_kind_of_trigger),
    ]
    create_job: Annotated[
        Annotated[Text, Tag("<text>")] | Annotated[CreateJob, Tag("<mapping>")], Discriminator(_text_or_mapping)
    ]


class LaptopLimits(Shape):
    """`limits:` of the laptop; `cores: 0` means all. See `amlops.project.Limits`."""

    nodes: Positive = 2
    cores: Count = 0
    workers: Annotated[Whole, Field(ge=0, le=0)] | None = None
    memory: Count = 0
    gpus: Count = 0


class Disputed(Shape):
    """`disputed:` of the laptop: where Microsoft's sources disagree. See `amlops.project.Disputed`."""

    max_retries: Annotated[str, one_of("tries", "retries")] = "tries"
    several_thresholds: Annotated[str, one_of("any", "one")] = "any"
    short_results: Annotated[str, one_of("counted", "ignored")] = "counted"
    task_overhead_timeout: Positive = 30


class LocalEnvironment(Shape):
    """`.cloud/environments/local.yml`."""

    environment: Annotated[str, one_of("local")]
    limits: LaptopLimits = LaptopLimits()
    disputed: Disputed = Disputed()
    datastores: dict[AssetName, Text] = Field(default_factory=dict)


class AzureEnvironment(Shape):
    """`.cloud/environments/<name>.yml`: where an environment is in Azure."""

    environment: Text
    subscription_id: Text = ""
    resource_group: Text
    workspace: Text
    location: Text
    registry: Text = ""
    endpoints: dict[EndpointName, EndpointName] = Field(default_factory=dict)
    compute: dict[ComputeName, ComputeName] = Field(default_factory=dict)
