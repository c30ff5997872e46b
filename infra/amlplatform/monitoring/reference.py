"""The tables of docs/monitoring.md, made from the tables that the program builds from."""

from __future__ import annotations

from collections.abc import Iterable

from amlplatform.monitoring.alert_rules import METRIC_RULES, QUERY_RULES, MetricRule, QueryRule
from amlplatform.monitoring.log_settings import LOG_SETTINGS, LogSettings
from amlplatform.phrases import text
from amlplatform.profiles import ENVIRONMENT_PROFILES

_COMPARISONS = {"GreaterThan": "more than", "GreaterThanOrEqual": "at least", "LessThan": "less than"}


def alerts() -> str:
    """Every rule: when it speaks up, how severe that is in each environment, what to do."""
    head = ["rule", "what happened", "when", *(f"severity in {name}" for name in ENVIRONMENT_PROFILES), "what to do"]
    return _table(
        head,
        (
            [
                f"`{rule.key}`",
                f"**{rule.title}.** {rule.meaning}",
                _condition(rule),
                *(str(rule.severity_in(profile)) for profile in ENVIRONMENT_PROFILES.values()),
                rule.action,
            ]
            for rule in (*METRIC_RULES, *QUERY_RULES)
        ),
    )


def timing() -> str:
    """What the profiles decide about alerts and logs."""
    profiles = ENVIRONMENT_PROFILES.values()
    rows: dict[str, list[str]] = {
        "rules look every": [text(profile.alert_frequency) for profile in profiles],
        "at the last": [text(profile.alert_window) for profile in profiles],
        "at the last, for what is no fault while it is short": [
            text(profile.alert_sustained_window) for profile in profiles
        ],
        "an online endpoint is slow from, milliseconds": [str(profile.endpoint_latency_limit) for profile in profiles],
        "logs are kept, days": [str(profile.log_retention) for profile in profiles],
        "daily cap of logs, GB": [str(profile.log_daily_cap_gb or "none") for profile in profiles],
        "each read of a blob or file is logged": ["yes" if one.log_storage_reads else "no" for one in profiles],
        "what holds data is locked": ["yes" if profile.locks else "no" for profile in profiles],
    }
    return _table(["", *ENVIRONMENT_PROFILES], ([words, *values] for words, values in rows.items()))


def logs() -> str:
    """What each kind of resource sends."""
    return _table(
        ["kind of resource", "logs", "metrics", "why so"],
        (
            [f"`{arm_type}`", _logs(settings), "all" if settings.metrics else "-", settings.note]
            for arm_type, settings in LOG_SETTINGS.items()
        ),
    )


def _condition(rule: MetricRule | QueryRule) -> str:
    limit = {"max_nodes": "`max_nodes` of the request", "latency": "the limit of the environment"}.get(
        rule.limit, f"{rule.threshold:g}"
    )
    long = ", for the longer time" if rule.sustained else ""
    if isinstance(rule, MetricRule):
        kind = rule.arm_type.rpartition("/")[2]
        return f"{kind}: `{rule.metric}`, {rule.aggregation.lower()}, {_COMPARISONS[rule.operator]} {limit}{long}"
    table = rule.query.partition("\n")[0]
    counted = f"`{rule.measure}`" if rule.measure else "lines"
    return f"`{table}`: {counted} more than {limit}{long}"


def _logs(settings: LogSettings) -> str:
    if not settings.logs:
        return "-"
    named = ", ".join(f"`{one}`" for one in settings.categories) or "all"
    without = ", ".join(f"`{one}`" for one in settings.without_reads)
    return f"{named}; without reads: {without}" if without else named


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
