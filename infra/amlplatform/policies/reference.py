"""The rules as a table for the docs, and what of other people's rules is not followed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from amlplatform.policies.bounds import KINDS, bounds_of
from amlplatform.policies.rule import Rule, Severity
from amlplatform.policies.rules import RULES

START, END = "<!-- policies: written by tools/generated.py -->\n", "<!-- end of policies -->\n"

NOT_FOLLOWED: dict[str, str] = {
    "CKV_AZURE_166 (registry quarantine)": "a quarantined image waits until a scanner releases it; without one, batch "
    "endpoints hang",
    "CKV_AZURE_103 (Data Factory with Git)": "an editor in prod is what CI is there to replace; dev may have it",
    "CKV_AZURE_8 (no Kubernetes dashboard)": "the add-on no longer exists in the versions that Azure offers",
    "CKV_AZURE_163 (scan of images)": "Defender for Containers is switched on for a subscription, not for a registry",
    "CKV_AZURE_43 (names of storage accounts)": "Microsoft's types check the name",
    "CKV_AZURE_41, CKV_AZURE_114 (expiry and type of secrets)": "the programs write no secrets into the vault",
    "CKV_AZURE_240, CKV2_AZURE_48 (keys of the customer)": "Azure's own keys; the organisation's are another decision, "
    "which rules out batch endpoints",
    "CKV_AZURE_242 (isolated Spark nodes)": "only for the largest node size, at its price",
    "CKV2_AZURE_46, CKV2_AZURE_51 to 54 (Synapse)": "Defender and assessments are switched on for a subscription; the "
    "dedicated SQL pool that they are about is not made",
    "DMZ Deny-MachineLearningCompute-VmSize": "which sizes a team gets is decided when its request is reviewed",
    "PSRule ACR.SoftDelete": "Azure has it in preview only, and not together with retention",
}
"""Rules of scanners and landing zones that are cited with a resource and not taken over, each with its reason."""

_MARKS = {Severity.MANDATORY: "stops", Severity.ADVISORY: "warns", Severity.DISABLED: "-"}


def with_tables(page: str) -> str:
    """The page with its generated part renewed."""
    before, _, rest = page.partition(START)
    return f"{before}{START}\n{markdown()}\n{END}{rest.partition(END)[2]}"


def markdown() -> str:
    """The tables: bounds, rules by concern, and what is not followed."""
    return "\n".join([*_bounds(), "", *_rules(), "", *_not_followed()])


def _bounds() -> Iterator[str]:
    labels = {
        "vault_retention": "days a deleted secret comes back",
        "blob_retention": "days a deleted blob comes back",
        "image_retention": "days an untagged image is kept",
        "log_retention": "days of logs",
        "cluster_idle": "seconds without work until a node goes, at most",
        "instance_idle": "seconds without use until a compute instance stops, at most",
        "spark_idle_minutes": "minutes without work until a Spark pool pauses, at most",
        "cluster_nodes": "nodes of a cluster, at most",
    }
    yield f"| what is accepted | {' | '.join(KINDS)} |"
    yield "| --- |" + " --- |" * len(KINDS)
    for name, label in labels.items():
        yield f"| {label} | {' | '.join(str(getattr(bounds_of(kind), name)) for kind in KINDS)} |"


def _rules() -> Iterator[str]:
    yield f"| rule | protects | {' | '.join(KINDS)} | from |"
    yield "| --- | --- |" + " --- |" * len(KINDS) + " --- |"
    for rule in RULES:
        marks = " | ".join(_MARKS[rule.severity[kind]] for kind in KINDS)
        yield f"| `{rule.name}` | {rule.protects} | {marks} | {_sources(rule)} |"


def _sources(rule: Rule) -> str:
    # An underscore or a bracket would be read as Markdown.
    return ", ".join(re.sub(r"([_\[\]|])", r"\\\1", source) for source in rule.sources)


def _not_followed() -> Iterator[str]:
    yield "| not followed | because |"
    yield "| --- | --- |"
    for name, reason in NOT_FOLLOWED.items():
        yield f"| {re.sub(r'_', chr(92) + '_', name)} | {reason} |"
