"""Federated credentials: exactly one job of one repository may act as the identity, without a stored secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.rule import EVERYWHERE, Context, Resource, ResourceRule, Rule, Stack, StackRule
from amlplatform.policies.values import at, is_known_id, shown

_AUDIENCE = "api://AzureADTokenExchange"
_GITHUB = "https://token.actions.githubusercontent.com"
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# learn.microsoft.com: azure/devops/pipelines/release/troubleshoot-workload-identity has both forms of Azure DevOps.
_ISSUERS = (
    re.compile(re.escape(_GITHUB)),
    re.compile(rf"https://login\.microsoftonline\.com/{_GUID}/v2\.0"),
    re.compile(rf"https://vstoken\.dev\.azure\.com/{_GUID}"),
)
# docs.github.com: actions/reference/openid-connect-reference. With ids since July 2026: owner@id/repository@id.
_REPOSITORY = r"repo:[A-Za-z0-9][A-Za-z0-9-]*(?:@\d+)?/[A-Za-z0-9._-]+(?:@\d+)?"
_GITHUB_ENVIRONMENT = re.compile(rf"{_REPOSITORY}:environment:(?P<environment>[A-Za-z0-9._-]+)")
_GITHUB_PULL_REQUEST = re.compile(rf"{_REPOSITORY}:pull_request")
_AZURE_DEVOPS = (
    re.compile(r"sc://[^/*?]+/[^/*?]+/[^/*?]+"),
    re.compile(rf"/[A-Za-z0-9._/-]+/sc/{_GUID}/{_GUID}"),
)
# learn.microsoft.com/azure/role-based-access-control/built-in-roles: these change nothing. A preview also reads
# the stack's state and decrypts what is secret in it.
_READERS = frozenset(
    {
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",  # Reader
        "43d0d8ad-25c7-4714-9337-8ba259a9fe05",  # Monitoring Reader
        "73c42c96-874c-492b-b04d-ab87d138a893",  # Log Analytics Reader
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",  # Storage Blob Data Reader
        "12338af0-0e69-4776-bea7-57ae8d297424",  # Key Vault Crypto User
    }
)


def _issuer(resource: Resource, _context: Context) -> Iterator[str]:
    issuer = at(resource.body, "properties.issuer")
    if issuer != UNKNOWN and not any(one.fullmatch(str(issuer)) for one in _ISSUERS):
        yield f"properties.issuer is {shown(issuer)}, must be GitHub's, or the one that Azure DevOps shows"
    audiences = at(resource.body, "properties.audiences")
    if audiences not in ([_AUDIENCE], UNKNOWN):
        yield f"properties.audiences is {shown(audiences)}, must be ['{_AUDIENCE}']"


def _subject(resource: Resource, context: Context) -> Iterator[str]:
    issuer, subject = (at(resource.body, f"properties.{name}") for name in ("issuer", "subject"))
    if UNKNOWN in (issuer, subject):
        return
    if issuer != _GITHUB:
        if not any(one.fullmatch(str(subject)) for one in _AZURE_DEVOPS):
            yield f"properties.subject is {shown(subject)}, must be exactly the one of a service connection"
        return
    if _GITHUB_PULL_REQUEST.fullmatch(str(subject)):
        return  # another rule holds its identity to reading
    match = _GITHUB_ENVIRONMENT.fullmatch(str(subject))
    if match is None:
        yield f"properties.subject is {shown(subject)}, must be repo:OWNER/REPOSITORY:environment:NAME, no wildcard"
    elif not _is_environment(match["environment"], context):
        yield f"properties.subject trusts the environment {match['environment']}, must be {context.environment}"


def _is_environment(name: str, context: Context) -> bool:
    """Whether the CI environment is the stack's own. CI of the platform has one for each product: product-prod."""
    own = context.environment
    return name == own or (context.bounds.platform and name.endswith(f"-{own}"))


def _pull_requests(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    for credential in stack.of(arm.FEDERATED_CREDENTIAL):
        if not _GITHUB_PULL_REQUEST.fullmatch(str(at(credential.body, "properties.subject"))):
            continue
        for identity in (one for one in stack.of(arm.IDENTITY) if stack.is_below(credential, one)):
            yield from _writing_roles(stack, credential, identity)


def _writing_roles(stack: Stack, credential: Resource, identity: Resource) -> Iterator[tuple[Resource, str]]:
    for assignment in stack.of(arm.ROLE_ASSIGNMENT):
        # An assignment depends on an identity as its principal, or because the role is given on it.
        if identity.key not in assignment.depends_on or stack.is_below(assignment, identity):
            continue
        role = str(at(assignment.body, "properties.roleDefinitionId"))
        if role != UNKNOWN and role.rpartition("/")[2].lower() not in _READERS:
            yield (
                credential,
                f"any pull request may act as {identity.name}, which has a role that writes ({role[-36:]})",
            )


def _one_for_each_subject(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    seen: dict[tuple[str, str], Resource] = {}
    for credential in stack.of(arm.FEDERATED_CREDENTIAL):
        issuer, subject = (str(at(credential.body, f"properties.{name}")) for name in ("issuer", "subject"))
        owner = credential.arm_id.rpartition("/federatedIdentityCredentials/")[0]
        first = seen.setdefault((owner.lower(), f"{issuer} {subject}"), credential)
        if first is not credential and is_known_id(owner) and UNKNOWN not in (issuer, subject):
            yield credential, f"has the same issuer and subject as {first.name}, which Azure refuses on one identity"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="federation-issuer-known",
        protects="Only tokens of GitHub or of the organisation's Azure DevOps are taken, and only those made for Azure",
        remedy="take issuer and subject from the CI system, and the audience " + _AUDIENCE,
        severity=EVERYWHERE,
        sources=(
            "Entra workload-identity-federation-considerations",
            "Entra workload-identities-github-immutable-subjects",
        ),
        types=(arm.FEDERATED_CREDENTIAL,),
        check=_issuer,
    ),
    ResourceRule(
        name="federation-subject-exact",
        protects="Only jobs of this environment of this repository act as the identity: a branch, a tag or another "
        "environment does not",
        remedy="scope the subject to the CI environment that has the reviewers",
        severity=EVERYWHERE,
        sources=("Entra workload-identities-github-immutable-subjects",),
        types=(arm.FEDERATED_CREDENTIAL,),
        check=_subject,
    ),
    StackRule(
        name="pull-requests-only-read",
        protects="A pull request runs code that nobody has reviewed; it can read for a preview, and change nothing",
        remedy="give the identity Reader, or take pull_request out of the subject",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.FEDERATED_CREDENTIAL,),
        check=_pull_requests,
    ),
    StackRule(
        name="federation-subject-once",
        protects="Azure refuses a second credential with the same issuer and subject on an identity",
        remedy="remove one of the two",
        severity=EVERYWHERE,
        sources=("Entra workload-identity-federation-considerations",),
        types=(arm.FEDERATED_CREDENTIAL,),
        check=_one_for_each_subject,
    ),
)
