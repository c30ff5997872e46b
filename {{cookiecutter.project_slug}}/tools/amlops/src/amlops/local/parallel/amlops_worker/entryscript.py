"""The scoring script (entry script): loaded, looked at, called. Standard library only: workers import this.

Facts: Azure ML, "author scoring scripts for batch deployments" and "Use parallel jobs in pipelines": `init()` once per
process, `run(mini_batch)` with a list of file paths or a pandas DataFrame, an optional second parameter
`mini_batch_context`, an optional `shutdown()`.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

_OWN_FOLDER = str(Path(__file__).parent)


class ScriptError(Exception):
    """The scoring script does not keep the contract with Azure ML."""


@dataclass(frozen=True)
class MiniBatchContext:
    """Second argument of `run()` for scripts that take one, with the attributes of Azure ML's own.

    Attributes:
        partition_key_value: value of each of the `partition_keys`; empty without them.
    """

    minibatch_index: int
    partition_key_value: Mapping[str, Any] = field(default_factory=dict)


def load_script(script: Path, search_path: Sequence[str]) -> ModuleType:
    """Import the scoring script, with the folders of `search_path` importable from it."""
    sys.path[:0] = [folder for folder in search_path if folder not in sys.path]
    # The script's own name, so that what it defines can be imported again by processes that it starts. Where another
    # module has that name already (a script called json.py), the script must not take its place.
    name = script.stem if script.stem.isidentifier() and script.stem not in sys.modules else "entry_script"
    spec = importlib.util.spec_from_file_location(name, script)
    if spec is None or spec.loader is None:
        raise ScriptError(f"{script.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def script_arguments(script: str, logging_level: str, program_arguments: Sequence[str]) -> list[str]:
    """`sys.argv` of the script.

    Azure's runner passes options of its own, so a script that wants arguments must use `parse_known_args`.
    """
    return [script, "--logging_level", logging_level.upper(), *program_arguments]


class Script:
    """The functions of a scoring script."""

    def __init__(self, module: ModuleType) -> None:
        self._init = self._function(module, "init")
        self._run = self._function(module, "run")
        self._shutdown: Callable[[], object] | None = getattr(module, "shutdown", None)
        self._takes_context = takes_context(self._run)

    def init(self) -> None:
        """Call the script's `init()`."""
        self._init()

    def run(self, mini_batch: Any, context: MiniBatchContext) -> Any:
        """Call the script's `run()`."""
        if self._takes_context == "keyword":
            return self._run(mini_batch, mini_batch_context=context)
        return self._run(mini_batch, context) if self._takes_context else self._run(mini_batch)

    def shutdown(self) -> None:
        """Call the script's `shutdown()`, where it has one."""
        if callable(self._shutdown):
            self._shutdown()

    @staticmethod
    def _function(module: ModuleType, name: str) -> Callable[..., Any]:
        function = getattr(module, name, None)
        if not callable(function):
            example = "def init(): …" if name == "init" else "def run(mini_batch): …"
            raise ScriptError(f"the scoring script has no function {name}(); for example {example}")
        return function


def takes_context(run: Callable[..., Any]) -> str:
    """How `run` takes a mini-batch context: "keyword", "position", or "" when it takes the mini-batch only.

    Raises:
        ScriptError: `run` cannot be called with a mini-batch.
    """
    parameters = list(inspect.signature(run).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.name == "mini_batch_context" and p.kind != p.POSITIONAL_ONLY for p in parameters):
        return "keyword"
    if not positional and not any(p.kind == p.VAR_POSITIONAL for p in parameters):
        raise ScriptError("run() takes no argument; it is called with a list of file paths: def run(mini_batch): …")
    needed = [p for p in positional if p.default is p.empty]
    if len(needed) > 2:
        raise ScriptError(
            f"run() needs {len(needed)} arguments; Azure ML gives it the mini-batch and, if asked, mini_batch_context"
        )
    return "position" if len(needed) == 2 else ""


def described(error: BaseException) -> dict[str, str]:
    """An exception as type, message on one line, and the traceback from the scoring script on."""
    frames = error.__traceback__
    while frames is not None and _is_machinery(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    # Where nothing but our own frames is left the fault is in how the script is written, and the message says it all.
    lines = traceback.format_exception(type(error), error, frames)
    message = " ".join(str(error).split())
    if isinstance(error, SyntaxError) and error.filename:
        message = f"{Path(error.filename).name}, line {error.lineno}: {error.msg}"
    return {"type": type(error).__name__, "message": message, "traceback": "".join(lines)}


def _is_machinery(file: str) -> bool:
    """True for a frame of this package or of Python's import system."""
    return file.startswith((_OWN_FOLDER, "<frozen importlib"))
