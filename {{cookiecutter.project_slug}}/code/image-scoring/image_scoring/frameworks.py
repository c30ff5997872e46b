"""Frameworks that are not part of every installation: imported where used, and missed in one clear line."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from types import ModuleType

from image_scoring.steps import StepError


@dataclass(frozen=True)
class Framework:
    """A framework that is installed by itself.

    Attributes:
        name: what people call it.
        task: the word that installs it: `python tools/tasks.py frameworks TASK`.
        modules: what is imported of it.
    """

    name: str
    task: str
    modules: tuple[str, ...]

    def load(self) -> list[ModuleType]:
        """Import the modules.

        Raises:
            StepError: one is not installed.
        """
        packages = [name.partition(".")[0] for name in self.modules]
        missing = [name for name in packages if importlib.util.find_spec(name) is None]
        if missing:
            raise StepError(
                f"{self.name} is not installed in this Python environment (no module '{missing[0]}'); "
                f"install it: python tools/tasks.py frameworks {self.task}"
            )
        return [importlib.import_module(name) for name in self.modules]


PYTORCH = Framework("PyTorch", "pytorch", ("torch", "safetensors.torch"))
KERAS = Framework("Keras", "keras", ("tensorflow", "keras"))
