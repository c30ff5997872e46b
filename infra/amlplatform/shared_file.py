"""The file that asks for the shared stack: `shared/<name>.yaml` of a live project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from amlplatform import rules
from amlplatform.names import Names
from amlplatform.regions import REGIONS
from amlplatform.request.fields import Part, no_boolean, pattern, rule
from amlplatform.request.load import read_model
from amlplatform.request.model import Owner


class Shared(Part):
    """What several products share."""

    version: Annotated[
        Literal[1], BeforeValidator(no_boolean), Field(description="Version of this format", examples=[1])
    ]
    kind: Annotated[Literal["shared"], Field(description="What this file asks for", examples=["shared"])]
    name_suffix: Annotated[
        str,
        rule(rules.check_name_suffix),
        Field(
            description="Makes names unique in the whole of Azure; never changed",
            examples=["s4r7d"],
            json_schema_extra=pattern(rules.NAME_SUFFIX_PATTERN),
        ),
    ]
    owner: Owner
    cost_centre: Annotated[
        str,
        rule(rules.check_cost_centre),
        Field(description="Where costs are charged; a tag on every resource", examples=["CC-1000"]),
    ]
    region: Annotated[
        str,
        rule(rules.check_region),
        Field(description="Azure region", examples=["westeurope"], json_schema_extra={"enum": [*sorted(REGIONS)]}),
    ]
    public_network_access: Annotated[
        Literal["Enabled", "Disabled"],
        Field(
            description="Whether the registry is reached over the internet, after sign-in; Disabled: by private "
            "endpoints that the network's owner makes, and outbound rules of managed networks",
            examples=["Disabled"],
        ),
    ] = "Disabled"

    @property
    def stack(self) -> str:
        return "shared"

    @property
    def names(self) -> Names:
        return Names("shared", "ml", self.name_suffix)


def load_shared(path: Path) -> Shared:
    """Read and check a file. Raises RequestError with every fault, each in one line."""
    return read_model(path, Shared)
