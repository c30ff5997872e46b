"""What holds data is not deleted or replaced by accident."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.fixed_properties import CREATIONS, GUARD, HOLDS_DATA, guarded, replaces
from amlplatform.policies import arm
from amlplatform.policies.rule import DURABLE, EVERYWHERE, PROD, Context, Resource, ResourceRule, Rule, Stack, StackRule
from amlplatform.policies.security_properties import properties_of
from amlplatform.policies.values import at, in_group, is_known_id, shown

LOCKED = (arm.STORAGE, arm.VAULT, arm.SQL_SERVER)
"""What a lock keeps: the accounts, and with them everything below them."""

# A lock here would stop what Azure ML does itself: scaling, and deleting what it made.
# learn.microsoft.com/azure/machine-learning/how-to-create-attach-compute-cluster and how-to-managed-network
_NEVER_LOCKED = (arm.GROUP, arm.ML_WORKSPACE)

_MAY_BE_IGNORED = {
    # A PUT does not change them on an instance that exists: github.com/Azure/bicep-types-az/issues/2543
    (arm.COMPUTE, "idleTimeBeforeShutdown"),
    # Fixed when the workspace is made, and returned in another casing, which after a refresh looks like a change.
    *((arm.ML_WORKSPACE, part) for part in ("storageAccount", "keyVault", "applicationInsights", "containerRegistry")),
}


def _protect(resource: Resource, _context: Context) -> Iterator[str]:
    if not resource.options.protect:
        yield "has no protect: one wrong change of the program would delete it with its data"


def _guarded(resource: Resource, _context: Context) -> Iterator[str]:
    hooks = resource.options.hooks
    if hooks is not None and guarded(resource.arm_type) and GUARD not in hooks:
        yield f"has no hook {GUARD}: a preview would show an update that Azure refuses, or a replacement"


def _replacement(resource: Resource, _context: Context) -> Iterator[str]:
    announced = resource.options.replace_on_changes
    if announced is None:
        return
    names = [_without_boxes(name) for name in announced]
    # Ids of other resources are watched beside the inputs: see components/guard.py.
    for fixed in (one for one in replaces(resource.arm_type) if not one.arm_id):
        wanted = _without_boxes(fixed.path)
        if not any(name in ("*", "") or f"{wanted}.".startswith(f"{name}.") for name in names):
            yield f"replace_on_changes lacks {wanted}: a change would look like an update, which Azure refuses"


def _without_boxes(path: str) -> str:
    """The SDK lays flat what ARM keeps under `properties`."""
    return ".".join(part for part in path.split(".") if part != "properties")


def _locks(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    locks = [one for one in stack.of(arm.LOCK) if at(one.body, "properties.level") in ("CanNotDelete", UNKNOWN)]
    for resource in stack.of(*LOCKED):
        if not any(stack.is_below(lock, resource) for lock in locks):
            yield resource, "has no lock: who may write may delete it, past Pulumi"


def _leaves(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    never = {in_group(one.arm_id): one.name for one in stack.of(*_NEVER_LOCKED)}
    for lock in stack.of(arm.LOCK):
        scope = in_group(lock.arm_id.rpartition("/providers/")[0])
        if scope in never:
            yield lock, f"locks {never[scope]}: clusters could not scale and a managed network could not be removed"
        elif "/providers/" not in scope and is_known_id(lock.arm_id):
            yield lock, "locks a whole resource group or subscription"
        level = at(lock.body, "properties.level")
        if level not in ("CanNotDelete", UNKNOWN):
            yield lock, f"properties.level is {shown(level)}, must be 'CanNotDelete'"


def _hidden(resource: Resource, _context: Context) -> Iterator[str]:
    guarded = {path.rpartition(".")[2].lower(): path for path in properties_of(resource.arm_type, resource.body)}
    for ignored in resource.options.ignore_changes:
        name = ignored.rpartition(".")[2]
        if (resource.arm_type, name) not in _MAY_BE_IGNORED and name.lower() in guarded:
            yield f"ignore_changes has {ignored}: Pulumi would never correct {guarded[name.lower()]}"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="data-protected",
        protects="Pulumi refuses to delete or replace what holds data",
        remedy="set protect on the resource; to give it up, take protect away in a change of its own first",
        severity=DURABLE,
        sources=("AML concept-soft-delete",),
        types=tuple(sorted(HOLDS_DATA)),
        check=_protect,
    ),
    ResourceRule(
        name="fixed-at-creation-guarded",
        protects="A preview refuses the change of what is fixed at creation, where a new resource would lose something",
        remedy="declare the stack in a function under `guarded` (components/guard.py)",
        severity=EVERYWHERE,
        sources=("Azure/azure-cli#21791",),
        types=tuple(sorted(arm_type for arm_type in CREATIONS if guarded(arm_type))),
        check=_guarded,
    ),
    ResourceRule(
        name="create-only-change-is-a-replacement",
        protects="A preview says that a change of what is fixed at creation makes a new resource",
        remedy="declare the stack in a function under `guarded`, or list the property in replace_on_changes",
        severity=EVERYWHERE,
        sources=("Azure/azure-cli#21791",),
        types=tuple(sorted(arm_type for arm_type in CREATIONS if replaces(arm_type))),
        check=_replacement,
    ),
    StackRule(
        name="data-locked",
        protects="Nobody deletes data of prod in the portal or with the command line",
        remedy="add a CanNotDelete lock on the resource itself",
        severity=PROD,
        sources=("AVM lock interface",),
        types=LOCKED,
        check=_locks,
    ),
    StackRule(
        name="lock-on-leaves-only",
        protects="Clusters scale and a managed network can be removed, in spite of locks",
        remedy="lock single resources, with level CanNotDelete",
        severity=EVERYWHERE,
        sources=("AML how-to-create-attach-compute-cluster",),
        types=(arm.LOCK,),
        check=_leaves,
    ),
    ResourceRule(
        name="drift-not-ignored",
        protects="A security property that was changed by hand is set right by the next deployment",
        remedy="take the property out of ignore_changes",
        severity=EVERYWHERE,
        sources=("own",),
        check=_hidden,
    ),
)
