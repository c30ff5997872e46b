"""How a job of the offline Azure goes: it runs no code, so somebody has to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Course:
    """How a job will go.

    Attributes:
        looks: how often it is asked for before it has ended.
        end: Completed, Failed or Canceled.
        error: why it failed.
        failed_step: the step of a pipeline that failed; the others completed.
        logs: what it has logged at its end: path below its folder, text; of a step: `step:path`.
        outputs: what its outputs hold: path below its folder of artifacts, text.
    """

    looks: int = 2
    end: str = "Completed"
    error: str = ""
    failed_step: str = ""
    logs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
