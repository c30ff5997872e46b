"""`mode:` of a data input: how its files come to the step in Azure, and what is done here.

Facts: Azure ML, "Access data in a job" (modes of inputs); the default is `ro_mount`. Where the words of a step, of the
pipeline's input and of the component differ, the step's count, then the pipeline's, then the component's.
"""

from __future__ import annotations

from collections.abc import Mapping

from amlops import bindings
from amlops.bindings import ParentInput
from amlops.jobspec.inputs import StepContext
from amlops.jobspec.model import InputSpec
from amlops.yamlfile import Section

DOWNLOAD = "download"
_IN_PLACE = "is read in place; in Azure a step cannot write into it"
EFFECTS: dict[str, str] = {
    "ro_mount": _IN_PLACE,
    "mount": _IN_PLACE,
    "rw_mount": "is read in place",
    DOWNLOAD: "is a copy of its own, which the step may change; the copy is gone when the step is done",
    "direct": "is the local path; in Azure it is the address",
    "eval_mount": "is the local path of the table; in Azure the rows are evaluated first",
    "eval_download": "is the local path of the table; in Azure the rows are evaluated first",
}


def input_modes(section: Section, specs: Mapping[str, InputSpec], context: StepContext) -> dict[str, str]:
    """The mode of every data input of a step that says one.

    Args:
        section: the step's `inputs`.

    Raises:
        UserError: a word that is no mode of an input.
    """
    found: dict[str, str] = {}
    for name, spec in specs.items():
        if spec.is_literal:
            continue
        value = section.get(name)
        given = value.get("mode") if isinstance(value, dict) else None
        mode = str(given or _of_pipeline(value, context) or spec.mode).lower()
        if given and mode not in EFFECTS:
            raise section.error(f"'{given}' is not a mode of an input; one of {', '.join(EFFECTS)}", name, "mode")
        if mode in EFFECTS:
            found[name] = mode
    return found


def _of_pipeline(value: object, context: StepContext) -> str:
    """The mode of the pipeline's input that a step's input is bound to."""
    text = value.get("path") if isinstance(value, dict) else value
    binding = bindings.parse(text) if isinstance(text, str) else None
    if not isinstance(binding, ParentInput) or binding.name not in context.parent:
        return ""
    return context.parent[binding.name].mode
