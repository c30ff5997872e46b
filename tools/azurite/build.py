"""Install Azurite into `.tools/azurite`: Microsoft's emulator of blob storage, to which uploads go in the tests.

    python3 tools/azurite/build.py

It needs Node.js with npm. The version is pinned here and nowhere else; no lock file is kept, since npm's records
addresses. Standard library only.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# 3.37 wants Node 22.
VERSION = "3.35.0"
TARGET = Path(__file__).resolve().parents[2] / ".tools" / "azurite"
PACKAGE = Path("node_modules") / "azurite"


class BuildError(Exception):
    """Azurite cannot be installed here; the message is one line that says why and what to do."""


def installed() -> bool:
    """Whether the pinned version is there, whole: its package.json is moved into place with all the rest."""
    try:
        text = (TARGET / PACKAGE / "package.json").read_text(encoding="utf-8")
    except OSError:
        return False
    return json.loads(text).get("version") == VERSION


def install() -> None:
    """Raises BuildError."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise BuildError("npm: not on PATH, and Azurite is installed with it; install Node.js 20 or newer")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".azurite-", dir=TARGET.parent) as name:
        folder = Path(name) / "azurite"
        folder.mkdir()
        (folder / "package.json").write_text('{"name": "azurite-here", "private": true}\n', encoding="utf-8")
        command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        print(f"azurite: installing {VERSION} with npm (under a minute, once)", file=sys.stderr, flush=True)
        result = subprocess.run(
            [*command, f"azurite@{VERSION}"], cwd=folder, capture_output=True, encoding="utf-8", check=False
        )
        if result.returncode:
            lines = result.stderr.strip().splitlines() or ["it said nothing"]
            raise BuildError(f"npm: azurite@{VERSION} could not be installed: {lines[-1]}")
        shutil.rmtree(TARGET, ignore_errors=True)
        folder.rename(TARGET)


def main() -> int:
    if installed():
        print(f"azurite {VERSION} is installed already: {TARGET}")
        return 0
    try:
        install()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"azurite {VERSION}: {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
