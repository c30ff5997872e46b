"""A prod environment with every kind of resource, written by hand, in which no rule is broken."""

from __future__ import annotations

import copy
import dataclasses

from policy_parts import GROUP_ID, id_of, resource
from policy_world_core import core
from policy_world_options import options
from policy_world_workspace import machine_learning, network

from amlplatform.policies import arm
from amlplatform.policies.rule import Resource
from amlplatform.policies.rules.data_protection import LOCKED
from amlplatform.policies.rules.monitoring import OBSERVED

_REACHED_BY_ENDPOINT = (
    arm.ML_WORKSPACE,
    arm.ML_REGISTRY,
    arm.AI_SERVICES,
    arm.SYNAPSE,
    arm.DATABRICKS,
    arm.DATA_FACTORY,
    arm.EVENT_HUBS,
)


def world() -> dict[str, Resource]:
    """Every resource by name. A new copy on each call."""
    made = [*core(), *machine_learning(), *options()]
    made += network([one for one in made if one.arm_type in _REACHED_BY_ENDPOINT])
    made += _around(made)
    group = next(one for one in made if one.arm_type == arm.GROUP)
    made[made.index(group)] = dataclasses.replace(group, arm_id=GROUP_ID)
    return {one.name: one for one in made}


def _around(made: list[Resource]) -> list[Resource]:
    """Diagnostic settings and locks."""
    logs = [{"categoryGroup": "allLogs", "enabled": True}]
    body = {"properties": {"workspaceId": id_of(arm.LOG_ANALYTICS, "log"), "logs": logs}}
    lock = {"properties": {"level": "CanNotDelete"}}
    return [
        *(
            resource(f"{one.name}-logs", arm.DIAGNOSTICS, copy.deepcopy(body), scope=one.arm_id, tags=False)
            for one in made
            if one.arm_type in OBSERVED
        ),
        *(
            resource(f"{one.name}-lock", arm.LOCK, copy.deepcopy(lock), scope=one.arm_id, tags=False)
            for one in made
            if one.arm_type in LOCKED
        ),
    ]
