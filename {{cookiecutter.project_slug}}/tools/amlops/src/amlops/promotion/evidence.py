"""What a gate says of a model. Only its properties count: Azure never changes them, and anyone may change a tag."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from amlops.entities import Model
from amlops.promotion.gate import Gate

_OPERATORS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
_SECONDS_A_DAY = 86400


@dataclass(frozen=True)
class Finding:
    """One rule of the gate: the model's value (None: the model has none), the rule in words, and whether it holds."""

    what: str
    value: float | None
    rule: str
    passed: bool

    def as_record(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


def judge(gate: Gate, model: Model, champion: Model | None, now: datetime) -> list[Finding]:
    """Every rule of the gate, also after one that does not hold.

    Args:
        champion: the model that the target serves now; None: there is none, and a margin holds.
    """
    findings = [
        _compared(one.metric, _number(model.properties, one.metric), one.comparison, one.threshold)
        for one in gate.conditions
    ]
    if gate.rows_property:
        rows = _number(model.properties, gate.rows_property)
        findings.append(_compared(gate.rows_property, rows, ">=", gate.rows))
    findings += [_against(gate, metric, model, champion) for metric in gate.margin]
    if gate.max_age_days is not None:
        findings.append(_compared("age_days", _age_days(model.created_at, now), "<=", gate.max_age_days))
    return findings


def _compared(what: str, value: float | None, comparison: str, threshold: float, note: str = "") -> Finding:
    passed = value is not None and _OPERATORS[comparison](value, threshold)
    return Finding(what, value, f"{comparison} {threshold:g}{note}", passed)


def _against(gate: Gate, metric: str, model: Model, champion: Model | None) -> Finding:
    value, margin = _number(model.properties, metric), gate.margin[metric]
    if champion is None:
        return Finding(metric, value, "there is no champion to compare with", True)
    theirs = _number(champion.properties, metric)
    if theirs is None:
        return Finding(metric, value, f"champion {champion.version} has no {metric} to compare with", False)
    note = f" (champion {champion.version} {theirs:g}, margin {margin:g})"
    if gate.more_is_better(metric):
        return _compared(metric, value, ">=", theirs + margin, note)
    return _compared(metric, value, "<=", theirs - margin, note)


def _number(properties: Mapping[str, str], name: str) -> float | None:
    """A property as a number; None where there is none, or no finite one."""
    try:
        value = float(properties[name])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _age_days(created_at: str, now: datetime) -> float | None:
    try:
        made = datetime.fromisoformat(created_at)
    except ValueError:
        return None
    return (now - (made if made.tzinfo else made.replace(tzinfo=UTC))).total_seconds() / _SECONDS_A_DAY
