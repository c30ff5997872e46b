"""The first door of the offline Azure: the azure-native provider, as the Pulumi engine speaks with it over gRPC.

    python -m amlplatform.cloud.provider --state FILE [--identity ID] [--hostile]

prints the port on which it listens and stops when its standard input ends, which it does when the process that
started it goes. The engine is told of it through PULUMI_DEBUG_PROVIDERS=azure-native:PORT.

What each call does follows the real provider (github.com/pulumi/pulumi-azure-native,
provider/pkg/provider/provider.go), with `ResourceManager` in the place of Azure.
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from concurrent import futures
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from amlplatform.armtypes import catalogue
from amlplatform.armtypes.catalogue import UNKNOWN, ResourceType
from amlplatform.cloud import arm_ids, callers, defaults, diff, functions, hindrances, retries, shapes, wire
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.hindrances import hostility
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.state import SUBSCRIPTION_ID, TENANT_ID, CloudState

VERSION = importlib.metadata.version("pulumi-azure-native")
"""The version that the program's SDK has, so that the engine finds the provider that it looks for."""
_WORKERS = 16
_NOT_FOUND = 404

Answer = TypeVar("Answer")


class Refused(Exception):
    """A call that cannot be answered. The message is what the engine shows."""


def _answered(method: Callable[..., Answer]) -> Callable[..., Answer]:
    """Turn exceptions into gRPC errors: what Azure refuses is for the person, all else is our fault, for the log."""

    @functools.wraps(method)
    def call(self: AzureNativeProvider, request: Any, context: grpc.ServicerContext) -> Answer:
        try:
            return method(self, request, context)
        except (AzureError, Refused) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Exception as error:  # the engine needs an answer, whatever happened
            traceback.print_exc()
            message = f"fault in the offline Azure: {error!r}; the log of the provider has the details"
            context.abort(grpc.StatusCode.INTERNAL, message)
        raise AssertionError("abort does not return")

    return call


class AzureNativeProvider(provider_pb2_grpc.ResourceProviderServicer):
    """One configured provider. The engine calls it from several threads at a time."""

    def __init__(self, manager: ResourceManager) -> None:
        self.manager = manager
        self.config: dict[str, Any] = {}

    @property
    def subscription_id(self) -> str:
        return self.config.get("subscriptionId") or SUBSCRIPTION_ID

    @property
    def tenant_id(self) -> str:
        return self.config.get("tenantId") or TENANT_ID

    # --- The provider itself ----------------------------------------------------------------------

    def Handshake(self, request, context):  # noqa: ARG002
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True,
            accept_resources=False,
            accept_outputs=False,
            supports_autonaming_configuration=True,
        )

    def Attach(self, request, context):  # noqa: ARG002
        return empty_pb2.Empty()

    def Cancel(self, request, context):  # noqa: ARG002
        # Every request is answered at once, so there is nothing to interrupt.
        return empty_pb2.Empty()

    def GetPluginInfo(self, request, context):  # noqa: ARG002
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request, context):  # noqa: ARG002
        # Python programs bring their own types; the engine only wants to know which resources there are.
        resources = {token: {} for token in catalogue.RESOURCE_TYPES}
        schema = {"name": "azure-native", "version": VERSION, "resources": resources}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def CheckConfig(self, request, context):  # noqa: ARG002
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):  # noqa: ARG002
        # The real provider never replaces itself, and with it everything, because its configuration changed.
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    @_answered
    def Configure(self, request, context):  # noqa: ARG002
        variables = {key.rsplit(":", 1)[-1]: value for key, value in request.variables.items()}
        self.config = {**variables, **wire.plain(request.args)}
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=False,
            supports_autonaming_configuration=True,
        )

    # --- Resources --------------------------------------------------------------------------------

    @_answered
    def Check(self, request, context):  # noqa: ARG002
        kind = _kind(request.urn)
        inputs = wire.marked(request.news)
        old = wire.plain(request.olds)
        inputs |= defaults.missing_inputs(kind, request, old, self._default_location(wire.unmarked(inputs)))
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name, reason in defaults.faults(kind, wire.unmarked(inputs))
        ]
        return provider_pb2.CheckResponse(inputs=wire.struct(inputs), failures=failures)

    def _default_location(self, inputs: Mapping[str, Any]) -> str | None:
        """The location for a resource that names none: the provider's, else that of its resource group."""
        group_name = inputs.get("resourceGroupName")
        if self.config.get("location") or group_name is None:
            return self.config.get("location")
        if wire.has_unknown(group_name):
            return UNKNOWN
        group = self.manager.state.get(f"/subscriptions/{self.subscription_id}/resourceGroups/{group_name}")
        return group.get("location") if group else None

    @_answered
    def Diff(self, request, context):  # noqa: ARG002
        kind = _kind(request.urn)
        old, new = wire.plain(request.old_inputs), wire.plain(request.news)
        changes = diff.changes(kind, old, new)
        if not changes:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        replaces = sorted({change.top for change in changes if change.replaces})
        # A random name makes it possible to create the new resource before the old one goes; a chosen name does not.
        random_name = bool(old.get(defaults.RANDOM_NAME))
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            diffs=sorted({change.top for change in changes}),
            replaces=replaces,
            detailedDiff={change.path: _property_diff(change) for change in changes},
            hasDetailedDiff=True,
            deleteBeforeReplace=bool(replaces) and not random_name,
        )

    @_answered
    def Create(self, request, context):  # noqa: ARG002
        kind = _kind(request.urn)
        secrets: set[wire.Path] = set()
        inputs = wire.plain(request.properties, secrets)
        if request.preview:
            values = wire.with_secrets(shapes.preview(kind, inputs), secrets)
            return provider_pb2.CreateResponse(properties=wire.struct(values))
        arm_id = self._arm_id(kind, inputs)
        if not arm_ids.is_singleton(arm_id):
            self._refuse_existing(arm_id)
        outputs = self._put(kind, arm_id, inputs)
        return provider_pb2.CreateResponse(
            id=outputs.pop("id"), properties=wire.struct(wire.with_secrets(outputs, secrets))
        )

    @_answered
    def Update(self, request, context):  # noqa: ARG002
        kind = _kind(request.urn)
        secrets: set[wire.Path] = set()
        inputs = wire.plain(request.news, secrets)
        if request.preview:
            before = wire.plain(request.olds)
            stable = {name: before[name] for name in ("name", "location") if name in before}
            values = {**shapes.preview(kind, inputs), **stable}
            return provider_pb2.UpdateResponse(properties=wire.struct(wire.with_secrets(values, secrets)))
        outputs = self._put(kind, request.id, inputs)
        del outputs["id"]
        return provider_pb2.UpdateResponse(properties=wire.struct(wire.with_secrets(outputs, secrets)))

    @_answered
    def Read(self, request, context):  # noqa: ARG002
        kind = _kind(request.urn)
        try:
            document = self._patiently(lambda: self.manager.get(request.id))
        except AzureError as error:
            if error.status != _NOT_FOUND:
                raise
            return provider_pb2.ReadResponse()  # without an id: it is gone
        secrets: set[wire.Path] = set()
        before = wire.plain(request.properties, secrets)
        outputs = shapes.outputs(kind, document)
        input_secrets: set[wire.Path] = set()
        if request.inputs.fields:
            shown = [shapes.inputs_from_outputs(kind, values) for values in (before, outputs)]
            inputs = diff.apply_drift(wire.plain(request.inputs, input_secrets), *shown)
        else:
            inputs = shapes.inputs_from_document(kind, request.id, document)
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=wire.struct(wire.with_secrets(outputs, secrets)),
            inputs=wire.struct(wire.with_secrets(inputs, input_secrets)),
        )

    @_answered
    def Delete(self, request, context):  # noqa: ARG002
        self._patiently(lambda: self.manager.delete(request.id))
        return empty_pb2.Empty()

    @_answered
    def Invoke(self, request, context):  # noqa: ARG002
        try:
            result = functions.invoke(request.tok, wire.plain(request.args), self)
        except (AzureError, functions.UnknownFunction) as error:
            failure = provider_pb2.CheckFailure(reason=str(error))
            return provider_pb2.InvokeResponse(failures=[failure])
        response = provider_pb2.InvokeResponse()
        # `return` is a word of Python's own, so the field cannot be named in the call.
        getattr(response, "return").CopyFrom(wire.struct(result))
        return response

    def _patiently(self, request: Callable[[], Answer]) -> Answer:
        return retries.with_retries(request, self.manager.state.clock)

    def _refuse_existing(self, arm_id: str) -> None:
        """The real provider looks first and never takes over what it did not make."""
        try:
            self._patiently(lambda: self.manager.get(arm_id))
        except AzureError as error:
            if error.status == _NOT_FOUND:
                return
            reason = f"status code {error.status}, {error.code}: {error.message}"
            raise Refused(f"cannot check existence of resource '{arm_id}': {reason}") from None
        raise Refused(f"cannot create already existing resource '{arm_id}'")

    def _arm_id(self, kind: ResourceType, inputs: Mapping[str, Any]) -> str:
        arm_id = catalogue.arm_id(kind.token, inputs, self.subscription_id)
        if UNKNOWN in arm_id:
            raise Refused(f"the id of a {kind.token} cannot be formed: {arm_id.replace(UNKNOWN, '?')}")
        return arm_id

    def _put(self, kind: ResourceType, arm_id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Create or update. Returns the outputs, with the id among them."""
        body = catalogue.arm_body(kind.token, defaults.without_own_inputs(inputs))
        document = self._patiently(lambda: self.manager.put(kind, arm_id, body))
        return {**shapes.outputs(kind, document), "id": document["id"]}


def _kind(urn: str) -> ResourceType:
    """The kind of resource that a URN names: urn:pulumi:<stack>::<project>::<parents' types>$<type>::<name>."""
    token = urn.split("::")[2].rsplit("$", 1)[-1]
    try:
        return catalogue.resource_type(token)
    except KeyError as error:
        raise Refused(f"the offline Azure does not know {error.args[0]}") from None


def _property_diff(change: diff.Change) -> provider_pb2.PropertyDiff:
    name = f"{change.kind}_REPLACE" if change.replaces else change.kind
    return provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.Kind.Value(name), inputDiff=True)


def serve(provider: AzureNativeProvider) -> tuple[grpc.Server, int]:
    """Start answering on a free port of this machine. Returns the server and its port."""
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m amlplatform.cloud.provider")
    parser.add_argument("--state", type=Path, required=True, help="file of the offline Azure's state")
    parser.add_argument("--identity", default="", help="who calls: an identity in the state; left out: the person")
    parser.add_argument("--hostile", action="store_true", help="as slow to agree as Azure")
    arguments = parser.parse_args(argv)
    state = CloudState(arguments.state)
    # Ctrl-C is for the engine, which still needs the provider to end in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    caller = callers.find(arguments.identity, state)
    manager = hindrances.manager(state, hostility.chosen(state, hostile=arguments.hostile), caller)
    server, port = serve(AzureNativeProvider(manager))
    print(port, flush=True)
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.stop(grace=None).wait()
    state.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
