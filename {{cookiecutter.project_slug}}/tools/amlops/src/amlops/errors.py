"""The errors that a user sees, and the exit code of each.

A message is one line: the field, its value, the rule, an example that works. It is printed without a traceback.
"""

from __future__ import annotations

from pathlib import Path


class AmlopsError(Exception):
    """Base of every error that is shown as a message. `exit_code` is what the command line returns."""

    exit_code = 1


class UserError(AmlopsError):
    """The user's files or arguments are wrong.

    Args:
        message: one line, for example "inputs.rate: 'fast' is not a number; for example 0.1".
        file: the file at fault; shown in front of the message, relative to the current folder where possible.
        line: line in `file`, from 1.
    """

    exit_code = 1

    def __init__(self, message: str, *, file: Path | None = None, line: int | None = None) -> None:
        self.message = message
        self.file = file
        self.line = line
        super().__init__(message)

    def __str__(self) -> str:
        if self.file is None:
            return self.message
        place = shown(self.file) if self.line is None else f"{shown(self.file)}:{self.line}"
        return f"{place}: {self.message}"


class AzCommand(UserError):
    """Asked of an Azure environment: not done from here yet; `command` is the `az` command line that does it."""

    def __init__(self, message: str, command: str) -> None:
        super().__init__(message)
        self.command = command


class UsageError(AmlopsError):
    """The command line itself is wrong: an unknown verb or flag, two flags that exclude each other."""

    exit_code = 2


class JobFailed(AmlopsError):
    """A job ran and failed, or was canceled.

    Args:
        message: what failed and where its log lies; may have several lines.
        record: the job as `job show` prints it, so that the command line can still print it.
    """

    exit_code = 3

    def __init__(self, message: str, record: dict[str, object] | None = None) -> None:
        self.record = record
        super().__init__(message)


def shown(path: Path) -> str:
    """The path as a user would type it: relative to the current folder when it lies below it, with forward slashes."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix() or "."
    except (ValueError, OSError):
        return path.as_posix()
