"""What remains to be done after a deployment because Resource Manager cannot: as scripts that a person or CI runs."""

from __future__ import annotations
