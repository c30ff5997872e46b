"""What the options and everything that hangs on finished resources are told: the environment as it is being built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pulumi

from amlplatform.components.access import Access
from amlplatform.components.identity import Identities
from amlplatform.components.settings import Settings
from amlplatform.components.workspace import Workspace, WorkspaceParts
from amlplatform.request import Environment as EnvironmentRequest
from amlplatform.request import Request
from amlplatform.roles import Grant


@dataclass(frozen=True)
class Part:
    """A resource that others hang on: private endpoints, diagnostic settings, locks, alerts.

    `name`: short, unique in the environment, for the names of what hangs on it. `endpoints`: sub-resources of private
    link (`groupIds`) that get a private endpoint where the network profile is closed. `outbound`: those that jobs in a
    managed network need, which become outbound rules of the workspace. `diagnostics`: "" for the resource itself, or
    the child whose settings count, for example "/blobServices/default". `holds_data`: gets a lock of its own where the
    profile says so.
    """

    name: str
    resource: pulumi.CustomResource
    endpoints: tuple[str, ...] = ()
    outbound: tuple[str, ...] = ()
    diagnostics: tuple[str, ...] = ()
    holds_data: bool = False


@dataclass
class Context:
    """One environment while it is built. `workspace` is None for options that come before it."""

    settings: Settings
    request: Request
    asked: EnvironmentRequest
    resource_group: pulumi.Input[str]
    resource_group_id: pulumi.Input[str]
    subscription_id: pulumi.Input[str]
    tenant_id: pulumi.Input[str]
    identities: Identities
    core: WorkspaceParts
    rows: tuple[Grant, ...]
    """Every role that holds in this environment: see `amlplatform.roles`."""
    principals: dict[str, pulumi.Input[str]] = field(default_factory=dict)
    """Object ids, by principal of the table of roles."""
    scopes: dict[str, pulumi.Input[str]] = field(default_factory=dict)
    """ARM ids, by scope of the table of roles."""
    parts: list[Part] = field(default_factory=list)
    workspace: Workspace | None = None
    outputs: dict[str, pulumi.Input[object]] = field(default_factory=dict)
    """What options add to the stack's outputs. No secrets."""
    given: set[Grant] = field(default_factory=set)
    hanging: list[pulumi.Resource] = field(default_factory=list)
    """What hangs on parts (roles, diagnostic settings, private endpoints): locks are made after it and go before it,
    because a locked resource lets nothing below it go."""

    def assign(self, name: str, rows: Iterable[Grant], opts: pulumi.ResourceOptions) -> Access:
        """Give these roles, whose principals and scopes must be known by now. A principal that nobody named is left
        out (a group whose id is still empty)."""
        chosen = [row for row in rows if row not in self.given and row.principal in self.principals]
        self.given |= set(chosen)
        access = Access(
            name,
            grants=chosen,
            principals=self.principals,
            scopes=self.scopes,
            subscription_id=self.subscription_id,
            opts=opts,
        )
        self.hanging.append(access)
        return access

    def assign_of(self, condition: str, name: str, opts: pulumi.ResourceOptions) -> Access:
        """Give the roles that hold under one condition, for example `roles.option("sql")`."""
        return self.assign(name, [row for row in self.rows if row.when == condition], opts)
