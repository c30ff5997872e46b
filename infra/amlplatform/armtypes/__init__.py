"""Microsoft's own types of the resources that the platform makes, and checks of request bodies against them.

`types.json.gz` is made by `python -m amlplatform.armtypes.build` from github.com/Azure/bicep-types-az (MIT, see
LICENSE).
"""

from __future__ import annotations
