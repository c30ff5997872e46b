"""Write every lock file of the repository: names, versions and hashes, no addresses.

    python3 tools/lock.py [--upgrade]

The union of all requirements is resolved first; the smaller files are held to its versions, so that the tests run what
is shipped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from envs import PROJECT, ROOT, find_uv

UNION = ROOT / "requirements" / "tests"
# Installed by pip on a machine without uv, apart from everything else.
UV = PROJECT / "tools" / "uv"
# Its server holds packages to versions that are too old for the others.
ONLINE = PROJECT / "requirements-online"
CHECKOV = ROOT / "requirements" / "checkov"
PARTS = (
    ROOT / "requirements" / "cookiecutter",
    ROOT / "infra" / "requirements",
    PROJECT / "requirements",
    PROJECT / "requirements-dev",
    PROJECT / "requirements-azure",
    PROJECT / "requirements-keras",
    PROJECT / "requirements-pytorch",
)
HEADER = "# Written by `make lock`; change the .in file, not this one.\n"


def lock(stem: Path, *, constraint: Path | None, upgrade: bool) -> None:
    """Compile `stem`.in to `stem`.txt. Raises CalledProcessError with uv's own message when there is no solution."""
    source, target = stem.with_name(stem.name + ".in"), stem.with_name(stem.name + ".txt")
    command = [find_uv(), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--output-file", str(target), str(source)]
    if constraint:
        command += ["--constraint", str(constraint)]
    if upgrade:
        command.append("--upgrade")
    subprocess.run(command, check=True, cwd=ROOT)
    target.write_text(HEADER + target.read_text(encoding="utf-8"), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    upgrade = parser.parse_args().upgrade
    union = UNION.with_suffix(".txt")
    try:
        for alone in (UV, UNION, CHECKOV, ONLINE):
            lock(alone, constraint=None, upgrade=upgrade)
        for part in PARTS:
            lock(part, constraint=union, upgrade=upgrade)
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
