"""Pack Microsoft's types of the resources in the catalogue: `python -m amlplatform.armtypes.build --source DIR`.

DIR holds type files of github.com/Azure/bicep-types-az and an `index.json` that says, for each Pulumi token, which
file, ARM type and API version belong to it. Only what the catalogue's resources reach is kept, without descriptions.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

from amlplatform.armtypes.resource_types import RESOURCE_TYPES, ResourceType

PACK = Path(__file__).with_name("types.json.gz")
OWN = Path(__file__).with_name("own_types.json")
"""Types by hand, as far as they are used: deployments, which Bicep knows by itself and Microsoft publishes nowhere, and
rules of data collection, which stand in Microsoft's files in an older form."""


class PackError(Exception):
    """The source does not hold what the catalogue asks for. The message is one line."""


def build(source: Path) -> dict[str, Any]:
    """The content of the pack. `resources`: "type@version" to the index of its body; `nodes`: types that refer to each
    other by index.

    Raises PackError when a resource of the catalogue is not in the source, or there in another API version.
    """
    index = json.loads((source / "index.json").read_text(encoding="utf-8"))
    nodes: list[dict[str, Any]] = []
    bodies: dict[str, int] = {}
    packers: dict[Path, _Packer] = {}
    own = {entry["name"] for entry in json.loads(OWN.read_text(encoding="utf-8")) if entry["$type"] == "ResourceType"}
    for _, kind in sorted(RESOURCE_TYPES.items()):
        key = f"{kind.arm_type}@{kind.api_version}"
        path = OWN if key in own else source / _file_of(kind, index, source)
        packer = packers.setdefault(path, _Packer(path, nodes))
        bodies[key] = packer.body(key)
    return {"resources": bodies, "nodes": nodes}


def _file_of(kind: ResourceType, index: dict[str, Any], source: Path) -> str:
    """The file with the kind's type: its own entry's, else that of a kind of the same provider and version."""
    entry = index.get(kind.token)
    if entry is not None:
        if entry["apiVersion"] != kind.api_version:
            found = entry["apiVersion"]
            raise PackError(f"{kind.token}: the catalogue says {kind.api_version}, the source has {found}")
        return entry["file"]
    provider = kind.arm_type.split("/")[0]
    for other in index.values():
        if other["type"].split("/")[0] == provider and other["apiVersion"] == kind.api_version:
            return other["file"]
    raise PackError(f"{source / 'index.json'}: no entry for {kind.token}")


class _Packer:
    """Copies the reachable types of one file to the end of a shared list."""

    def __init__(self, path: Path, nodes: list[dict[str, Any]]) -> None:
        self.path = path
        self.types: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        self.nodes = nodes
        self.moved: dict[int, int] = {}

    def body(self, key: str) -> int:
        for entry in self.types:
            if entry["$type"] == "ResourceType" and entry["name"].lower() == key.lower():
                return self._move(entry["body"])
        raise PackError(f"{self.path}: has no resource {key}")

    def _move(self, ref: dict[str, str]) -> int:
        old = int(ref["$ref"].rsplit("/", 1)[1])
        if old not in self.moved:
            # The place is taken before the content is known: types refer to themselves.
            self.moved[old] = len(self.nodes)
            self.nodes.append({})
            self.nodes[self.moved[old]] = self._packed(self.types[old])
        return self.moved[old]

    def _packed(self, node: dict[str, Any]) -> dict[str, Any]:
        packed: dict[str, Any] = {}
        for key, value in node.items():
            if key in ("properties", "baseProperties"):
                packed[key] = {
                    name: {"type": self._move(spec["type"]), "flags": spec["flags"]} for name, spec in value.items()
                }
            elif key == "elements" and isinstance(value, dict):
                packed[key] = {name: self._move(ref) for name, ref in value.items()}
            elif key == "elements":
                packed[key] = [self._move(ref) for ref in value]
            elif key in ("itemType", "additionalProperties"):
                packed[key] = self._move(value)
            elif key != "name":
                packed[key] = value
        return packed


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m amlplatform.armtypes.build", description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="folder with the type files and index.json")
    parser.add_argument("--output", type=Path, default=PACK)
    args = parser.parse_args(argv)
    try:
        content = build(args.source)
    except (PackError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    # mtime=0: the same source gives the same bytes.
    data = gzip.compress(json.dumps(content, separators=(",", ":")).encode("utf-8"), mtime=0)
    temporary = args.output.with_suffix(".tmp")
    temporary.write_bytes(data)
    temporary.replace(args.output)
    print(
        f"{args.output}: {len(content['resources'])} resource types, {len(content['nodes'])} types, {len(data)} bytes"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
