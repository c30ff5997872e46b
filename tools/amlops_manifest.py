"""After a change in the project's tools/amlops: write its manifest of file hashes and the tables in docs/amlops.md.

python3 tools/amlops_manifest.py           write both
python3 tools/amlops_manifest.py --check   exit code 1 when one of them is not current
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys

from envs import PROJECT, tests_python

TOOL = PROJECT / "tools" / "amlops"
PAGE = PROJECT / "docs" / "amlops.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    if importlib.util.find_spec("typer") is None:  # not in the environment that has what amlops needs
        return subprocess.run([str(tests_python()), __file__, *sys.argv[1:]], check=False).returncode
    sys.path.insert(0, str(TOOL / "src"))
    from amlops import manifest  # noqa: PLC0415 (only now on the path)
    from amlops.cli import reference  # noqa: PLC0415

    page = reference.with_tables(PAGE.read_text(encoding="utf-8"))
    if check:
        stale = [str(edit.path) for edit in manifest.local_edits(TOOL)]
        stale += [] if page == PAGE.read_text(encoding="utf-8") else [PAGE.name]
        for name in stale:
            print(f"not current: {name}; run python3 tools/amlops_manifest.py", file=sys.stderr)
        return 1 if stale or not (TOOL / manifest.NAME).is_file() else 0
    PAGE.write_text(page, encoding="utf-8", newline="\n")
    print(manifest.write(TOOL).relative_to(PROJECT.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
