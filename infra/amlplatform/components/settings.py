"""What every component is told about the environment that it is part of."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from amlplatform.names import Names
from amlplatform.profiles import EnvironmentProfile, NetworkProfile
from amlplatform.regions import Region


@dataclass(frozen=True)
class Settings:
    """Names, profiles and tags of one environment."""

    names: Names
    profile: EnvironmentProfile
    network: NetworkProfile
    region: Region
    tags: dict[str, str]

    @property
    def location(self) -> str:
        return self.region.name

    def holds_data(self, parent: pulumi.Resource, more: pulumi.ResourceOptions | None = None) -> pulumi.ResourceOptions:
        """Options of a resource that holds data: where the profile says so, Pulumi refuses to delete or replace it."""
        options = pulumi.ResourceOptions(parent=parent, protect=self.profile.protect_data)
        return pulumi.ResourceOptions.merge(options, more)
