"""What can be asked for beyond the core. Each option stands alone and is off unless it is asked for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from amlplatform import rules
from amlplatform.request.fields import ObjectId, Part, VmSize, pattern, rule

MAX_KUBERNETES_NODES = 100


class Kubernetes(Part):
    """Kubernetes for real time: a small cluster for stress tests in dev, an autoscaled one in prod."""

    vm_size: Annotated[VmSize, Field(examples=["Standard_D4ds_v5"])]
    max_nodes: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_KUBERNETES_NODES,
            description="Nodes at most; fewer in dev than in prod, of the same size",
            examples=[3],
        ),
    ]
    authorized_ip_ranges: Annotated[
        list[Annotated[str, rule(rules.check_ip_range)]],
        Field(
            default_factory=list,
            description="Addresses that may reach the cluster's API, where the network profile is open",
            examples=[["198.51.100.0/24"]],
        ),
    ]
    endpoint_host: Annotated[
        str,
        rule(rules.check_host),
        Field(
            description="Host name in the certificate of the endpoints; empty: the cluster is made, and attached to "
            "Azure ML when its certificate lies in it",
            examples=["scoring.example.com"],
            json_schema_extra=pattern(rules.HOST_PATTERN),
        ),
    ] = ""


class Databricks(Part):
    """A Databricks workspace (premium, no public addresses) that reads the lake with an identity of its own."""


class Synapse(Part):
    """A Synapse workspace with a Spark pool that pauses by itself."""

    max_nodes: Annotated[int, Field(ge=3, le=200, description="Nodes of the Spark pool at most", examples=[5])] = 5
    node_size: Annotated[
        Literal["Small", "Medium", "Large", "XLarge", "XXLarge"],
        Field(description="Size of these nodes: 4, 8, 16, 32 or 64 cores", examples=["Small"]),
    ] = "Small"
    addresses: Annotated[
        list[Annotated[str, rule(rules.check_ip_address)]],
        Field(
            default_factory=list,
            max_length=20,
            description="Addresses that may reach the workspace over the internet, where the network profile is open",
            examples=[["198.51.100.7"]],
        ),
    ]


class DataFactory(Part):
    """A Data Factory whose pipeline invokes a batch endpoint when a file lands in the lake."""

    batch_endpoint: Annotated[
        str,
        rule(rules.check_endpoint),
        Field(description="Logical name of the batch endpoint to invoke", examples=["image-scoring"]),
    ]
    folder: Annotated[
        str,
        rule(rules.check_lake_folder),
        Field(description="Folder in the lake's container raw that is watched", examples=["incoming"]),
    ] = "incoming"


class AiServices(Part):
    """An AI services account of the project's own, used with Entra identities only."""

    kind: Annotated[
        Literal["AIServices", "OpenAI", "SpeechServices", "TextAnalytics", "ComputerVision", "FormRecognizer"],
        Field(description="Kind of account; AIServices has models of all kinds", examples=["AIServices"]),
    ] = "AIServices"


class Streaming(Part):
    """Event Hubs for readings of devices, and Stream Analytics that aggregates them into the lake."""

    partitions: Annotated[int, Field(ge=1, le=32, description="Partitions of the event hub", examples=[4])] = 4
    streaming_units: Annotated[
        int,
        rule(rules.check_streaming_units),
        Field(
            description="Streaming units of the Stream Analytics job",
            examples=[1],
            json_schema_extra={"enum": [*rules.STREAMING_UNITS]},
        ),
    ] = 1
    senders: Annotated[
        list[ObjectId],
        Field(
            default_factory=list,
            max_length=20,
            description="Who sends readings: object ids of service principals, for example of an IoT platform or of a "
            "devices' gateway. Never of people",
        ),
    ]


class Sql(Part):
    """A SQL database with Entra logins only; a managed identity is its administrator."""

    addresses: Annotated[
        list[Annotated[str, rule(rules.check_ip_address)]],
        Field(
            default_factory=list,
            max_length=20,
            description="Addresses from which people reach the database over the internet, where the network profile "
            "is open",
            examples=[["198.51.100.7"]],
        ),
    ]


class ScheduledStart(Part):
    """A Logic App that invokes a batch endpoint on a schedule, with an identity of its own."""

    batch_endpoint: Annotated[
        str,
        rule(rules.check_endpoint),
        Field(description="Logical name of the batch endpoint to invoke", examples=["image-scoring"]),
    ]
    folder: Annotated[
        str,
        rule(rules.check_lake_folder),
        Field(description="Folder in the lake's container curated that is scored", examples=["readings"]),
    ] = "readings"
    every_hours: Annotated[int, Field(ge=1, le=168, description="Hours between two runs", examples=[1])] = 1


def _option(model: type[Part]) -> Any:
    """Off by default, explained by its model."""
    return Field(default=None, description=(model.__doc__ or "").strip().splitlines()[0])


class Options(Part):
    """What is wanted beyond the core; everything is off by default."""

    kubernetes: Kubernetes | None = _option(Kubernetes)
    databricks: Databricks | None = _option(Databricks)
    synapse: Synapse | None = _option(Synapse)
    data_factory: DataFactory | None = _option(DataFactory)
    ai_services: AiServices | None = _option(AiServices)
    streaming: Streaming | None = _option(Streaming)
    sql: Sql | None = _option(Sql)
    scheduled_start: ScheduledStart | None = _option(ScheduledStart)

    @field_validator("*", mode="before")
    @classmethod
    def _says_what_is_wanted(cls, value: Any) -> Any:
        """`sql:` with nothing behind it looks like a wish, and would be none."""
        if value is None:
            raise ValueError("is empty")
        return value

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the options that are asked for, in the order of the model."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)
