"""An image as a folder, in OCI's image layout: what is built, pushed, and handed from one environment to the next.

layout = Layout(folder)
layout.digest                    # "sha256:9f86…"
layout.check()                   # every blob is what its name says
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from amlops.errors import UserError, shown
from amlops.files import read_json, sha256, write_json

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_VERSION = {"imageLayoutVersion": "1.0.0"}
_AGAIN = "build or export the image again"


class Layout:
    """A folder with one image for one platform. Facts: github.com/opencontainers/image-spec, image-layout.md."""

    def __init__(self, folder: Path) -> None:
        """Read the index. Raises UserError when the folder is no such layout, or holds more than one image."""
        self.folder = folder
        index = self._json(folder / "index.json")
        manifests = index.get("manifests")
        if not isinstance(manifests, list) or len(manifests) != 1:
            raise self._fault("index.json must name one image")
        self.digest = self._digest_of(manifests[0])
        self.media_type = str(manifests[0].get("mediaType") or "application/vnd.oci.image.manifest.v1+json")
        content = json.loads(self.manifest())
        entries = [content.get("config"), *(content.get("layers") or [])] if isinstance(content, dict) else []
        self.blobs = list(dict.fromkeys(self._digest_of(entry) for entry in entries))
        if not self.blobs:
            raise self._fault("its manifest has no config and no layers")

    @staticmethod
    def write(folder: Path, manifest: bytes, media_type: str) -> str:
        """Begin a layout with its manifest; the blobs go to `blob_file` of each digest. Returns the digest."""
        digest = _digest(manifest)
        file = _blob_file(folder, digest)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(manifest)
        write_json(folder / "oci-layout", _VERSION)
        entry = {"mediaType": media_type, "digest": digest, "size": len(manifest)}
        write_json(folder / "index.json", {"schemaVersion": 2, "manifests": [entry]})
        return digest

    def manifest(self) -> bytes:
        """The manifest, as it was built: its digest names the image. Raises UserError when it is another."""
        file = self.blob_file(self.digest)
        content = file.read_bytes() if file.is_file() else b""
        if _digest(content) != self.digest:
            raise self._fault(f"the manifest is not {self.digest}")
        return content

    def blob_file(self, digest: str) -> Path:
        """Where a blob lies."""
        return _blob_file(self.folder, digest)

    def check(self) -> None:
        """Compare every blob with its name. Raises UserError."""
        for digest in self.blobs:
            file = self.blob_file(digest)
            if not file.is_file() or file.is_symlink() or f"sha256:{sha256(file)}" != digest:
                raise self._fault(f"the file of {digest} is missing or is another")

    def _digest_of(self, entry: Any) -> str:
        digest = entry.get("digest") if isinstance(entry, dict) else None
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise self._fault(f"'{digest}' must be a digest, sha256: and 64 hexadecimal digits")
        return digest

    def _json(self, file: Path) -> dict[str, Any]:
        try:
            found = read_json(file)
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict):
            raise self._fault(f"{file.name} is missing or is no JSON object")
        return found

    def _fault(self, what: str) -> UserError:
        return UserError(f"image '{shown(self.folder)}': {what}; {_AGAIN}")


def _blob_file(folder: Path, digest: str) -> Path:
    return folder / "blobs" / "sha256" / digest.removeprefix("sha256:")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
