"""The Python language host of Pulumi, for a CLI that comes without one: it runs the program when the engine asks.

    python -m amlplatform.cloud.language_host [OPTIONS] [ENGINE_ADDRESS]

A CLI built from Go modules looks for an executable `pulumi-language-python`, beside itself or on PATH, starts it,
reads the port from its first line of output and speaks `LanguageRuntime` over gRPC. The program runs in this process,
with the server that the SDK has for inline programs: the interpreter must be the one that has `pulumi` and what the
program imports.
"""

from __future__ import annotations

import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
from pulumi import RunError
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

_WORKERS = 8
_WATCH_INTERVAL_S = 2.0


class LanguageHost(LanguageServer):
    """The SDK's server, with the program taken from a folder."""

    def __init__(self) -> None:
        super().__init__(_no_program)

    def Handshake(self, request, context):  # noqa: ARG002
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request, context):  # noqa: ARG002
        return plugin_pb2.PluginInfo()

    def GetProgramDependencies(self, request, context):  # noqa: ARG002
        return language_pb2.GetProgramDependenciesResponse()

    def Run(self, request, context):
        folder = Path(request.info.program_directory or request.pwd)
        entry = folder / request.info.entry_point if request.info.entry_point else folder
        self.program = lambda: _run_program(folder, entry / "__main__.py" if entry.is_dir() else entry)
        response = super().Run(request, context)
        if response.error:
            # The SDK has told the engine already; what is given back here would be shown a second time.
            return language_pb2.RunResponse(bail=True)
        return response

    def RunPlugin(self, request, context) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a plugin that is written in Python, for example a policy pack, and pass on what it prints."""
        folder = request.info.program_directory or request.pwd
        environment = dict(item.split("=", 1) for item in request.env) or dict(os.environ)
        plugin = subprocess.Popen(
            [sys.executable, "-u", folder, *request.args],
            cwd=request.pwd or folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        context.add_callback(plugin.terminate)
        for line in plugin.stdout or ():
            yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=plugin.wait())


def _no_program() -> None:
    raise AssertionError("Run sets the program")


def _run_program(folder: Path, main: Path) -> None:
    """Run the program's main file. Raises RunError with a traceback that begins there when the program fails."""
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    try:
        runpy.run_path(str(main), run_name="__main__")
    except (RunError, grpc.RpcError):
        raise
    except Exception as error:
        frames = error.__traceback__
        while frames and frames.tb_frame.f_code.co_filename != str(main):
            frames = frames.tb_next
        lines = traceback.format_exception(type(error), error, frames or error.__traceback__)
        raise RunError(f"the program failed with an unhandled exception:\n{''.join(lines)}") from None


def _exit_with(engine: str) -> None:
    """End this process when nobody listens at the engine's address any more: a killed engine stops nothing in order."""
    host, _, port = engine.rpartition(":")

    def watch() -> None:
        while True:
            time.sleep(_WATCH_INTERVAL_S)
            try:
                socket.create_connection((host, int(port)), timeout=_WATCH_INTERVAL_S).close()
            except OSError:
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(argv: list[str]) -> int:
    # The CLI interrupts its plugins when it is done with them.
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: os._exit(0))
    if argv and ":" in argv[-1] and not argv[-1].startswith("-"):
        _exit_with(argv[-1])
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
