"""Batch endpoints and their model deployments.

Keys: azure-ai-ml 1.35.2 (BatchEndpointSchema, ModelBatchDeploymentSchema). Ranges and defaults: Azure ML, batch
deployment YAML reference; the upper limit of `timeout` is that of parallel jobs (259,200 s, three days).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from amlops.validate.schema.assets import Environment, InlineModel
from amlops.validate.schema.fields import (
    Compute,
    Count,
    EndpointName,
    OutputFileName,
    Positive,
    Shape,
    Tags,
    Text,
    Variables,
    Whole,
    one_of,
)

LONGEST_TIMEOUT = 259_200
DEFAULT_MINI_BATCH_SIZE = 10


class Defaults(Shape):
    """`defaults:` of an endpoint."""

    deployment_name: EndpointName


class BatchEndpoint(Shape):
    """A batch endpoint."""

    schema_address: Text = Field("", alias="$schema")
    name: EndpointName
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    properties: Tags = Field(default_factory=dict)
    auth_mode: Annotated[str, one_of("aad_token")] = "aad_token"
    defaults: Defaults | None = None
    location: Text = ""
    identity: dict[str, Any] | None = None


class CodeConfiguration(Shape):
    """Where the scoring script lies."""

    code: Text
    scoring_script: Text


class Resources(Shape):
    """`resources:` of a deployment."""

    instance_count: Positive = 1
    max_instance_count: Positive = 1
    instance_type: Text = ""
    locations: list[Text] = Field(default_factory=list)
    shm_size: Text = ""
    docker_args: Text | list[Text] = ""
    properties: Tags = Field(default_factory=dict)


class RetrySettings(Shape):
    """`timeout` is in seconds and counts for one call of `run()`."""

    max_retries: Count = 3
    timeout: Annotated[Whole, Field(ge=1, le=LONGEST_TIMEOUT)] = 30


class Settings(Shape):
    """`settings:` of a model deployment. Azure's client (1.35.2) refuses settings without `mini_batch_size`."""

    max_concurrency_per_instance: Positive = 1
    mini_batch_size: Positive
    output_action: Annotated[str, one_of("append_row", "summary_only")] = "append_row"
    output_file_name: OutputFileName = "predictions.csv"
    retry_settings: RetrySettings = RetrySettings()
    error_threshold: Annotated[Whole, Field(ge=-1, le=2**31 - 1)] = -1
    logging_level: Annotated[str, one_of("warning", "info", "debug")] = "info"
    environment_variables: Variables = Field(default_factory=dict)


def _kind_of_model(value: Any) -> str:
    return "<mapping>" if isinstance(value, dict) else "<text>"


class ModelBatchDeployment(Shape):
    """A deployment with `type: model`."""

    schema_address: Text = Field("", alias="$schema")
    name: EndpointName
    endpoint_name: EndpointName
    type: Annotated[str, one_of("model")]
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    properties: Tags = Field(default_factory=dict)
    # A reference, or a path: which of the two is checked together with the files.
    model: Annotated[
        Annotated[Text, Tag("<text>")] | Annotated[InlineModel, Tag("<mapping>")], Discriminator(_kind_of_model)
    ]
    code_configuration: CodeConfiguration | None = None
    environment: Environment | None = None
    compute: Compute
    resources: Resources = Resources()
    settings: Settings = Settings(mini_batch_size=DEFAULT_MINI_BATCH_SIZE)


class PipelineSettings(Shape):
    """`settings:` of a pipeline deployment. The service takes the compute by its name, with or without `azureml:`."""

    default_compute: Text = ""
    default_datastore: Text = ""
    continue_on_step_failure: bool = True
    force_rerun: bool = False


class PipelineBatchDeployment(Shape):
    """A deployment with `type: pipeline` (azure-ai-ml: PipelineComponentBatchDeploymentSchema)."""

    schema_address: Text = Field("", alias="$schema")
    name: EndpointName
    endpoint_name: EndpointName
    type: Annotated[str, one_of("pipeline")]
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    properties: Tags = Field(default_factory=dict)
    component: Text = ""
    job_definition: Text | dict[str, Any] = ""
    settings: PipelineSettings = PipelineSettings()


# Keys that stood at the root of a deployment before `settings:`; the old form of the SDK's public loader.
OLD_FORM_KEYS = (
    "mini_batch_size",
    "max_concurrency_per_instance",
    "output_action",
    "output_file_name",
    "retry_settings",
    "error_threshold",
    "logging_level",
    "environment_variables",
)
