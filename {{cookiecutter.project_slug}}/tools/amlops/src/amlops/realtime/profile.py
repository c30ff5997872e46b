"""Profile: the smallest configuration of a deployment that holds a rate, found by trying them on the laptop."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import yaml

from amlops.errors import UserError
from amlops.realtime.load import Plan, check_rate, measure
from amlops.realtime.memory import tree_gib
from amlops.realtime.sizes import instance_type, vm_size
from amlops.realtime.stress import Rule, judged, line
from amlops.workspace import OnlineDeployments, Record, Workspace

_SUFFIX = "-profile"
_LONGEST_NAME = 32
_TAG = "amlops-profile"
_MOST_TRIED = 40
Tell = Callable[[str], None]


@dataclass(frozen=True, order=True)
class Configuration:
    """What is tried; ordered from small to large.

    Attributes:
        cores: processor cores of the instance.
        workers: WORKER_COUNT.
        threads: of the libraries of each worker: OMP_NUM_THREADS.
        address_space_gib: limit of each process; 0 for none.
    """

    cores: int
    workers: int
    threads: int
    address_space_gib: float = 0.0

    @property
    def sets(self) -> list[str]:
        """The changes of the deployment's YAML."""
        variables = {
            "WORKER_COUNT": self.workers,
            "OMP_NUM_THREADS": self.threads,
            "AMLOPS_LIMIT_CORES": self.cores,
            **({"AMLOPS_LIMIT_ADDRESS_SPACE_GIB": self.address_space_gib} if self.address_space_gib else {}),
        }
        # Azure ML's advice: as many requests at once as there are workers.
        return [
            *(f"environment_variables.{name}={value}" for name, value in variables.items()),
            f"tags.{_TAG}=true",
            f"request_settings.max_concurrent_requests_per_instance={self.workers}",
            "instance_count=1",
        ]

    def __str__(self) -> str:
        space = f", {self.address_space_gib:g} GiB" if self.address_space_gib else ""
        return f"{self.cores} core(s), {self.workers} worker(s), {self.threads} thread(s){space}"


def configurations(
    cores: Sequence[int], workers: Sequence[int], threads: Sequence[int], memory: Sequence[float]
) -> list[Configuration]:
    """Every combination, from small to large. Raises UserError for more cores than there are, or too many of them."""
    here = cores_here()
    if max(cores) > here:
        raise UserError(f"--cpus: '{max(cores)}' is more than the {here} core(s) of this machine")
    found = sorted(Configuration(*each) for each in itertools.product(cores, workers, threads, memory or [0.0]))
    if len(found) > _MOST_TRIED:
        raise UserError(f"--workers: {len(found)} configurations are too many, at most {_MOST_TRIED}; give fewer")
    return found


def cores_here() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_numbers(text: str | None, option: str, default: Sequence[float], *, whole: bool = True) -> list[float]:
    """'1,2,4' -> [1, 2, 4]. Raises UserError for what is not a number above 0."""
    if text is None:
        return list(default)
    try:
        found: list[float] = [int(word) if whole else float(word) for word in text.replace(" ", ",").split(",") if word]
    except ValueError:
        found = []
    if not found or min(found) <= 0:
        raise UserError(f"{option}: '{text}' must be numbers above 0; for example {option} 1,2")
    return sorted(set(found))


def profile(
    ws: Workspace,
    name: str,
    endpoint: str,
    payloads: Sequence[bytes],
    tried: Sequence[Configuration],
    rule: Rule,
    *,
    rate: float,
    duration: float,
    warm_up: float,
    tell: Tell,
) -> Record:
    """Measure each configuration at the rate, on a copy of the deployment that has no traffic and is deleted.

    Returns:
        `tried`: the figures of each, with the memory it used. `recommended`: the smallest that held; null when none
        did. `limits` and `notes`: what the limits are, and what the figures do not say.

    Raises:
        UserError: there is no such deployment, or it is not on the laptop.
    """
    check_rate(rate)
    copy = f"{name[: _LONGEST_NAME - len(_SUFFIX)]}{_SUFFIX}"
    rows: list[dict[str, Any]] = []
    deployments = ws.online_deployments
    old = deployments.show(name, endpoint)
    _check_free(deployments, copy, endpoint)
    plan = Plan.lasting(rate, duration, warm_up, timeout=30)
    for configuration in tried:
        try:
            with _deployed(deployments, name, endpoint, copy, configuration) as record:
                figures = measure(ws.online_endpoints.target(endpoint, copy), payloads, plan)
                memory = tree_gib(one["pid"] for one in record["instances"] if one["pid"])
            row = {"memory_gib": memory and round(memory, 3), **judged(figures, rule)}
            tell(f"{configuration}: {line(row)}")
        except _DoesNotStartError as error:
            row = {"memory_gib": None, "rate": rate, "held": False, "reason": str(error)}
            tell(f"{configuration}: {error}")
        rows.append({**vars(configuration), **row})
    return {
        "endpoint_name": old["endpoint_name"],
        "deployment_name": name,
        "rate": rate,
        "rule": rule.sentence,
        "limits": limits_here(),
        "notes": _notes(),
        "tried": rows,
        "recommended": recommended(rows, name),
    }


class _DoesNotStartError(Exception):
    pass


def _check_free(deployments: OnlineDeployments, copy: str, endpoint: str) -> None:
    """Raises UserError when the copy's name is taken by somebody else; what a killed profile left is replaced."""
    taken = next((record for record in deployments.list(endpoint) if record["name"] == copy), None)
    if taken is not None and _TAG not in taken["tags"]:
        raise UserError(f"--name: the profile would replace the deployment '{copy}' of '{endpoint}'; delete that first")


@contextmanager
def _deployed(
    deployments: OnlineDeployments, name: str, endpoint: str, copy: str, configuration: Configuration
) -> Iterator[Record]:
    """The copy while the block runs. Raises _DoesNotStartError, for example for too little memory."""
    try:
        record = deployments.copy(name, endpoint, copy, sets=configuration.sets)
    except UserError as error:
        if f"the server of '{copy}'" in error.message:
            raise _DoesNotStartError(error.message) from None
        raise
    except KeyboardInterrupt:
        with suppress(UserError):
            deployments.delete(copy, endpoint)
        raise
    try:
        yield record
    finally:
        deployments.delete(copy, endpoint)


def recommended(rows: Sequence[dict[str, Any]], name: str) -> dict[str, Any] | None:
    """The first row that held, with what it needs in Azure; None when none held."""
    row = next((row for row in rows if row["held"]), None)
    if row is None:
        return None
    memory = row["memory_gib"] or row["address_space_gib"]
    result: dict[str, Any] = {
        "environment_variables": {"WORKER_COUNT": str(row["workers"]), "OMP_NUM_THREADS": str(row["threads"])},
        "request_settings": {"max_concurrent_requests_per_instance": row["workers"]},
        "cores": row["cores"],
        "memory_gib": memory or None,
        "instance_type": None,
        "kubernetes_instance_type": None,
    }
    if not memory:
        return result
    size = vm_size(row["cores"], memory)
    kubernetes = instance_type(f"{name}-{row['cores']}cpu", row["cores"], memory)
    return {
        **result,
        "instance_type": size and size.name,
        "kubernetes_instance_type": yaml.safe_dump(kubernetes, sort_keys=False),
    }


def limits_here() -> dict[str, str]:
    """How cores and memory are limited on this system."""
    affinity = hasattr(os, "sched_setaffinity")
    return {
        "cores": "processor affinity of all its processes" if affinity else "none: this system has no affinity",
        "memory": "none: Windows" if sys.platform == "win32" else "RLIMIT_AS: address space of each process",
        "memory_used": "proportional set size after the load" if sys.platform == "linux" else "not known",
    }


def _notes() -> list[str]:
    return [
        f"The load generator and the endpoint's router ran on the same {cores_here()} core(s) as the deployment: in "
        "Azure they do not.",
        "Cores of this machine are not those of Azure; check the choice there with amlops online-deployment stress.",
        "Address space is more than the memory in use; a container's limit counts the latter.",
    ]
