"""What Azure fixes when a resource is made is not changed by accident: a preview says so, before anything is touched.

`amlplatform.fixed_properties` knows what is fixed and what a new resource would lose. Where nothing is lost, the change
becomes a replacement. Everywhere else the preview, and `pulumi up`, fail with a sentence. Two hooks see to that:

- The root component of a stack has the fixed values of all its resources as an input, so the engine knows those of the
  last `up`. The root comes before its children: when its hook refuses, nothing else is registered. Only this one sees
  what the provider makes a replacement (another name, region or kind of storage), because on a replacement the engine
  shows no hook the old values; and what `ignore_changes` hides.
- Each resource has a hook before its update, for values that are known only after the deployment of others.

What a person wants to lose is named in the stack's configuration, under `replace`.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

import pulumi

from amlplatform import fixed_properties
from amlplatform.armtypes import catalogue
from amlplatform.armtypes.resource_types import ResourceType
from amlplatform.components import sdk_inputs
from amlplatform.fixed_properties import CREATIONS, GUARD, Change, Fixed

FACTS = "fixedAtCreation"
"""The root component's input: for each resource, by its name in the program, its type and its fixed values by path."""

_Arguments = ParamSpec("_Arguments")
_Built = TypeVar("_Built")
Found = tuple[str, str, Change]
"""Name of the resource in the program, its ARM type, and what was changed."""


def guarded(build: Callable[_Arguments, _Built]) -> Callable[_Arguments, _Built]:
    """Everything that the function declares is guarded. For functions that declare a whole stack."""

    @functools.wraps(build)
    def run(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Built:
        guard = Guard(replaceable=pulumi.Config().get_object("replace") or ())
        pulumi.runtime.register_stack_transformation(guard.transform)
        try:
            return build(*args, **kwargs)
        finally:
            guard.close()

    return run


class Guard:
    """Watches the resources that one program declares."""

    def __init__(self, replaceable: Iterable[str]) -> None:
        """`replaceable`: names, in the program, of resources that may be made anew whatever is lost."""
        self._replaceable = frozenset(replaceable)
        self._facts: dict[str, dict[str, Any]] = {}
        self._protected: dict[str, bool] = {}
        self._resources: list[tuple[str, pulumi.Resource]] = []
        self._hook = pulumi.ResourceHook(GUARD, self._check, pulumi.ResourceHookOptions(on_dry_run=True))
        # An input may be something to wait for: the root is registered once everything is declared, its children after.
        self._all_facts: asyncio.Future[dict[str, dict[str, Any]]] = asyncio.get_running_loop().create_future()

    def close(self) -> None:
        """Everything is declared."""
        self._all_facts.set_result(self._facts)

    def transform(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """What Pulumi asks about every resource before it is registered."""
        if self._all_facts.done():
            return None
        if args.type_.startswith("amlplatform:") and args.opts.parent is None:
            return _result({**args.props, FACTS: self._all_facts}, args.opts, self._hooks())
        if not catalogue.is_known(args.type_):
            return None
        kind = catalogue.resource_type(args.type_)
        self._resources.append((args.name, args.resource))
        fixed = fixed_properties.guarded(kind.arm_type)
        if args.name in self._replaceable or not fixed:
            return _replaced(kind, args, hidden=args.name not in self._replaceable)
        self._protected[args.name] = bool(args.opts.protect)
        self._facts[args.name] = {"type": kind.arm_type, **self._stated(kind, args.props)}
        return _result(args.props, args.opts, self._hooks())

    def _hooks(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[self._hook]))

    def _stated(self, kind: ResourceType, props: Mapping[str, Any]) -> dict[str, Any]:
        """The fixed values as far as the program itself states them; the rest waits for other resources."""
        values: dict[str, Any] = {}
        for fixed in fixed_properties.guarded(kind.arm_type):
            value = sdk_inputs.value_at(kind, props, fixed.path)
            if isinstance(value, pulumi.Output):
                value = self._whose_id(value)
            if sdk_inputs.is_plain(value):
                values[fixed.path] = value
        return values

    def _whose_id(self, value: pulumi.Output[Any]) -> str | None:
        """The resource of this program whose id the output is, by its name in the program."""
        return next((name for name, one in self._resources if one.__dict__.get("id") is value), None)

    def _check(self, args: pulumi.ResourceHookArgs) -> None:
        before, after = args.old_inputs or {}, args.new_inputs or {}
        if catalogue.is_known(args.type):
            found = list(_of_resource(args.name, args.type, before, after))
        else:
            found = list(_of_stack(self._facts, before.get(FACTS) or {}, after.get(FACTS) or {}))
        if found:
            raise FixedAtCreation(_refusal(found, any(self._protected.get(name) for name, _, _ in found)))


class FixedAtCreation(Exception):
    """A change that Azure does not make. The message is for the person."""


def _result(
    props: Mapping[str, Any], opts: pulumi.ResourceOptions, more: pulumi.ResourceOptions
) -> pulumi.ResourceTransformationResult:
    return pulumi.ResourceTransformationResult(props, pulumi.ResourceOptions.merge(opts, more))


def _replaced(
    kind: ResourceType, args: pulumi.ResourceTransformationArgs, *, hidden: bool
) -> pulumi.ResourceTransformationResult | None:
    """The same resource, made anew when something fixed changes. `hidden`: changes that are ignored stay so."""
    properties = CREATIONS[kind.arm_type].properties
    if not properties:
        return None
    # A refresh may bring ids in another casing into the state, which is no reason to make anything anew. So they are
    # watched beside the inputs.
    ids = [_watched(kind, args.props, fixed) for fixed in properties if fixed.arm_id]
    more = pulumi.ResourceOptions(
        replace_on_changes=[sdk_inputs.path_of(kind, args.props, one.path) for one in properties if not one.arm_id],
        replacement_trigger=ids or None,
        # Its name stays the same, so the old one goes first.
        delete_before_replace=True,
    )
    result = _result(args.props, args.opts, more)
    if not hidden:
        result.opts.ignore_changes = None
    return result


def _watched(kind: ResourceType, props: Mapping[str, Any], fixed: Fixed) -> pulumi.Output[Any]:
    """What stays the same as long as an id (or ids) leads to the same resource. "" for none."""

    def same(known: Any) -> Any:
        if known is None:
            return ""
        return fixed_properties.folded(fixed.part(known) if fixed.part else known)

    return pulumi.Output.from_input(sdk_inputs.value_at(kind, props, fixed.path)).apply(same)


def _of_resource(name: str, token: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Found]:
    arm_type = catalogue.resource_type(token).arm_type
    fixed = CREATIONS[arm_type].properties
    old, new = (
        {path: value for path, value in facts.items() if _is_known(value)}
        for facts in (fixed_properties.facts(fixed, catalogue.arm_body(token, inputs)) for inputs in (before, after))
    )
    return ((name, arm_type, change) for change in fixed_properties.changes(fixed, old, new))


def _is_known(value: Any) -> bool:
    """Whether the engine told the value: neither secret nor known only after the deployment."""
    if isinstance(value, Mapping):
        return all(_is_known(inner) for inner in value.values())
    if isinstance(value, list):
        return all(_is_known(inner) for inner in value)
    return value is None or isinstance(value, str | bool | int | float)


def _of_stack(names: Iterable[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Found]:
    """`names`: in the order in which people are to read them; the engine keeps none."""
    for name in names:
        old, new = before.get(name), after.get(name)
        if old and new and new["type"] == old["type"]:
            for change in fixed_properties.changes(fixed_properties.guarded(old["type"]), old, new):
                yield name, old["type"], change


def _refusal(found: Iterable[Found], protected: bool) -> str:
    """What people read: each change, what it would cost, and what to do."""
    by_change: dict[Change, list[tuple[str, str]]] = {}
    for name, arm_type, change in found:
        by_change.setdefault(change, []).append((name, arm_type))
    lines = ["Azure fixes this when a resource is made"]
    for change, resources in by_change.items():
        names = ", ".join(name for name, _ in resources)
        cost = CREATIONS[resources[0][1]].loses if len(resources) == 1 else "what they hold"
        lines.append(
            f"  {names}: {change.path} was {change.before} and cannot become {change.after}; "
            f"a new one would lose {cost}"
        )
    return "\n".join([*lines, f"  {_way_out(by_change.values(), protected)}"])


def _way_out(resources: Iterable[list[tuple[str, str]]], protected: bool) -> str:
    flat = [one for group in resources for one in group]
    replace = f"name it in the configuration of the stack: pulumi config set --path 'replace[0]' {flat[0][0]}"
    if protected:
        return (
            "Set it back; or onboard another product beside this one with the values that you want, copy what is to be "
            "kept, and take this one down as `amlplatform teardown` says. What an `up` that failed never made: "
            f"{replace}"
        )
    if any(CREATIONS[arm_type].keeps_name for _, arm_type in flat):
        return (
            "Set it back; or, where everything in this environment may go, take it down as `amlplatform teardown` "
            f"says, which frees its names, and make it again. What an `up` that failed never made: {replace}"
        )
    return f"Set it back; or, where what would be lost may go, {replace}"
