"""What an environment's own identity may not make, once per subscription: see docs/bootstrap.md.

Resource groups, the identities that bring environments up and preview them, their credentials and roles, the store of
Pulumi's state and the key that encrypts its secrets. A person with rights runs this stack; environment stacks run under
what it made.
"""

from __future__ import annotations
