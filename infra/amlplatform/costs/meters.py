"""The meters of Azure's public price list that fixed costs are charged under.

Names as the Azure Retail Prices API spells them (learn.microsoft.com/rest/api/cost-management/retail-prices); its
filters mind the case.
"""

from __future__ import annotations

from dataclasses import dataclass

HOURS_A_MONTH = 730
"""What Azure's own calculator takes."""
GLOBAL = "Global"
"""The region of meters whose price is the same everywhere."""
_MONITOR = ("Azure Monitor", "Azure Monitor")
_UNITS_A_MONTH = {"1 Hour": HOURS_A_MONTH, "1/Day": 365 / 12, "1/Month": 1.0}


@dataclass(frozen=True)
class Meter:
    """One line of the price list. `region`: "" for that of the request; `size`: the VM size of a virtual machine."""

    key: str
    service: str
    product: str
    meter: str
    unit: str
    region: str = ""
    size: str = ""

    @property
    def units_a_month(self) -> float:
        """How often the unit is charged in a month for one piece that is always there."""
        return _UNITS_A_MONTH[self.unit]


METERS: dict[str, Meter] = {
    meter.key: meter
    for meter in (
        Meter("registry", "Container Registry", "Container Registry", "Premium Registry Unit", "1/Day"),
        Meter(
            "private-endpoint",
            "Virtual Network",
            "Virtual Network Private Link",
            "Standard Private Endpoint",
            "1 Hour",
            region=GLOBAL,
        ),
        Meter("instance-disk", "Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "1/Month"),
        *(
            # learn.microsoft.com, "Azure Monitor cost and usage", meters of alerts: a log is searched every so often.
            Meter(
                f"log-alert:PT{minutes}M",
                *_MONITOR,
                f"Alerts System Log Monitored at {minutes} Minute Frequency",
                "1/Month",
            )
            for minutes in (5, 15)
        ),
        Meter(
            "kubernetes-tier",
            "Azure Kubernetes Service",
            "Azure Kubernetes Service",
            "Standard Uptime SLA",
            "1 Hour",
        ),
        Meter("throughput-unit", "Event Hubs", "Event Hubs", "Standard Throughput Unit", "1 Hour"),
        Meter("streaming-unit", "Stream Analytics", "Stream Analytics", "Standard Streaming Unit", "1 Hour"),
        Meter(
            "sql-vcore",
            "SQL Database",
            "SQL Database Single/Elastic Pool General Purpose - Compute Gen5",
            "vCore",
            "1 Hour",
        ),
    )
}


def machine(size: str) -> Meter:
    """A Linux virtual machine of this size, paid as it is used. Product and meter are not asked for: the size is."""
    return Meter(f"machine:{size}", "Virtual Machines", "", "", "1 Hour", size=size)


def meter(key: str) -> Meter:
    """The meter of a fixed cost. Raises KeyError when there is none of this key."""
    kind, _, size = key.partition(":")
    return machine(size) if kind == "machine" and size else METERS[key]
