"""Role assignments, from the table in `amlplatform.roles`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pulumi
from pulumi_azure_native import authorization

from amlplatform import names
from amlplatform.roles import ROLES, Grant


class Access(pulumi.ComponentResource):
    """One role assignment for each grant."""

    assignments: dict[Grant, authorization.RoleAssignment]

    def __init__(
        self,
        name: str,
        *,
        grants: Iterable[Grant],
        principals: Mapping[str, pulumi.Input[str]],
        scopes: Mapping[str, pulumi.Input[str]],
        subscription_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`principals`: object ids; `scopes`: ARM ids. A grant to a group that is not yet known is left out."""
        super().__init__("amlplatform:access:Access", name, None, opts)
        self.assignments = {
            grant: self._assign(grant, principals[grant.principal], scopes[grant.scope], subscription_id)
            for grant in grants
            if grant.principal in principals
        }
        self.register_outputs({})

    def of(self, principal: str) -> list[pulumi.Resource]:
        """The assignments of one principal, for `depends_on`: what uses an identity is made after its roles."""
        return [assignment for grant, assignment in self.assignments.items() if grant.principal == principal]

    def _assign(
        self,
        grant: Grant,
        principal_id: pulumi.Input[str],
        scope: pulumi.Input[str],
        subscription_id: pulumi.Input[str],
    ) -> authorization.RoleAssignment:
        role_id = ROLES[grant.role].role_id
        assignment_name = pulumi.Output.all(scope, principal_id).apply(
            lambda values: names.role_assignment(values[0], values[1], role_id)
        )
        return authorization.RoleAssignment(
            grant.name,
            role_assignment_name=assignment_name,
            scope=scope,
            principal_id=principal_id,
            principal_type=grant.principal_type,
            role_definition_id=pulumi.Output.concat(
                "/subscriptions/", subscription_id, "/providers/Microsoft.Authorization/roleDefinitions/", role_id
            ),
            description=grant.why,
            # An assignment cannot be changed, and Azure allows only one for the same scope, principal and role.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
