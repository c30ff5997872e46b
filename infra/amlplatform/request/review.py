"""What a valid request needs and what needs a look: quota and warnings."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from amlplatform import names, rules, vm_sizes
from amlplatform.request.federation import github_prefix
from amlplatform.request.model import Environment, Request
from amlplatform.request.network import subnet_example

_RETIREMENT_NOTICE = datetime.timedelta(days=365)


AZURE_ML = "Azure ML"
VIRTUAL_MACHINES = "virtual machines"
"""Two quotas of one VM family: jobs and instances of Azure ML use the first, nodes of Kubernetes the second."""


@dataclass(frozen=True)
class Quota:
    """vCPUs of one VM family that an environment may use at the same time, with what uses them. `kind`: of which
    quota."""

    environment: str
    family: str
    vcpus: int
    uses: tuple[str, ...]
    kind: str = AZURE_ML


@dataclass(frozen=True)
class _Machines:
    """Machines of one kind: the field that asks for them, what they are for, their size and their number."""

    environment: str
    path: str
    label: str
    size: str
    count: int
    kind: str = AZURE_ML


def quota(request: Request) -> list[Quota]:
    """What Azure's "Usage + quotas" has to grant, per environment, quota and VM family. Unknown sizes are not in it."""
    needed: dict[tuple[str, str, str], tuple[int, tuple[str, ...]]] = {}
    for machines in _machines(request):
        size = vm_sizes.find(machines.size)
        if size is None:
            continue
        key = (machines.environment, machines.kind, size.family)
        vcpus, uses = needed.get(key, (0, ()))
        use = f"{machines.label}: {machines.count} × {size.name}"
        needed[key] = (vcpus + machines.count * size.vcpus, (*uses, use))
    return [Quota(name, family, vcpus, uses, kind) for (name, kind, family), (vcpus, uses) in needed.items()]


def _machines(request: Request) -> Iterator[_Machines]:
    for name, environment in request.environments.items():
        path = f"environments.{name}"
        cpu, gpu = environment.cpu_cluster, environment.gpu_cluster
        yield _Machines(name, f"{path}.cpu_cluster.vm_size", names.CPU_CLUSTER, cpu.vm_size, cpu.max_nodes)
        if gpu:
            yield _Machines(name, f"{path}.gpu_cluster.vm_size", names.GPU_CLUSTER, gpu.vm_size, gpu.max_nodes)
        for index, instance in enumerate(environment.compute_instances):
            field = f"{path}.compute_instances.{index}.vm_size"
            yield _Machines(name, field, "compute instance", instance.vm_size, 1)
        kubernetes = environment.options.kubernetes
        if kubernetes:
            count = request.profile(name).options.kubernetes_nodes(kubernetes.max_nodes)
            field = f"{path}.options.kubernetes.vm_size"
            yield _Machines(name, field, "kubernetes", kubernetes.vm_size, count, VIRTUAL_MACHINES)


def warnings(request: Request, today: datetime.date | None = None) -> list[str]:
    """What passes now but needs a look before or at onboarding. One line each."""
    today = today or datetime.datetime.now(tz=datetime.UTC).date()
    return [
        *_id_warnings(request),
        *_size_warnings(request, today),
        *_budget_warnings(request, today),
        *_network_warnings(request),
        *_central_warnings(request),
        *_exception_warnings(request, today),
        *_kubernetes_warnings(request),
    ]


def undecided(request: Request) -> dict[str, str]:
    """What may stay open in a first request and has to be decided before onboarding: by field one line, with an
    example."""
    return {**dict(_undecided_groups(request)), **dict(_undecided_networks(request))}


def _undecided_groups(request: Request) -> Iterator[tuple[str, str]]:
    for name, field in type(request.groups).model_fields.items():
        if not getattr(request.groups, name) and field.examples:
            path, rule = f"groups.{name}", "is empty; onboarding needs the object id of the Entra group"
            yield path, rules.fault(path, "", rule, field.examples[0])


def _undecided_networks(request: Request) -> Iterator[tuple[str, str]]:
    for name, environment in request.environments.items():
        for subnet, why in needed_subnets(environment).items():
            if not getattr(environment.subnets, subnet):
                path = f"environments.{name}.subnets.{subnet}"
                yield path, rules.fault(path, "", f"is empty; {why}", subnet_example(subnet))
    closed = [name for name, environment in request.environments.items() if environment.network_profile.private]
    if closed and request.ci.runner == "hosted":
        rule = f"cannot upload code to {' and '.join(closed)} or read logs there, which is closed to the internet"
        use = "use 'self-hosted', with runners in a network that reaches the private endpoints"
        yield "ci.runner", f"ci.runner: 'hosted' {rule}; {use}"


def needed_subnets(environment: Environment) -> dict[str, str]:
    """The subnets that this environment cannot do without, and what each is for."""
    network, options = environment.network_profile, environment.options
    found: dict[str, str] = {}
    if network.private:
        found["endpoints"] = "without private endpoints nobody reaches what is closed to the internet"
    if network.own_network:
        found["compute"] = "nodes of clusters stand in a subnet of yours"
        if options.kubernetes:
            found["kubernetes"] = "nodes of Kubernetes stand in a subnet of yours"
        if options.databricks:
            found["databricks_public"] = "hosts of Databricks stand in a subnet of yours"
            found["databricks_private"] = "containers of Databricks stand in a subnet of yours"
    return found


def _id_warnings(request: Request) -> Iterator[str]:
    if not request.groups.data_scientists:
        yield (
            "groups.data_scientists: is empty, so no scientist gets access; onboarding needs the object id of the "
            "Entra group"
        )
    if not request.ci.repository:
        yield "ci.repository: is empty; Azure will trust CI by it, for example 'example-organisation/digit-scoring'"
    elif request.ci.provider == "github" and github_prefix(request.ci) is None:
        yield (
            "ci.github: owner_id and repository_id are empty, so CI gets no credential; "
            "`gh api repos/ORG/REPO --jq '.owner.id, .id'` shows both"
        )
    if request.ci.provider == "azure-devops":
        for name, environment in request.environments.items():
            if not (environment.service_connection.issuer and environment.service_connection.subject):
                yield (
                    f"environments.{name}.service_connection: issuer and subject are empty, so CI gets no credential; "
                    "both stand on the page of the service connection"
                )


def _size_warnings(request: Request, today: datetime.date) -> Iterator[str]:
    for machines in _machines(request):
        path, label, size_name = machines.path, machines.label, machines.size
        size = vm_sizes.find(size_name)
        if size is None:
            close = vm_sizes.closest(size_name)
            hint = f"did you mean {close!r}? A" if close else "a"
            table = f"the table of VM sizes of {vm_sizes.as_of()}"
            yield f"{path}: {size_name!r} is not in {table}; {hint} newer size may stay, and its quota is not counted"
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
        for subnet, why in needed_subnets(environment).items():
            if not getattr(environment.subnets, subnet):
                yield f"environments.{name}.subnets.{subnet}: is empty; {why}; onboarding needs its resource id"
        if environment.network_profile.private and request.ci.runner == "hosted":
            yield (
                f"environments.{name}.network: {environment.network!r} is closed to the internet and ci.runner is "
                "'hosted': such a runner can call Azure Resource Manager, but not upload code or download logs; "
                "onboarding needs 'self-hosted', with runners in a network that reaches the private endpoints"
            )


def _central_warnings(request: Request) -> Iterator[str]:
    """What is central has doors and endpoints of its owner's."""
    for name, environment in request.environments.items():
        network, central = environment.network_profile, environment.central
        given = {
            "container_registry": central.container_registry,
            "lake.account": central.lake.account,
            "ml_registry": central.ml_registry,
        }
        for field, value in given.items():
            if value and network.managed_network:
                yield (
                    f"environments.{name}.central.{field}: jobs reach it by a private endpoint of the managed network, "
                    "which its owner has to approve; until then the workspace is not made, or jobs wait"
                )
            elif value and network.private:
                yield (
                    f"environments.{name}.central.{field}: jobs reach it only if its owner has a private endpoint that "
                    "your subnet of compute reaches; none is made here for what is central"
                )


def _exception_warnings(request: Request, today: datetime.date) -> Iterator[str]:
    for name, environment in request.environments.items():
        for index, entry in enumerate(environment.access_exceptions):
            if datetime.date.fromisoformat(entry.until) < today:
                yield (
                    f"environments.{name}.access_exceptions.{index}: {entry.purpose} was needed until {entry.until}; "
                    "take the entry out, or give a new date and reason"
                )


def _kubernetes_warnings(request: Request) -> Iterator[str]:
    for name, environment in request.environments.items():
        kubernetes = environment.options.kubernetes
        if kubernetes and not kubernetes.endpoint_host:
            yield (
                f"environments.{name}.options.kubernetes.endpoint_host: is empty, so the cluster is made and not yet "
                "attached to Azure ML; put the endpoints' certificate into it and name its host: "
                "docs/options-compute.md"
            )
