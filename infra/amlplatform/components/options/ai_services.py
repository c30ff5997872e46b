"""AI services: an account of the project's own, used with Entra identities only."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import cognitiveservices

from amlplatform import endpoints, roles
from amlplatform.components.context import Context, Part
from amlplatform.request.options import AiServices as Asked

_NAME = "ai_services"


class AiServices(pulumi.ComponentResource):
    """One account. Models are deployed into it by the project."""

    account: cognitiveservices.Account

    def __init__(self, name: str, context: Context, asked: Asked, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amlplatform:ai_services:AiServices", name, None, opts)
        settings, network = context.settings, context.settings.network
        azure_name = settings.names.ai_services
        self.account = cognitiveservices.Account(
            "ai-services",
            account_name=azure_name,
            resource_group_name=context.resource_group,
            location=settings.location,
            kind=asked.kind,
            sku=cognitiveservices.SkuArgs(name="S0"),
            identity=cognitiveservices.IdentityArgs(type=cognitiveservices.ResourceIdentityType.SYSTEM_ASSIGNED),
            properties=cognitiveservices.AccountPropertiesArgs(
                # Entra tokens and private endpoints need a name of its own.
                custom_sub_domain_name=azure_name,
                disable_local_auth=True,
                public_network_access=network.public_network_access,
                network_acls=cognitiveservices.NetworkRuleSetArgs(
                    default_action=network.firewall_default_action, ip_rules=[], virtual_network_rules=[]
                ),
                # Models must not fetch what a prompt asks them to, from wherever it likes.
                restrict_outbound_network_access=True,
                allowed_fqdn_list=[],
                allow_project_management=False,
            ),
            tags=settings.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        context.scopes[_NAME] = self.account.id
        ways = endpoints.OPTIONS[_NAME]
        context.parts.append(
            Part(
                "ai-services",
                self.account,
                endpoints=ways.inbound,
                outbound=ways.outbound,
                diagnostics=("",),
            )
        )
        context.assign_of(roles.option(_NAME), "ai-services-access", pulumi.ResourceOptions(parent=self))
        self.register_outputs({"name": self.account.name})
