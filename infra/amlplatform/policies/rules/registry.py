"""Container registries: pulled and pushed with identities, images kept, no way around a closed door."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.checks import between, each, equals, where
from amlplatform.policies.rule import EVERYWHERE, PROD, Context, Resource, ResourceRule, Rule
from amlplatform.policies.values import at, shown
from amlplatform.regions import REGIONS


def _zones(resource: Resource, _context: Context) -> Iterator[str]:
    region = REGIONS.get(str(at(resource.body, "location")))
    value = at(resource.body, "properties.zoneRedundancy")
    if region is not None and region.zones and value not in ("Enabled", UNKNOWN):
        yield f"properties.zoneRedundancy is {shown(value)}, and {region.name} has zones"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="registry-no-local-login",
        protects="Images are pushed and pulled with an identity and a role: no admin password, nobody anonymous",
        remedy="set adminUserEnabled and anonymousPullEnabled to false",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_137",
            "CKV_AZURE_138",
            "PSRule Azure.ACR.AdminUser",
            "PSRule AZR-000401",
        ),
        types=(arm.REGISTRY,),
        check=each(equals("properties.adminUserEnabled", False), equals("properties.anonymousPullEnabled", False)),
    ),
    ResourceRule(
        name="registry-premium",
        protects="Private endpoints, retention and zones: other tiers have none of them",
        remedy="take the tier Premium",
        severity=EVERYWHERE,
        sources=(
            "PSRule Azure.ACR.MinSku",
            "ACR container-registry-skus",
        ),
        types=(arm.REGISTRY,),
        check=equals("sku.name", "Premium"),
    ),
    ResourceRule(
        name="registry-keeps-images",
        protects="A rollback finds its image: also one that lost its tag, for a time; none waits for a scanner that is "
        "not there",
        remedy="turn the retention policy on, and quarantine off",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_167",
            "PSRule Azure.ACR.Retention",
        ),
        types=(arm.REGISTRY,),
        check=each(
            equals("properties.policies.retentionPolicy.status", "enabled"),
            between(
                "properties.policies.retentionPolicy.days", lambda bounds: bounds.image_retention, lambda _bounds: 365
            ),
            equals("properties.policies.quarantinePolicy.status", "disabled"),
        ),
    ),
    ResourceRule(
        name="registry-export-off-when-closed",
        protects="Images of a closed registry are not copied out through the export door",
        remedy="set the export policy to disabled",
        severity=EVERYWHERE,
        sources=("PSRule Azure.ACR.ExportPolicy",),
        types=(arm.REGISTRY,),
        check=each(
            where(
                "properties.publicNetworkAccess",
                "Disabled",
                then=equals("properties.policies.exportPolicy.status", "disabled"),
            ),
            equals("properties.policies.exportPolicy.status", "disabled", "enabled"),
            # Dedicated data endpoints are further public names of the registry; nothing here uses them.
            equals("properties.dataEndpointEnabled", False),
        ),
    ),
    ResourceRule(
        name="registry-zone-redundant",
        protects="Images can be pulled when one zone fails",
        remedy="set zoneRedundancy to Enabled; it is fixed when the registry is made",
        severity=PROD,
        sources=("CKV_AZURE_233",),
        types=(arm.REGISTRY,),
        check=_zones,
    ),
)
