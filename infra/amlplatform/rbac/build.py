"""Pack Microsoft's definitions of the roles that are used: `python -m amlplatform.rbac.build --source FILE`.

FILE is a list of all built-in roles as Azure's API gives it, one role a line: github.com/iann0036/iam-dataset has it
(azure/built-in-roles-raw.json, MIT). Kept are the roles of `amlplatform.roles.ROLES` and of `OTHERS`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from amlplatform.roles import ROLES

PACK = Path(__file__).with_name("roles.json")
SOURCE = "github.com/iann0036/iam-dataset, azure/built-in-roles-raw.json"

OTHERS = (
    "AcrPush",
    "Azure AI Administrator",
    "Azure Event Hubs Data Receiver",
    "Azure Event Hubs Data Sender",
    "Azure Kubernetes Service Cluster Admin Role",
    "Cognitive Services User",
    "Data Factory Contributor",
    "Key Vault Reader",
    "Key Vault Secrets Officer",
    "Kubernetes Extension Contributor",
    "Network Contributor",
    "Owner",
    "Private DNS Zone Contributor",
    "User Access Administrator",
)
"""Roles that the platform does not give in every version, and that people or tests have in a subscription."""


class PackError(Exception):
    """The source does not hold what is asked for. The message is one line."""


def build(source: Path) -> list[dict[str, Any]]:
    """The packed roles, by name. Raises PackError when a role is not in the source."""
    known = json.loads(source.read_text(encoding="utf-8"))
    by_name = {role["roleName"]: role for role in known}
    by_id = {role["name"]: role for role in known}
    wanted = {role.role_id: role.name for role in ROLES.values()}
    missing = [name for role_id, name in wanted.items() if role_id not in by_id]
    missing += [name for name in OTHERS if name not in by_name]
    if missing:
        raise PackError(f"{source}: has no role {', '.join(sorted(missing))}")
    kept = {role["name"]: role for role in (*(by_id[role_id] for role_id in wanted), *(by_name[n] for n in OTHERS))}
    return sorted(kept.values(), key=lambda role: role["roleName"])


def text(roles: list[dict[str, Any]], as_of: str) -> str:
    """The file: one role a line, so that a change of a role is a change of its line."""
    head = {"source": SOURCE, "licence": "MIT, see LICENSE", "asOf": as_of}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    lines.append('  "roles": [')
    lines.append(",\n".join(f"    {json.dumps(role)}" for role in roles))
    return "\n".join(["{", *lines, "  ]", "}", ""])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m amlplatform.rbac.build", description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="file with all built-in roles")
    parser.add_argument("--as-of", required=True, metavar="YYYY-MM-DD", help="date of the source")
    parser.add_argument("--output", type=Path, default=PACK)
    arguments = parser.parse_args(argv)
    try:
        roles = build(arguments.source)
    except (PackError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    arguments.output.write_text(text(roles, arguments.as_of), encoding="utf-8")
    print(f"{arguments.output}: {len(roles)} roles")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
