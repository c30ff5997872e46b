"""Options of the runner of parallel jobs, which stand among the script's own in `program_arguments`.

Azure ML, "Use parallel jobs in pipelines" and the parallel job YAML reference: the runner takes those that it knows, by
any unambiguous beginning (Microsoft's example has `--resource_monitor_interva`); the script gets all of them.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _number(low: float, high: float = math.inf, *, whole: bool = False) -> Callable[[str], float]:
    """A number in [low, high], both included."""

    def read(text: str) -> float:
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            kind = "whole number" if whole else "number"
            raise argparse.ArgumentTypeError(f"'{text}' is not a {kind}; for example {max(1, int(low))}") from None
        if not low <= value <= high:
            limit = f"at least {low:g}" if high == math.inf else f"{low:g} to {high:g}"
            raise argparse.ArgumentTypeError(f"'{text}' must be {limit}; for example {max(1, int(low))}")
        return value

    return read


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"'{text}' must be True or False")
    return text.lower() == "true"


# Option -> how its value is read. Those without a place in the settings of the laptop are read for their form only:
# there is no parent run in another place that logs and metrics could be copied to.
_OPTIONS: dict[str, Callable[[str], Any]] = {
    "error_threshold": _number(-1, 2**31 - 1, whole=True),
    "mini_batch_error_threshold": _number(-1, 2**31 - 1, whole=True),
    "allowed_failed_percent": _number(0, 100),
    "task_overhead_timeout": _number(1),
    "progress_update_timeout": _number(1),
    "first_task_creation_timeout": _number(1),
    "resource_monitor_interval": _number(0),
    "append_row_dataframe_header": _flag,
    "copy_logs_to_parent": _flag,
    "push_metrics_to_parent": _flag,
    "metrics_name_prefix": str,
}
WITHOUT_EFFECT = ("copy_logs_to_parent", "push_metrics_to_parent", "metrics_name_prefix")


def runner_options(words: Sequence[str]) -> dict[str, Any]:
    """The runner's options among `words`, by their names in the settings of a parallel job.

    Raises:
        ValueError: a value that the option cannot have; one line.
    """
    parser = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    for name, read in _OPTIONS.items():
        parser.add_argument(f"--{name}", type=read)
    try:
        found, _ = parser.parse_known_args(list(words))
    except argparse.ArgumentError as error:
        raise ValueError(str(error)) from None
    return {name: value for name, value in vars(found).items() if name not in WITHOUT_EFFECT}
