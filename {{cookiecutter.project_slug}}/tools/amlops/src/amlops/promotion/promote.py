"""`amlops model promote`: gate, copy, record, champion."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlops.errors import AmlopsError, UserError
from amlops.promotion import copy, evidence, record, stages
from amlops.promotion.gate import Gate
from amlops.promotion.origin import Origin
from amlops.workspace import Workspace


class GateNotPassed(AmlopsError):
    """A rule of the gate does not hold. `record` is what the command prints."""

    exit_code = 3

    def __init__(self, message: str, record: dict[str, Any]) -> None:
        self.record = record
        super().__init__(message)


def promote(
    source: Origin,
    target: Workspace,
    name: str,
    version: str,
    gate: Gate,
    *,
    reason: str = "",
    dry_run: bool = False,
) -> dict[str, Any]:
    """Bring a version to another environment and make it the champion there; returns the record.

    A version that is there already with the same content is not copied again, and keeps its first record.

    Args:
        dry_run: judge and compare, and change nothing.

    Raises:
        UserError: there is no such version, it cannot be checked, or other content is there under its number.
        GateNotPassed: a rule of the gate does not hold; nothing has been changed.
    """
    reason = record.checked_reason(reason)
    now = datetime.now(UTC)
    model = source.show(name, version)
    digest = copy.recorded_hash(model)
    champion = stages.of(target.models, name, stages.CHAMPION)
    findings = evidence.judge(gate, model, None if champion and champion.version == model.version else champion, now)
    result: dict[str, Any] = {
        "name": name,
        "version": model.version,
        "hash": digest,
        "from": source.environment,
        "to": target.environment.name,
        "gate": [finding.as_record() for finding in findings],
        "passed": all(finding.passed for finding in findings),
        "champion_before": champion.version if champion else None,
    }
    failed = [f"{one.what} is {one.value}, must be {one.rule}" for one in findings if not one.passed]
    if failed:
        raise GateNotPassed(f"{model.reference} does not pass {gate.file.name}: {'; '.join(failed)}", result)
    there = copy.present(target, model)
    if dry_run:
        return {**result, "copied": False, "dry_run": True}
    if there is None:
        made = copy.copied(source, target, model, record.properties(model, source, findings, reason, now))
    else:
        made = there
        # An upload that was cut off leaves a version whose files are not there.
        with tempfile.TemporaryDirectory(prefix="amlops-", ignore_cleanup_errors=True) as temporary:
            copy.check(target, made, digest, Path(temporary))
    stages.crown(target.models, made)
    return {**result, "copied": there is None, "dry_run": False, "promotion": record.kept(made)}


def check_environments(source: str, target: str) -> None:
    """Raise UserError when a model would go nowhere."""
    if source == target:
        raise UserError(f"--to: '{target}' is where the model is; give another environment, for example --to prod")
