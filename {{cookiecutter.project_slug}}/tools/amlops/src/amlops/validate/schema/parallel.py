"""Parallel components and the steps that run them.

Keys: azure-ai-ml 1.35.2 (ParallelComponentSchema, ParallelSchema, ComponentParallelTaskSchema). Defaults and ranges:
Azure ML, "CLI (v2) parallel job YAML schema"; the number of workers of a node is what azure-ai-ml sends when nothing is
said.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from amlops.validate.schema.assets import Environment
from amlops.validate.schema.fields import (
    ComponentName,
    ComputeOrServerless,
    Count,
    IoName,
    Positive,
    Shape,
    Text,
    Variables,
    Version,
    Whole,
    broken,
    one_of,
)
from amlops.validate.schema.ports import ComponentInput, ComponentOutput, Inputs, Outputs, Resource, Resources

LONGEST_TIMEOUT = 259_200
# What azure-ai-ml sends to the service has no space; the service takes a number of files, or bytes with a unit.
_SIZE = re.compile(r"(\d+)([kKmMgG][bB])?")
_LEVELS = ("DEBUG", "INFO", "WARNING")


def _mini_batch_size(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise broken("wrong-type", f"'{value}' must be text", f'quote it: "{value}"')
    return value


def _size(value: str) -> str:
    match = _SIZE.fullmatch(value)
    if match is None:
        raise broken(
            "not-allowed", f"'{value}' is not a size", 'files such as "10", or bytes such as "100kb" or "10mb"'
        )
    if int(match[1]) == 0:
        raise broken("out-of-range", f"'{value}' must be at least 1", 'for example "10"')
    return value


def _level(value: str) -> str:
    if value not in _LEVELS:
        raise broken("not-allowed", f"'{value}' is not allowed", f"use {', '.join(_LEVELS)}, in capitals")
    return value


Threshold = Annotated[Whole, Field(ge=-1, le=2**31 - 1)]


class ParallelRetrySettings(Shape):
    """`timeout` is in seconds and counts for one call of `run()`."""

    max_retries: Count = 2
    timeout: Annotated[Whole, Field(ge=1, le=LONGEST_TIMEOUT)] = 60


class ParallelSettings(Shape):
    """How the input is cut and processed: keys of a component, and of a step that changes them."""

    input_data: Text = ""
    mini_batch_size: Annotated[str, BeforeValidator(_mini_batch_size), AfterValidator(_size)] = "1"
    partition_keys: list[Text] = Field(default_factory=list)
    resources: Resources = Resources()
    max_concurrency_per_instance: Positive = 1
    retry_settings: ParallelRetrySettings = ParallelRetrySettings()
    error_threshold: Threshold = -1
    mini_batch_error_threshold: Threshold = -1
    logging_level: Annotated[str, AfterValidator(_level)] = "INFO"


class ParallelTask(Shape):
    """`task:` what runs."""

    type: Annotated[str, one_of("run_function")]
    code: Text
    entry_script: Text
    environment: Environment
    program_arguments: Text = ""
    append_row_to: Text = ""
    model: Text = ""


class ParallelComponent(Resource, ParallelSettings):
    """A parallel component."""

    type: Annotated[str, one_of("parallel")]
    name: ComponentName
    version: Version = ""
    inputs: dict[IoName, ComponentInput] = Field(default_factory=dict)
    outputs: dict[IoName, ComponentOutput] = Field(default_factory=dict)
    task: ParallelTask
    is_deterministic: bool = True
    auto_delete_setting: dict[str, Any] | None = None


class InlineParallelComponent(ParallelComponent):
    """A parallel component written into a step."""

    name: ComponentName = "inline"


def _text_or_mapping(value: Any) -> str:
    return "<mapping>" if isinstance(value, dict) else "<text>"


class ParallelStep(Resource, ParallelSettings):
    """A parallel step: a component, or the task itself."""

    type: Annotated[str, one_of("parallel")]
    name: Text = ""
    experiment_name: Text = ""
    component: (
        Annotated[
            Annotated[Text, Tag("<text>")] | Annotated[InlineParallelComponent, Tag("<mapping>")],
            Discriminator(_text_or_mapping),
        ]
        | None
    ) = None
    task: ParallelTask | None = None
    environment_variables: Variables = Field(default_factory=dict)
    compute: ComputeOrServerless = ""
    identity: dict[str, Any] | None = None
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    comment: Text = ""
