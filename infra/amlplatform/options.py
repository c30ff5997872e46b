"""The options: for each key of `environments.NAME.options` the component that makes it. Imported only when asked for.

A component takes `(name, context, asked, opts)`: the context of the environment, and its part of the request. It makes
its resources, adds what others hang on to `context.parts`, its identities to `context.principals`, its resources to
`context.scopes`, and gives its roles with `context.assign_of`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import pulumi

from amlplatform.components.context import Context


@dataclass(frozen=True)
class Option:
    """One option. `before_workspace`: the workspace's managed network needs to know its resources."""

    name: str
    component: str
    before_workspace: bool = False


OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option("ai_services", "ai_services.AiServices", before_workspace=True),
        Option("sql", "sql.Sql", before_workspace=True),
        Option("streaming", "streaming.Streaming", before_workspace=True),
        Option("kubernetes", "kubernetes.Kubernetes"),
        Option("databricks", "databricks.Databricks"),
        Option("synapse", "synapse.Synapse"),
        Option("data_factory", "data_factory.DataFactory"),
        Option("scheduled_start", "scheduled_start.ScheduledStart"),
    )
}
_PACKAGE = "amlplatform.components.options"


def build(context: Context, *, before_workspace: bool, opts: pulumi.ResourceOptions) -> dict[str, Any]:
    """Make the options that are asked for and belong before (or after) the workspace. By name of the option."""
    built: dict[str, Any] = {}
    for option in OPTIONS.values():
        asked = getattr(context.asked.options, option.name)
        if asked is None or option.before_workspace != before_workspace:
            continue
        module, _, component = option.component.partition(".")
        make = getattr(importlib.import_module(f"{_PACKAGE}.{module}"), component)
        built[option.name] = make(option.name.replace("_", "-"), context, asked, opts)
    return built
