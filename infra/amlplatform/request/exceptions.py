"""Access of people to an environment that people otherwise do not enter: a typed list, each entry with its reason."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from amlplatform import rules
from amlplatform.request.fields import Part, iso_date, pattern, rule
from amlplatform.roles import EXCEPTIONS


class AccessException(Part):
    """One group, one narrow purpose, one reason."""

    purpose: Annotated[
        str,
        rule(rules.check_choice, choices=tuple(EXCEPTIONS)),
        Field(
            description="What the access is for; each purpose has fixed roles: " + ", ".join(EXCEPTIONS),
            examples=["log-reader"],
            json_schema_extra={"enum": list(EXCEPTIONS)},
        ),
    ]
    group: Annotated[
        str,
        rule(rules.check_guid),
        Field(
            description="Object id of the Entra group",
            examples=["3f2504e0-4f89-41d3-9a0c-0305e82c3301"],
            json_schema_extra=pattern(rules.GUID_PATTERN, **{"not": {"const": rules.NO_GUID}}),
        ),
    ]
    reason: Annotated[
        str,
        rule(rules.check_reason),
        Field(
            description="Why, in one sentence that an auditor can read",
            examples=["On-call reads logs at night"],
            json_schema_extra={"minLength": 10, "maxLength": 200},
        ),
    ]
    until: Annotated[
        str,
        BeforeValidator(iso_date),
        rule(rules.check_date),
        Field(
            description="Last day; `check` warns when it has passed",
            examples=["2027-06-30"],
            json_schema_extra=pattern(rules.DATE_PATTERN, format="date"),
        ),
    ]
