"""What Azure refuses, by the codes that it answers with, and what to do about it: one table.

Codes and messages are Azure's own. Where they are from:
- Resource Manager: learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
- quotas of Azure ML: JobNodeCountExceedsCoreQuota, ClusterCoreQuotaReached (learn.microsoft.com, "Manage and increase
  quotas for Azure ML"), OutOfQuota (learn.microsoft.com, "Troubleshoot online endpoints")
- names of endpoints: "The specified endpoint name 'x' is not available. Endpoint names must be unique within the
  region" (ansible-collections/azure #2231), "There is already an endpoint with this name"
  (Azure/azureml-examples #1931)
- names of deleted workspaces: "Soft-deleted workspace exists. Please purge or recover it" (Azure/ResourceModules #3596)
- storage: AuthorizationFailure (the firewall), AuthorizationPermissionMismatch (no data role),
  KeyBasedAuthenticationNotPermitted (learn.microsoft.com/troubleshoot/azure/azure-storage, "403 errors")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_REQUEST = ".cloud/request.yaml"
_SECRET = re.compile(
    r"(?i)\b(sig|signature|accountkey|sharedaccesskey|password|client_secret|client_assertion|access_token)"
    r"(\"?\s*[=:]\s*\"?)[^\s&;\"']+|\bBearer\s+[\w.~+/=-]+"
)


@dataclass(frozen=True)
class Answer:
    """What Azure answered, and about what.

    Attributes:
        status: HTTP status, 0 where there was none.
        codes: the error's code and those inside it, outermost first.
        message: the most precise message, one line without secrets.
        what: the thing that was asked for: "model 'digits'".
        workspace, location: where.
        file: the environment's file, as a user would type it.
        signed_in_by: which credential was taken; `renew` what to do when it is refused.
        retry_after: seconds that Azure asks to wait, "" where it does not say.
        making: the thing was to be made, so what Azure does not find is something that it names.
    """

    status: int
    codes: tuple[str, ...]
    message: str
    what: str = ""
    workspace: str = ""
    location: str = ""
    file: str = ""
    signed_in_by: str = ""
    renew: str = ""
    retry_after: str = ""
    making: bool = False

    @property
    def thing(self) -> str:
        """The thing that was asked for, or the workspace."""
        return self.what or f"workspace '{self.workspace}'"


@dataclass(frozen=True)
class Refusal:
    """One row: it is taken when a code, the status or the message fits and, if it names several of them, all do.

    Attributes:
        codes: any of these, in lower case.
        status: the HTTP status.
        message: a pattern that is in the message.
        text: what the user is told; a function where it depends on the answer.
    """

    text: str | Callable[[Answer], str]
    codes: frozenset[str] = frozenset()
    status: int = 0
    message: str = ""

    def fits(self, answer: Answer) -> bool:
        """True when the row is about this answer."""
        asked = (
            (bool(self.codes), bool(self.codes & {code.lower() for code in answer.codes})),
            (bool(self.status), answer.status == self.status),
            (bool(self.message), re.search(self.message, answer.message, re.IGNORECASE) is not None),
        )
        return all(found for is_asked, found in asked if is_asked)


def _codes(*names: str) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


# --- Permission -------------------------------------------------------------------------------------

_DENIED = re.compile(
    r"(?:client|user|principal)\s+'(?P<who>[^']+)'.*?action\s+'(?P<action>[^']+)'(?:.*?scope\s+'(?P<scope>[^']+)')?",
    re.IGNORECASE,
)
# The role of Microsoft's that has the action; the first that fits.
_ROLES: Mapping[str, str] = {
    r"/workspaces/computes/": "AzureML Compute Operator",
    r"onlineendpoints/(score|token|listkeys)": "AzureML Data Scientist, or Azure AI Inference Deployment Operator",
    r"microsoft\.resources/deployments/": "the deploy role of the platform, which CI has",
    r"microsoft\.machinelearningservices/registries/": "AzureML Registry User",
    r"microsoft\.storage/": "Storage Blob Data Contributor",
    r"microsoft\.machinelearningservices/locations/": "Reader on the subscription's resource group",
    r"microsoft\.machinelearningservices/": "AzureML Data Scientist",
}
_ASK = f"the platform team gives roles; in dev to the group `groups.data_scientists` of {_REQUEST}, in prod to CI only"


def role_for(action: str) -> str:
    """The built-in role that usually has an action of Resource Manager."""
    found = (role for pattern, role in _ROLES.items() if re.search(pattern, action, re.IGNORECASE))
    return next(found, "a role with that action")


def _denied(answer: Answer) -> str:
    match = _DENIED.search(answer.message)
    if match is None:
        return f"{answer.thing}: {answer.signed_in_by} may not do this ({_short(answer)}); {_ASK}"
    scope = (match["scope"] or "").rpartition("/")[2]
    place = f" on '{scope}'" if scope else ""
    return (
        f"{answer.thing}: '{match['who']}' ({answer.signed_in_by}) may not do '{match['action']}'{place}; "
        f"it needs the role {role_for(match['action'])}; {_ASK}"
    )


def _absent(answer: Answer) -> str:
    if answer.making:
        return f"{answer.thing}: something that it names is not in workspace '{answer.workspace}': {_short(answer)}"
    return f"there is no {answer.thing} in workspace '{answer.workspace}'"


# --- The table --------------------------------------------------------------------------------------

_NO_DATA_ROLE = (
    "{thing}: {signed_in_by} may not read or write the workspace's storage; it needs the role Storage Blob Data "
    f"Contributor there; {_ASK}"
)
_CLOSED = (
    "{thing}: this machine is not in a network from which it may be reached ({short}); run the command on a "
    f"self-hosted runner in the network (ci.runner in {_REQUEST}), or by VPN; the platform team opens networks"
)
_QUOTA = (
    "{thing}: the quota of Azure ML{in_location} is used up ({short}); take fewer nodes or a smaller size, or have the "
    "platform team ask Microsoft for more (portal, Azure ML, Quota)"
)
_NO_WORKSPACE = (
    "workspace: '{workspace}' is not there ({short}); the platform team makes it and fills in {file} at the hand-over"
)
_SIGN_IN = "sign-in: Azure does not accept {signed_in_by} ({short}); {renew}"
_BUSY = "{thing}: another change of it has not ended yet ({short}); wait until it has, then give the same command again"

REFUSALS: tuple[Refusal, ...] = (
    Refusal(_SIGN_IN, status=401),
    Refusal(_SIGN_IN, message=r"AADSTS\d+"),
    Refusal(
        _CLOSED,
        _codes("PublicNetworkAccessDisabled", "AuthorizationFailure", "PublicAccessNotPermitted"),
    ),
    Refusal(
        _CLOSED,
        status=403,
        message=r"private (link|endpoint)|public (network )?access|network (acl|access|security)|firewall|"
        r"not allowed (access|from)|ip address",
    ),
    Refusal(_NO_DATA_ROLE, _codes("AuthorizationPermissionMismatch", "InsufficientAccountPermissions")),
    Refusal(
        "{thing}: the storage takes no keys; datastores sign in with identities (credentials: none in their file)",
        _codes("KeyBasedAuthenticationNotPermitted"),
    ),
    Refusal(
        _QUOTA,
        _codes(
            "QuotaExceeded",
            "OutOfQuota",
            "JobNodeCountExceedsCoreQuota",
            "ClusterCoreQuotaReached",
            "ClusterQuotaReached",
            "AccountCoreQuotaReached",
        ),
    ),
    Refusal(_QUOTA, message=r"\bquota\b"),
    Refusal(
        "{thing}: Azure has no machine of that size free{in_location} ({short}); take another size, or try later",
        _codes("OutOfCapacity", "SkuNotAvailable", "AllocationFailed", "ZonalAllocationFailed"),
    ),
    Refusal(_denied, _codes("AuthorizationFailed", "LinkedAuthorizationFailed")),
    Refusal(_denied, status=403),
    Refusal(
        "{thing}: one of that name was deleted and can still be recovered, so the name is taken ({short}); "
        "the platform team recovers or purges it, or take another name",
        message=r"soft[- ]?deleted|purge or recover|deleted state",
    ),
    Refusal(
        "{thing}: the name is taken in the region by another workspace ({short}); give it another physical name "
        "under endpoints in {file}",
        message=r"endpoint name '[^']*' is not available|already an endpoint with this name|"
        r"endpoint names? (must|needs?) (to )?be unique",
    ),
    Refusal(
        "{thing}: is there already, and a version is never overwritten; leave the version out for the next one, or "
        "give another",
        message=r"already exists|immutable|cannot be (changed|modified|updated)",
    ),
    Refusal(
        "{thing}: Azure takes no more calls at the moment; try again{after}",
        status=429,
    ),
    Refusal(
        _BUSY,
        _codes("AnotherOperationInProgress", "OperationInProgress", "ConcurrentUpdateError", "ResourceNotReady"),
    ),
    Refusal(_BUSY, status=409, message=r"in progress|another operation|is being|not ready|try again|busy|creating"),
    Refusal("{thing}: {short}; it conflicts with what is there", status=409),
    Refusal(
        "subscription_id: the subscription is not there, or {signed_in_by} does not see it; the platform team fills in "
        "{file} at the hand-over; az account list shows yours",
        _codes("SubscriptionNotFound", "InvalidSubscriptionId"),
    ),
    Refusal(_NO_WORKSPACE, _codes("WorkspaceNotFound", "ResourceGroupNotFound")),
    Refusal(_NO_WORKSPACE, status=404, message=r"Microsoft\.MachineLearningServices/workspaces/[^/']+'"),
    Refusal("{thing}: is locked ({short}); the platform team sets locks", _codes("ScopeLocked")),
    Refusal(
        "{thing}: a policy of the organisation forbids it ({short}); the platform team keeps the policies",
        _codes("RequestDisallowedByPolicy", "RequestDisallowedByAzure"),
    ),
    Refusal(_absent, status=404),
)


def explained(answer: Answer) -> str:
    """One line for the user about what Azure answered."""
    for refusal in REFUSALS:
        if refusal.fits(answer):
            return refusal.text(answer) if callable(refusal.text) else refusal.text.format_map(_words(answer))
    if answer.status >= 500:
        code = f" {answer.codes[0]}" if answer.codes else ""
        return f"{answer.thing}: Azure has a fault of its own ({answer.status}{code}); try again in some minutes"
    return f"{answer.thing}: {_short(answer)}"


def _words(answer: Answer) -> dict[str, str]:
    seconds = answer.retry_after
    return {
        "thing": answer.thing,
        "workspace": answer.workspace,
        "file": answer.file,
        "signed_in_by": answer.signed_in_by,
        "renew": answer.renew,
        "short": _short(answer),
        "in_location": f" in {answer.location}" if answer.location else "",
        "after": f" after {seconds} seconds" if seconds else " in a minute",
    }


def _short(answer: Answer) -> str:
    """Azure's own words, without a full stop at the end."""
    return answer.message.rstrip(". ") or ", ".join(answer.codes) or f"status {answer.status}"


def without_secrets(text: str) -> str:
    """Text of an SDK as one line, with keys, signatures and tokens taken out."""
    line = " ".join(text.split())
    return _SECRET.sub(lambda match: f"{match[1]}{match[2]}***" if match[1] else "Bearer ***", line)
