"""The shared stack: an Azure ML registry from which the workspaces of several products take models and images.

Its file is `shared/<name>.yaml` of a live project.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import pulumi
from pulumi_azure_native import machinelearningservices as ml
from pulumi_azure_native import resources
from pydantic import BeforeValidator, Field

from amlplatform import rules
from amlplatform.components.settings import Settings
from amlplatform.names import Names
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES
from amlplatform.regions import REGIONS
from amlplatform.request.fields import Part, no_boolean, pattern, rule
from amlplatform.request.load import read_model
from amlplatform.request.model import Owner


class Shared(Part):
    """What several products share."""

    version: Annotated[
        Literal[1], BeforeValidator(no_boolean), Field(description="Version of this format", examples=[1])
    ]
    kind: Annotated[Literal["shared"], Field(description="What this file asks for", examples=["shared"])]
    name_suffix: Annotated[
        str,
        rule(rules.check_name_suffix),
        Field(
            description="Makes names unique in the whole of Azure; never changed",
            examples=["s4r7d"],
            json_schema_extra=pattern(rules.NAME_SUFFIX_PATTERN),
        ),
    ]
    owner: Owner
    cost_centre: Annotated[
        str,
        rule(rules.check_cost_centre),
        Field(description="Where costs are charged; a tag on every resource", examples=["CC-1000"]),
    ]
    region: Annotated[
        str,
        rule(rules.check_region),
        Field(description="Azure region", examples=["westeurope"], json_schema_extra={"enum": [*sorted(REGIONS)]}),
    ]
    public_network_access: Annotated[
        Literal["Enabled", "Disabled"],
        Field(
            description="Whether the registry is reached over the internet, after sign-in; Disabled: by private "
            "endpoints that the network's owner makes, and outbound rules of managed networks",
            examples=["Disabled"],
        ),
    ] = "Disabled"

    @property
    def stack(self) -> str:
        return "shared"

    @property
    def names(self) -> Names:
        return Names("shared", "ml", self.name_suffix)


def load_shared(path: Path) -> Shared:
    """Read and check a file. Raises RequestError with every fault, each in one line."""
    return read_model(path, Shared)


def settings_of(shared: Shared) -> Settings:
    """What is shared by prod environments is kept as carefully as they are."""
    return Settings(
        names=shared.names,
        profile=dataclasses.replace(ENVIRONMENT_PROFILES["prod"], name="shared"),
        network=NETWORK_PROFILES["public-dev"],
        region=REGIONS[shared.region],
        tags={
            "product": "shared",
            "environment": "shared",
            "owner": shared.owner.email,
            "costCentre": shared.cost_centre,
            "managedBy": "amlplatform",
        },
    )


class SharedStack(pulumi.ComponentResource):
    """A resource group with the registry. Storage and container registry are Azure's own: it takes no others."""

    registry: ml.Registry

    def __init__(self, shared: Shared) -> None:
        super().__init__("amlplatform:shared:SharedStack", "shared")
        settings = settings_of(shared)
        group = resources.ResourceGroup(
            "resource-group",
            resource_group_name=settings.names.resource_group,
            location=settings.location,
            tags=settings.tags,
            opts=settings.holds_data(self),
        )
        storage = ml.SystemCreatedStorageAccountArgs(
            storage_account_type=settings.profile.storage_sku(settings.region),
            storage_account_hns_enabled=False,
            allow_blob_public_access=False,
        )
        self.registry = ml.Registry(
            "registry",
            registry_name=settings.names.ml_registry,
            resource_group_name=group.name,
            location=settings.location,
            identity=ml.ManagedServiceIdentityArgs(type=ml.ManagedServiceIdentityType.SYSTEM_ASSIGNED),
            public_network_access=shared.public_network_access,
            region_details=[
                ml.RegistryRegionArmDetailsArgs(
                    location=settings.location,
                    acr_details=[
                        ml.AcrDetailsArgs(
                            system_created_acr_account=ml.SystemCreatedAcrAccountArgs(acr_account_sku="Premium")
                        )
                    ],
                    storage_account_details=[ml.StorageAccountDetailsArgs(system_created_storage_account=storage)],
                )
            ],
            tags=settings.tags,
            opts=settings.holds_data(self),
        )
        self.register_outputs({"id": self.registry.id})


def build_shared(shared: Shared) -> SharedStack:
    """Declare the stack in the current Pulumi program and export the id that requests name."""
    built = SharedStack(shared)
    pulumi.export("ml_registry_id", built.registry.id)
    return built
