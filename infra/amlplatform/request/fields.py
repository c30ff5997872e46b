"""What the models of a request share: the base class, rules as validators, and the types of common fields."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from amlplatform import rules
from amlplatform.regions import REGIONS
from amlplatform.request.faults import AT, rule_broken


class Part(BaseModel):
    """A part of a request. Unknown keys are faults, and nothing is converted: 4.0 is no whole number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def rule(check: Callable[..., str | None], **arguments: Any) -> AfterValidator:
    """Run one of the shared rules on a field. The field's path is filled in where the fault is reported."""

    def validate(value: Any) -> Any:
        message = check(value, **arguments, field=AT)
        if message:
            raise rule_broken(message)
        return value

    return AfterValidator(validate)


def iso_date(value: object) -> object:
    """YAML reads an unquoted 2026-12-01 as a date. Both spellings are meant the same."""
    return value.isoformat() if isinstance(value, datetime.date) else value


def no_boolean(value: object) -> object:
    """For Python true is 1. In YAML it is not."""
    return str(value).lower() if isinstance(value, bool) else value


def pattern(regular_expression: str, **more: Any) -> dict[str, Any]:
    """For `json_schema_extra`."""
    return {"pattern": regular_expression, **more}


Version = Annotated[Literal[1], BeforeValidator(no_boolean), Field(description="Version of this format", examples=[1])]
CostCentre = Annotated[
    str,
    rule(rules.check_cost_centre),
    Field(
        description="Where costs are charged; a tag on every resource",
        examples=["CC-1000"],
        json_schema_extra=pattern(rules.COST_CENTRE_PATTERN),
    ),
]
RegionName = Annotated[
    str,
    rule(rules.check_region),
    Field(description="Azure region", examples=["westeurope"], json_schema_extra={"enum": [*sorted(REGIONS)]}),
]
NameSuffix = Annotated[
    str,
    rule(rules.check_name_suffix),
    Field(json_schema_extra=pattern(rules.NAME_SUFFIX_PATTERN)),
]
VmSize = Annotated[
    str,
    rule(rules.check_vm_size),
    Field(description="Full name of the VM size", json_schema_extra=pattern(rules.VM_SIZE_PATTERN)),
]
ObjectId = Annotated[
    str,
    rule(rules.check_guid),
    Field(
        description="Object id of a person in Entra ID",
        examples=["3f2504e0-4f89-41d3-9a0c-0305e82c3301"],
        json_schema_extra=pattern(rules.GUID_PATTERN, **{"not": {"const": rules.NO_GUID}}),
    ),
]


def resource_id_field(kind: str, description: str, example: str = "") -> Any:
    """A field for the id of a resource that exists already; empty by default. `kind` is a key of rules.RESOURCE_IDS."""
    return Field(
        description=description,
        examples=[example or rules.RESOURCE_IDS[kind].example],
        json_schema_extra={"anyOf": [{"const": ""}, {"pattern": rules.RESOURCE_IDS[kind].pattern}]},
    )
