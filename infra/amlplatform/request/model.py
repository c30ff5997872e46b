"""The model of a request: every field with its meaning, its rule and an example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from amlplatform import names, roles, rules
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES, EnvironmentProfile, NetworkProfile
from amlplatform.request.exceptions import AccessException
from amlplatform.request.fields import (
    CostCentre,
    NameSuffix,
    ObjectId,
    Part,
    RegionName,
    Version,
    VmSize,
    iso_date,
    pattern,
    resource_id_field,
    rule,
)
from amlplatform.request.network import Central, Subnets
from amlplatform.request.options import Options

MAX_NODES = 100
"""Azure ML's limit for a cluster, unless more was agreed: learn.microsoft.com, how-to-manage-quotas."""
MAX_INSTANCES = 20
MAX_EXCEPTIONS = 20
MAX_BUDGET = 10_000_000


Product = Annotated[
    str,
    rule(rules.check_product),
    Field(
        description="Short name of the data product; part of every name in Azure and never changed after onboarding",
        examples=["digit-scoring"],
        json_schema_extra=pattern(
            rules.PRODUCT_PATTERN, minLength=rules.PRODUCT_LENGTH[0], maxLength=rules.PRODUCT_LENGTH[1]
        ),
    ),
]


class Owner(Part):
    """Who answers for the product."""

    email: Annotated[
        str,
        rule(rules.check_email),
        Field(
            description="E-mail address: budget alerts go there, and it is a tag on every resource",
            examples=["owner@example.com"],
            json_schema_extra=pattern(rules.EMAIL_PATTERN, maxLength=254),
        ),
    ]


class GitHub(Part):
    """What GitHub writes into the tokens of a repository's jobs, by which Azure knows them."""

    owner_id: Annotated[
        str,
        rule(rules.check_github_id),
        Field(
            description="Number of the organisation: `gh api repos/ORG/REPO --jq .owner.id`",
            examples=["1234567"],
            json_schema_extra=pattern(rules.GITHUB_ID_PATTERN),
        ),
    ] = ""
    repository_id: Annotated[
        str,
        rule(rules.check_github_id),
        Field(
            description="Number of the repository: `gh api repos/ORG/REPO --jq .id`",
            examples=["7654321"],
            json_schema_extra=pattern(rules.GITHUB_ID_PATTERN),
        ),
    ] = ""
    subject: Annotated[
        Literal["immutable", "name"],
        Field(
            description="How tokens name the repository: with its ids (made, renamed or moved since 2026-07-15), or by "
            "name (older, and GitHub Enterprise Server)",
            examples=["immutable"],
        ),
    ] = "immutable"
    sub_claim_prefix: Annotated[
        str,
        rule(rules.check_sub_claim_prefix),
        Field(
            description="What tokens really begin with, where GitHub says so: "
            "`gh api repos/ORG/REPO/actions/oidc/customization/sub --jq .sub_claim_prefix`; counts before `subject`",
            examples=["repo:example-organisation@1234567/digit-scoring@7654321"],
        ),
    ] = ""


class ServiceConnection(Part):
    """The Azure DevOps service connection of one environment: both values stand on its page once it is made."""

    issuer: Annotated[
        str,
        rule(rules.check_issuer),
        Field(
            description="Issuer of the service connection",
            examples=["https://login.microsoftonline.com/3f2504e0-4f89-41d3-9a0c-0305e82c3301/v2.0"],
        ),
    ] = ""
    subject: Annotated[
        str,
        rule(rules.check_service_connection_subject),
        Field(
            description="Subject identifier of the service connection",
            examples=["sc://example-organisation/analytics/digit-scoring-dev"],
        ),
    ] = ""


class Ci(Part):
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
    github: GitHub = GitHub()


class Groups(Part):
    """Groups of people, by the object id of the Entra group. Groups, never single persons."""

    data_scientists: Annotated[
        str,
        rule(rules.check_optional_guid),
        Field(
            description="Group that works in dev; nobody of it has access to prod. May stay empty until onboarding",
            examples=["3f2504e0-4f89-41d3-9a0c-0305e82c3301"],
            json_schema_extra={
                "anyOf": [{"const": ""}, pattern(rules.GUID_PATTERN, **{"not": {"const": rules.NO_GUID}})]
            },
        ),
    ] = ""


class Cluster(Part):
    """A compute cluster: no nodes at rest, up to `max_nodes` when there is work."""

    vm_size: Annotated[VmSize, Field(examples=["Standard_D4ds_v4"])]
    max_nodes: Annotated[
        int, Field(ge=1, le=MAX_NODES, description="Nodes at most; at rest there are none", examples=[4])
    ]
    low_priority: Annotated[
        bool,
        Field(description="Cheaper nodes that Azure may take away at any time; not in prod", examples=[True]),
    ] = False


class GpuCluster(Cluster):
    """A compute cluster whose size has a GPU."""

    vm_size: Annotated[VmSize, Field(examples=["Standard_NC4as_T4_v3"])]


class ComputeInstance(Part):
    """A machine for one person, in environments that people may enter. It stops when it is not used."""

    object_id: ObjectId
    vm_size: Annotated[VmSize, Field(examples=["Standard_D4ds_v4"])] = "Standard_D4ds_v4"


class Environment(Part):
    """One environment of the product."""

    network: Annotated[
        str,
        rule(rules.check_choice, choices=tuple(NETWORK_PROFILES)),
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
        BeforeValidator(iso_date),
        rule(rules.check_budget_start),
        Field(
            description="First day of the month from which the budget counts",
            examples=["2026-12-01"],
            json_schema_extra=pattern(rules.MONTH_START_PATTERN, format="date"),
        ),
    ]
    cpu_cluster: Annotated[Cluster, Field(description="The cluster called cpu-cluster")]
    gpu_cluster: Annotated[
        GpuCluster | None, Field(description="The cluster called gpu-cluster; leave it out if no GPU is needed")
    ] = None
    compute_instances: Annotated[
        list[ComputeInstance],
        Field(
            default_factory=list,
            max_length=MAX_INSTANCES,
            description="Machines for single persons, by object id; none in prod",
        ),
    ]

    subnets: Subnets = Subnets()
    dns_zones: Annotated[
        str,
        rule(rules.check_resource_id, kind="resource_group"),
        resource_id_field(
            "resource_group",
            "Resource group with the private DNS zones (privatelink...); empty where a policy registers the names",
        ),
    ] = ""
    central: Central = Central()
    service_connection: ServiceConnection = ServiceConnection()
    options: Options = Options()
    access_exceptions: Annotated[
        list[AccessException],
        Field(
            default_factory=list,
            max_length=MAX_EXCEPTIONS,
            description="People who get a named, narrow access here, each with a reason",
        ),
    ]

    @property
    def conditions(self) -> frozenset[str]:
        """Under which rows of the table of roles hold here: see `amlplatform.roles`."""
        network = self.network_profile
        found = {roles.option(name) for name in self.options.asked}
        if network.managed_network:
            found.add(roles.MANAGED_NETWORK)
        if network.private and self.subnets.endpoints:
            found.add(roles.PRIVATE_ENDPOINTS)
        if self.central.ml_registry:
            found.add(roles.ML_REGISTRY)
        if self.options.streaming and self.options.streaming.senders:
            found.add(roles.SENDERS)
        if self.streams_to_sql:
            found.add(roles.STREAMS_TO_SQL)
        if self.options.kubernetes and network.own_network and self.subnets.kubernetes:
            found.add(roles.KUBERNETES_SUBNET)
        return frozenset(found)

    @property
    def streams_to_sql(self) -> bool:
        """The streaming job writes to the database, too: it comes from an address of Azure, by no private endpoint."""
        options = self.options
        return bool(options.streaming and options.sql and self.network_profile.azure_addresses)

    @property
    def purposes(self) -> tuple[str, ...]:
        """What groups are let in for by exception."""
        return tuple(entry.purpose for entry in self.access_exceptions)

    @property
    def network_profile(self) -> NetworkProfile:
        return NETWORK_PROFILES[self.network]


class Request(Part):
    """An onboarding request."""

    version: Version
    product: Product
    name_suffix: Annotated[
        NameSuffix,
        Field(
            description="Makes names unique in the whole of Azure; written once by the template, never changed",
            examples=["k3x9a"],
        ),
    ]
    description: Annotated[
        str,
        rule(rules.check_description),
        Field(
            description="What the product is for, in one line",
            examples=["Scores images of handwritten digits"],
            json_schema_extra={"minLength": 1, "maxLength": 256},
        ),
    ]
    owner: Owner
    cost_centre: CostCentre
    region: Annotated[RegionName, Field(description="Azure region of all environments")]
    ci: Ci
    groups: Groups = Groups()
    environments: Annotated[dict[str, Environment], Field(description="The environments, by name")]

    def names(self, environment: str) -> names.Names:
        return names.Names(self.product, environment, self.name_suffix)

    def derived_names(self, environment: str) -> dict[str, str]:
        """Every fixed name in this environment, by what it names, also of what the options bring."""
        return self.names(environment).all(self.environments[environment].options.asked)

    @staticmethod
    def profile(environment: str) -> EnvironmentProfile:
        return ENVIRONMENT_PROFILES[environment]
