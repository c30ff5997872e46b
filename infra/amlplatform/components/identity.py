"""Managed identities: one for each role that software plays, so that each has no more rights than it needs."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import managedidentity

from amlplatform.components.settings import Settings


class Identities(pulumi.ComponentResource):
    """The identities of workspace, clusters, endpoints and of CI when it deploys the project."""

    workspace: managedidentity.UserAssignedIdentity
    cluster: managedidentity.UserAssignedIdentity
    endpoint: managedidentity.UserAssignedIdentity
    deploy: managedidentity.UserAssignedIdentity

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("amlplatform:identity:Identities", name, None, opts)
        names = settings.names

        def identity(role: str, azure_name: str) -> managedidentity.UserAssignedIdentity:
            return managedidentity.UserAssignedIdentity(
                f"{role}-identity",
                resource_name_=azure_name,
                resource_group_name=resource_group,
                location=settings.location,
                tags=settings.tags,
                opts=pulumi.ResourceOptions(parent=self),
            )

        self.workspace = identity("workspace", names.workspace_identity)
        self.cluster = identity("cluster", names.cluster_identity)
        self.endpoint = identity("endpoint", names.endpoint_identity)
        self.deploy = identity("deploy", names.deploy_identity)
        self.register_outputs({"deployClientId": self.deploy.client_id})
