"""The file that asks for the shared stack: `shared/<name>.yaml` of a live project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from amlplatform.names import Names
from amlplatform.request.fields import CostCentre, NameSuffix, Part, RegionName, Version
from amlplatform.request.load import read_model
from amlplatform.request.model import Owner


class Shared(Part):
    """What several products share."""

    version: Version
    kind: Annotated[Literal["shared"], Field(description="What this file asks for", examples=["shared"])]
    name_suffix: Annotated[
        NameSuffix,
        Field(
            description="Makes names unique in the whole of Azure; never changed",
            examples=["s4r7d"],
        ),
    ]
    owner: Owner
    cost_centre: CostCentre
    region: RegionName
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
