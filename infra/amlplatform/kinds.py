"""What a file of a live project asks for: most are onboarding requests, the others say their kind."""

from __future__ import annotations

from pathlib import Path

from amlplatform import rules
from amlplatform.yamlfile import Document, YamlFault, read_yaml

KINDS = ("bootstrap", "shared")


def kind_of(path: Path) -> str:
    """One of KINDS, or "" for a request and for what cannot be read, which is told where it is read."""
    try:
        data = read_yaml(path).data
    except YamlFault:
        return ""
    kind = data.get("kind", "") if isinstance(data, dict) else ""
    return kind if kind in KINDS else ""


def fault_of_request(path: Path, document: Document) -> str | None:
    """The line for a file that says its kind where a request is wanted: requests have none."""
    if "kind" not in document.data:
        return None
    kind = document.data["kind"]
    if kind in KINDS:
        takers = "`amlplatform check` and `amlplatform plan` take it, `pulumi up` of its stack builds it"
        return f"{path}: is a file of kind {kind}, not a request; {takers}"
    rule = f"must be one of {', '.join(KINDS)}; a request has no such line"
    return f"{path.name}:{document.line_of(('kind',))}: {rules.fault('kind', kind, rule, KINDS[0])}"
