"""One file per concern, each a Pulumi ComponentResource.

All follow the same rules: the type token is `amlplatform:<module>:<Name>`, children have `parent=self`, inputs are
typed arguments (no stack configuration is read here), outputs are attributes and registered last.
"""

from __future__ import annotations
