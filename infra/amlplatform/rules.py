"""Rules of the fields that a person fills in, shared by the request, the template's questions and the commands.

Standard library only: the template's hooks import this module before anything is installed.

Each `check_…` function returns None when the value is fine, and otherwise one line that names the field, the value, the
rule and an example that works. `field` is the name that the person knows: a path in the request, or a question of the
template.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Collection

from amlplatform.regions import REGIONS

# Folders are named after both a product and a person, and Windows keeps these names for devices.
_NO_DEVICE = r"(?!(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$))"
PRODUCT_PATTERN = rf"^{_NO_DEVICE}[a-z][a-z0-9]*(-[a-z0-9]+)*$"
PRODUCT_LENGTH = (3, 24)
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
VM_SIZE_PATTERN = r"^Standard_[A-Z]+[0-9]+[A-Za-z0-9_-]*$"
PERSON_PATTERN = rf"^{_NO_DEVICE}[a-z][a-z0-9]*([-_.][a-z0-9]+)*$"
MONTH_START_PATTERN = r"^[0-9]{4}-[0-9]{2}-01$"
NO_GUID = "00000000-0000-0000-0000-000000000000"


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


def check_vm_size(value: str, field: str) -> str | None:
    """The form of a VM size. Whether it exists is a warning of its own: Azure adds sizes faster than any table."""
    if not _matches(VM_SIZE_PATTERN, value):
        return fault(field, value, "must be the full name of a VM size", "Standard_D4ds_v4")
    return None


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
