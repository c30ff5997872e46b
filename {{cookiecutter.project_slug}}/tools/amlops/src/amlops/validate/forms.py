"""The forms that a model deployment may have, brought into one.

Facts (azure-ai-ml 1.35.2): before `settings:` its keys stood at the root of the file. `load_batch_deployment`, the
client's public loader, still takes only that form, and files of that time have no `type`; Azure ML takes them as
model deployments with the same meaning. Two keys stay at the root beside `settings:`, where they have no effect.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from amlops.validate.fault import Fault, fault_at
from amlops.validate.schema.batch import DEFAULT_MINI_BATCH_SIZE, OLD_FORM_KEYS
from amlops.yamlfile import KeyPath, YamlFile


def current(document: YamlFile) -> tuple[YamlFile, list[Fault]]:
    """The deployment with `type` and `settings`, and a warning where the file has neither.

    Lines of keys that were moved stay those of the file.
    """
    data: dict[str, Any] = dict(document.data)
    keys = [key for key in OLD_FORM_KEYS if key in data]
    told: list[Fault] = []
    lines: dict[KeyPath, int] = dict(document.lines)
    if keys and "settings" not in data:
        data["settings"] = {"mini_batch_size": DEFAULT_MINI_BATCH_SIZE} | {key: data.pop(key) for key in keys}
        lines |= {("settings", *path): line for path, line in document.lines.items() if path and path[0] in keys}
        fix = f"put {', '.join(keys)} below 'settings:'"
        told.append(fault_at(document, "old-form", "settings stand at the root", fix, keys[0]))
    if "type" not in data:
        data["type"] = "model"
        told += [] if told else [fault_at(document, "old-form", "there is no 'type:'", "add 'type: model'")]
    return replace(document, data=data, lines=lines), told
