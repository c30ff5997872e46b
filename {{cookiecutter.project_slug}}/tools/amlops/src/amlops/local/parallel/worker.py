"""One worker process of a batch job: loads the scoring script, calls `init()` once, then `run()` for each mini-batch it
is sent.

It is started as a file (`python -P worker.py`), not as a module: the standard library is all it imports, so that it
starts fast and nothing of amlops shadows the modules of the scoring script.

The parent and the worker talk in lines of JSON. Commands come on standard input:

    {"script": …, "search_path": […], "logging_level": …, "append_row": …}                 first line: the deployment
    {"mini_batch": 3, "attempt": 1, "items": ["/data/a.png", …], "part": "/…/3.1.part"}    one mini-batch
    {"shutdown": true}

Events go to what was standard output, before the script's own output is sent to a log file. The worker ends itself when
standard input closes: that is how it learns that the parent is gone, whatever killed it.

Semantics: Azure ML, "author scoring scripts for batch deployments" and the parallel job reference: `init()` once per
process, `run(mini_batch)` with a list of file paths, an optional second parameter `mini_batch_context`, an optional
`shutdown()`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import json
import logging
import os
import queue
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import IO, Any

Message = dict[str, Any]


class ScriptError(Exception):
    """The scoring script does not keep the contract with Azure ML."""


@dataclass(frozen=True)
class MiniBatchContext:
    """Second argument of `run()` for scripts that take one, with the attributes of Azure ML's own that concern
    files.
    """

    minibatch_index: int
    partition_key_value: Mapping[str, str] = field(default_factory=dict)


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
    spec.loader.exec_module(module)
    return module


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

    def run(self, items: list[str], context: MiniBatchContext) -> Any:
        """Call the script's `run()`."""
        if self._takes_context == "keyword":
            return self._run(items, mini_batch_context=context)
        return self._run(items, context) if self._takes_context else self._run(items)

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


def count_and_render(result: Any, *, render: bool) -> tuple[int, str]:
    """How many elements a result of `run()` has, and its text for the output file ("" without `render`).

    A list or tuple gives one line per element, `str(element)`. A DataFrame gives its rows separated by one space,
    without header and index, quoted where needed. Anything else is refused, as in Azure ML.

    Raises:
        ScriptError: `run()` returned something else.
    """
    if isinstance(result, list | tuple):
        return len(result), "".join(f"{element}\n" for element in result) if render else ""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(result, pandas.DataFrame):
        text = result.to_csv(sep=" ", header=False, index=False, lineterminator="\n") if render and len(result) else ""
        return len(result), text
    kind = type(result).__name__
    raise ScriptError(
        f"run() returned {kind}; Azure ML takes a list, a tuple or a pandas DataFrame with one element per item"
    )


def not_named(items: Sequence[str], text: str) -> list[str]:
    """The items whose file name does not stand in `text`, as far as words go: 1.png is not found in 11.png."""
    words = set(re.findall(r"[\w.-]+", text))
    return [item for item in items if not _is_named(Path(item).name, words, text)]


def _is_named(name: str, words: set[str], text: str) -> bool:
    """Whether the name is one of the words; one with spaces or signs in it is looked for in the text."""
    if re.fullmatch(r"[\w.-]+", name):
        return name in words
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text) is not None


def write_part(path: Path, text: str) -> None:
    """Write the rows of one mini-batch: a temporary name, then the final one, so that a part is whole or not there."""
    temporary = path.with_suffix(".tmp")
    # surrogateescape: file names that are not UTF-8 are written with the bytes they have on disk.
    temporary.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
    temporary.replace(path)


def described(error: BaseException) -> Message:
    """An exception for the parent: its type, its message on one line, and the traceback from the scoring script on."""
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
    """True for a frame of this file or of Python's import system."""
    return file == __file__ or file.startswith("<frozen importlib")


class Worker:
    """The loop of the process."""

    def __init__(self, commands: queue.SimpleQueue[Message], events: IO[str]) -> None:
        self._commands = commands
        self._events = events
        self._append_row = True

    def main(self) -> int:
        """Load, init, run until told to stop. Returns the exit code."""
        script = self._start(self._commands.get())
        if script is None:
            return 1
        while not (command := self._commands.get()).get("shutdown"):
            self._send(self._score(script, command))
        try:
            script.shutdown()
        except Exception:  # the results are safe by now: the log is where this belongs
            traceback.print_exc()
        return 0

    def _start(self, deployment: Message) -> Script | None:
        self._append_row = deployment["append_row"]
        level = deployment["logging_level"].upper()
        logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
        # Azure's runner passes options of its own, so a script that wants arguments must use parse_known_args.
        sys.argv = [deployment["script"], "--logging_level", level]
        started = time.perf_counter()
        try:
            script = Script(load_script(Path(deployment["script"]), deployment["search_path"]))
            script.init()
        except BaseException as error:  # a script may call sys.exit()
            traceback.print_exc()
            self._send({"event": "init_failed", "error": described(error), "seconds": time.perf_counter() - started})
            return None
        self._send({"event": "ready", "seconds": time.perf_counter() - started})
        return script

    def _score(self, script: Script, command: Message) -> Message:
        items: list[str] = command["items"]
        answer: Message = {"mini_batch": command["mini_batch"], "attempt": command["attempt"]}
        started = time.perf_counter()
        try:
            result = script.run(list(items), MiniBatchContext(command["mini_batch"]))
            seconds = time.perf_counter() - started
            returned, text = count_and_render(result, render=self._append_row)
            if self._append_row:
                write_part(Path(command["part"]), text)
            missing: list[str] = []
            if returned < len(items):
                missing = not_named(items, text or count_and_render(result, render=True)[1])
        except BaseException as error:
            traceback.print_exc()
            return {**answer, "event": "failed", "seconds": time.perf_counter() - started, "error": described(error)}
        return {**answer, "event": "done", "seconds": seconds, "returned": returned, "not_named": missing}

    def _send(self, message: Message) -> None:
        with contextlib.suppress(OSError, ValueError):  # a script may have closed it
            sys.stdout.flush()
        self._events.write(json.dumps(message) + "\n")
        self._events.flush()


def _read_commands(stream: IO[str], commands: queue.SimpleQueue[Message]) -> None:
    """Runs in a thread: hands on the parent's commands, and ends the process when the parent is gone."""
    for line in stream:
        commands.put(json.loads(line))
    _end_process_group()


def _end_process_group() -> None:
    """End this process and what it started, whatever the script is doing."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _take_standard_streams(output: Path) -> tuple[IO[str], IO[str]]:
    """Keep the pipes to the parent for ourselves, and give the script an empty input and a log file for its output."""
    commands = os.fdopen(os.dup(0), "r", encoding="utf-8")
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "rb") as empty, output.open("ab") as log:  # noqa: PTH123
        os.dup2(empty.fileno(), 0)
        os.dup2(log.fileno(), 1)
    return commands, events


def main(output: Path) -> int:
    """Run the worker; `output` is the file for what the script prints."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue]
    stream, events = _take_standard_streams(output)
    commands: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_read_commands, args=(stream, commands), daemon=True).start()
    return Worker(commands, events).main()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
