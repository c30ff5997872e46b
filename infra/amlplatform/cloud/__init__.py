"""The offline Azure: one state behind two doors.

`state.py` keeps the documents, `resource_manager.py` behaves like Azure Resource Manager on top of it. The first door
is `provider.py`: the azure-native provider, for the real Pulumi engine. The second, Azure Resource Manager over HTTPS
for azure-ai-ml and azure-mgmt-*, belongs beside it and uses the same `ResourceManager`.

`engine.py` and `workplace.py` prepare what `amlplatform offline` runs; `language_host.py` runs Python programs for a
Pulumi CLI that has no language host of its own.
"""

from __future__ import annotations
