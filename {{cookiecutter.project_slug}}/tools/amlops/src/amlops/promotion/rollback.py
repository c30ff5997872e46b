"""`amlops model rollback`: the champion before the present one is the champion again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from amlops.entities import Model
from amlops.errors import UserError
from amlops.promotion import record, stages
from amlops.workspace import Workspace

_KEPT = "rollback."


def rollback(workspace: Workspace, name: str, *, reason: str = "") -> dict[str, Any]:
    """Put the previous champion back, and the default of the batch endpoints that serve the present one.

    An endpoint is changed only where it has a deployment with the earlier version. The record is kept as tags of the
    version that is taken back: its properties cannot change any more.

    Raises:
        UserError: there is nothing to go back to; nothing has been changed.
    """
    reason = record.checked_reason(reason)
    models = workspace.models
    champion, previous = stages.of(models, name, stages.CHAMPION), stages.of(models, name, stages.PREVIOUS)
    if previous is None:
        raise UserError(
            f"--name: '{name}' has no champion before the present one in '{workspace.environment.name}', so there is "
            "nothing to go back to; promote a version, for example amlops model promote --name NAME --version 3 --from "
            "dev --to prod"
        )
    switches = _switches(workspace, champion, previous)
    for endpoint, deployment in switches.items():
        workspace.batch_endpoints.update(endpoint, sets=[f"defaults.deployment_name={deployment}"])
    values = {"by": record.who(), "run": record.run_address(), "reason": reason}
    values |= {"at": datetime.now(UTC).isoformat(timespec="seconds"), "to": previous.version}
    if champion:
        tags = {_KEPT + key: value[: record.LONGEST] for key, value in values.items() if value}
        models.update(name, champion.version, tags={stages.STAGE: stages.ROLLED_BACK, **tags})
    models.update(name, previous.version, tags={stages.STAGE: stages.CHAMPION})
    return {
        "name": name,
        "env": workspace.environment.name,
        "from_version": champion.version if champion else None,
        "to_version": previous.version,
        "endpoints": switches,
        "rollback": {key: value for key, value in values.items() if value},
    }


def _switches(workspace: Workspace, champion: Model | None, previous: Model) -> dict[str, str]:
    """The deployment to make the default, by endpoint."""
    result: dict[str, str] = {}
    if champion is None:
        return result
    for endpoint in workspace.batch_endpoints.list():
        name = str(endpoint["name"])
        deployments = workspace.batch_deployments.list(name)
        default = (endpoint.get("defaults") or {}).get("deployment_name")
        served = next((one for one in deployments if one["name"] == default), None)
        if served is None or not _serves(served.get("model"), champion):
            continue
        earlier = next((one for one in deployments if _serves(one.get("model"), previous)), None)
        if earlier:
            result[name] = str(earlier["name"])
    return result


def _serves(reference: object, model: Model) -> bool:
    """Whether a deployment's model is this version: `azureml:NAME:VERSION`, or its ARM id in Azure."""
    text = str(reference or "")
    return text == model.reference or text.endswith(f"/models/{model.name}/versions/{model.version}")
