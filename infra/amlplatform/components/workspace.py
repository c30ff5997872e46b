"""The Azure ML workspace and its data stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from amlplatform import names
from amlplatform.components.identity import Identities
from amlplatform.components.keyvault import KeyVault
from amlplatform.components.monitoring import Monitoring
from amlplatform.components.network import managed_network
from amlplatform.components.registry import Registry
from amlplatform.components.settings import Settings
from amlplatform.components.storage import LAKE_CONTAINERS, Lake, WorkspaceStorage

BATCH_OUTPUT_DATASTORE = "batch_output"
# Making a managed network takes half an hour, and Azure is sometimes slower than that.
_TIMEOUT = "90m"


@dataclass(frozen=True)
class WorkspaceParts:
    """What a workspace is made of, and the lake that it reads."""

    storage: WorkspaceStorage
    lake: Lake
    vault: KeyVault
    registry: Registry
    monitoring: Monitoring


class Workspace(pulumi.ComponentResource):
    """A workspace of kind Default that acts with its own user-assigned identity and reads its storage without keys."""

    workspace: ml.Workspace

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        *,
        identities: Identities,
        parts: WorkspaceParts,
        description: str,
        outbound: Mapping[str, tuple[pulumi.Input[str], str]],
        subnet: str,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`outbound`: what jobs in a managed network may reach besides the workspace's own parts, by name of the rule:
        resource id and sub-resource of private link.

        `subnet`: where nodes of serverless compute stand, "" without a network of one's own.

        `after`: the roles of the workspace's identity. Without them Azure cannot finish making the workspace.

        They are given here and not as the component's `depends_on`, which Pulumi does not hand on to children.
        """
        super().__init__("amlplatform:workspace:Workspace", name, None, opts)
        profile, network = settings.profile, settings.network
        self.workspace = ml.Workspace(
            "workspace",
            workspace_name=settings.names.workspace,
            resource_group_name=resource_group,
            location=settings.location,
            kind="Default",
            sku=ml.SkuArgs(name="Basic", tier=ml.SkuTier.BASIC),
            friendly_name=f"{settings.names.product} ({settings.names.environment})",
            description=description,
            identity=ml.ManagedServiceIdentityArgs(
                type=ml.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identities.workspace.id]
            ),
            primary_user_assigned_identity=identities.workspace.id,
            storage_account=parts.storage.account.id,
            key_vault=parts.vault.vault.id,
            container_registry=parts.registry.id,
            application_insights=parts.monitoring.insights.id,
            system_datastores_auth_mode=ml.SystemDatastoresAuthMode.IDENTITY,
            hbi_workspace=profile.high_business_impact,
            v1_legacy_mode=False,
            public_network_access=network.public_network_access,
            allow_public_access_when_behind_vnet=False,
            managed_network=managed_network(network, outbound),
            provision_network_now=network.managed_network,
            # A registry without public access cannot be reached by Azure's own image builders: the cluster builds.
            image_build_compute=names.CPU_CLUSTER if network.private else None,
            serverless_compute_settings=ml.ServerlessComputeSettingsArgs(
                serverless_compute_no_public_ip=not network.node_public_ip,
                serverless_compute_custom_subnet=subnet or None,
            ),
            tags=settings.tags,
            opts=settings.holds_data(self, _options(after)),
        )
        self.register_outputs({"name": self.workspace.name})


def _options(after: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(
        depends_on=list(after),
        # Azure returns their ids in another casing, which after a refresh looks like a change. A real one is found by
        # the guard, which compares what the program says with what it said when the workspace was made.
        ignore_changes=["storageAccount", "keyVault", "applicationInsights", "containerRegistry"],
        custom_timeouts=pulumi.CustomTimeouts(create=_TIMEOUT, update=_TIMEOUT),
    )


class Datastores(pulumi.ComponentResource):
    """Data stores without credentials: who reads or writes does so with an identity of its own.

    One per container of the lake, and one more of type blob on the output container, because batch endpoints write only
    to those.
    """

    def __init__(
        self,
        name: str,
        resource_group: pulumi.Input[str],
        *,
        workspace: Workspace,
        lake: Lake,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("amlplatform:workspace:Datastores", name, None, opts)

        common = {
            "account_name": lake.account_name,
            "resource_group": lake.resource_group,
            "subscription_id": lake.subscription_id,
            "endpoint": "core.windows.net",
            "protocol": "https",
            "credentials": ml.NoneDatastoreCredentialsArgs(credentials_type="None"),
            "service_data_access_auth_identity": ml.ServiceDataAccessAuthIdentity.WORKSPACE_USER_ASSIGNED_IDENTITY,
        }

        def datastore(
            azure_name: str, container: str, properties: ml.AzureBlobDatastoreArgs | ml.AzureDataLakeGen2DatastoreArgs
        ) -> None:
            ml.Datastore(
                f"datastore-{azure_name.replace('_', '-')}",
                name=azure_name,
                resource_group_name=resource_group,
                workspace_name=workspace.workspace.name,
                properties=properties,
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[lake.resources[container]] if container in lake.resources else []
                ),
            )

        for container, content in LAKE_CONTAINERS.items():
            properties = ml.AzureDataLakeGen2DatastoreArgs(
                datastore_type="AzureDataLakeGen2",
                filesystem=lake.containers[container],
                description=f"Lake: {content}",
                **common,
            )
            datastore(f"lake_{container}", container, properties)
        properties = ml.AzureBlobDatastoreArgs(
            datastore_type="AzureBlob",
            container_name=lake.containers["output"],
            description="Lake: outputs of batch endpoints",
            **common,
        )
        datastore(BATCH_OUTPUT_DATASTORE, "output", properties)
        self.register_outputs({})
