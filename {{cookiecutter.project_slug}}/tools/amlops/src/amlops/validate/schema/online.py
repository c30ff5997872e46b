"""Real-time endpoints and their deployments, managed and on Kubernetes.

Keys: azure-ai-ml 1.35.2 (ManagedOnlineEndpointSchema, KubernetesOnlineEndpointSchema and those of the deployments).
Ranges and defaults: Azure ML, managed online deployment and Kubernetes online deployment YAML references.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from amlops.validate.schema.assets import Environment, InlineModel
from amlops.validate.schema.batch import CodeConfiguration
from amlops.validate.schema.fields import (
    Compute,
    Count,
    EndpointName,
    Positive,
    Shape,
    Tags,
    Text,
    Variables,
    Whole,
    one_of,
)

LONGEST_REQUEST_MS = 180_000
MOST_MIRRORED = 50
Percent = Annotated[Whole, Field(ge=0, le=100)]
Mirrored = Annotated[Whole, Field(ge=0, le=MOST_MIRRORED)]


class OnlineEndpoint(Shape):
    """What both kinds have."""

    schema_address: Text = Field("", alias="$schema")
    name: EndpointName
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    properties: Tags = Field(default_factory=dict)
    traffic: dict[str, Percent] = Field(default_factory=dict)
    mirror_traffic: dict[str, Mirrored] = Field(default_factory=dict)
    identity: dict[str, Any] | None = None


class ManagedOnlineEndpoint(OnlineEndpoint):
    """An endpoint on computers of Azure ML."""

    auth_mode: Annotated[str, one_of("key", "aml_token", "aad_token")] = "key"
    public_network_access: Annotated[str, one_of("enabled", "disabled")] = "enabled"


class KubernetesOnlineEndpoint(OnlineEndpoint):
    """An endpoint on an attached Kubernetes cluster, which has no tokens of Entra ID."""

    compute: Compute
    auth_mode: Annotated[str, one_of("key", "aml_token")] = "key"


class RequestSettings(Shape):
    """Times in milliseconds."""

    request_timeout_ms: Annotated[Whole, Field(ge=1, le=LONGEST_REQUEST_MS)] = 5000
    max_concurrent_requests_per_instance: Positive = 1
    max_queue_wait_ms: Count = 500


class Probe(Shape):
    """Times in seconds."""

    initial_delay: Count = 10
    period: Positive = 10
    timeout: Positive = 2
    success_threshold: Positive = 1
    failure_threshold: Positive = 30


class ScaleSettings(Shape):
    """How the number of instances follows the load; `target_utilization` on Kubernetes only."""

    type: Annotated[str, one_of("default", "target_utilization")] = "default"
    min_instances: Positive = 1
    max_instances: Positive = 1
    polling_interval: Positive = 1
    target_utilization_percentage: Annotated[Whole, Field(ge=1, le=100)] = 70


class OnlineDeployment(Shape):
    """What both kinds have."""

    schema_address: Text = Field("", alias="$schema")
    name: EndpointName
    endpoint_name: EndpointName
    description: Text = ""
    tags: Tags = Field(default_factory=dict)
    properties: Tags = Field(default_factory=dict)
    model: Annotated[
        Annotated[Text, Tag("<text>")] | Annotated[InlineModel, Tag("<mapping>")],
        Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<text>"),
    ]
    code_configuration: CodeConfiguration | None = None
    environment: Environment | None = None
    environment_variables: Variables = Field(default_factory=dict)
    app_insights_enabled: bool = False
    scale_settings: ScaleSettings | None = None
    request_settings: RequestSettings = RequestSettings()
    liveness_probe: Probe = Probe()
    readiness_probe: Probe = Probe()
    model_mount_path: Text = ""
    data_collector: dict[str, Any] | None = None


class ManagedOnlineDeployment(OnlineDeployment):
    """A deployment on computers of Azure ML."""

    type: Annotated[str, one_of("managed")] = "managed"
    instance_type: Text
    instance_count: Positive = 1
    egress_public_network_access: Annotated[str, one_of("enabled", "disabled")] = "enabled"


class Amount(Shape):
    """What a container asks for, or may use at most."""

    cpu: Text = ""
    memory: Text = ""
    gpu: Text = Field("", alias="nvidia.com/gpu")


class Resources(Shape):
    """`resources:` of a deployment on Kubernetes."""

    requests: Amount | None = None
    limits: Amount | None = None


class KubernetesOnlineDeployment(OnlineDeployment):
    """A deployment on an attached Kubernetes cluster; `instance_type` is one that the cluster defines."""

    type: Annotated[str, one_of("kubernetes")]
    instance_type: Text = ""
    instance_count: Positive = 1
    resources: Resources = Resources()
