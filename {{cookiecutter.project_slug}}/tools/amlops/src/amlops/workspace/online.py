"""`amlops online-endpoint` and `online-deployment`: answers while the caller waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from amlops.workspace.record import Record

# The header that sends one request to one deployment, whatever the traffic says; Azure ML's name.
DEPLOYMENT_HEADER = "azureml-model-deployment"
# On an answer that is not 2xx: the status that the script gave. Managed endpoints of Azure answer 424 for all of them.
SCRIPT_STATUS_HEADER = "ms-azureml-model-error-statuscode"
# On an answer of the laptop's router during a roll-out with fallback: the deployment that failed to serve the request.
UNSERVED_HEADER = "x-amlops-unserved-by"


@dataclass(frozen=True)
class ScoringTarget:
    """Where requests to an endpoint go, with what they need to be answered.

    Attributes:
        uri: address of `/score`; POST.
        swagger_uri: address of the OpenAPI description; GET.
        headers: the authorization, and `azureml-model-deployment` when one deployment was asked for. Never printed.
        verify: whether the server's certificate is checked.
    """

    uri: str
    swagger_uri: str
    headers: Mapping[str, str] = field(repr=False)
    verify: bool = True

    @classmethod
    def of(cls, uri: str, swagger_uri: str, secret: Record, deployment_name: str | None) -> ScoringTarget:
        """A target with the headers that `credentials` of an endpoint, and a deployment's name, make."""
        headers = {"Authorization": f"Bearer {secret.get('primaryKey') or secret['accessToken']}"}
        if deployment_name is not None:
            headers[DEPLOYMENT_HEADER] = deployment_name
        return cls(uri, swagger_uri, headers)


@dataclass(frozen=True)
class Served:
    """What a deployment has answered since its servers started, to the users and to mirrors alike.

    Attributes:
        requests: how many.
        errors: those that it failed to serve (408, 429 and 5xx); a request that the script refused is not one.
        latencies: how many took no longer than so many milliseconds and longer than the next smaller key.
    """

    requests: int = 0
    errors: int = 0
    latencies: Mapping[float, int] = field(default_factory=dict)


class OnlineEndpoints(Protocol):
    """`amlops online-endpoint`."""

    def create(self, file: Path | None = None, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Make an endpoint, or change the one of that name. Raises UserError."""
        ...

    def update(self, name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change an endpoint. Raises UserError."""
        ...

    def show(self, name: str) -> Record:
        """One endpoint. Raises UserError."""
        ...

    def list(self) -> list[Record]:
        """All endpoints."""
        ...

    def delete(self, name: str) -> Record:
        """Delete an endpoint and its deployments.

        Returns what was deleted, with the names of the `deployments`. Raises UserError.
        """
        ...

    def invoke(self, name: str, *, request_file: Path, deployment_name: str | None = None) -> object:
        """Send the JSON in `request_file` and return the answer, parsed.

        Raises:
            UserError: there is no such endpoint or file, or the answer was not 200; its reason is told.
        """
        ...

    def credentials(self, name: str) -> Record:
        """The keys (`primaryKey`, `secondaryKey`) or the token (`accessToken`) of an endpoint. Raises UserError."""
        ...

    def target(self, name: str, deployment_name: str | None = None) -> ScoringTarget:
        """Where requests go: by traffic, or all to one deployment. Raises UserError."""
        ...

    def traffic(self, name: str) -> dict[str, int]:
        """Per cent of the requests by deployment. Raises UserError."""
        ...

    def set_traffic(
        self, name: str, traffic: Mapping[str, int], mirror: Mapping[str, int] | None = None, *, fallback: bool = False
    ) -> Record:
        """Share the requests out anew.

        Args:
            traffic: per cent by deployment; sums to 100, or to 0.
            mirror: per cent of the requests that a deployment gets as a copy whose answer nobody sees, at most 50;
                {} ends it, None leaves it as it is.
            fallback: until the next change of traffic, a request that its deployment fails to serve (no room, died,
                raised, timed out: 408, 429, 5xx) is given once to the deployment with most traffic among the others,
                and the answer names the first one in `x-amlops-unserved-by`. Ours: Azure's router has nothing like
                it, and ignores it.

        Raises:
            UserError: a deployment is unknown, or the sum is wrong; nothing has changed.
        """
        ...

    def served(self, name: str) -> dict[str, Served] | None:
        """What each deployment has answered. Raises UserError.

        None where the environment cannot tell while it happens: Azure Monitor shows an endpoint's metrics minutes
        later.
        """
        ...


class OnlineDeployments(Protocol):
    """`amlops online-deployment`."""

    def create(
        self,
        file: Path,
        *,
        name: str | None = None,
        endpoint_name: str | None = None,
        all_traffic: bool = False,
        sets: Sequence[str] = (),
    ) -> Record:
        """Make a deployment, or change the one of that name, and wait until it answers.

        Args:
            all_traffic: it gets all requests from then on.

        Raises:
            UserError: the file is wrong, or the deployment does not start; an earlier one goes on as it was.
        """
        ...

    def update(self, name: str, endpoint_name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change a deployment. Raises UserError."""
        ...

    def show(self, name: str, endpoint_name: str) -> Record:
        """One deployment. Raises UserError."""
        ...

    def list(self, endpoint_name: str) -> list[Record]:
        """The deployments of an endpoint. Raises UserError."""
        ...

    def delete(self, name: str, endpoint_name: str) -> Record:
        """Delete a deployment; refused while it has traffic. Raises UserError."""
        ...

    def copy(self, name: str, endpoint_name: str, new_name: str, *, sets: Sequence[str] = ()) -> Record:
        """Deploy the same again beside it under another name, without traffic, changed by `sets`.

        Raises:
            UserError: it does not start, or the environment cannot do that.
        """
        ...

    def get_logs(self, name: str, endpoint_name: str, *, lines: int = 50) -> str:
        """The last lines that its server wrote. Raises UserError."""
        ...
