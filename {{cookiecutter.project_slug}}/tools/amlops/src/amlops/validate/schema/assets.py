"""Registered things: models, data, environments; and the conda file of an environment.

Keys: azure-ai-ml 1.35.2 (ModelSchema, DataSchema, EnvironmentSchema), types of single values as Azure ML's YAML
reference has them.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from amlops.validate.schema.fields import AssetName, AssetReference, Shape, Tags, Text, Version, Whole, one_of


class ModelShape(Shape):
    """A model in a file of its own."""

    schema_address: Text = Field("", alias="$schema")
    name: AssetName
    path: Text
    type: Annotated[str, one_of("custom_model", "mlflow_model", "triton_model")] = "custom_model"
    version: Version = ""
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    properties: Tags = Field(default_factory=dict)
    stage: Text = ""
    flavors: dict[str, Any] = Field(default_factory=dict)
    datastore: Text = ""


class InlineModel(ModelShape):
    """A model written into a deployment."""

    name: AssetName = ""


class DataShape(Shape):
    """A data asset."""

    schema_address: Text = Field("", alias="$schema")
    name: AssetName
    path: Text
    type: Annotated[str, one_of("uri_file", "uri_folder", "mltable")] = "uri_folder"
    version: Version = ""
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    datastore: Text = ""
    auto_delete_setting: dict[str, Any] = Field(default_factory=dict)


class Build(Shape):
    """A Docker build context."""

    path: Text
    dockerfile_path: Text = ""


class Route(Shape):
    """A route of an inference server."""

    port: Whole
    path: Text


class InferenceConfig(Shape):
    """How a custom inference image is asked."""

    liveness_route: Route
    readiness_route: Route
    scoring_route: Route


class _Environment(Shape):
    version: Version = ""
    image: Text = ""
    build: Build | None = None
    conda_file: Text | dict[str, Any] = ""
    inference_config: InferenceConfig | None = None
    os_type: Annotated[str, one_of("linux", "windows")] = "linux"
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    datastore: Text = ""


class InlineEnvironment(_Environment):
    """An environment written into a job, component or deployment. `conda_file` is a path, or the file's content."""

    name: AssetName = ""


class EnvironmentShape(_Environment):
    """An environment in a file of its own."""

    schema_address: Text = Field("", alias="$schema")
    name: AssetName


class CondaFile(Shape):
    """A conda environment file: what `conda env create` reads."""

    name: Text = ""
    channels: list[Text] = Field(default_factory=list)
    dependencies: list[Text | dict[str, list[Text]]]
    variables: dict[str, Any] = Field(default_factory=dict)
    prefix: Text = ""


def _is_mapping(value: Any) -> str:
    return "<mapping>" if isinstance(value, dict) else "<text>"


Environment = Annotated[
    Annotated[AssetReference, Tag("<text>")] | Annotated[InlineEnvironment, Tag("<mapping>")],
    Discriminator(_is_mapping),
]
