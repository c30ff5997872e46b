"""The model of a request: every field with its meaning, its rule and an example."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from amlplatform import names, rules
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES, EnvironmentProfile, NetworkProfile
from amlplatform.regions import REGIONS
from amlplatform.request.faults import AT, rule_broken

MAX_NODES = 100
"""Azure ML's limit for a cluster, unless more was agreed: learn.microsoft.com, how-to-manage-quotas."""
MAX_INSTANCES = 20
MAX_BUDGET = 10_000_000


def _rule(check: Callable[..., str | None], **arguments: Any) -> AfterValidator:
    """Run one of the shared rules on a field. The field's path is filled in where the fault is reported."""

    def validate(value: Any) -> Any:
        message = check(value, **arguments, field=AT)
        if message:
            raise rule_broken(message)
        return value

    return AfterValidator(validate)


def _iso_date(value: object) -> object:
    # YAML reads an unquoted 2026-12-01 as a date. Both spellings are meant the same.
    return value.isoformat() if isinstance(value, datetime.date) else value


def _pattern(pattern: str, **more: Any) -> dict[str, Any]:
    return {"pattern": pattern, **more}


Product = Annotated[
    str,
    _rule(rules.check_product),
    Field(
        description="Short name of the data product; part of every name in Azure and never changed after onboarding",
        examples=["digit-scoring"],
        json_schema_extra=_pattern(
            rules.PRODUCT_PATTERN, minLength=rules.PRODUCT_LENGTH[0], maxLength=rules.PRODUCT_LENGTH[1]
        ),
    ),
]
VmSize = Annotated[
    str,
    _rule(rules.check_vm_size),
    Field(description="Full name of the VM size", json_schema_extra=_pattern(rules.VM_SIZE_PATTERN)),
]
ObjectId = Annotated[
    str,
    _rule(rules.check_guid),
    Field(
        description="Object id of a person in Entra ID",
        examples=["3f2504e0-4f89-41d3-9a0c-0305e82c3301"],
        json_schema_extra=_pattern(rules.GUID_PATTERN, **{"not": {"const": rules.NO_GUID}}),
    ),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Owner(_Part):
    """Who answers for the product."""

    email: Annotated[
        str,
        _rule(rules.check_email),
        Field(
            description="E-mail address: budget alerts go there, and it is a tag on every resource",
            examples=["owner@example.com"],
            json_schema_extra=_pattern(rules.EMAIL_PATTERN, maxLength=254),
        ),
    ]


class Ci(_Part):
    """The CI system that deploys the project."""

    provider: Annotated[Literal["github", "azure-devops"], Field(description="The CI system", examples=["github"])]
    repository: Annotated[
        str,
        Field(
            description="organisation/repository on GitHub, organisation/project/repository on Azure DevOps; "
            "may stay empty for now",
            examples=["example-organisation/digit-scoring"],
        ),
    ] = ""
    runner: Annotated[
        Literal["hosted", "self-hosted"],
        Field(
            description="Where CI jobs run: on the provider's machines, or on your own inside the network",
            examples=["hosted"],
        ),
    ] = "hosted"


class Groups(_Part):
    """Groups of people, by the object id of the Entra group. Groups, never single persons."""

    data_scientists: Annotated[
        str,
        _rule(rules.check_optional_guid),
        Field(
            description="Group that works in dev; nobody of it has access to prod. May stay empty until onboarding",
            examples=["3f2504e0-4f89-41d3-9a0c-0305e82c3301"],
            json_schema_extra={
                "anyOf": [{"const": ""}, _pattern(rules.GUID_PATTERN, **{"not": {"const": rules.NO_GUID}})]
            },
        ),
    ] = ""


class Cluster(_Part):
    """A compute cluster: no nodes at rest, up to `max_nodes` when there is work."""

    vm_size: Annotated[VmSize, Field(examples=["Standard_D4ds_v4"])]
    max_nodes: Annotated[
        int, Field(ge=1, le=MAX_NODES, description="Nodes at most; at rest there are none", examples=[4])
    ]


class GpuCluster(Cluster):
    """A compute cluster whose size has a GPU."""

    vm_size: Annotated[VmSize, Field(examples=["Standard_NC4as_T4_v3"])]


class ComputeInstance(_Part):
    """A machine for one person, in environments that people may enter. It stops when it is not used."""

    object_id: ObjectId
    vm_size: Annotated[VmSize, Field(examples=["Standard_D4ds_v4"])] = "Standard_D4ds_v4"


class Environment(_Part):
    """One environment of the product."""

    network: Annotated[
        str,
        _rule(rules.check_choice, choices=tuple(NETWORK_PROFILES)),
        Field(
            description="Network profile",
            examples=["managed-vnet"],
            json_schema_extra={"enum": list(NETWORK_PROFILES)},
        ),
    ]
    monthly_budget: Annotated[
        int,
        Field(
            ge=1, le=MAX_BUDGET, description="Whole amount a month, in the currency of the subscription", examples=[500]
        ),
    ]
    budget_start: Annotated[
        str,
        BeforeValidator(_iso_date),
        _rule(rules.check_budget_start),
        Field(
            description="First day of the month from which the budget counts",
            examples=["2026-12-01"],
            json_schema_extra=_pattern(rules.MONTH_START_PATTERN, format="date"),
        ),
    ]
    cpu_cluster: Annotated[Cluster, Field(description="The cluster called cpu-cluster")]
    gpu_cluster: Annotated[
        GpuCluster | None, Field(description="The cluster called gpu-cluster; leave it out if no GPU is needed")
    ] = None
    compute_instances: Annotated[
        list[ComputeInstance],
        Field(max_length=MAX_INSTANCES, description="Machines for single persons, by object id; none in prod"),
    ] = []

    @property
    def network_profile(self) -> NetworkProfile:
        return NETWORK_PROFILES[self.network]


class Request(_Part):
    """An onboarding request."""

    version: Annotated[Literal[1], Field(description="Version of this format", examples=[1])]
    product: Product
    name_suffix: Annotated[
        str,
        _rule(rules.check_name_suffix),
        Field(
            description="Makes names unique in the whole of Azure; written once by the template, never changed",
            examples=["k3x9a"],
            json_schema_extra=_pattern(rules.NAME_SUFFIX_PATTERN),
        ),
    ]
    description: Annotated[
        str,
        _rule(rules.check_description),
        Field(
            description="What the product is for, in one line",
            examples=["Scores images of handwritten digits"],
            json_schema_extra={"minLength": 1, "maxLength": 256},
        ),
    ]
    owner: Owner
    cost_centre: Annotated[
        str,
        _rule(rules.check_cost_centre),
        Field(
            description="Where costs are charged; a tag on every resource",
            examples=["CC-1000"],
            json_schema_extra=_pattern(rules.COST_CENTRE_PATTERN),
        ),
    ]
    region: Annotated[
        str,
        _rule(rules.check_region),
        Field(
            description="Azure region of all environments",
            examples=["westeurope"],
            json_schema_extra={"enum": [*sorted(REGIONS)]},
        ),
    ]
    ci: Ci
    groups: Groups = Groups()
    environments: Annotated[dict[str, Environment], Field(description="The environments, by name")]

    def names(self, environment: str) -> names.Names:
        return names.Names(self.product, environment, self.name_suffix)

    @staticmethod
    def profile(environment: str) -> EnvironmentProfile:
        return ENVIRONMENT_PROFILES[environment]
