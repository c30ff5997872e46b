"""Managed identities: one for each role that software plays, so that each has no more rights than it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_azure_native import managedidentity

from amlplatform.components.settings import Settings
from amlplatform.request.federation import AUDIENCE, FederatedSubject


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
        ci: tuple[str, FederatedSubject] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`ci`: name of the CI system, and whose jobs may act as the deploy identity; None while that is not known."""
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
        if ci is not None:
            trust("deploy", self.deploy, resource_group, [ci], self)
        self.register_outputs({"deployClientId": self.deploy.client_id})


def trust(
    role: str,
    identity: managedidentity.UserAssignedIdentity,
    resource_group: pulumi.Input[str],
    subjects: Sequence[tuple[str, FederatedSubject]],
    parent: pulumi.Resource,
) -> None:
    """Let tokens of these subjects, each with a name, act as the identity: no secret is made or stored.

    One after the other: Azure answers 409 to two credentials of one identity that are written at the same time
    (learn.microsoft.com/entra, "Workload identity federation: considerations").
    """
    before: list[pulumi.Resource] = []
    for name, subject in subjects:
        credential = managedidentity.FederatedIdentityCredential(
            f"{role}-credential-{name}",
            federated_identity_credential_resource_name=name,
            resource_name_=identity.name,
            resource_group_name=resource_group,
            issuer=subject.issuer,
            subject=subject.subject,
            audiences=[AUDIENCE],
            opts=pulumi.ResourceOptions(parent=parent, depends_on=before),
        )
        before = [credential]


def own_principal(identity: pulumi.Output[Any]) -> pulumi.Output[str]:
    """The object id of a resource's system-assigned identity, from its output `identity`."""
    return identity.apply(lambda value: str(getattr(value, "principal_id", "") or ""))
