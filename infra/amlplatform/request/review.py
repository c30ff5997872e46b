"""What a valid request needs and what needs a look: quota and warnings."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from amlplatform import names, vm_sizes
from amlplatform.request.model import Request

_RETIREMENT_NOTICE = datetime.timedelta(days=365)


@dataclass(frozen=True)
class Quota:
    """vCPUs of one VM family that an environment may use at the same time, with what uses them."""

    environment: str
    family: str
    vcpus: int
    uses: tuple[str, ...]


def quota(request: Request) -> list[Quota]:
    """What Azure ML's "Usage + quotas" has to grant, per environment and VM family. Unknown sizes are not in it."""
    needed: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = {}
    for name, _, label, size_name, count in _machines(request):
        size = vm_sizes.find(size_name)
        if size is None:
            continue
        vcpus, uses = needed.get((name, size.family), (0, ()))
        use = f"{label}: {count} × {size.name}"
        needed[name, size.family] = (vcpus + count * size.vcpus, (*uses, use))
    return [Quota(name, family, vcpus, uses) for (name, family), (vcpus, uses) in needed.items()]


def _machines(request: Request) -> Iterator[tuple[str, str, str, str, int]]:
    """Environment, field, label, VM size and number of every kind of machine."""
    for name, environment in request.environments.items():
        path = f"environments.{name}"
        yield (
            name,
            f"{path}.cpu_cluster.vm_size",
            names.CPU_CLUSTER,
            environment.cpu_cluster.vm_size,
            environment.cpu_cluster.max_nodes,
        )
        if environment.gpu_cluster:
            gpu = environment.gpu_cluster
            yield name, f"{path}.gpu_cluster.vm_size", names.GPU_CLUSTER, gpu.vm_size, gpu.max_nodes
        for index, instance in enumerate(environment.compute_instances):
            yield name, f"{path}.compute_instances.{index}.vm_size", "compute instance", instance.vm_size, 1


def warnings(request: Request, today: datetime.date | None = None) -> list[str]:
    """What passes now but needs a look before or at onboarding. One line each."""
    today = today or datetime.datetime.now(tz=datetime.UTC).date()
    return [
        *_id_warnings(request),
        *_size_warnings(request, today),
        *_budget_warnings(request, today),
        *_network_warnings(request),
    ]


def _id_warnings(request: Request) -> Iterator[str]:
    if not request.groups.data_scientists:
        yield (
            "groups.data_scientists: is empty, so no scientist gets access; onboarding needs the object id of the "
            "Entra group"
        )
    if not request.ci.repository:
        yield "ci.repository: is empty; Azure will trust CI by it, for example 'example-organisation/digit-scoring'"


def _size_warnings(request: Request, today: datetime.date) -> Iterator[str]:
    for _, path, label, size_name, _ in _machines(request):
        size = vm_sizes.find(size_name)
        if size is None:
            close = vm_sizes.closest(size_name)
            hint = f"; did you mean {close!r}?" if close else ""
            table = f"the table of VM sizes of {vm_sizes.as_of()}"
            yield f"{path}: {size_name!r} is not in {table}, so its quota is not counted{hint}"
        elif size.retired and datetime.date.fromisoformat(size.retired) <= today + _RETIREMENT_NOTICE:
            yield f"{path}: Azure does not offer {size_name!r} after {size.retired}; take a newer size"
        elif size.gpus and label == names.CPU_CLUSTER:
            yield f"{path}: {size_name!r} has a GPU, which costs more than this cluster's work needs"


def _budget_warnings(request: Request, today: datetime.date) -> Iterator[str]:
    # Consumption API: a monthly budget starts in the current month at the earliest and within twelve months from now.
    first = today.replace(day=1)
    last = first.replace(year=first.year + 1)
    for name, environment in request.environments.items():
        start = datetime.date.fromisoformat(environment.budget_start)
        if not first <= start <= last:
            yield (
                f"environments.{name}.budget_start: '{start}' is not between {first} and {last}; "
                "Azure refuses a new budget with it (a budget that exists keeps its start)"
            )


def _network_warnings(request: Request) -> Iterator[str]:
    for name, environment in request.environments.items():
        if environment.network_profile.private and request.ci.runner == "hosted":
            yield (
                f"environments.{name}.network: {environment.network!r} is closed to the internet and ci.runner is "
                "'hosted': such a runner can call Azure Resource Manager, but not upload code or download logs; plan a "
                "self-hosted runner in a network with private endpoints to the workspace"
            )
