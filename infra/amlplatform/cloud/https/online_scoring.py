"""Online endpoints: `https://<endpoint>.<region>.inference.ml.azure.com/score`, and the logs of their deployments.

No model runs here: an answer says which deployment would have answered. Who may ask and where the request goes is as in
Azure (learn.microsoft.com, "Authenticate clients for online endpoints", "Safe rollout for online endpoints").
"""

from __future__ import annotations

import random

from amlplatform.cloud.computed_project import ONLINE_ENDPOINT
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import online_credentials
from amlplatform.cloud.https.azure import Azure, Seen
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.state import Document

_HEADER = "azureml-model-deployment"
_SCRIPT_STATUS = "ms-azureml-model-error-statuscode"


def score(request: Request, azure: Azure) -> Response:
    """Raises AzureError: 401 without a good key or token, 404 where no deployment is there for the request."""
    endpoint = _endpoint(request, azure)
    online_credentials.check(request.headers.get("authorization") or "", endpoint, azure)
    # The body is the data of whoever asks, and the key stands in a header: neither is kept.
    azure.seen.append(Seen(request.method, f"/{request.headers.get('host', '')}/score", None, ""))
    name = request.headers.get(_HEADER) or _chosen(endpoint)
    if name is None or azure.state.get(f"{endpoint['id']}/deployments/{name}") is None:
        message = (
            f"Endpoint {endpoint['name']} has no traffic." if name is None else f"Deployment {name} was not found."
        )
        raise AzureError(404, "NotFound", message)
    if name in azure.behaviour.failing_deployments:
        # learn.microsoft.com, "Troubleshooting online endpoints": 424, and what the script answered in a header.
        return Response(424, {"message": "the script failed"}, {_HEADER: name, _SCRIPT_STATUS: "500"})
    answer = {"deployment": name, "note": "the offline Azure runs no model"}
    return Response(200, answer, {_HEADER: name})


def logs(request: Request, azure: Azure) -> Response:
    """The last lines of a deployment's server: as many as the request says. Raises AzureError."""
    deployment, _, action = request.path.rpartition("/")
    answer = azure.manager(request.caller).act(deployment, action, lambda document, _: _logs(request, document["name"]))
    return Response(200, answer)


def _logs(request: Request, name: str) -> dict[str, str]:
    asked = request.json()
    tail = asked.get("tail") if isinstance(asked, dict) else None
    lines = [f"Instance status: SystemSetup: Succeeded, UserContainer: {name}", "no model runs in the offline Azure"]
    return {"content": "\n".join(lines[-tail:] if isinstance(tail, int) and tail > 0 else lines) + "\n"}


def _endpoint(request: Request, azure: Azure) -> Document:
    host = request.headers.get("host", "").partition(":")[0]
    for endpoint in azure.state.of_type(ONLINE_ENDPOINT):
        if endpoint["properties"]["scoringUri"].startswith(f"https://{host}/"):
            return endpoint
    raise AzureError(404, "NotFound", f"There is no online endpoint at '{host}'.")


def _chosen(endpoint: Document) -> str | None:
    """A deployment by its share of the traffic; None where none has any."""
    traffic = {name: share for name, share in (endpoint["properties"].get("traffic") or {}).items() if share > 0}
    if not traffic:
        return None
    return random.choices(list(traffic), weights=list(traffic.values()))[0]  # noqa: S311 (shares, not secrets)
