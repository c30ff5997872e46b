"""All rules, in the order in which people read them."""

from __future__ import annotations

from amlplatform.policies.rule import Rule
from amlplatform.policies.rules import (
    access,
    ai,
    analytics,
    compute,
    data_protection,
    federation,
    governance,
    keyvault,
    kubernetes,
    monitoring,
    network,
    reachability,
    registry,
    sql,
    storage,
    streaming,
    workspace,
)

RULES: tuple[Rule, ...] = (
    *access.RULES,
    *federation.RULES,
    *network.RULES,
    *reachability.RULES,
    *storage.RULES,
    *keyvault.RULES,
    *registry.RULES,
    *workspace.RULES,
    *compute.RULES,
    *monitoring.RULES,
    *data_protection.RULES,
    *governance.RULES,
    *kubernetes.RULES,
    *ai.RULES,
    *sql.RULES,
    *analytics.RULES,
    *streaming.RULES,
)
