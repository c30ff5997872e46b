"""A Logic App that starts a batch endpoint on a schedule, with an identity of its own and no key."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_azure_native import logic

from amlplatform import roles
from amlplatform.components.context import Context, Part
from amlplatform.components.identity import own_principal
from amlplatform.request.options import ScheduledStart as Asked

_NAME = "scheduled_start"
_SCHEMA = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#"
BATCH_AUDIENCE = "https://ml.azure.com"
"""Whom a token for invoking endpoints is for: learn.microsoft.com, "Authorization on batch endpoints"."""


class ScheduledStart(pulumi.ComponentResource):
    """A workflow of the Consumption plan: it costs nothing while it waits."""

    workflow: logic.Workflow

    def __init__(self, name: str, context: Context, asked: Asked, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amlplatform:scheduled_start:ScheduledStart", name, None, opts)
        settings = context.settings
        endpoint = settings.names.endpoint(asked.batch_endpoint)
        self.workflow = logic.Workflow(
            "logic-app",
            workflow_name=settings.names.logic_app,
            resource_group_name=context.resource_group,
            location=settings.location,
            identity=logic.ManagedServiceIdentityArgs(type=logic.ManagedServiceIdentityType.SYSTEM_ASSIGNED),
            state=(
                logic.WorkflowState.ENABLED if settings.profile.options.schedules_run else logic.WorkflowState.DISABLED
            ),
            # It is started by its schedule alone: nobody calls it, and nobody reads what its runs sent and got.
            access_control=logic.FlowAccessControlConfigurationArgs(triggers=_nobody(), contents=_nobody()),
            definition=definition(
                address=f"https://{endpoint}.{settings.location}.inference.ml.azure.com/jobs",
                folder=f"azureml://datastores/lake_curated/paths/{asked.folder}/",
                hours=asked.every_hours,
            ),
            tags=settings.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        context.principals["logic_app"] = own_principal(self.workflow.identity)
        context.parts.append(Part("logic-app", self.workflow, diagnostics=("",)))
        context.assign_of(roles.option(_NAME), "scheduled-start-access", pulumi.ResourceOptions(parent=self))
        self.register_outputs({"name": self.workflow.name})


def _nobody() -> logic.FlowAccessControlConfigurationPolicyArgs:
    """No address at all: learn.microsoft.com/azure/logic-apps/logic-apps-securing-a-logic-app, "Restrict access by IP
    address range"."""
    nowhere = logic.IpAddressRangeArgs(address_range="0.0.0.0-0.0.0.0")
    return logic.FlowAccessControlConfigurationPolicyArgs(allowed_caller_ip_addresses=[nowhere])


def definition(*, address: str, folder: str, hours: int) -> dict[str, Any]:
    """The workflow: a recurrence, and one call.

    `address`: where the endpoint is invoked; `folder`: the batch's input; `hours`: between two calls.
    """
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "triggers": {"schedule": {"type": "Recurrence", "recurrence": {"frequency": "Hour", "interval": hours}}},
        "actions": {
            "invoke": {
                "type": "Http",
                "runAfter": {},
                "inputs": {
                    "method": "POST",
                    "uri": address,
                    "headers": {"Content-Type": "application/json"},
                    "body": {"properties": {"InputData": {"input": {"JobInputType": "UriFolder", "Uri": folder}}}},
                    "authentication": {"type": "ManagedServiceIdentity", "audience": BATCH_AUDIENCE},
                    # 429 and 5xx, not what the request itself has wrong.
                    "retryPolicy": {"type": "exponential", "count": 4, "interval": "PT30S"},
                },
                "runtimeConfiguration": {"secureData": {"properties": ["inputs", "outputs"]}},
            }
        },
        "outputs": {},
    }
