"""Azure regions (public cloud), as of 2026-11. Standard library only.

`zones`: the region has availability zones. `paired`: Azure copies geo-redundant storage to a partner region. Regions
opened since 2021 mostly have zones and no partner, so neither may be assumed. Sources: learn.microsoft.com, "List of
Azure regions" and "Azure Storage redundancy".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """What a region offers that a resource's settings depend on."""

    name: str
    display_name: str
    zones: bool
    paired: bool


_TABLE = """
australiacentral     | Australia Central    |       | paired
australiacentral2    | Australia Central 2  |       | paired
australiaeast        | Australia East       | zones | paired
australiasoutheast   | Australia Southeast  |       | paired
austriaeast          | Austria East         | zones |
belgiumcentral       | Belgium Central      | zones |
brazilsouth          | Brazil South         | zones | paired
brazilsoutheast      | Brazil Southeast     |       | paired
canadacentral        | Canada Central       | zones | paired
canadaeast           | Canada East          |       | paired
centralindia         | Central India        | zones | paired
centralus            | Central US           | zones | paired
chilecentral         | Chile Central        | zones |
eastasia             | East Asia            | zones | paired
eastus               | East US              | zones | paired
eastus2              | East US 2            | zones | paired
francecentral        | France Central       | zones | paired
francesouth          | France South         |       | paired
germanynorth         | Germany North        |       | paired
germanywestcentral   | Germany West Central | zones | paired
indonesiacentral     | Indonesia Central    | zones |
israelcentral        | Israel Central       | zones |
italynorth           | Italy North          | zones |
japaneast            | Japan East           | zones | paired
japanwest            | Japan West           | zones | paired
koreacentral         | Korea Central        | zones | paired
koreasouth           | Korea South          |       | paired
malaysiawest         | Malaysia West        | zones |
mexicocentral        | Mexico Central       | zones |
newzealandnorth      | New Zealand North    | zones |
northcentralus       | North Central US     |       | paired
northeurope          | North Europe         | zones | paired
norwayeast           | Norway East          | zones | paired
norwaywest           | Norway West          |       | paired
polandcentral        | Poland Central       | zones |
qatarcentral         | Qatar Central        | zones |
southafricanorth     | South Africa North   | zones | paired
southafricawest      | South Africa West    |       | paired
southcentralus       | South Central US     | zones | paired
southeastasia        | Southeast Asia       | zones | paired
southindia           | South India          |       | paired
spaincentral         | Spain Central        | zones |
swedencentral        | Sweden Central       | zones | paired
swedensouth          | Sweden South         |       | paired
switzerlandnorth     | Switzerland North    | zones | paired
switzerlandwest      | Switzerland West     |       | paired
uaecentral           | UAE Central          |       | paired
uaenorth             | UAE North            | zones | paired
uksouth              | UK South             | zones | paired
ukwest               | UK West              |       | paired
westcentralus        | West Central US      |       | paired
westeurope           | West Europe          | zones | paired
westindia            | West India           |       | paired
westus               | West US              |       | paired
westus2              | West US 2            | zones | paired
westus3              | West US 3            | zones | paired
"""


def _parse(line: str) -> Region:
    name, display_name, zones, paired = (cell.strip() for cell in line.split("|"))
    return Region(name, display_name, zones == "zones", paired == "paired")


REGIONS: dict[str, Region] = {region.name: region for region in map(_parse, _TABLE.strip().splitlines())}
