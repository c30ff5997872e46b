"""Build the Pulumi CLI into `.tools/bin`, for machines that have Go but no `pulumi`.

    python3 tools/pulumi/build.py          (the same as `make pulumi`)

Nothing is built where a `pulumi` of the pinned version or newer is on PATH, or where an earlier run left one. The
version is pinned in `go.mod` beside this file and nowhere else. Standard library only.

A CLI built from Go modules comes without the Python language host that the official download has. The host is part of
`amlplatform` (`amlplatform.cloud.language_host`); a two-line starter for it is written beside the CLI, which then
works like the official one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
BIN = HERE.parents[1] / ".tools" / "bin"
WINDOWS = os.name == "nt"
CLI = BIN / ("pulumi.exe" if WINDOWS else "pulumi")
HOST = BIN / ("pulumi-language-python.cmd" if WINDOWS else "pulumi-language-python")
COMMAND_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
# PULUMI_PYTHON_CMD is what the official host reads too.
HOST_POSIX = '#!/bin/sh\nexec "${PULUMI_PYTHON_CMD:-python3}" -m amlplatform.cloud.language_host "$@"\n'
HOST_WINDOWS = (
    '@if not defined PULUMI_PYTHON_CMD set "PULUMI_PYTHON_CMD=python"\n'
    '@"%PULUMI_PYTHON_CMD%" -m amlplatform.cloud.language_host %*\n'
)

Version = tuple[int, int, int]


class BuildError(Exception):
    """The CLI cannot be built here; the message is one line that says why and what to do."""


def pinned() -> Version:
    """The version in go.mod."""
    text = (HERE / "go.mod").read_text(encoding="utf-8")
    match = re.search(r"^\s*github\.com/pulumi/pulumi/pkg/v3 v(\S+)", text, re.MULTILINE)
    if match is None:
        raise BuildError("tools/pulumi/go.mod does not require github.com/pulumi/pulumi/pkg/v3")
    return parse(match[1])


def parse(text: str) -> Version:
    """ "v3.230.0-dev" and "3.230.0" are (3, 230, 0). Raises BuildError when there is no version in `text`."""
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    if match is None:
        raise BuildError(f"no version in {text.strip()!r}")
    return int(match[1]), int(match[2]), int(match[3])


def words(version: Version) -> str:
    return ".".join(map(str, version))


def version_of(cli: Path | str) -> Version | None:
    """What `pulumi version` says; None when it does not run."""
    try:
        answer = subprocess.run(
            [str(cli), "version"],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=True,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
        return parse(answer.stdout)
    except (OSError, subprocess.SubprocessError, BuildError):
        return None


def already_there(wanted: Version) -> str | None:
    """One line that says why nothing needs to be built, or None."""
    on_path = shutil.which("pulumi")
    if on_path and Path(on_path).resolve() != CLI:
        found = version_of(on_path)
        if found and found >= wanted:
            return f"pulumi {words(found)} is on PATH ({on_path}): nothing to build"
    if CLI.exists() and version_of(CLI) == wanted:
        return f"pulumi {words(wanted)} is built already: {CLI}"
    return None


def find_go() -> str:
    go = shutil.which("go")
    if go is None:
        raise BuildError(
            "go: not on PATH, and the CLI is built with it; install Go, or the Pulumi CLI, with your package manager"
        )
    return go


@contextlib.contextmanager
def build_folder() -> Iterator[Path]:
    """A folder beside the result, so that the finished file is moved into place in one step."""
    BIN.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=BIN) as name:
        yield Path(name)


def run_go(go: str, *arguments: str, title: str) -> None:
    """Run Go in this folder and show what it is at. Raises BuildError with Go's last words."""
    progress = Progress(title)
    with (
        subprocess.Popen(
            [go, *arguments],
            cwd=HERE,
            env={**os.environ, "GOWORK": "off"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
        progress,
    ):
        try:
            lines = [progress.saw(line) for line in process.stderr or ()]
        except KeyboardInterrupt:
            process.kill()
            raise
    if process.returncode:
        faults = [line for line in lines if line and not line.startswith("#")]
        raise BuildError(f"go {arguments[0]} failed: {faults[-1] if faults else f'exit code {process.returncode}'}")


class Progress:
    """One line on a terminal that is kept current; a line at the beginning and the end elsewhere."""

    def __init__(self, title: str) -> None:
        self.title, self.count, self.last = title, 0, ""
        self.started = time.monotonic()
        self.done = threading.Event()
        self.ticker = threading.Thread(target=self._tick, daemon=True)

    def saw(self, line: str) -> str:
        """Count a line of `go build -v` (one per package) or `go mod download -x`."""
        self.count += 1
        self.last = line.strip()
        return self.last

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            self.ticker.start()
        else:
            print(f"{self.title} …", file=sys.stderr, flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        text = f"{self.title}: {time.monotonic() - self.started:.0f} s"
        if self.ticker.is_alive():
            self.ticker.join()
            text = f"\r\x1b[K{text}"
        print(text, file=sys.stderr, flush=True)

    def _tick(self) -> None:
        while not self.done.wait(0.5):
            package = self.last.rsplit("/", 1)[-1][:30]
            text = f"{self.title}: {time.monotonic() - self.started:.0f} s, {self.count} packages  {package}"
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def build(wanted: Version) -> None:
    """Download the modules, compile, move the CLI into place. Raises BuildError; an older CLI is then still there."""
    go = find_go()
    run_go(go, "mod", "download", "-x", title="Downloading the Pulumi CLI's modules")
    with build_folder() as folder:
        target = folder / CLI.name
        flags = f"-s -w -X {VERSION_VARIABLE}=v{words(wanted)}"
        run_go(
            go,
            "build",
            "-v",
            "-mod=readonly",
            "-ldflags",
            flags,
            "-o",
            str(target),
            COMMAND_PACKAGE,
            title=f"Compiling pulumi {words(wanted)} (minutes the first time)",
        )
        found = version_of(target)
        if found != wanted:
            said = words(found) if found else "nothing"
            raise BuildError(f"the CLI that was built says {said} for its version, wanted is {words(wanted)}")
        target.replace(CLI)


def write_host() -> None:
    """The language host's starter beside the CLI."""
    content = HOST_WINDOWS if WINDOWS else HOST_POSIX
    if HOST.exists() and HOST.read_text(encoding="utf-8") == content:
        return
    with build_folder() as folder:
        starter = folder / HOST.name
        starter.write_text(content, encoding="utf-8")
        starter.chmod(0o755)
        starter.replace(HOST)


def main() -> int:
    try:
        wanted = pinned()
        message = already_there(wanted)
        if message is None:
            build(wanted)
            message = f"built {CLI}"
        if CLI.exists():
            write_host()
        print(message)
    except BuildError as error:
        print(f"pulumi: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("pulumi: stopped, nothing was changed", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
