"""What Azure fixes when a resource is made, and what a new resource in its place would lose.

One entry for each kind of resource that the platform makes. The guard of previews (`components/guard.py`), protection
of what holds data, `replace_on_changes`, the policies, the offline Azure and docs/platform.md all read this table.

Sources: "type: …" is the description in Microsoft's type file of the API version that is sent
(github.com/Azure/bicep-types-az); "learn: …" a page of learn.microsoft.com, by its title; "azurerm …" the page of that
resource of the Terraform provider, which says for each property whether a change makes a new resource; "azure-native:
replacement" is provider/pkg/gen/replacement.go of github.com/pulumi/pulumi-azure-native; "avm: …" a module of
github.com/Azure/bicep-registry-modules; the rest are issues.
"""

from __future__ import annotations

from amlplatform.fixed_properties.core import CORE
from amlplatform.fixed_properties.model import Change, Creation, Fixed, changes, facts, folded
from amlplatform.fixed_properties.options import OPTIONS

CREATIONS: dict[str, Creation] = {**CORE, **OPTIONS}
"""By ARM type."""

GUARD = "fixed-at-creation"
"""Name of the hook that refuses a change (`components/guard.py`)."""

HOLDS_DATA = frozenset(arm_type for arm_type, creation in CREATIONS.items() if creation.holds_data)
"""ARM types of what cannot be made anew from the program."""

# Name and place are fixed for every resource. They are no properties, so they stand here.
_ADDRESS = (Fixed("name", "learn: Resource naming"), Fixed("location", "learn: Move resources across regions"))

__all__ = [
    "CREATIONS",
    "GUARD",
    "HOLDS_DATA",
    "Change",
    "Creation",
    "Fixed",
    "changes",
    "facts",
    "folded",
    "guarded",
    "replaces",
]


def guarded(arm_type: str) -> tuple[Fixed, ...]:
    """What must stay on a resource of this type, its name and place among it. Empty where it may be replaced."""
    creation = CREATIONS.get(arm_type)
    return (*_ADDRESS, *creation.properties) if creation and creation.loses else ()


def replaces(arm_type: str) -> tuple[Fixed, ...]:
    """Properties whose change makes a new resource, where nothing is lost by that."""
    creation = CREATIONS.get(arm_type)
    return creation.properties if creation and not creation.loses else ()
