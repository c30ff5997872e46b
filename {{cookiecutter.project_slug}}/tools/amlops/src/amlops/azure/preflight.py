"""What a job needs of the compute that it names, checked before anything is submitted.

Azure accepts a job for a cluster that can never have its nodes, and leaves it in the queue. So each compute is looked
at: it exists, it is provisioned and runs, the region's quota of Azure ML is enough, it has an identity. All faults are
told in one message.

Facts: quota of Azure ML is separate from that of VMs (learn.microsoft.com, "Manage and increase quotas for Azure ML");
`usages` and `vmSizes` of a region (REST "Usages - List", "Virtual Machine Sizes - List"); a cluster reads data with
its own identity where storage takes no keys (learn.microsoft.com, "Identity-based service authentication").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amlops.azure import records
from amlops.azure.errors import azure_errors
from amlops.bindings import has_expression
from amlops.errors import UserError

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

# Azure's own compute, and the calling machine.
_NO_TARGETS = ("serverless", "local")
_USER_IDENTITY = ("user_identity", "user", "aml_token")
_PLAIN = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True)
class Need:
    """What a job asks of a compute.

    Attributes:
        name: of the compute.
        nodes: most nodes that one step asks for.
        own_identity: a step works under the compute's identity.
    """

    name: str
    nodes: int
    own_identity: bool


def check_computes(azure: AzureContext, job: Mapping[str, Any]) -> None:
    """Check every compute that a job names.

    Args:
        job: what the job's file says, with the environment's names.

    Raises:
        UserError: the faults, all of them in one message; or Azure was not reached.
    """
    faults = [fault for need in needs(job) for fault in _Check(azure, need).faults()]
    if faults:
        raise UserError("; ".join(faults))


def needs(job: Mapping[str, Any]) -> list[Need]:
    """The computes that a job names: its own, the default one, those of its steps."""
    default = job.get("compute") or (job.get("settings") or {}).get("default_compute")
    steps = [step for step in (job.get("jobs") or {}).values() if isinstance(step, Mapping)]
    found: dict[str, Need] = {}
    for step in steps or [job]:
        name = str(step.get("compute") or default or "").removeprefix("azureml:")
        if not name or name in _NO_TARGETS or "/" in name or has_expression(name):
            continue
        nodes = (step.get("resources") or {}).get("instance_count") or 1
        identity = step.get("identity") or job.get("identity") or {}
        kind = str(identity.get("type") if isinstance(identity, Mapping) else "")
        before = found.get(name, Need(name, 1, own_identity=False))
        asked = nodes if isinstance(nodes, int) else 1
        own = before.own_identity or kind not in _USER_IDENTITY
        found[name] = Need(name, max(before.nodes, asked), own)
    return list(found.values())


class _Check:
    """One compute held against what a job needs of it."""

    def __init__(self, azure: AzureContext, need: Need) -> None:
        self._azure = azure
        self._need = need
        self._env = azure.environment.name

    def faults(self) -> Iterator[str]:
        """What is wrong with it, one line each."""
        document = self._document()
        if document is None:
            yield (
                f"compute: there is no '{self._need.name}' in workspace '{self._azure.environment.workspace}' (it has: "
                f"{self._known()}); clusters are made by the platform team from .cloud/request.yaml"
            )
            return
        properties = document.get("properties") or {}
        details = properties.get("properties") or {}
        kind = str(properties.get("computeType") or "").lower()
        yield from self._state(properties, details)
        if kind == "amlcompute":
            yield from self._nodes(details)
            yield from self._quota(details, str(properties.get("computeLocation") or document.get("location") or ""))
            if self._need.own_identity and records.identity_of(document) is None:
                yield (
                    f"compute: '{self._need.name}' has no identity, so its jobs cannot read data; the platform team "
                    "gives clusters their identity"
                )

    def _document(self) -> dict[str, Any] | None:
        with azure_errors(self._azure, f"compute '{self._need.name}'"):
            return self._azure.rest.find(f"computes/{self._need.name}")

    def _known(self) -> str:
        with azure_errors(self._azure, "computes"):
            return ", ".join(entry["name"] for entry in self._azure.rest.workspace_list("computes")) or "none"

    def _state(self, properties: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[str]:
        name, state = self._need.name, str(properties.get("provisioningState") or "")
        if state.lower() in ("creating", "updating"):
            look = f"amlops compute show -n {name} --env {self._env}"
            yield f"compute: '{name}' is {state}; wait until it is Succeeded: {look}"
        elif state.lower() != "succeeded":
            reason = _first_message(properties.get("provisioningErrors"))
            yield f"compute: '{name}' is {state}{f' ({reason})' if reason else ''}; the platform team makes it again"
        if reason := _first_message(details.get("errors")):
            yield f"compute: '{name}' gets no nodes: {reason}"
        power = str(details.get("state") or "")
        if power and power.lower() not in ("running", "jobrunning", "starting"):
            yield f"compute: '{name}' is {power} and cannot be reached; start it: az ml compute start -n {name}"

    def _nodes(self, details: Mapping[str, Any]) -> Iterator[str]:
        most = int((details.get("scaleSettings") or {}).get("maxNodeCount") or 0)
        if self._need.nodes > most:
            yield (
                f"resources.instance_count: {self._need.nodes} nodes, and '{self._need.name}' has at most {most}; "
                "take fewer, or ask for more in .cloud/request.yaml"
            )

    def _quota(self, details: Mapping[str, Any], location: str) -> Iterator[str]:
        """The cores that the job needs more than the cluster has, against what is left of the region's quota."""
        size = str(details.get("vmSize") or "")
        low_priority = str(details.get("vmPriority") or "").lower() == "lowpriority"
        found = self._sizes_and_usages(location)
        machine = next((entry for entry in found[0] if str(entry.get("name")).lower() == size.lower()), None)
        if machine is None:
            return
        cores, family = int(machine.get("vCPUs") or 0), str(machine.get("family") or "")
        usage = next((entry for entry in found[1] if _is_of(entry, family, low_priority=low_priority)), None)
        if usage is None:
            return
        more = max(0, self._need.nodes - int(details.get("currentNodeCount") or 0)) * cores
        left = int(usage.get("limit") or 0) - int(usage.get("currentValue") or 0)
        if more > left:
            yield (
                f"compute: '{self._need.name}' needs {more} cores more of {family} in {location}, and the quota of "
                f"Azure ML has {max(0, left)} of {usage.get('limit')} left; the platform team asks Microsoft for more "
                "(portal, Azure ML, Quota)"
            )

    def _sizes_and_usages(self, location: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """VM sizes and usages of a region; empty for a caller who may not see them: then Azure itself will tell."""
        from azure.core.exceptions import HttpResponseError

        with azure_errors(self._azure, "quota"):
            try:
                rest = self._azure.rest
                return list(rest.location_list("vmSizes", location)), list(rest.location_list("usages", location))
            except HttpResponseError as error:
                if error.status_code != 403:
                    raise
                return [], []


def _is_of(usage: Mapping[str, Any], family: str, *, low_priority: bool) -> bool:
    """True for the usage of a family: "standardDSv2Family", "Standard DSv2 Family Cluster Dedicated vCPUs"."""
    name = _PLAIN.sub("", str((usage.get("name") or {}).get("value") or "").lower())
    if low_priority:
        return "lowpriority" in name
    return bool(family) and name.startswith(_PLAIN.sub("", family.lower())) and "lowpriority" not in name


def _first_message(errors: Any) -> str:
    for entry in errors or ():
        error = entry.get("error", entry) if isinstance(entry, Mapping) else {}
        if message := error.get("message") or error.get("code"):
            return " ".join(str(message).split()).rstrip(".")
    return ""
