"""Command jobs, command components, pipeline jobs.

Keys: azure-ai-ml 1.35.2 (CommandJobSchema, CommandComponentSchema, PipelineJobSchema, CommandSchema for steps). The
client takes any key in a step without a word; here a step has the keys that mean something.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag

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
    Tags,
    Text,
    Variables,
    Version,
    broken,
    one_of,
)

LITERALS = ("string", "number", "integer", "boolean")
DATA = ("uri_file", "uri_folder", "mltable")
MODELS = ("custom_model", "mlflow_model", "triton_model")
_MODES = ("ro_mount", "rw_mount", "mount", "download", "upload", "direct", "eval_mount", "eval_download", "link")
Literal = bool | int | float | str


def _literal_or_mapping(value: Any) -> str:
    return "<mapping>" if isinstance(value, dict) else "<literal>"


def _literal(value: Any) -> Any:
    if isinstance(value, list) or value is None:
        what = "a list" if isinstance(value, list) else "nothing"
        raise broken("wrong-type", f"{what} cannot be an input", "write a literal, or type and path of data")
    return value


class ComponentInput(Shape):
    """An input that a component declares."""

    type: Annotated[str, one_of(*LITERALS, *DATA, *MODELS, "path")]
    description: Text = ""
    optional: bool = False
    default: Literal = ""
    min: Literal = ""
    max: Literal = ""
    enum: list[Any] = Field(default_factory=list)
    mode: Annotated[str, one_of(*_MODES)] = ""
    datastore: Text = ""


class ComponentOutput(Shape):
    """An output that a component declares."""

    type: Annotated[str, one_of(*LITERALS, *DATA, *MODELS, "path")]
    description: Text = ""
    mode: Annotated[str, one_of(*_MODES)] = ""
    early_available: bool = False


class JobInput(Shape):
    """Data or a model given to a job or a step; or a literal written as `value:`."""

    type: Annotated[str, one_of(*DATA, *MODELS)] = "uri_folder"
    path: Text = ""
    mode: Annotated[str, one_of(*_MODES)] = ""
    datastore: Text = ""
    path_on_compute: Text = ""
    value: Literal = ""


class JobOutput(Shape):
    """An output of a job or a step."""

    type: Annotated[str, one_of(*DATA, *MODELS)] = "uri_folder"
    path: Text = ""
    mode: Annotated[str, one_of("mount", "upload", "rw_mount", "direct")] = ""
    name: Text = ""
    version: Version = ""
    description: Text = ""


Inputs = dict[
    IoName,
    Annotated[
        Annotated[Any, AfterValidator(_literal), Tag("<literal>")] | Annotated[JobInput, Tag("<mapping>")],
        Discriminator(_literal_or_mapping),
    ],
]


def _kind_of_output(value: Any) -> str:
    return "<text>" if isinstance(value, str) else "<mapping>"


Outputs = dict[
    IoName,
    Annotated[
        Annotated[Text, Tag("<text>")] | Annotated[JobOutput | None, Tag("<mapping>")], Discriminator(_kind_of_output)
    ],
]


class Resources(Shape):
    """`resources:` of a job or component."""

    instance_count: Positive = 1
    instance_type: Text = ""
    max_instance_count: Positive = 1
    properties: dict[str, Any] = Field(default_factory=dict)
    locations: list[Text] = Field(default_factory=list)
    shm_size: Text = ""
    docker_args: Text | list[Text] = ""


class Limits(Shape):
    """`limits:` of a command; seconds."""

    timeout: Positive


class QueueSettings(Shape):
    """Serverless compute."""

    job_tier: Annotated[str, one_of("spot", "basic", "standard", "premium", "null")] = "null"
    priority: Annotated[str, one_of("low", "medium", "high")] = "medium"


class _Resource(Shape):
    schema_address: Text = Field("", alias="$schema")
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    properties: Tags = Field(default_factory=dict)
    display_name: Text = ""


class CommandComponent(_Resource):
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


class _Job(_Resource):
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
AZURE_STEPS = ("parallel", "spark", "sweep", "automl", "pipeline", "import", "data_transfer")


class AzureStep(Shape):
    """A step of another kind."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, one_of(*AZURE_STEPS)]
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    compute: ComputeOrServerless = ""


def _kind_of_step(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    return "<AzureStep>" if kind not in (None, "command") else "<CommandStep>"


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
    jobs: dict[
        StepName,
        Annotated[
            Annotated[CommandStep, Tag("<CommandStep>")] | Annotated[AzureStep, Tag("<AzureStep>")],
            Discriminator(_kind_of_step),
        ],
    ] = Field(default_factory=dict)


__all__ = ["AZURE_STEPS", "CommandComponent", "CommandJob", "Count", "PipelineJob"]
