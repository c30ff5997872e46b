"""What verbs print."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]
"""What a verb prints: values that JSON can hold, keys as `az ml` names them."""
