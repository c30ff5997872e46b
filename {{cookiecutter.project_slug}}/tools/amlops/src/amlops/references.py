"""`azureml:` references: registered assets by name and version or label, and addresses of data.

parse("azureml:digits@latest")   # AssetReference(name="digits", version=None, label="latest")
parse("azureml:digits:3")        # AssetReference(name="digits", version="3", label=None)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A scheme has two letters or more, so that a Windows drive (C:\) is not one.
_ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_PREFIX = "azureml:"


@dataclass(frozen=True)
class AssetReference:
    """A registered asset. At most one of `version` and `label` is set; neither means that only the name was given."""

    name: str
    version: str | None = None
    label: str | None = None

    def __str__(self) -> str:
        if self.label:
            return f"{_PREFIX}{self.name}@{self.label}"
        return f"{_PREFIX}{self.name}:{self.version}" if self.version else f"{_PREFIX}{self.name}"


def is_address(value: str) -> bool:
    """True for https://…, azureml://…, wasbs://… and the like: data that is not on this machine."""
    return _ADDRESS.match(value) is not None


def is_reference(value: object) -> bool:
    """True for `azureml:…` that names an asset."""
    return isinstance(value, str) and value.startswith(_PREFIX) and not is_address(value)


def parse(value: str) -> AssetReference:
    """Take an `azureml:` reference apart; the prefix may be missing.

    Raises:
        ValueError: not of the form name, name:version or name@label.
    """
    text = value.removeprefix(_PREFIX)
    name, at, label = text.partition("@")
    if at and name and label and ":" not in text:
        return AssetReference(name, label=label)
    name, colon, version = text.partition(":")
    if not at and name and bool(version) == bool(colon) and ":" not in version:
        return AssetReference(name, version=version or None)
    raise ValueError(
        f"'{value}' is not a reference to an asset; for example azureml:my-model:1 or azureml:my-model@latest"
    )


@dataclass(frozen=True)
class WorkspaceId:
    """The workspace that the long form of an address names."""

    subscription: str
    resource_group: str
    name: str


@dataclass(frozen=True)
class DatastorePath:
    """`azureml://datastores/NAME/paths/PATH`; `path` is relative, with forward slashes, and may be empty.

    `workspace` is set for the long form, which begins with `azureml://subscriptions/`.
    """

    datastore: str
    path: str
    workspace: WorkspaceId | None = None

    def __str__(self) -> str:
        return f"azureml://datastores/{self.datastore}/paths/{self.path}"


@dataclass(frozen=True)
class JobOutput:
    """`azureml://jobs/NAME/outputs/OUTPUT/paths/PATH`: what a job wrote."""

    job: str
    output: str
    path: str


@dataclass(frozen=True)
class WebAddress:
    """A file, or a folder of a public blob container, at an https address.

    As text it has neither the query, where Azure's storage has its keys, nor a user and password: so it may stand in
    records and logs.
    """

    address: str
    type: str = "uri_file"

    def __str__(self) -> str:
        return without_secrets(self.address)


_WORKSPACE = (
    r"subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/"
    r"(?:providers/microsoft\.machinelearningservices/)?workspaces/(?P<workspace>[^/]+)/"
)
_IN_DATASTORE = rf"(?:{_WORKSPACE})?datastores/(?P<datastore>[^/]+)/paths(?:/(?P<path>.*))?"
# azure-ai-ml's client takes the ids that ARM gives, too: `az ml datastore show --query id` and what follows it.
_DATASTORE_PATH = re.compile(rf"(?:azureml://|(?:azureml:)?/(?=subscriptions)){_IN_DATASTORE}", re.IGNORECASE)
_ARM_ASSET = re.compile(
    rf"(?:azureml:)?/{_WORKSPACE}(?P<kind>[a-z]+)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)", re.IGNORECASE
)
_JOB_OUTPUT = re.compile(r"azureml://jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths(?:/(?P<path>.*))?)?")
_WEB = re.compile(r"https?://", re.IGNORECASE)
DATASTORE_EXAMPLE = "azureml://datastores/workspaceblobstore/paths/images"


def is_web_address(value: str) -> bool:
    """True for https://… and http://…"""
    return _WEB.match(value) is not None


def is_remote(value: str) -> bool:
    """True for everything that is not a path of this machine: addresses, references, and ids of ARM."""
    return is_address(value) or is_reference(value) or _ARM_ASSET.fullmatch(value) is not None or _is_arm_path(value)


def _is_arm_path(value: str) -> bool:
    return _DATASTORE_PATH.fullmatch(value) is not None


def datastore_path(value: str) -> DatastorePath | None:
    """The place in a data store that an address means; None for other addresses."""
    match = _DATASTORE_PATH.fullmatch(value)
    if match is None:
        return None
    return DatastorePath(match["datastore"], match["path"] or "", _workspace(match))


def arm_asset(value: str) -> tuple[AssetReference, WorkspaceId] | None:
    """The asset that an id of ARM means (`/subscriptions/…/data/NAME/versions/VERSION`); None for other text."""
    match = _ARM_ASSET.fullmatch(value)
    workspace = _workspace(match) if match else None
    return (AssetReference(match["name"], match["version"]), workspace) if match and workspace else None


def job_output(value: str) -> JobOutput | None:
    """The output of a job that an address means; None for other addresses."""
    match = _JOB_OUTPUT.fullmatch(value)
    return JobOutput(match["job"], match["output"], match["path"] or "") if match else None


def without_secrets(address: str) -> str:
    """An address without what may be secret: user, password, query, fragment."""
    before, scheme, rest = address.partition("://")
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = place.partition("/")
    return f"{before}{scheme}{host.rpartition('@')[2]}{slash}{path}"


def _workspace(match: re.Match[str]) -> WorkspaceId | None:
    if match["workspace"] is None:
        return None
    return WorkspaceId(match["subscription"], match["group"], match["workspace"])
