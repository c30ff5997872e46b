"""Running the Pulumi program without Azure and without an engine: what would be registered, with what inputs.

Built on pulumi.runtime.mocks. What Azure would compute (ids, object ids of identities) is made up here, the same on
every run.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_in_stack
from pulumi.runtime.sync_await import _sync_await

from amlplatform.armtypes import catalogue
from amlplatform.sdktypes import SIGNATURE

# Stand for values of the subscription that is deployed to, which a plan does not know.
SUBSCRIPTION_ID = "00000000-0000-0000-0000-000000000000"
TENANT_ID = "00000000-0000-0000-0000-00000000000a"
_INVENTED = uuid.uuid5(uuid.NAMESPACE_URL, "amlplatform:plan")


@dataclass(frozen=True)
class Registration:
    """One resource as the program registered it. `inputs`: plain values, without secret marks; `parent`: a name."""

    token: str
    name: str
    inputs: Mapping[str, Any]
    parent: str
    depends_on: tuple[str, ...]
    protect: bool
    secret_outputs: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    hooks: tuple[str, ...] = ()
    """Names of the functions that the engine asks before an update."""

    @property
    def is_component(self) -> bool:
        return not self.token.startswith("azure-native:")


def invented_principal_id(identity_name: str) -> str:
    """The object id that a plan uses for a managed identity, by the identity's name in Azure."""
    return str(uuid.uuid5(_INVENTED, identity_name))


def record(program: Callable[[], Any], stack: str) -> list[Registration]:
    """Run `program` and return its resources in order of registration. Exceptions of the program come through."""
    monitor = _Recorder(_Azure())
    mocks.set_mocks(monitor.azure, project="amlplatform", stack=stack, preview=False, monitor=monitor)
    # A second run in one process would otherwise find the root of the first and refuse.
    settings.set_root_resource(None)  # type: ignore[arg-type]
    _sync_await(run_in_stack(lambda: _run(program)))
    return [monitor.registration(request) for request in monitor.requests]


def _run(program: Callable[[], Any]) -> None:
    """Run the program. `run_in_stack` waits for what is returned, and a component is nothing to wait for."""
    pulumi.runtime.register_stack_transformation(_without_aliases)
    program()


def _without_aliases(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
    """The SDK gives a resource an alias for each API version that it ever had, up to 45. Only an engine needs them, and
    to work them out takes longer than all the rest."""
    args.opts.aliases = None
    return pulumi.ResourceTransformationResult(props=args.props, opts=args.opts)


class _Azure(mocks.Mocks):
    """Answers what Azure would compute."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        inputs = _plain(args.inputs)
        if not catalogue.is_known(args.typ):
            return args.name, inputs
        kind = catalogue.resource_type(args.typ)
        name = kind.own_name(inputs) or args.name
        outputs = {**inputs, "name": name}
        if "identity" in outputs:
            # In: a list of ids. Out: a map from id to what Azure knows of it.
            wanted = outputs["identity"].get("userAssignedIdentities", [])
            outputs["identity"] = {**outputs["identity"], "userAssignedIdentities": {key: {} for key in wanted}}
            if "SystemAssigned" in str(outputs["identity"].get("type")):
                outputs["identity"] |= {"principalId": invented_principal_id(name), "tenantId": TENANT_ID}
        if kind.arm_type == "Microsoft.ManagedIdentity/userAssignedIdentities":
            outputs |= {"principalId": invented_principal_id(name), "clientId": invented_principal_id(f"{name}/client")}
        if kind.arm_type == "Microsoft.ContainerRegistry/registries":
            outputs["loginServer"] = f"{name}.azurecr.io"
        if kind.arm_type == "Microsoft.Sql/servers":
            outputs["fullyQualifiedDomainName"] = f"{name}.database.windows.net"
        return catalogue.arm_id(args.typ, inputs, SUBSCRIPTION_ID), outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        if args.token == "azure-native:authorization:getClientConfig":  # noqa: S105 (a name)
            return {"subscriptionId": SUBSCRIPTION_ID, "tenantId": TENANT_ID, "clientId": "", "objectId": ""}, []
        raise NotImplementedError(f"{args.token}: a plan cannot answer this call")


class _Recorder(mocks.MockMonitor):
    """Keeps every registration as it was sent to the engine."""

    def __init__(self, azure: _Azure) -> None:
        super().__init__(azure)
        self.azure = azure
        self.requests: list[Any] = []

    def RegisterResource(self, request: Any) -> Any:
        # Not super().…(request) first: the order is that of the calls, whatever their answers take.
        self.requests.append(request)
        return super().RegisterResource(request)

    def registration(self, request: Any) -> Registration:
        return Registration(
            token=request.type,
            name=request.name,
            inputs=_plain(json_format.MessageToDict(request.object)),
            parent=_name_of(request.parent),
            depends_on=tuple(sorted({_name_of(urn) for urn in request.dependencies})),
            protect=request.protect,
            secret_outputs=tuple(request.additionalSecretOutputs),
            replace_on_changes=tuple(request.replaceOnChanges),
            ignore_changes=tuple(request.ignoreChanges),
            hooks=tuple(request.hooks.before_update),
        )


def _name_of(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


def _plain(value: Any) -> Any:
    """Secrets and outputs unwrapped, whole floats as integers, keys in order (protobuf maps have none)."""
    if isinstance(value, Mapping):
        if SIGNATURE in value:
            return _plain(value.get("value", catalogue.UNKNOWN))
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, pulumi.Output):
        raise TypeError("an output reached the recorder; the mocks resolve them all")
    return value
