"""The shape of every kind of file: keys, types, allowed values, ranges.

One module per subject; `SHAPES` is the table of kinds.
"""

from __future__ import annotations

from amlops.validate.schema.shape import SchemaFault, schema_faults

__all__ = ["SchemaFault", "schema_faults"]
