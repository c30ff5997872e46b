"""Who calls Azure: chosen by where the process runs. Every kind gets a new token by itself, however long a job takes.

| where | how it is told | credential |
| --- | --- | --- |
| compute of Azure ML | DEFAULT_IDENTITY_CLIENT_ID | managed identity of that client id |
| GitHub Actions | ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN, AZURE_CLIENT_ID, AZURE_TENANT_ID | an assertion per token |
| Azure Pipelines | SYSTEM_OIDCREQUESTURI, SYSTEM_ACCESSTOKEN, AZURESUBSCRIPTION_* | the service connection |
| elsewhere | | the Azure CLI, then what DefaultAzureCredential tries |

Facts: the assertion of a CI job lives about ten minutes and `az` cannot renew it, so a long wait needs a credential
that asks for another (learn.microsoft.com, "Workload identity federation"; docs.github.com, "OpenID Connect
reference"; azure-identity, AzurePipelinesCredential). A job on Azure ML compute with a user-assigned identity must name
it: DEFAULT_IDENTITY_CLIENT_ID is set there (learn.microsoft.com, "Set up authentication: managed identity").
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amlops.errors import UserError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

AUDIENCE = "api://AzureADTokenExchange"
NOBODY = "nobody"
_TIMEOUT_S = 30.0
_CLI = "the Azure CLI or another sign-in of this machine"


@dataclass(frozen=True)
class Found:
    """The credential that was taken.

    Attributes:
        source: where it is from, for errors: "GitHub Actions (client 1234…)".
        renew: what to do when Azure refuses the sign-in.
    """

    credential: TokenCredential = field(repr=False)
    source: str
    renew: str


_taken: list[Found] = []


def find() -> Found:
    """The credential for where this process runs. Raises UserError when the variables there are not complete."""
    found = _compute() or _github() or _pipelines() or _machine()
    _taken[:] = [found]
    return found


def taken() -> Found | None:
    """The credential that this process found last: who calls, for errors."""
    return _taken[0] if _taken else None


def _compute() -> Found | None:
    client_id = os.environ.get("DEFAULT_IDENTITY_CLIENT_ID")
    if not client_id:
        return None
    from azure.identity import ManagedIdentityCredential

    renew = "check the identity of the compute: amlops compute show"
    return Found(
        ManagedIdentityCredential(client_id=client_id), f"managed identity of the compute ({client_id})", renew
    )


def _github() -> Found | None:
    address = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    token = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    client_id, tenant_id = os.environ.get("AZURE_CLIENT_ID"), os.environ.get("AZURE_TENANT_ID")
    if not (address and token):
        return None
    if not (client_id and tenant_id):
        return None  # a job with `id-token: write` that has signed in by azure/login
    from azure.identity import ClientAssertionCredential

    renew = "compare the federated credential of the CI identity with this workflow's environment and branch"
    credential = ClientAssertionCredential(tenant_id, client_id, _github_assertion(address, token))
    return Found(credential, f"GitHub Actions (client {client_id})", renew)


def _github_assertion(address: str, token: str) -> Callable[[], str]:
    """A function that fetches a new assertion of the workflow run."""

    def fetch() -> str:
        from azure.core.exceptions import ClientAuthenticationError

        separator = "&" if "?" in address else "?"
        query = urllib.parse.urlencode({"audience": AUDIENCE})
        request = urllib.request.Request(  # noqa: S310 (the address is the runner's)
            f"{address}{separator}{query}", headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return str(json.load(answer)["value"])
        except (OSError, ValueError, KeyError) as error:
            reason = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
            raise ClientAuthenticationError(
                f"GitHub gave no token for this job ({reason}); the job needs 'permissions: id-token: write'"
            ) from None

    return fetch


def _pipelines() -> Found | None:
    if not os.environ.get("SYSTEM_OIDCREQUESTURI"):
        return None
    names = {
        "SYSTEM_ACCESSTOKEN": "map it: env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}",
        "AZURESUBSCRIPTION_CLIENT_ID": "use the task AzureCLI@2 with a service connection",
        "AZURESUBSCRIPTION_TENANT_ID": "use the task AzureCLI@2 with a service connection",
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "use the task AzureCLI@2 with a service connection",
    }
    if not any(os.environ.get(name) for name in names if name != "SYSTEM_ACCESSTOKEN"):
        return None  # a step without a service connection
    for name, hint in names.items():
        if not os.environ.get(name):
            raise UserError(f"{name}: is not set, and amlops cannot renew its sign-in without it; {hint}")
    from azure.identity import AzurePipelinesCredential

    client_id = os.environ["AZURESUBSCRIPTION_CLIENT_ID"]
    credential = AzurePipelinesCredential(
        tenant_id=os.environ["AZURESUBSCRIPTION_TENANT_ID"],
        client_id=client_id,
        service_connection_id=os.environ["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
        system_access_token=os.environ["SYSTEM_ACCESSTOKEN"],
    )
    return Found(credential, f"Azure Pipelines (client {client_id})", "check the service connection of this stage")


def _machine() -> Found:
    from azure.identity import AzureCliCredential, ChainedTokenCredential, DefaultAzureCredential

    others = DefaultAzureCredential(exclude_cli_credential=True, exclude_interactive_browser_credential=True)
    return Found(ChainedTokenCredential(AzureCliCredential(), others), _CLI, "sign in: az login")
