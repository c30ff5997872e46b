"""Schedules and compute targets.

Facts: Azure ML, schedule YAML reference and "schedule pipeline jobs": NCrontab expressions with five fields, days and
months ignored; time zones by their Windows names (azure-ai-ml 1.35.2, TimeZone); only pipeline jobs can be scheduled;
times are text (TriggerSchema).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches

from amlops import references
from amlops.errors import UserError
from amlops.scheduling import cron
from amlops.scheduling.timezones import TIME_ZONES
from amlops.validate.checks.files import is_local, local_path, missing_path
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import YamlFile

_EXAMPLE = "for example '15 * * * *', every hour at quarter past"


def schedule_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of a schedule."""
    expression = document.get("trigger", "expression")
    if isinstance(expression, str):
        yield from _cron_faults(document, expression)
    for key in ("start_time", "end_time"):
        value = document.get("trigger", key)
        if isinstance(value, date):
            text = f"YAML makes a date of {value.isoformat()}, which `az ml` refuses"
            yield fault_at(document, "time-quotes", text, f"write '{value.isoformat()}', with quotes", "trigger", key)
    zone = document.get("trigger", "time_zone")
    if isinstance(zone, str) and zone not in TIME_ZONES:
        near = get_close_matches(zone, TIME_ZONES, n=1)
        fix = (
            f"did you mean '{near[0]}'?"
            if near
            else "Azure ML takes Windows names, for example 'W. Europe Standard Time'"
        )
        yield fault_at(document, "time-zone", f"'{zone}' is not a time zone", fix, "trigger", "time_zone")
    yield from _job_faults(document, context)


def _job_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    keys = ("create_job", "job") if isinstance(document.get("create_job"), dict) else ("create_job",)
    job = document.get(*keys)
    if references.is_reference(job) or not is_local(job):
        return
    missing = list(missing_path(document, "the pipeline job's file", *keys, folder=False))
    yield from missing
    if missing:
        return
    try:
        kind = context.load(local_path(document, job)).get("type")
    except UserError as error:
        yield fault_at(document, "yaml", f"'{job}' cannot be read: {error.message}", "correct that file", *keys)
        return
    if kind != "pipeline":
        yield fault_at(
            document, "not-allowed", f"'{job}' is a {kind} job", "only pipeline jobs can be scheduled", *keys
        )


def _cron_faults(document: YamlFile, expression: str) -> Iterator[Fault]:
    keys = ("trigger", "expression")
    fields = cron.fields(expression)
    if len(fields) != len(cron.FIELDS):
        text = f"'{expression}' has {len(fields)} fields, not 5"
        yield fault_at(document, "cron", text, _EXAMPLE, *keys)
        return
    named = list(zip(fields, cron.FIELDS, strict=True))
    for field, (name, low, high) in named:
        if cron.values(field, name, low, high) is None:
            yield fault_at(document, "cron", f"'{field}' is not a value for {name} ({low} to {high})", _EXAMPLE, *keys)
            return
    ignored = [name for field, (name, *_) in named if name in cron.IGNORED and field != "*"]
    if ignored:
        text = f"Azure ML ignores the {' and '.join(ignored)} of '{expression}'"
        yield fault_at(document, "cron-days", text, "write '*', and choose days with week days or a recurrence", *keys)


def cluster_faults(document: YamlFile) -> Iterator[Fault]:
    """Faults of a compute cluster."""
    low, high = document.get("min_instances"), document.get("max_instances")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        text = f"'{low}' is above max_instances, {high}"
        yield fault_at(document, "instances", text, "for example 0", "min_instances")
    elif isinstance(low, int) and low > 0:
        yield fault_at(document, "always-on", f"'{low}' nodes run when there is no job", "write 0", "min_instances")
