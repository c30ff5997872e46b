"""Azure role-based access control: Microsoft's definitions of the roles that are used, and what they allow.

`roles.json` is a part of Microsoft's list of built-in roles (`build.py` packs it), `permissions.py` evaluates role
assignments as Resource Manager does, `conditions.py` their conditions.
"""

from __future__ import annotations
