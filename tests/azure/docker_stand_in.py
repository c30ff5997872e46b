"""Stands for `docker buildx`: writes an image layout of what it is asked to build, and a line about it.

No image can be built where the tests run. The layout is a real one: its blobs are what their digests say.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

# More than one piece of an upload.
_LAYER = b"layer" * 1_000_000


def main(words: list[str]) -> int:
    if words[:2] == ["buildx", "inspect"]:
        return 0
    if words[:2] != ["buildx", "build"]:
        print(f"unexpected: {words}", file=sys.stderr)
        return 2
    context = Path(words[-1])
    recipe = (context / "Dockerfile").read_bytes() + (context / "environment.yml").read_bytes()
    (output,) = (words[number + 1] for number, word in enumerate(words) if word == "--output")
    folder = Path(dict(part.split("=", 1) for part in output.split(","))["dest"])
    with Path(os.environ["DOCKER_BUILDS"]).open("a", encoding="utf-8") as log:
        log.write(" ".join(words[:-1]) + "\n")
    config = _blob(folder, json.dumps({"architecture": "amd64", "os": "linux"}).encode())
    layers = [_blob(folder, _LAYER), _blob(folder, recipe)]
    manifest = {"schemaVersion": 2, "config": config, "layers": layers}
    # Not as Python would write it: whoever writes it anew gets another digest.
    entry = _blob(folder, json.dumps(manifest, indent=3).encode())
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    entry["mediaType"] = "application/vnd.oci.image.manifest.v1+json"
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}), encoding="utf-8")
    return 0


def _blob(folder: Path, content: bytes) -> dict[str, Any]:
    name = hashlib.sha256(content).hexdigest()
    place = folder / "blobs" / "sha256"
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(content)
    kind = "application/vnd.oci.image.layer.v1.tar"
    return {"mediaType": kind, "digest": f"sha256:{name}", "size": len(content)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
