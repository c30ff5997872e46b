"""AI services: Entra identities only."""

from __future__ import annotations

from amlplatform.policies import arm
from amlplatform.policies.checks import each, equals, given
from amlplatform.policies.rule import EVERYWHERE, ResourceRule, Rule

RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="ai-services-no-keys",
        protects="Who calls a model does so with an identity: no key that anybody may copy",
        remedy="set disableLocalAuth to true, and customSubDomainName, which Entra logins and private endpoints need",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_236",
            "PSRule Azure.AI.DisableLocalAuth",
        ),
        types=(arm.AI_SERVICES,),
        check=each(equals("properties.disableLocalAuth", True), given("properties.customSubDomainName")),
    ),
    ResourceRule(
        name="ai-services-act-by-identity",
        protects="The account reads data of others with an identity of its own",
        remedy="set a managed identity",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_238",
            "PSRule Azure.AI.ManagedIdentity",
        ),
        types=(arm.AI_SERVICES,),
        check=equals("identity.type", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned"),
    ),
    ResourceRule(
        name="ai-services-contained",
        protects="The account sends no data to hosts that nobody named, and is for one project: no others in it",
        remedy="set restrictOutboundNetworkAccess to true, allowProjectManagement to false",
        severity=EVERYWHERE,
        sources=("CKV_AZURE_247",),
        types=(arm.AI_SERVICES,),
        check=each(
            equals("properties.restrictOutboundNetworkAccess", True), equals("properties.allowProjectManagement", False)
        ),
    ),
)
