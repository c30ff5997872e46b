"""The container registry of an environment, through azure-containerregistry."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from amlops.azure.errors import azure_errors
from amlops.errors import UserError
from amlops.files import new_folder
from amlops.images.layout import Layout

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

SUFFIX = ".azurecr.io"
# For whom a token must be to be exchanged for one of a registry (learn.microsoft.com, ACR audience).
_AUDIENCE = "https://containerregistry.azure.net"


class AzureImages:
    """See `amlops.workspace.Images`."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    @property
    def registry(self) -> str:
        """The host that the environment's file names by `registry`."""
        name = str(self._azure.environment.values.get("registry") or "")
        return f"{name}{SUFFIX}" if name else ""

    def push(self, layout: Layout, repository: str) -> str:
        """Push an image; see `amlops.workspace.Images.push`. The manifest goes last: nobody sees half an image."""
        layout.check()
        with self._registry("push", repository):
            if not self._has(repository, layout.digest):
                for digest in layout.blobs:
                    with layout.blob_file(digest).open("rb") as stream:
                        self._client.upload_blob(repository, stream)
                with layout.blob_file(layout.digest).open("rb") as stream:
                    self._client.set_manifest(repository, stream, media_type=layout.media_type)
        return f"{self.registry}/{repository}@{layout.digest}"

    def pull(self, reference: str, folder: Path) -> Layout:
        """Fetch an image; see `amlops.workspace.Images.pull`."""
        repository, _, digest = reference.removeprefix(f"{self.registry}/").partition("@")
        with new_folder(folder) as made, self._registry("pull", repository):
            # The client hands out the manifest parsed; the digest is that of the bytes.
            answers: list[Any] = []
            found: Any = self._client.get_manifest(repository, digest, raw_response_hook=answers.append)
            Layout.write(made, answers[-1].http_response.read(), found.media_type)
            layout = Layout(made)
            if layout.digest != digest:
                raise UserError(f"image '{reference}': the registry gave another manifest, {layout.digest}")
            for blob in layout.blobs:
                with layout.blob_file(blob).open("wb") as stream:
                    for piece in self._client.download_blob(repository, blob):
                        stream.write(piece)
            layout.check()
        return Layout(folder)

    def _has(self, repository: str, digest: str) -> bool:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            self._client.get_manifest(repository, digest)
        except ResourceNotFoundError:
            return False
        return True

    @functools.cached_property
    def _client(self) -> Any:
        from azure.containerregistry import ContainerRegistryClient

        return ContainerRegistryClient(f"https://{self.registry}", self._azure.credential, audience=_AUDIENCE)

    @contextmanager
    def _registry(self, verb: str, repository: str) -> Iterator[None]:
        """Faults as one line; a registry that does not know the caller's right says 401. Raises UserError."""
        if not self.registry:
            file = self._azure.environment.file
            raise UserError("registry: is missing; the name of the environment's container registry", file=file)
        what = f"image '{self.registry}/{repository}'"
        with azure_errors(self._azure, what):
            from azure.core.exceptions import HttpResponseError

            try:
                yield
            except HttpResponseError as error:
                if error.status_code not in (401, 403) or not str(_host(error)).endswith(SUFFIX):
                    raise
                role = "AcrPush" if verb == "push" else "AcrPull"
                raise UserError(
                    f"{what}: who is signed in may not {verb} there; the platform team gives the role {role} on the "
                    "registry, or its network is closed to this machine"
                ) from error


def _host(error: Any) -> str:
    request = getattr(getattr(error, "response", None), "request", None)
    return urlsplit(str(getattr(request, "url", ""))).hostname or ""
