"""How an environment is taken down so that it can be made again under the same names, step by step.

Azure keeps what was deleted for a while, and its names with it. Each step is a command that a person runs; where
something is protected, steps that lift the protection come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from amlplatform.plan import Plan, PlannedResource

_SUBSCRIPTION = "$ARM_SUBSCRIPTION_ID"
_MANAGEMENT = "https://management.azure.com"


@dataclass(frozen=True)
class Step:
    """One step: what it is for, the command, and what to know. A step without a command is something to decide."""

    title: str
    command: str
    why: str


def steps(plan: Plan) -> list[Step]:
    """The steps for one environment, in their order."""
    stack = plan.request.names(plan.environment).stack
    protected = [resource for resource in plan.resources if resource.protect]
    return [
        *(_before(plan, stack) if protected else []),
        *(_unlocked(plan)),
        *(_purged_by_deleting(plan)),
        Step(
            "See what is gone already",
            f"pulumi refresh --stack {stack} --yes",
            "what the steps before deleted leaves the state; nothing else is changed",
        ),
        Step("Delete everything else", f"pulumi destroy --stack {stack} --yes", "what is left, in the right order"),
        *(_purged_afterwards(plan)),
        Step("Forget the stack", f"pulumi stack rm {stack} --yes", "leave this out to make the environment again"),
        *(_after(plan, stack) if protected else []),
    ]


def blocked_names(plan: Plan) -> list[str]:
    """One line for each name that stays taken, and for how long."""
    return [
        f"{resource.azure_name}: {_days(resource)} days after its deletion, because purge protection is on"
        for resource in plan.resources
        if _purge_protected(resource)
    ]


def _before(plan: Plan, stack: str) -> Iterator[Step]:
    yield Step(
        "Write down who decided this, and why",
        "",
        "the record goes into the live project, beside the request",
    )
    yield Step(
        "Keep the state as it was",
        f"pulumi stack export --stack {stack} --file {stack}.state.json",
        "secrets in it stay encrypted; it is the list of what there was",
    )
    yield from _copies(plan)
    yield Step(
        "Lift Pulumi's protection",
        f"pulumi state unprotect --all --stack {stack} --yes",
        "from here on destroy deletes data",
    )


def _copies(plan: Plan) -> Iterator[Step]:
    """One step for each place with data. What is central stays with its owner."""
    names, asked = plan.request.names(plan.environment), plan.request.environments[plan.environment]
    note = "if it is still needed, with a role for the person who copies; after the next steps it is gone"
    if not asked.central.lake.account:
        for container in ("raw", "curated", "output"):
            command = f"azcopy copy https://{names.lake_account}.blob.core.windows.net/{container} ./lake --recursive"
            yield Step(f"Copy out the lake's {container}", command, note)
    account = names.storage_account
    command = f"azcopy copy https://{account}.blob.core.windows.net/ ./{account} --recursive"
    yield Step("Copy out models, code and outputs of jobs", command, note)
    if asked.options.sql is not None:
        command = (
            f"sqlpackage /Action:Export /SourceServerName:{names.sql_server}.database.windows.net "
            f"/SourceDatabaseName:{names.sql_database} /UniversalAuthentication:True /TargetFile:database.bacpac"
        )
        yield Step("Copy out the database", command, note)


def _after(plan: Plan, stack: str) -> Iterator[Step]:
    product, environment = plan.request.product, plan.environment
    yield Step(
        "Take back what the bootstrap stack made",
        f"pulumi up --stack bootstrap-{environment}",
        f"after taking {product} out of bootstrap/{environment}.yaml; a person with rights does it",
    )
    yield Step(
        "Take the files out of the live project",
        f"git rm stacks/Pulumi.{stack}.yaml",
        f"and {environment} out of requests/{product}.yaml, or the whole request with its last environment",
    )


def _unlocked(plan: Plan) -> Iterator[Step]:
    locks = [resource for resource in plan.resources if resource.arm_type == "Microsoft.Authorization/locks"]
    if locks:
        ids = " ".join(f'"{_real(lock.arm_id)}"' for lock in locks)
        yield Step("Delete the locks", f"az lock delete --ids {ids}", "Azure refuses to delete what is locked")


def _purged_by_deleting(plan: Plan) -> Iterator[Step]:
    """What can be deleted for good in one go, while it is still there."""
    for resource in plan.resources:
        if resource.arm_type == "Microsoft.MachineLearningServices/workspaces":
            # learn.microsoft.com/azure/machine-learning/concept-soft-delete: 14 days, and the name with it.
            address = f"{_MANAGEMENT}{_real(resource.arm_id)}?api-version={resource.api_version}&forceToPurge=true"
            yield Step(
                f"Delete the workspace {resource.azure_name} for good",
                f'az rest --method delete --url "{address}"',
                "Azure would keep it for 14 days and its name with it; its models and runs are gone",
            )
        if resource.arm_type == "Microsoft.OperationalInsights/workspaces":
            group = plan.request.names(plan.environment).resource_group
            yield Step(
                f"Delete the logs in {resource.azure_name} for good",
                f"az monitor log-analytics workspace delete --resource-group {group} "
                f"--workspace-name {resource.azure_name} --force true --yes",
                "otherwise the next workspace of this name brings the old logs back",
            )


def _purged_afterwards(plan: Plan) -> Iterator[Step]:
    """What Azure keeps after its deletion and gives up on request."""
    region = plan.request.region
    for resource in plan.resources:
        if resource.arm_type == "Microsoft.KeyVault/vaults" and not _purge_protected(resource):
            yield Step(
                f"Purge the key vault {resource.azure_name}",
                f"az keyvault purge --name {resource.azure_name} --location {region}",
                f"Azure keeps it and its name for {_days(resource)} days otherwise",
            )
        if resource.arm_type == "Microsoft.CognitiveServices/accounts":
            group = plan.request.names(plan.environment).resource_group
            yield Step(
                f"Purge the AI services account {resource.azure_name}",
                f"az cognitiveservices account purge --name {resource.azure_name} --resource-group {group} "
                f"--location {region}",
                "Azure keeps it and its name for 48 hours otherwise",
            )


def _purge_protected(resource: PlannedResource) -> bool:
    properties = resource.body.get("properties", {})
    return resource.arm_type == "Microsoft.KeyVault/vaults" and bool(properties.get("enablePurgeProtection"))


def _days(resource: PlannedResource) -> int:
    return int(resource.body["properties"]["softDeleteRetentionInDays"])


def _real(arm_id: str) -> str:
    """The id with the subscription of whoever runs the command."""
    return "/".join(["", "subscriptions", _SUBSCRIPTION, *arm_id.split("/")[3:]])


def record(plan: Plan) -> str:
    """A page to fill in while the steps are done, for those who ask later."""
    product, environment = plan.request.product, plan.environment
    lines = [
        f"# {product}, {environment}: taken down",
        "",
        "| | |",
        "| --- | --- |",
        f"| owner | {plan.request.owner.email} |",
        f"| cost centre | {plan.request.cost_centre} |",
        "| decided by | |",
        "| reason | |",
        "| day | |",
        "",
        "| step | command | why | done by, when | result |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {number}. {step.title} | {f'`{step.command}`' if step.command else ''} | {step.why} | | |"
            for number, step in enumerate(steps(plan), start=1)
        ),
    ]
    blocked = blocked_names(plan)
    if blocked:
        lines += ["", "Names that stay taken:", "", *(f"- {line}" for line in blocked)]
    return "\n".join(lines) + "\n"
