"""The stack file of one environment, `Pulumi.<product>-<environment>.yaml`: one key of ours beside provider settings.

Pulumi and people write into the same file. Only lines of ours are added or changed; everything else stays byte for
byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from amlplatform.live.project import ProjectError, read_mapping

LOCATION = "azure-native:location"
SUBSCRIPTION = "azure-native:subscriptionId"
_COMMENT_START = f"# {SUBSCRIPTION} is not set; "
_HEADER = "# Made by `amlplatform onboard`. What is added here (provider settings, secrets) stays as it is.\n"


# `config` as a block of lines, up to the indent of its first key.
_CONFIG = re.compile(r"^config:[ ]*(?:#[^\n]*)?(?:\n|$)(?:[ ]*#[^\n]*\n)*(?P<indent>[ ]+(?=\S))?", re.MULTILINE)


class StackFileError(Exception):
    """Stack files that cannot be brought up to date. `faults` has one line for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Settings:
    """What a stack file says. `request` is a path relative to the live project.

    Without a subscription, Pulumi's azure-native provider takes ARM_SUBSCRIPTION_ID of the environment that it runs in,
    else the subscription of the login.
    """

    environment: str
    request_key: str
    request: str
    location: str
    subscription_id: str | None


def subscription_advice(environment: str) -> str:
    """What a missing subscription leads to, and how to give one."""
    return f"Pulumi takes ARM_SUBSCRIPTION_ID or the login's; give --subscription {environment}=GUID"


def has_subscription(text: str) -> bool:
    """Whether the content of a stack file, as `updated` returns it, says the subscription."""
    return bool((yaml.safe_load(text).get("config") or {}).get(SUBSCRIPTION))


def updated(path: Path, wanted: Settings) -> str:
    """The content that the file is to have. Raises StackFileError when what is there cannot be kept."""
    if not path.exists():
        return _new(wanted)
    try:
        config = read_mapping(path).get("config")
    except ProjectError as error:
        raise StackFileError([str(error)]) from None
    if not (config is None or isinstance(config, dict)):
        raise StackFileError([f"{path}: config: must be a mapping (key: value)"])
    settings = dict(config or {})
    there = settings.get(SUBSCRIPTION)
    if wanted.subscription_id and there and str(there).lower() != wanted.subscription_id.lower():
        rule = f"is {there!r} there, --subscription says {wanted.subscription_id!r}"
        raise StackFileError([f"{path}: {SUBSCRIPTION}: {rule}; change it in the file if that is meant"])
    lines = {wanted.request_key: wanted.request}
    if LOCATION not in settings:
        lines[LOCATION] = wanted.location
    if wanted.subscription_id and not there:
        lines[SUBSCRIPTION] = wanted.subscription_id
    text = path.read_text(encoding="utf-8")
    for key, value in lines.items():
        if settings.get(key) != value:
            text = _with_line(text, key, value)
            settings[key] = value
    if (yaml.safe_load(text) or {}).get("config") != settings:
        rows = "; ".join(f"{key}: {value}" for key, value in lines.items())
        raise StackFileError([f"{path}: config: is written in a form that is not changed here; add by hand: {rows}"])
    # People may have said it in their own words.
    return text if SUBSCRIPTION in text else _with_comment(text, _comment(wanted.environment))


def _comment(environment: str) -> str:
    return _COMMENT_START + subscription_advice(environment)


def _new(wanted: Settings) -> str:
    subscription = (
        f"{SUBSCRIPTION}: {wanted.subscription_id}" if wanted.subscription_id else _comment(wanted.environment)
    )
    rows = [f"{wanted.request_key}: {wanted.request}", f"{LOCATION}: {wanted.location}", subscription]
    return _HEADER + "config:\n" + "".join(f"  {row}\n" for row in rows)


def _with_line(text: str, key: str, value: str) -> str:
    """Set one key of `config`, in the place where it is, else as the first."""
    row = f"{key}: {value}"
    there = re.compile(rf"^(?P<indent>[ ]+)[\"']?{re.escape(key)}[\"']?[ ]*:[^\n]*$", re.MULTILINE)
    if there.search(text):
        return there.sub(lambda match: match["indent"] + row, text, count=1)
    comment = re.compile(rf"^(?P<indent>[ ]+){re.escape(_COMMENT_START)}[^\n]*$", re.MULTILINE)
    if key == SUBSCRIPTION and comment.search(text):
        return comment.sub(lambda match: match["indent"] + row, text, count=1)
    config = _CONFIG.search(text)
    if config is None:
        return f"{text.rstrip()}\nconfig:\n  {row}\n".lstrip()
    return _with_first_row(text, config, row)


def _with_comment(text: str, comment: str) -> str:
    """Add a comment to `config`; a file in which that is no block of lines stays as it is."""
    config = _CONFIG.search(text)
    return _with_first_row(text, config, comment) if config else text


def _with_first_row(text: str, config: re.Match[str], row: str) -> str:
    at = config.end() - len(config["indent"] or "")
    return f"{text[:at]}{config['indent'] or '  '}{row}\n{text[at:]}"
