"""What a file of a live project asks for: most are onboarding requests, the others say their kind."""

from __future__ import annotations

from pathlib import Path

from amlplatform.yamlfile import YamlFault, read_yaml

KINDS = ("bootstrap", "shared")


def kind_of(path: Path) -> str:
    """One of KINDS, or "" for a request and for what cannot be read, which is told where it is read."""
    try:
        data = read_yaml(path).data
    except YamlFault:
        return ""
    kind = data.get("kind", "") if isinstance(data, dict) else ""
    return kind if kind in KINDS else ""
