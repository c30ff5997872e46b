"""The Pulumi CLI and what it needs to run against the offline Azure: the provider, a language host, an environment."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amlplatform.cloud.https import egress
from amlplatform.cloud.workplace import PACKAGE, Workplace, WorkplaceError

WINDOWS = os.name == "nt"
_CLI = "pulumi.exe" if WINDOWS else "pulumi"
_HOST = "pulumi-language-python"
_STOP_TIMEOUT_S = 10

# Whatever could lead to a real Azure or a real Pulumi backend, or past our way out, is taken out of the environment.
_REAL = re.compile(
    r"ARM_.*|AZURE_.*|AZUREML_.*|PULUMI_.*|IDENTITY_.*|MSI_.*|ACTIONS_ID_TOKEN_.*|SYSTEM_(ACCESSTOKEN|OIDC.*)|.+_PROXY",
    re.IGNORECASE,
)


def find_cli(start: Path) -> Path | None:
    """The Pulumi CLI: on PATH, else where tools/pulumi/build.py puts it: in `.tools/bin` of a folder above.

    Above `start`, which is the live project, or above this package, which may run from a checkout of the template.
    """
    on_path = shutil.which("pulumi")
    if on_path:
        return Path(on_path)
    built = (folder / ".tools" / "bin" / _CLI for folder in (start, *start.parents, *PACKAGE.parents))
    return next((path for path in built if path.is_file()), None)


def has_language_host(cli: Path) -> bool:
    """Whether the CLI finds a host for Python programs by itself: the official download has one beside it."""
    beside = cli.resolve().parent
    endings = (".exe", ".cmd") if WINDOWS else ("",)
    return any((beside / f"{_HOST}{ending}").exists() for ending in endings) or shutil.which(_HOST) is not None


def environment(workplace: Workplace, cli: Path | None, starters: Path) -> dict[str, str]:
    """The environment of commands: no way to a real Azure or backend, everything in `.offline/`.

    `starters` is a folder for executables that must be on PATH. There is no way out until a door names one.
    """
    kept = {key: value for key, value in os.environ.items() if not _REAL.fullmatch(key)}
    path = [kept.get("PATH", os.defpath)]
    if cli is not None:
        if shutil.which("pulumi") is None:
            path.insert(0, str(cli.parent))
        if not has_language_host(cli):
            _write_host_starter(starters)
            path.insert(0, str(starters))
    return {
        **kept,
        **egress.variables(),
        "PATH": os.pathsep.join(path),
        "PYTHONPATH": _python_path(),
        # Without the file of attributes that the engine would write beside each state: killed meanwhile, it leaves an
        # empty one, and the state cannot be read any more.
        "PULUMI_BACKEND_URL": f"file://{urllib.parse.quote(workplace.backend.as_posix(), safe='/:')}?metadata=skip",
        "PULUMI_HOME": str(workplace.home),
        # `az` finds no login there: not the one of the person who runs it.
        "AZURE_CONFIG_DIR": str(workplace.home / "azure"),
        # It protects nothing: the offline Azure has nothing to protect. But the engine encrypts as it does for real.
        "PULUMI_CONFIG_PASSPHRASE": "offline",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Without this the engine tries to download the real provider for each resource that it finds in the stack's
        # state, although it uses ours in the end.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_PYTHON_CMD": sys.executable,
    }


def _python_path() -> str:
    """The program must find this very package, also where it runs from its sources."""
    return os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))


def _write_host_starter(folder: Path) -> None:
    command = [sys.executable, "-m", "amlplatform.cloud.language_host"]
    if WINDOWS:
        (folder / f"{_HOST}.cmd").write_text(f"@{subprocess.list2cmdline(command)} %*\n", encoding="utf-8")
        return
    starter = folder / _HOST
    starter.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    starter.chmod(0o700)


@dataclass(frozen=True)
class Manners:
    """How the offline Azure is in one run: whom it takes the command for, and whether it is as slow to agree as Azure.

    `identity`: the object id of an identity in the state; "": the person.
    """

    identity: str = ""
    hostile: bool = False

    @property
    def options(self) -> list[str]:
        """What a door is started with."""
        return [*(["--identity", self.identity] if self.identity else []), *(["--hostile"] if self.hostile else [])]


class Door:
    """A door of the offline Azure, in a process of its own. It goes when this process goes, however that happens."""

    def __init__(self, workplace: Workplace, module: str, *options: str | Path) -> None:
        self.log = workplace.log
        self.last_words = b""
        command = [sys.executable, "-m", module, "--state", str(workplace.cloud_file), *map(str, options)]
        variables = {**os.environ, "PYTHONPATH": _python_path()}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=variables
            )

    def _first_line(self) -> bytes:
        """What it prints once it answers; waits until it does. b"" when it does not start."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def stop(self) -> None:
        try:
            # Its standard input ends with this.
            self.last_words, _ = self.process.communicate(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Provider(Door):
    """The azure-native provider, for the engine."""

    def __init__(self, workplace: Workplace, manners: Manners) -> None:
        super().__init__(workplace, "amlplatform.cloud.provider", *manners.options)

    def port(self) -> int:
        """The port on which it listens; waits until it does. Raises WorkplaceError when it does not start."""
        line = self._first_line()
        if not line.isdigit():
            raise WorkplaceError(f"the offline Azure did not start; {self.log} says why")
        return int(line)


class HttpsDoor(Door):
    """Azure Resource Manager over HTTPS, for Azure's SDKs. `folder` is private and gets its certificates.

    `azurite`: the command that starts it; None: there is no blob storage.
    """

    def __init__(
        self, workplace: Workplace, folder: Path, manners: Manners, azurite: Sequence[str] | None = None
    ) -> None:
        words = ["--folder", folder, "--held", workplace.folder, *manners.options]
        super().__init__(workplace, "amlplatform.cloud.https", *words, *(["--azurite", *azurite] if azurite else []))

    def variables(self) -> dict[str, str]:
        """The environment that leads SDKs to it; waits until it answers. Raises WorkplaceError when it does not."""
        line = self._first_line()
        try:
            return json.loads(line)
        except ValueError:
            reason = line.decode("utf-8", "replace") or f"{self.log} says why"
            raise WorkplaceError(f"SDKs of Azure find no offline Azure: {reason}") from None

    @property
    def refused(self) -> list[str]:
        """The hosts that were asked for and refused: known once it has stopped."""
        with contextlib.suppress(ValueError):
            return json.loads(self.last_words)
        return []


@contextlib.contextmanager
def provider(workplace: Workplace, manners: Manners) -> Iterator[Provider]:
    started = Provider(workplace, manners)
    try:
        yield started
    finally:
        started.stop()


@contextlib.contextmanager
def https_door(
    workplace: Workplace, folder: Path, manners: Manners, azurite: Sequence[str] | None = None
) -> Iterator[HttpsDoor]:
    started = HttpsDoor(workplace, folder, manners, azurite)
    try:
        yield started
    finally:
        started.stop()


def run(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> int:
    """Run a command in the foreground and wait for its end, whatever interrupts it. Returns its exit code.

    Ctrl-C on a terminal reaches the command directly, which then decides how to end; SIGTERM is passed on to it.
    """
    with subprocess.Popen(command, cwd=folder, env=dict(variables)) as process, _signals_for(process):
        process.wait()
    # A signal's number is reported as shells do.
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


@contextlib.contextmanager
def _signals_for(process: subprocess.Popen[bytes]) -> Iterator[None]:
    shared = _is_in_foreground()

    def interrupt(number: int, _frame: object) -> None:
        if not shared:
            process.send_signal(number)

    def terminate(number: int, _frame: object) -> None:
        process.send_signal(number)

    previous = {signal.SIGINT: signal.signal(signal.SIGINT, interrupt)}
    if not WINDOWS:
        previous[signal.SIGTERM] = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _is_in_foreground() -> bool:
    """Whether a terminal sends Ctrl-C to this process and to those that it starts alike."""
    if WINDOWS:
        return True
    with contextlib.suppress(OSError, ValueError):
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return False


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for executables and certificates that lives as long as the command; nobody else can read it."""
    with tempfile.TemporaryDirectory(prefix="amlplatform-") as name:
        yield Path(name)
