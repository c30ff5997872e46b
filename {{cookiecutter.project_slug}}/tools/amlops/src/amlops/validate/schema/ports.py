"""What goes into jobs, steps and components and out of them, and the keys that all of them have.

Keys: azure-ai-ml 1.35.2 (InputPortSchema, OutputPortSchema, DataInputSchema, OutputSchema,
JobResourceConfigurationSchema).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from amlops.validate.schema.fields import IoName, Positive, Shape, Tags, Text, Version, broken, one_of

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


class Resource(Shape):
    """Keys of every job and component."""

    schema_address: Text = Field("", alias="$schema")
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    properties: Tags = Field(default_factory=dict)
    display_name: Text = ""
