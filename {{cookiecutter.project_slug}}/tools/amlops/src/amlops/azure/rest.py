"""Reading from Azure Resource Manager as it answers, in JSON.

azure-ai-ml makes objects of what it reads, and leaves out of a list what it cannot make one of: a job of a newer kind
would not be seen. So records are made from the answers themselves; everything that changes something goes through
azure-ai-ml.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core import PipelineClient

    from amlops.azure.client import AzureContext

# The newest version that is not a preview, of github.com/Azure/azure-rest-api-specs, machinelearningservices.
API_VERSION = "2024-10-01"
FRONT_END_API_VERSION = "2020-09-01-dataplanepreview"
Document = dict[str, Any]


class ResourceManager:
    """GET requests to Resource Manager. Its methods raise the exceptions of azure-core: see `azure_errors`."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    def workspace(self, path: str = "", **query: str) -> Document:
        """A resource of the workspace: `workspace("jobs/train-1")`."""
        return self._get(f"{self._azure.workspace_id}/{_quoted(path)}".rstrip("/"), query)

    def workspace_list(self, path: str, **query: str) -> Iterator[Document]:
        """The resources of a list of the workspace, page after page: `workspace_list("jobs")`."""
        return self._pages(f"{self._azure.workspace_id}/{_quoted(path)}", query)

    def find(self, path: str) -> Document | None:
        """A resource of the workspace; None when there is none. Raises what is raised when the workspace is missing."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self.workspace(path)
        except ResourceNotFoundError:
            self.workspace()  # it may be the workspace that is not there
            return None

    def versions(self, collection: str, name: str) -> list[Document]:
        """The versions of an asset; none for a name that is not registered."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return list(self.workspace_list(f"{collection}/{name}/versions"))
        except ResourceNotFoundError:
            self.workspace()
            return []

    def location_list(self, what: str, location: str) -> Iterator[Document]:
        """A list that Azure ML keeps of a region: usages, vmSizes."""
        place = f"/subscriptions/{self._azure.subscription_id}/providers/Microsoft.MachineLearningServices"
        return self._pages(f"{place}/locations/{_quoted(location)}/{what}", {})

    def _pages(self, path: str, query: dict[str, str]) -> Iterator[Document]:
        return _values(self._get(path, query), lambda address: _answer(self._client, address))

    def _get(self, path: str, query: dict[str, str]) -> Document:
        words = urllib.parse.urlencode({**query, "api-version": API_VERSION})
        return _answer(self._client, f"{self._base}{path}?{words}")

    # azure-ai-ml has found the cloud's Resource Manager and its audience; there are no public properties for them.

    @property
    def _base(self) -> str:
        return str(self._azure.ml._base_url).rstrip("/")

    @cached_property
    def _client(self) -> PipelineClient[Any, Any]:
        from azure.core import PipelineClient
        from azure.core.pipeline.policies import RetryPolicy
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

        scopes = self._azure.ml._kwargs["credential_scopes"]
        policies = [RetryPolicy(), ARMChallengeAuthenticationPolicy(self._azure.credential, *scopes)]
        return PipelineClient(self._base, policies=policies)


class FrontEnd:
    """GET requests to Azure ML's front end in the workspace's region, where the jobs of batch endpoints are listed.

    Its methods raise the exceptions of azure-core: see `azure_errors`.
    """

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    def workspace_list(self, path: str) -> Iterator[Document]:
        """The resources of a list of the workspace, page after page: `workspace_list("batchEndpoints/digits/jobs")`."""
        address = f"{self._base}{self._azure.workspace_id}/{_quoted(path)}?api-version={FRONT_END_API_VERSION}"
        return _values(_answer(self._client, address), lambda following: _answer(self._client, following))

    # azure-ai-ml finds the address and the audience, and has no public names for them; its version is held in
    # requirements.

    @cached_property
    def _base(self) -> str:
        from azure.ai.ml._utils.utils import _get_mfe_base_url_from_discovery_service

        endpoints: Any = self._azure.ml.batch_endpoints
        pipeline = endpoints._requests_pipeline
        workspaces = self._azure.ml.workspaces
        return _get_mfe_base_url_from_discovery_service(workspaces, self._azure.environment.workspace, pipeline)

    @cached_property
    def _client(self) -> PipelineClient[Any, Any]:
        from azure.ai.ml._azure_environments import _get_aml_resource_id_from_metadata, _resource_to_scopes
        from azure.core import PipelineClient
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy

        scopes = _resource_to_scopes(_get_aml_resource_id_from_metadata())
        policies = [RetryPolicy(), BearerTokenCredentialPolicy(self._azure.credential, *scopes)]
        return PipelineClient(self._base, policies=policies)


def _values(page: Document, following: Callable[[str], Document]) -> Iterator[Document]:
    """The elements of a list, page after page."""
    while True:
        yield from page.get("value") or ()
        if not page.get("nextLink"):
            return
        page = following(page["nextLink"])


def _answer(client: PipelineClient[Any, Any], address: str) -> Document:
    from azure.core.exceptions import HttpResponseError, map_error
    from azure.core.rest import HttpRequest

    response: Any = client.send_request(HttpRequest("GET", address))
    if response.status_code != 200:
        map_error(status_code=response.status_code, response=response, error_map=_error_map())
        raise HttpResponseError(response=response)
    return response.json()


def _error_map() -> dict[int, Any]:
    from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError

    return {401: ClientAuthenticationError, 404: ResourceNotFoundError}


def _quoted(path: str) -> str:
    return urllib.parse.quote(path, safe="/")
