"""Write what is made from the programs: tables in the docs, the request's schema, the hashes of tools/amlops.

    python3 tools/generated.py           write them
    python3 tools/generated.py --check   exit code 1 when one is not current, and its name

Run it after a change in the project's tools/amlops or in the request's model.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

from envs import PROJECT, ROOT, tests_python

TOOL = PROJECT / "tools" / "amlops"


def sections() -> dict[tuple[str, str], str]:
    """What stands between the marks of a page under docs/, by page and name of the section.

    The marks in the page are `<!-- NAME: written by tools/generated.py -->` and `<!-- end of NAME -->`.
    """
    from amlplatform import access_matrix, network_reference, passing_errors  # noqa: PLC0415 (the tests' environment)
    from amlplatform.fixed_properties import reference as fixed_properties  # noqa: PLC0415
    from amlplatform.monitoring import reference as monitoring  # noqa: PLC0415
    from amlplatform.request import reference  # noqa: PLC0415

    return {
        ("platform.md", "fields"): reference.markdown(),
        ("platform.md", "refused"): fixed_properties.refused(),
        ("platform.md", "replaced"): fixed_properties.replaced(),
        ("access.md", "roles"): access_matrix.roles(),
        ("access.md", "rights"): access_matrix.rights(),
        ("access.md", "custom roles"): access_matrix.custom_roles(),
        ("access.md", "exceptions"): access_matrix.exceptions(),
        ("networks.md", "zones"): network_reference.zones(),
        ("networks.md", "profiles"): network_reference.profiles(),
        ("networks.md", "ways"): network_reference.ways(),
        ("networks.md", "exclusions"): network_reference.exclusions(),
        ("networks.md", "at rest"): network_reference.at_rest(),
        ("options-data.md", "database"): access_matrix.database(),
        ("first-up.md", "with time"): passing_errors.table("with time"),
        ("first-up.md", "after a step"): passing_errors.table("after a step"),
        ("monitoring.md", "alerts"): monitoring.alerts(),
        ("monitoring.md", "timing"): monitoring.timing(),
        ("monitoring.md", "logs"): monitoring.logs(),
    }


def contents() -> dict[Path, str]:
    """What each file should hold."""
    from amlops.cli import reference as flags  # noqa: PLC0415 (only in the environment of the tests)
    from amlops.validate.page import page  # noqa: PLC0415
    from amlplatform.policies import reference as policies  # noqa: PLC0415
    from amlplatform.request import json_schema  # noqa: PLC0415

    commands, rules = PROJECT / "docs" / "amlops.md", ROOT / "docs" / "policies.md"
    pages: dict[Path, str] = {}
    for (name, section), text in sections().items():
        path = ROOT / "docs" / name
        pages[path] = with_section(pages.get(path) or path.read_text(encoding="utf-8"), section, text)
    return {
        commands: flags.with_tables(commands.read_text(encoding="utf-8")),
        PROJECT / "docs" / "validate.md": page(),
        PROJECT / ".cloud" / "request.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        rules: policies.with_tables(rules.read_text(encoding="utf-8")),
        **pages,
    }


def with_section(page: str, section: str, text: str) -> str:
    """The page with this section's text. Raises ValueError when it has no marks for it."""
    start, end = f"<!-- {section}: written by tools/generated.py -->\n", f"<!-- end of {section} -->\n"
    before, found, rest = page.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the marks of section {section!r} are missing")
    return f"{before}{start}\n{text}\n{end}{after}"


def stale() -> list[str]:
    """Names of the files that are not current, relative to the repository."""
    from amlops import manifest  # noqa: PLC0415

    wanted = contents()
    found = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    hashes = TOOL / manifest.NAME
    if not hashes.is_file() or manifest.local_edits(TOOL):
        found.append(hashes)
    return [path.relative_to(ROOT).as_posix() for path in found]


def write() -> None:
    """Write what is not current. The hashes come last."""
    from amlops import manifest  # noqa: PLC0415

    for path, text in contents().items():
        path.write_text(text, encoding="utf-8", newline="\n")
    manifest.write(TOOL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    if importlib.util.find_spec("amlops") is None:  # not in the environment that has both programs
        return subprocess.run([str(tests_python()), __file__, *sys.argv[1:]], check=False).returncode
    names = stale()
    if check:
        for name in names:
            print(f"not current: {name}; run python3 tools/generated.py", file=sys.stderr)
        return 1 if names else 0
    write()
    print("\n".join(f"written: {name}" for name in names) or "everything is current")
    return 0


if __name__ == "__main__":
    sys.exit(main())
