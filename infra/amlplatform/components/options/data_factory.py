"""Data Factory: a file that lands in the lake starts the batch endpoint, with the factory's identity and no key.

Sources: learn.microsoft.com/azure/machine-learning/how-to-use-batch-azure-data-factory (the pipeline, in
`amlplatform/pipelines`); learn.microsoft.com/azure/data-factory, how-to-create-event-trigger (the trigger) and
managed-virtual-network-private-endpoint (how a factory reaches what is closed to the internet).
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_azure_native import datafactory as adf
from pulumi_azure_native import resources

from amlplatform import endpoints, pipelines, roles
from amlplatform.armtypes import catalogue
from amlplatform.components.context import Context, Part
from amlplatform.components.identity import own_principal
from amlplatform.request.options import DataFactory as Asked

_NAME = "data_factory"
_MANAGED_NETWORK = "default"
RUNTIME = "managed-network"
"""The integration runtime in the factory's managed network."""
TRIGGER = "file-arrived"


class DataFactory(pulumi.ComponentResource):
    """A factory with one pipeline, which a new file in the lake's folder starts."""

    factory: adf.Factory

    def __init__(self, name: str, context: Context, asked: Asked, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amlplatform:data_factory:DataFactory", name, None, opts)
        self._context, self._settings, self._asked = context, context.settings, asked
        self._child = pulumi.ResourceOptions(parent=self)
        self.factory = self._factory()
        context.principals[_NAME] = own_principal(self.factory.identity)
        context.scopes[_NAME] = self.factory.id
        context.parts.append(
            Part("data-factory", self.factory, endpoints=endpoints.OPTIONS[_NAME].inbound, diagnostics=("",))
        )
        access = context.assign_of(roles.option(_NAME), "data-factory-access", self._child)
        runtime = self._managed_network() if context.settings.network.private else None
        self._lake(runtime)
        self._trigger(self._pipeline(runtime, list(access.assignments.values())))
        self.register_outputs({"name": self.factory.name})

    def _factory(self) -> adf.Factory:
        settings = self._settings
        return adf.Factory(
            "data-factory",
            factory_name=settings.names.data_factory,
            resource_group_name=self._context.resource_group,
            location=settings.location,
            # Of the system, not of ours: the pipeline's calls use it without a credential that would have to be made.
            identity=adf.FactoryIdentityArgs(type=adf.FactoryIdentityType.SYSTEM_ASSIGNED),
            public_network_access=settings.network.public_network_access,
            tags=settings.tags,
            opts=self._child,
        )

    def _managed_network(self) -> adf.IntegrationRuntime:
        """A runtime in a network of the factory's own, with private endpoints to the lake and the workspace.

        The SDK has no class for the network itself, because it cannot be deleted apart from its factory
        (github.com/pulumi/pulumi-azure-native/issues/896): a deployment makes it.
        """
        name, group = self._settings.names.data_factory, self._context.resource_group
        network = resources.Deployment(
            "data-factory-network",
            deployment_name=f"{name}-network",
            resource_group_name=group,
            properties=resources.DeploymentPropertiesArgs(
                mode=resources.DeploymentMode.INCREMENTAL, template=network_template(name)
            ),
            tags=self._settings.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.factory]),
        )
        for endpoint, target, sub_resource in self._targets():
            adf.ManagedPrivateEndpoint(
                f"data-factory-to-{endpoint}",
                managed_private_endpoint_name=endpoint,
                managed_virtual_network_name=_MANAGED_NETWORK,
                factory_name=self.factory.name,
                resource_group_name=group,
                properties=adf.ManagedPrivateEndpointArgs(private_link_resource_id=target, group_id=sub_resource),
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[network], delete_before_replace=True, replace_on_changes=["properties"]
                ),
            )
        return adf.IntegrationRuntime(
            "data-factory-runtime",
            integration_runtime_name=RUNTIME,
            factory_name=self.factory.name,
            resource_group_name=group,
            properties=adf.ManagedIntegrationRuntimeArgs(
                type="Managed",
                compute_properties=adf.IntegrationRuntimeComputePropertiesArgs(location=self._settings.location),
                managed_virtual_network=adf.ManagedVirtualNetworkReferenceArgs(
                    type="ManagedVirtualNetworkReference", reference_name=_MANAGED_NETWORK
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[network]),
        )

    def _targets(self) -> list[tuple[str, pulumi.Input[str], str]]:
        """What the factory reaches privately: name of the endpoint, resource, and sub-resource of private link."""
        context = self._context
        assert context.workspace is not None, "the workspace is made before this option"
        lake, workspace = endpoints.OPTIONS[_NAME].of_own_network
        return [
            ("lake", context.core.lake.account_id, lake),
            ("workspace", context.workspace.workspace.id, workspace),
        ]

    def _lake(self, runtime: adf.IntegrationRuntime | None) -> None:
        """For copies of data. Nothing but the address: the factory's identity is used where there is no key."""
        connect = (
            adf.IntegrationRuntimeReferenceArgs(type="IntegrationRuntimeReference", reference_name=runtime.name)
            if runtime
            else None
        )
        adf.LinkedService(
            "data-factory-lake",
            linked_service_name="lake",
            factory_name=self.factory.name,
            resource_group_name=self._context.resource_group,
            properties=adf.AzureBlobFSLinkedServiceArgs(
                type="AzureBlobFS",
                url=f"https://{self._context.core.lake.account_name}.dfs.core.windows.net",
                connect_via=connect,
                description="The lake, with the factory's identity",
            ),
            opts=self._child,
        )

    def _pipeline(self, runtime: adf.IntegrationRuntime | None, after: list[pulumi.Resource]) -> adf.Pipeline:
        settings = self._settings
        pipeline = pipelines.load(pipelines.SCORE_ARRIVED_FILE)
        endpoint = settings.names.endpoint(self._asked.batch_endpoint)
        pipeline.set_default("endpoint_url", f"https://{endpoint}.{settings.location}.inference.ml.azure.com/jobs")
        if runtime:
            pipeline.connect_via(RUNTIME)
        return adf.Pipeline(
            "data-factory-pipeline",
            pipeline_name=pipeline.name,
            factory_name=self.factory.name,
            resource_group_name=self._context.resource_group,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*after, *([runtime] if runtime else [])]),
            **pipeline_inputs(pipeline.properties),
        )

    def _trigger(self, pipeline: adf.Pipeline) -> None:
        """Azure makes it stopped: somebody starts it when the endpoint is there (docs/options-compute.md)."""
        lake = self._context.core.lake
        adf.Trigger(
            "data-factory-trigger",
            trigger_name=TRIGGER,
            factory_name=self.factory.name,
            resource_group_name=self._context.resource_group,
            properties=adf.BlobEventsTriggerArgs(
                type="BlobEventsTrigger",
                description="A file landed in the lake",
                scope=lake.account_id,
                events=[adf.BlobEventTypes.MICROSOFT_STORAGE_BLOB_CREATED],
                blob_path_begins_with=f"/{lake.containers['raw']}/blobs/{self._asked.folder}/",
                # A lake says twice that a file was made: when it is opened, empty, and when it is closed.
                ignore_empty_blobs=True,
                pipelines=[
                    adf.TriggerPipelineReferenceArgs(
                        pipeline_reference=adf.PipelineReferenceArgs(
                            type="PipelineReference", reference_name=pipeline.name
                        ),
                        parameters={
                            "folder_path": "@triggerBody().folderPath",
                            "file_name": "@triggerBody().fileName",
                        },
                    )
                ],
            ),
            opts=self._child,
        )


def network_template(factory: str) -> dict[str, Any]:
    """The ARM template that gives a factory its managed network."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [
            {
                "type": "Microsoft.DataFactory/factories/managedVirtualNetworks",
                "apiVersion": "2018-06-01",
                "name": f"{factory}/{_MANAGED_NETWORK}",
                "properties": {},
            }
        ],
    }


def pipeline_inputs(properties: dict[str, Any]) -> dict[str, Any]:
    """The inputs of the SDK for a pipeline as Azure Resource Manager takes it."""
    inputs = catalogue.flat_properties("datafactory:Pipeline", properties)
    return {name: inputs[name] for name in ("description", "parameters", "variables", "activities", "annotations")}
