"""Rules of the fields that a person fills in, shared by the request, the template's questions and the commands.

Standard library only: the template's hooks import this module before anything is installed.

Each `check_…` function returns None when the value is fine, and otherwise one line that names the field, the value, the
rule and an example that works. `field` is the name that the person knows: a path in the request, or a question of the
template.
"""

from __future__ import annotations

import datetime
import difflib
import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass

from amlplatform import vm_sizes
from amlplatform.regions import REGIONS

# Folders are named after both a product and a person, and Windows keeps these names for devices.
_NO_DEVICE = r"(?!(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$))"
PRODUCT_PATTERN = rf"^{_NO_DEVICE}[a-z][a-z0-9]*(-[a-z0-9]+)*$"
PRODUCT_LENGTH = (3, 24)
# Stacks and resource groups of the platform are called so.
RESERVED_PRODUCTS = frozenset({"platform", "bootstrap", "shared"})
ENVIRONMENT_PATTERN = r"^[a-z]{2,4}$"
NAME_SUFFIX_PATTERN = r"^[a-z0-9]{5}$"
GUID_PATTERN = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
# Deliberately plain: one @, no white space, a dot in the domain. Whether the mailbox exists is not ours to know.
EMAIL_PATTERN = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
# Tag values may hold 256 characters; a cost centre is a code, not a sentence.
COST_CENTRE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,49}$"
REPOSITORY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$"
# Two parts (organisation/repository) on GitHub, three (organisation/project/repository) on Azure DevOps.
AZURE_DEVOPS_REPOSITORY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9-]*/[^/\s][^/]*/[^/\s][^/]*$"
# Family, cores, features, accelerator, version: learn.microsoft.com/azure/virtual-machines/vm-naming-conventions. No
# version has two digits yet, so one that does is a slip of the finger.
VM_SIZE_PATTERN = r"^Standard_[A-Z]+[0-9]+(-[0-9]+)?[A-Za-z]*(_(?!v[0-9]{2})[A-Za-z0-9]+)*$"
GITHUB_ID_PATTERN = r"^[0-9]{0,19}$"
SUB_CLAIM_PREFIX_PATTERN = r"^(repo:[A-Za-z0-9][A-Za-z0-9._@-]*/[A-Za-z0-9._@-]+)?$"
ISSUER_PATTERN = r"^(https://[a-z0-9.-]+(/[A-Za-z0-9._-]+)*/?)?$"
CONTAINER_PATTERN = r"^[a-z0-9](-?[a-z0-9]){2,62}$"
ENDPOINT_PATTERN = r"^[a-z](-?[a-z0-9]){2,31}$"
LAKE_FOLDER_PATTERN = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"
STREAMING_UNITS = (1, 3, *range(6, 67, 6))
"""What a job of the tier Standard may have: learn.microsoft.com/azure/stream-analytics/stream-analytics-scale-jobs."""
HOST_PATTERN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+)?$"
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
PERSON_PATTERN = rf"^{_NO_DEVICE}[a-z][a-z0-9]*([-_.][a-z0-9]+)*$"
MONTH_START_PATTERN = r"^[0-9]{4}-[0-9]{2}-01$"
NO_GUID = "00000000-0000-0000-0000-000000000000"

_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._()-]*"
_GROUP = rf"/subscriptions/{GUID_PATTERN.strip('^$')}/resource[Gg]roups/{_SEGMENT}"
_EXAMPLE_GROUP = "/subscriptions/3f2504e0-4f89-41d3-9a0c-0305e82c3301/resourceGroups/rg-central"


@dataclass(frozen=True)
class ResourceIdRule:
    """What the id of an existing resource looks like. `words` names the kind of resource."""

    words: str
    pattern: str
    example: str


def _resource_id(words: str, provider_path: str, example_path: str) -> ResourceIdRule:
    """Ids are compared without case by Azure; what people copy from the portal has the usual casing."""
    return ResourceIdRule(words, f"^{_GROUP}{provider_path}$", f"{_EXAMPLE_GROUP}{example_path}")


RESOURCE_IDS: dict[str, ResourceIdRule] = {
    "resource_group": _resource_id("a resource group", "", ""),
    "subnet": _resource_id(
        "a subnet",
        rf"/providers/Microsoft\.Network/virtualNetworks/{_SEGMENT}/subnets/{_SEGMENT}",
        "/providers/Microsoft.Network/virtualNetworks/vnet-data/subnets/snet-endpoints",
    ),
    "log_analytics": _resource_id(
        "a Log Analytics workspace",
        rf"/providers/Microsoft\.OperationalInsights/workspaces/{_SEGMENT}",
        "/providers/Microsoft.OperationalInsights/workspaces/log-central",
    ),
    "storage_account": _resource_id(
        "a storage account",
        r"/providers/Microsoft\.Storage/storageAccounts/[a-z0-9]{3,24}",
        "/providers/Microsoft.Storage/storageAccounts/dlcentral",
    ),
    "ml_registry": _resource_id(
        "an Azure ML registry",
        rf"/providers/Microsoft\.MachineLearningServices/registries/{_SEGMENT}",
        "/providers/Microsoft.MachineLearningServices/registries/mlr-shared-s4r7d",
    ),
    "container_registry": _resource_id(
        "a container registry",
        r"/providers/Microsoft\.ContainerRegistry/registries/[A-Za-z0-9]{5,50}",
        "/providers/Microsoft.ContainerRegistry/registries/crcentral",
    ),
}


def fault(field: str, value: object, rule: str, example: object) -> str:
    """The one line that tells a person what is wrong with a value and what would be right."""
    return f"{field}: {value!r} {rule}; for example {example!r}"


def _matches(pattern: str, value: str) -> bool:
    # fullmatch, because `$` alone also accepts a trailing newline.
    return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value) is not None


def check_product(value: str, field: str = "product") -> str | None:
    """A product's short name: it becomes part of every name in Azure."""
    low, high = PRODUCT_LENGTH
    if not low <= len(value) <= high:
        return fault(field, value, f"must have {low} to {high} characters, it has {len(value)}", "digit-scoring")
    if value in RESERVED_PRODUCTS:
        return fault(field, value, "is the name of a stack of the platform's own", "digit-scoring")
    if not _matches(PRODUCT_PATTERN, value):
        rule = "must be lower-case letters, digits and single hyphens, a letter first, and no device name of Windows"
        return fault(field, value, rule, "digit-scoring")
    return None


def check_environment(value: str, field: str = "environments") -> str | None:
    """The name of an environment: short, because it is part of names that Azure limits to 24 characters."""
    if not _matches(ENVIRONMENT_PATTERN, value):
        return fault(field, value, "must be 2 to 4 lower-case letters", "dev")
    return None


def check_name_suffix(value: str, field: str = "name_suffix") -> str | None:
    """Five characters that make globally unique names unique. Written once, never changed."""
    if not _matches(NAME_SUFFIX_PATTERN, value):
        return fault(
            field, value, "must be 5 lower-case letters or digits, and must never change after onboarding", "k3x9a"
        )
    return None


def check_email(value: str, field: str = "owner.email") -> str | None:
    """An e-mail address: budget alerts are sent to it."""
    if not _matches(EMAIL_PATTERN, value) or len(value) > 254 or ".." in value:
        return fault(field, value, "must be an e-mail address", "owner@example.com")
    return None


def check_cost_centre(value: str, field: str = "cost_centre") -> str | None:
    """A cost centre: a tag on every resource, by which costs are charged."""
    if not _matches(COST_CENTRE_PATTERN, value):
        rule = "must be 1 to 50 letters, digits or . _ / -, with a letter or digit first"
        return fault(field, value, rule, "CC-1000")
    return None


def check_description(value: str, field: str = "description") -> str | None:
    """A description: a tag, so one line of at most 256 characters."""
    if not value.strip() or len(value) > 256 or not value.isprintable():
        return fault(field, value, "must be one line of 1 to 256 characters", "Scores images of handwritten digits")
    return None


def check_region(value: str, field: str = "region") -> str | None:
    """An Azure region by its short name."""
    if value in REGIONS:
        return None
    return _check_choice(value, field, REGIONS, "is not an Azure region that this version knows", "westeurope")


def check_guid(value: str, field: str, example: str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301") -> str | None:
    """An object id of Entra ID: a GUID, and not the one of nothing but zeros."""
    if value == NO_GUID:
        return fault(field, value, "is the empty GUID; give the object id that the Entra portal shows", example)
    if not _matches(GUID_PATTERN, value):
        return fault(field, value, "must be an Entra object id (a GUID)", example)
    return None


def check_optional_guid(value: str, field: str) -> str | None:
    """As `check_guid`, but empty is allowed: the id may not be known yet."""
    return None if value == "" else check_guid(value, field)


def check_resource_id(value: str, kind: str, field: str, example: str = "") -> str | None:
    """The id of a resource that exists already; `kind` is a key of RESOURCE_IDS. Empty: there is none, or not yet."""
    rule = RESOURCE_IDS[kind]
    if value == "" or _matches(rule.pattern, value):
        return None
    return fault(field, value, f"must be the resource id of {rule.words}", example or rule.example)


def check_ip_range(value: str, field: str) -> str | None:
    """A range of public addresses: whole, and not so wide that it lets the internet in."""
    rule = "must be a range of public addresses, /16 or narrower, written as its first address and a prefix length"
    try:
        network = ipaddress.ip_network(value)
    except ValueError:
        return fault(field, value, rule, "198.51.100.0/24")
    # The ranges of RFC 5737 are for documentation; Python counts them as private.
    documentation = str(network).startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    if network.prefixlen < 16 or (network.is_private and not documentation):
        return fault(field, value, rule, "198.51.100.0/24")
    return None


def check_ip_address(value: str, field: str) -> str | None:
    """One public address of version 4."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        address = None
    # The ranges of RFC 5737 are for documentation; Python counts them as private.
    documentation = value.startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    if address is None or not (address.is_global or documentation):
        return fault(field, value, "must be one public IPv4 address", "198.51.100.7")
    return None


def check_streaming_units(value: int, field: str) -> str | None:
    """Streaming units of a job of the tier Standard."""
    if value in STREAMING_UNITS:
        return None
    return fault(field, value, "must be 1, 3, 6 or a multiple of 6 up to 66", 1)


def check_reason(value: str, field: str) -> str | None:
    """Why an exception is made: a sentence that an auditor can read."""
    if not 10 <= len(value.strip()) <= 200 or not value.isprintable():
        return fault(field, value, "must be one line of 10 to 200 characters", "On-call reads logs at night")
    return None


def check_repository(value: str, provider: str, field: str = "ci.repository") -> str | None:
    """Where the code is: organisation/repository, on Azure DevOps organisation/project/repository; may be empty."""
    if value == "":
        return None
    if provider == "azure-devops":
        if not _matches(AZURE_DEVOPS_REPOSITORY_PATTERN, value):
            return fault(
                field, value, "must be organisation/project/repository", "example-organisation/analytics/digit-scoring"
            )
        return None
    if not _matches(REPOSITORY_PATTERN, value):
        return fault(
            field,
            value,
            "must be organisation/repository, without an address before it",
            "example-organisation/digit-scoring",
        )
    return None


def check_github_id(value: str, field: str) -> str | None:
    """A number that GitHub gave an organisation or a repository, as text; empty while it is not known."""
    if _matches(GITHUB_ID_PATTERN, value):
        return None
    return fault(field, value, "must be the number that GitHub gave it, in quotes", "1234567")


def check_sub_claim_prefix(value: str, field: str) -> str | None:
    """The beginning of a token's subject, without the part that names the environment. No wildcards."""
    if _matches(SUB_CLAIM_PREFIX_PATTERN, value):
        return None
    rule = "must be what GitHub's API answers: repo:organisation@id/repository@id, without wildcards"
    return fault(field, value, rule, "repo:example-organisation@1234567/digit-scoring@7654321")


def check_issuer(value: str, field: str) -> str | None:
    """The address that signs the tokens of a service connection; empty while there is none."""
    if _matches(ISSUER_PATTERN, value):
        return None
    rule = "must be the issuer that the service connection's page shows, an https address"
    return fault(field, value, rule, "https://login.microsoftonline.com/3f2504e0-4f89-41d3-9a0c-0305e82c3301/v2.0")


def check_service_connection_subject(value: str, field: str) -> str | None:
    """The subject of a service connection, exactly as its page shows it; empty while there is none."""
    if value == "" or (value.isprintable() and not re.search(r"[\s*?]", value) and len(value) <= 600):
        return None
    rule = "must be the subject identifier that the service connection's page shows, without wildcards"
    return fault(field, value, rule, "sc://example-organisation/analytics/digit-scoring-dev")


def check_vm_size(value: str, field: str) -> str | None:
    """The form of a VM size. Whether it exists is a warning of its own: Azure adds sizes faster than any table."""
    if _matches(VM_SIZE_PATTERN, value):
        return None
    close = vm_sizes.closest(value) or vm_sizes.closest(f"Standard_{value}")
    rule = "must be the full name of a VM size: family, cores, features, version"
    return fault(field, value, rule, close or "Standard_D4ds_v4")


def check_container(value: str, field: str) -> str | None:
    """The name of a container in a storage account."""
    if _matches(CONTAINER_PATTERN, value):
        return None
    return fault(field, value, "must be 3 to 63 lower-case letters, digits and single hyphens", "digit-scoring-raw")


def check_endpoint(value: str, field: str) -> str | None:
    """The logical name of an endpoint, as the project's files call it."""
    if _matches(ENDPOINT_PATTERN, value):
        return None
    rule = "must be 3 to 32 lower-case letters, digits and single hyphens, a letter first"
    return fault(field, value, rule, "image-scoring")


def check_lake_folder(value: str, field: str) -> str | None:
    """A folder inside a container: relative, without dots."""
    if _matches(LAKE_FOLDER_PATTERN, value) and len(value) <= 200:
        return None
    return fault(field, value, "must be a path of letters, digits, _ and -, with / between folders", "incoming")


def check_host(value: str, field: str) -> str | None:
    """The full name of a host, as a certificate has it; empty while there is none."""
    if _matches(HOST_PATTERN, value) and len(value) <= 253:
        return None
    rule = "must be a full host name in lower-case letters, without an address before or a path behind it"
    return fault(field, value, rule, "scoring.example.com")


def check_date(value: str, field: str) -> str | None:
    """A day."""
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return fault(field, value, "must be a day, written YYYY-MM-DD", "2027-06-30")
    return None if _matches(DATE_PATTERN, value) else fault(field, value, "must be written YYYY-MM-DD", "2027-06-30")


def check_budget_start(value: str, field: str) -> str | None:
    """The first day of a month, as Azure wants the start of a monthly budget."""
    rule = "must be the first day of a month, written YYYY-MM-DD"
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return fault(field, value, rule, "2026-12-01")
    return None if _matches(MONTH_START_PATTERN, value) else fault(field, value, rule, "2026-12-01")


def check_person(value: str, field: str = "person") -> str | None:
    """The name of a person's folder under notebooks/."""
    if not _matches(PERSON_PATTERN, value) or len(value) > 40:
        signs = "must be at most 40 lower-case letters, digits and single . _ -"
        rule = f"{signs}, a letter first, and no device name of Windows"
        return fault(field, value, rule, "sample")
    return None


def check_choice(value: str, field: str, choices: Collection[str]) -> str | None:
    """One of a closed set."""
    if value in choices:
        return None
    return _check_choice(value, field, choices, f"must be one of {', '.join(choices)}", next(iter(choices)))


def _check_choice(value: str, field: str, choices: Collection[str], rule: str, example: str) -> str:
    close = difflib.get_close_matches(value.lower().replace(" ", ""), list(choices), n=1)
    return fault(field, value, rule, close[0] if close else example)
