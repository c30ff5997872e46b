"""By what Azure knows the CI jobs of an environment: issuer and subject of their tokens."""

from __future__ import annotations

from dataclasses import dataclass

from amlplatform.request.model import Ci, Request

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "api://AzureADTokenExchange"
"""What Entra ID wants as the audience, and the only one that a credential may have."""


@dataclass(frozen=True)
class FederatedSubject:
    """What a token must say, to the letter, so that Entra ID takes it for the identity's own."""

    issuer: str
    subject: str


def federated_subject(request: Request, environment: str) -> FederatedSubject | None:
    """Whom the deploy identity of this environment trusts; None while the request does not say.

    GitHub: jobs of the repository that run in the GitHub environment of the same name. Azure DevOps: the service
    connection, whose issuer and subject come from its page (their form changed, so they are never composed here).
    """
    if request.ci.provider == "azure-devops":
        connection = request.environments[environment].service_connection
        if not (connection.issuer and connection.subject):
            return None
        return FederatedSubject(connection.issuer, connection.subject)
    prefix = github_prefix(request.ci)
    return FederatedSubject(GITHUB_ISSUER, f"{prefix}:environment:{environment}") if prefix else None


def github_prefix(ci: Ci) -> str | None:
    """What the subjects of a repository's tokens begin with.

    Repositories that were made, renamed or moved since 2026-07-15 have their ids in it (learn.microsoft.com/entra,
    "Workload identity federation: GitHub immutable subjects"); what GitHub's API answers counts before that.
    """
    if ci.github.sub_claim_prefix:
        return ci.github.sub_claim_prefix
    owner, _, repository = ci.repository.partition("/")
    if not repository:
        return None
    if ci.github.subject == "name":
        return f"repo:{owner}/{repository}"
    if not (ci.github.owner_id and ci.github.repository_id):
        return None
    return f"repo:{owner}@{ci.github.owner_id}/{repository}@{ci.github.repository_id}"
