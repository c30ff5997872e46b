"""Command jobs, command components, pipeline jobs and pipeline components.

Keys: azure-ai-ml 1.35.2 (CommandJobSchema, CommandComponentSchema, PipelineJobSchema, PipelineComponentSchema;
CommandSchema and PipelineSchema for steps; parallel ones are in `parallel.py`). The client takes any key in a step
without a word; here a step has the keys that mean something.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag

from amlops.validate.schema.assets import Environment
from amlops.validate.schema.fields import (
    ComponentName,
    ComputeOrLocal,
    ComputeOrServerless,
    Count,
    IoName,
    Positive,
    Shape,
    StepName,
    Text,
    Variables,
    Version,
    one_of,
)
from amlops.validate.schema.parallel import ParallelStep
from amlops.validate.schema.ports import (
    ComponentInput,
    ComponentOutput,
    Inputs,
    JobInput,
    JobOutput,
    Outputs,
    Resource,
    Resources,
)


class Limits(Shape):
    """`limits:` of a command; seconds."""

    timeout: Positive


class QueueSettings(Shape):
    """Serverless compute."""

    job_tier: Annotated[str, one_of("spot", "basic", "standard", "premium", "null")] = "null"
    priority: Annotated[str, one_of("low", "medium", "high")] = "medium"


class CommandComponent(Resource):
    """A command component."""

    type: Annotated[str, one_of("command")] = "command"
    name: ComponentName
    version: Version = ""
    command: Text
    code: Text = ""
    environment: Environment
    inputs: dict[IoName, ComponentInput] = Field(default_factory=dict)
    outputs: dict[IoName, ComponentOutput] = Field(default_factory=dict)
    resources: Resources | None = None
    distribution: dict[str, Any] | None = None
    is_deterministic: bool = True
    additional_includes: list[Text] = Field(default_factory=list)
    queue_settings: QueueSettings | None = None
    auto_delete_setting: dict[str, Any] | None = None


class _Job(Resource):
    name: Text = ""
    experiment_name: Text = ""
    services: dict[str, Any] = Field(default_factory=dict)
    identity: dict[str, Any] | None = None


class CommandJob(_Job):
    """A command job."""

    type: Annotated[str, one_of("command")]
    command: Text
    code: Text = ""
    environment: Environment
    environment_variables: Variables = Field(default_factory=dict)
    compute: ComputeOrLocal = ""
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    resources: Resources | None = None
    distribution: dict[str, Any] | None = None
    limits: Limits | None = None
    queue_settings: QueueSettings | None = None
    parent_job_name: Text = ""


class InlineComponent(CommandComponent):
    """A component written into a step."""

    name: ComponentName = "inline"


def _text_or_mapping(value: Any) -> str:
    return "<mapping>" if isinstance(value, dict) else "<text>"


class CommandStep(_Job):
    """A step that runs a command: a component, or the command itself."""

    type: Annotated[str, one_of("command")] = "command"
    component: (
        Annotated[
            Annotated[Text, Tag("<text>")] | Annotated[InlineComponent, Tag("<mapping>")],
            Discriminator(_text_or_mapping),
        ]
        | None
    ) = None
    command: Text = ""
    code: Text = ""
    environment: Environment | None = None
    environment_variables: Variables | Text = Field(default_factory=dict)
    compute: ComputeOrServerless = ""
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    resources: Resources | None = None
    distribution: dict[str, Any] | None = None
    limits: Limits | None = None
    queue_settings: QueueSettings | None = None
    comment: Text = ""


# Steps that only Azure runs; their own keys are not looked at, their bindings are.
AZURE_STEPS = ("spark", "sweep", "automl", "import", "data_transfer")
STEP_TYPES = ("command", "parallel", "pipeline")


class PipelineStep(Resource):
    """A pipeline as a step of another one: a component in a file of its own, or a registered one."""

    type: Annotated[str, one_of("pipeline")]
    name: Text = ""
    component: Text
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    settings: dict[str, Any] | None = None
    compute: ComputeOrServerless = ""
    comment: Text = ""


class AzureStep(Shape):
    """A step of another kind."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, one_of(*STEP_TYPES, *AZURE_STEPS)]
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    compute: ComputeOrServerless = ""


def _kind_of_step(value: Any) -> str:
    kind = str((value.get("type") if isinstance(value, dict) else None) or "command").lower()
    return {"command": "<CommandStep>", "parallel": "<ParallelStep>", "pipeline": "<PipelineStep>"}.get(
        kind, "<AzureStep>"
    )


Steps = dict[
    StepName,
    Annotated[
        Annotated[CommandStep, Tag("<CommandStep>")]
        | Annotated[ParallelStep, Tag("<ParallelStep>")]
        | Annotated[PipelineStep, Tag("<PipelineStep>")]
        | Annotated[AzureStep, Tag("<AzureStep>")],
        Discriminator(_kind_of_step),
    ],
]


class PipelineSettings(Shape):
    """`settings:` of a pipeline."""

    default_compute: ComputeOrServerless = ""
    default_datastore: Text = ""
    default_environment: Text = ""
    continue_on_step_failure: bool = True
    force_rerun: bool = False
    on_init: Text = ""
    on_finalize: Text = ""


class PipelineJob(_Job):
    """A pipeline job."""

    type: Annotated[str, one_of("pipeline")]
    settings: PipelineSettings | None = None
    compute: ComputeOrServerless = ""
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    component: Text = ""
    jobs: Steps = Field(default_factory=dict)


class PipelineComponent(Resource):
    """A pipeline component."""

    type: Annotated[str, one_of("pipeline")]
    name: ComponentName
    version: Version = ""
    inputs: dict[IoName, ComponentInput] = Field(default_factory=dict)
    outputs: dict[IoName, ComponentOutput] = Field(default_factory=dict)
    jobs: Steps
    is_deterministic: bool = True
    auto_delete_setting: dict[str, Any] | None = None


__all__ = [
    "AZURE_STEPS",
    "CommandComponent",
    "CommandJob",
    "ComponentOutput",
    "Count",
    "JobInput",
    "JobOutput",
    "ParallelStep",
    "PipelineComponent",
    "PipelineJob",
]
