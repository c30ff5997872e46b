"""What Azure or Pulumi may refuse on a first day, why, and what to do: what passes with time, and what needs a step.

One table for the documentation, for `amlplatform explain` and for whoever repeats `up` a bounded number of times.
Standard library only. The sources of codes and wordings stand beside the offline Azure's hindrances
(`amlplatform.cloud.hindrances`) or at the entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_AZURE = re.compile(r'Code="(?P<code>[^"]+)" Message="(?P<message>[^"]*)"')
_OTHER = re.compile(r"^\s*error: (?P<message>.+)$", re.MULTILINE)
# What Pulumi says when something else has failed: no error of its own.
_SUMMARY = re.compile(r"(update|preview|one or more .*) failed|resource .* failed", re.IGNORECASE)


@dataclass(frozen=True)
class PassingError:
    """One refusal. `code` is Azure's, "" for Pulumi's own errors; `says` a part of the message where the code alone
    says too little. `passes`: "with time", then `up` again is enough, or "after a step"."""

    code: str
    says: str
    cause: str
    do: str
    passes: Literal["with time", "after a step"]

    def fits(self, code: str, message: str) -> bool:
        return code == self.code and self.says.lower() in message.lower()

    @property
    def shown(self) -> str:
        """What a person sees of it."""
        quoted = f"“{self.says}”" if self.says else ""
        return " ".join(filter(None, [f"`{self.code}`" if self.code else "", quoted]))


def _waits(code: str, cause: str, do: str = "wait some minutes, `up` again", says: str = "") -> PassingError:
    return PassingError(code, says, cause, do, "with time")


def _step(code: str, cause: str, do: str, says: str = "") -> PassingError:
    return PassingError(code, says, cause, do, "after a step")


ERRORS: tuple[PassingError, ...] = (
    _waits(
        "AuthorizationFailed",
        "a role was given minutes ago and has not spread: the caller's, or that of the workspace's identity",
        "wait 5 minutes, `up` again; after half an hour the role is missing: see access.md",
    ),
    _waits(
        "LinkedAuthorizationFailed",
        "the same, for a subnet, DNS zone, identity or Log Analytics workspace that a resource names",
        "wait 5 minutes, `up` again; after half an hour the role there is missing: see access.md",
    ),
    _waits("BadRequest", "the workspace's roles on the cluster have not spread", says="AKS role check failed"),
    _waits(
        "PrincipalNotFound", "the directory has not heard of a new identity (our roles say what their principal is)"
    ),
    _waits(
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
        "two runs write credentials of one identity (one run writes them in a row)",
        "let one end, `up` again",
    ),
    _waits("FailedIdentityOperation", "an identity of this name is still being deleted"),
    _waits("SubscriptionRequestsThrottled", "too many requests; the provider has waited and tried three times more"),
    _waits("TooManyRequests", "too many requests; the provider has waited and tried three times more"),
    _waits("RetryableError", "Azure's own word (pulumi-azure-native#4509)"),
    _waits(
        "AnotherOperationInProgress", "something else changes the resource; the provider has tried three times more"
    ),
    _waits("ReferencedResourceNotProvisioned", "a network resource that this one needs is being changed"),
    _waits("ParentResourceNotFound", "a parent that was made a moment ago is not known everywhere yet", "`up` again"),
    _waits("", "a federated credential was written minutes ago", "wait some minutes, run the job again", "AADSTS70021"),
    _step(
        "StorageAccountOperationInProgress",
        "the answer was lost: the account may be there (pulumi-azure-native#4761)",
        "`up` again; if it says that the resource exists, see the next row",
    ),
    _step(
        "",
        "an `up` was killed, or an answer was lost: Azure has it, the state does not",
        "`amlplatform interrupted` (state.md), before the next `up`; later: `pulumi import`",
        "cannot create already existing resource",
    ),
    _step(
        "",
        "an `up` is running, or was killed",
        "make sure that nobody is at work, `pulumi cancel`",
        "is currently locked",
    ),
    _step(
        "",
        "a killed `up`, with the state in a folder (`file://`)",
        "delete the empty file that ends in `.attrs` beside the state; `?metadata=skip` at the backend's URL avoids it",
        "failed to load checkpoint: EOF",
    ),
    _step(
        "ConflictError",
        "a deleted key vault keeps its name",
        "`az keyvault purge` (dev); with purge protection `az keyvault recover` and `pulumi import`",
        "already exists in deleted state",
    ),
    _step(
        "BadRequest",
        "a deleted workspace keeps its name for 14 days",
        "`amlplatform teardown` shows how it is deleted for good",
        "Soft-deleted workspace exists",
    ),
    _step(
        "FlagMustBeSetForRestore",
        "a deleted AI services account keeps its name for 48 hours",
        "`az cognitiveservices account purge`",
    ),
    _step("StorageAccountAlreadyTaken", "somebody else in Azure has the name", "another `name_suffix` in the request"),
    _step("VaultAlreadyExists", "somebody else in Azure has the name", "another `name_suffix` in the request"),
    _step("AlreadyInUse", "somebody else in Azure has the name", "another `name_suffix` in the request"),
    _step(
        "BadRequest",
        "no cores of this VM family; GPU families start with none",
        "ask for quota of Azure ML in this region, or take another size",
        "vCPU quota of",
    ),
    _step(
        "MissingSubscriptionRegistration",
        "a resource provider is not registered",
        "`az provider register` (bootstrap.md)",
    ),
    _step("ScopeLocked", "a lock protects the resource", "delete the lock if that is meant: Locks in monitoring.md"),
    _step("RequestDisallowedByPolicy", "a policy of the organisation", "change the request, or ask for an exemption"),
    _step(
        "KeyBasedAuthenticationNotPermitted",
        "something uses an account key; they are switched off",
        "let it sign in with an identity",
    ),
)


@dataclass(frozen=True)
class Found:
    """An error in what Pulumi printed. `known` is None when the table does not have it."""

    code: str
    message: str
    known: PassingError | None


def found_in(log: str) -> list[Found]:
    """The errors in the output of a Pulumi command, each once, in their order."""
    found: dict[tuple[str, str], Found] = {}
    for code, message in _errors(log):
        known = next((entry for entry in ERRORS if entry.fits(code, message)), None)
        found.setdefault((code, message), Found(code, message, known))
    return list(found.values())


def _errors(log: str) -> Iterable[tuple[str, str]]:
    """Code and message of each."""
    for line in _OTHER.finditer(log):
        azure = _AZURE.search(line["message"])
        if azure:
            yield azure["code"], azure["message"]
        elif not _SUMMARY.fullmatch(line["message"].strip()):
            yield "", line["message"].strip()


def pass_with_time(found: Iterable[Found]) -> bool:
    """Whether there are errors and all of them pass with time: then the same command may be run again."""
    entries = [entry.known for entry in found]
    return bool(entries) and all(entry is not None and entry.passes == "with time" for entry in entries)


def table(passes: Literal["with time", "after a step"]) -> str:
    """The errors of one kind, for the documentation."""
    rows = [f"| {entry.shown} | {entry.cause} | {entry.do} |" for entry in ERRORS if entry.passes == passes]
    return "\n".join(["| it says | because | do |", "| --- | --- | --- |", *rows]) + "\n"
