"""The shared stack: an Azure ML registry from which the workspaces of several products take models and images."""

from __future__ import annotations

import dataclasses

import pulumi
from pulumi_azure_native import machinelearningservices as ml
from pulumi_azure_native import resources

from amlplatform.components.guard import guarded
from amlplatform.components.settings import Settings
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES
from amlplatform.regions import REGIONS
from amlplatform.shared_file import Shared


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


@guarded
def build_shared(shared: Shared) -> SharedStack:
    """Declare the stack in the current Pulumi program and export the id that requests name."""
    built = SharedStack(shared)
    pulumi.export("ml_registry_id", built.registry.id)
    return built
