"""Rules that every environment is held against, over the bodies that Azure would be sent.

The same rules run in `amlplatform plan` and, as a CrossGuard policy pack, in `pulumi preview --policy-pack`. They
repeat on purpose what the programs promise and read nothing of `amlplatform.profiles`: whoever loosens a profile by
mistake must be told so.

`rule.py` says what a rule is, `rules/` has the rules by concern, `evaluate.py` runs them, `allowances.py` is how an
exception is made, `pack.py` is the door for the Pulumi engine.
"""

from __future__ import annotations
