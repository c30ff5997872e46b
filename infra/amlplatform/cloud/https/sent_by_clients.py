"""What Microsoft's clients send beyond the API version of our types, or in other letters: put right on arrival.

Seen with azure-ai-ml 1.35.2. Azure compares the words of an enumeration without regard to case.
"""

from __future__ import annotations

from typing import Any

from amlplatform.armtypes.catalogue import ResourceType

_ML = "Microsoft.MachineLearningServices/workspaces"
# Taken, and not kept; at `properties.properties` of a compute.
_COMPUTE = ("enableOSPatching", "enableRootAccess", "releaseQuotaOnStop")
_LOGGING_LEVELS = {"info": "Info", "warning": "Warning", "debug": "Debug"}
_AUTH_MODES = {"aadtoken": "AADToken", "amltoken": "AMLToken", "key": "Key"}


def put_right(kind: ResourceType, body: dict[str, Any]) -> None:
    """Change `body` in place to what our types know."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        return
    if kind.arm_type == f"{_ML}/computes" and isinstance(properties.get("properties"), dict):
        for name in _COMPUTE:
            properties["properties"].pop(name, None)
    if kind.arm_type in (f"{_ML}/batchEndpoints", f"{_ML}/onlineEndpoints"):
        mode = properties.get("authMode")
        if isinstance(mode, str):
            properties["authMode"] = _AUTH_MODES.get(mode.lower(), mode)
    if kind.arm_type == f"{_ML}/batchEndpoints/deployments":
        level = properties.get("loggingLevel")
        if isinstance(level, str):
            properties["loggingLevel"] = _LOGGING_LEVELS.get(level.lower(), level)
    if kind.arm_type == f"{_ML}/schedules" and isinstance(properties.get("trigger"), dict):
        _put_trigger_right(properties["trigger"])
    if kind.arm_type == f"{_ML}/codes/versions" and isinstance(properties.get("properties"), dict):
        # The client sends the version of its hash as a number; Azure keeps properties as text.
        kept = properties["properties"]
        properties["properties"] = {key: str(value) if type(value) is int else value for key, value in kept.items()}


def _put_trigger_right(trigger: dict[str, Any]) -> None:
    """`day` is Day, `monday` is Monday."""
    if isinstance(trigger.get("frequency"), str):
        trigger["frequency"] = trigger["frequency"].capitalize()
    pattern = trigger.get("schedule")
    if isinstance(pattern, dict) and isinstance(pattern.get("weekDays"), list):
        pattern["weekDays"] = [str(day).capitalize() for day in pattern["weekDays"]]
