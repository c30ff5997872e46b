"""What a request says of networks and of resources that the organisation has already, each by its resource id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from amlplatform import rules
from amlplatform.request.fields import Part, resource_id_field, rule


def subnet_example(field: str, beside: str = rules.RESOURCE_IDS["subnet"].example) -> str:
    """The id of a subnet for this field, in the network of another subnet."""
    return f"{beside.rpartition('/')[0]}/snet-{field.replace('_', '-')}"


def _subnet(field: str, description: str) -> Any:
    return resource_id_field("subnet", description, subnet_example(field))


def _subnet_id(field: str) -> Any:
    return rule(rules.check_resource_id, kind="subnet", example=subnet_example(field))


class Subnets(Part):
    """Subnets of your own network. Which of them are needed depends on the network profile and the options."""

    endpoints: Annotated[
        str,
        _subnet_id("endpoints"),
        _subnet(
            "endpoints",
            "Private endpoints are made here: the way into an environment that is closed to the internet",
        ),
    ] = ""
    compute: Annotated[
        str,
        _subnet_id("compute"),
        _subnet("compute", "Nodes of clusters and compute instances, with network profile own-vnet"),
    ] = ""
    kubernetes: Annotated[
        str,
        _subnet_id("kubernetes"),
        _subnet("kubernetes", "Nodes of Kubernetes, with network profile own-vnet"),
    ] = ""
    databricks_public: Annotated[
        str,
        _subnet_id("databricks_public"),
        _subnet(
            "databricks_public",
            "Hosts of Databricks, with network profile own-vnet; delegated to Microsoft.Databricks/workspaces",
        ),
    ] = ""
    databricks_private: Annotated[
        str,
        _subnet_id("databricks_private"),
        _subnet("databricks_private", "Containers of Databricks, in the same network as its hosts; delegated likewise"),
    ] = ""


_DELEGATED = ("databricks_public", "databricks_private")


def shared_subnets(environments: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Environment, field and rule of each subnet that Databricks would have to share. The values may have any type.

    learn.microsoft.com/azure/databricks/security/network/classic/vnet-inject: its two subnets are delegated to it, so
    nothing else can stand in them, nor a second workspace. Endpoints and nodes may share one.
    """
    given = [
        (name, field, value.lower())
        for name, environment in environments.items()
        if isinstance(environment, Mapping) and isinstance(environment.get("subnets"), Mapping)
        for field, value in environment["subnets"].items()
        if isinstance(value, str) and value
    ]
    for place, (name, field, subnet) in enumerate(given):
        users = [
            f"environments.{other_name}.subnets.{other}"
            for other_place, (other_name, other, used) in enumerate(given)
            # Of two that Databricks has, the later one is wrong; both of one environment are looked at together.
            if used == subnet and (other not in _DELEGATED or (other_place < place and other_name != name))
        ]
        if field in _DELEGATED and users:
            yield name, field, f"is also {' and '.join(users)}, and one workspace of Databricks needs it for itself"


class CentralLake(Part):
    """A lake that exists: its account, and the containers in it that are for this environment."""

    account: Annotated[
        str,
        rule(rules.check_resource_id, kind="storage_account"),
        resource_id_field("storage_account", "Storage account with hierarchical namespace; empty: one is made here"),
    ] = ""
    raw: Annotated[
        str,
        rule(rules.check_container),
        Field(description="Container with data as it arrived", examples=["digit-scoring-raw"]),
    ] = "raw"
    curated: Annotated[
        str,
        rule(rules.check_container),
        Field(description="Container with data that was prepared for use", examples=["digit-scoring-curated"]),
    ] = "curated"
    output: Annotated[
        str,
        rule(rules.check_container),
        Field(description="Container that jobs write to", examples=["digit-scoring-output"]),
    ] = "output"


class Central(Part):
    """Resources that exist already and are used instead of being made here."""

    log_analytics: Annotated[
        str,
        rule(rules.check_resource_id, kind="log_analytics"),
        resource_id_field("log_analytics", "Log Analytics workspace for all logs; empty: one is made here"),
    ] = ""
    container_registry: Annotated[
        str,
        rule(rules.check_resource_id, kind="container_registry"),
        resource_id_field("container_registry", "Container registry, of tier Premium; empty: one is made here"),
    ] = ""
    lake: CentralLake = CentralLake()
    ml_registry: Annotated[
        str,
        rule(rules.check_resource_id, kind="ml_registry"),
        resource_id_field("ml_registry", "Azure ML registry (of the shared stack) that models are promoted through"),
    ] = ""
