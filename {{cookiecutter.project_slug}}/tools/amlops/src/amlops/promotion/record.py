"""Who promoted what, when and why: properties of the version in the target.

They are the one place: they lie beside the model, whoever sees the model sees them, and Azure never changes a property.
Every value is one short text, so that none is near a limit of Azure.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from datetime import datetime

from amlops.entities import Model
from amlops.errors import UserError
from amlops.promotion.evidence import Finding
from amlops.promotion.origin import Origin, job_of

PREFIX = "promotion."
LONGEST = 250
"""Characters of a reason; tags and values of Azure resources end at 256 (learn.microsoft.com, "Use tags")."""


def who() -> str:
    """Who calls: the person behind the CI run, else the user of this machine. Azure keeps its own `createdBy` too."""
    in_ci = os.environ.get("GITHUB_ACTOR") or os.environ.get("BUILD_REQUESTEDFOR")
    try:
        return in_ci or getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return "unknown"


def run_address() -> str:
    """The address of the CI run; empty outside CI."""
    value = os.environ.get
    if value("GITHUB_RUN_ID"):
        return f"{value('GITHUB_SERVER_URL')}/{value('GITHUB_REPOSITORY')}/actions/runs/{value('GITHUB_RUN_ID')}"
    if value("BUILD_BUILDID"):
        place = f"{value('SYSTEM_COLLECTIONURI', '')}{value('SYSTEM_TEAMPROJECT', '')}".replace(" ", "%20")
        return f"{place}/_build/results?buildId={value('BUILD_BUILDID')}"
    return ""


def checked_reason(reason: str) -> str:
    """The reason on one line. Raises UserError when it is too long."""
    text = " ".join(reason.split())
    if len(text) > LONGEST:
        raise UserError(f"--reason: has {len(text)} characters, at most {LONGEST}; for example --reason 'ticket 42'")
    return text


def properties(model: Model, source: Origin, findings: Sequence[Finding], reason: str, now: datetime) -> dict[str, str]:
    """What is kept with the version in the target."""
    values = {
        "by": who(),
        "run": run_address(),
        "at": now.isoformat(timespec="seconds"),
        "from": source.environment,
        "from_workspace": source.workspace,
        "reason": reason,
        "commit": source.commit(model),
        "job": job_of(model),
    }
    for number, finding in enumerate(findings, start=1):
        values[f"gate.{number}"] = f"{finding.what} {finding.value} {finding.rule}"
    return {PREFIX + key: value[:LONGEST] for key, value in values.items() if value}


def kept(model: Model) -> dict[str, str]:
    """The record of a version that was promoted; empty for one that was not."""
    return {key.removeprefix(PREFIX): value for key, value in model.properties.items() if key.startswith(PREFIX)}
