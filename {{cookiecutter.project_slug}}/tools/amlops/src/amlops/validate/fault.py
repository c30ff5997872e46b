"""A fault in a file: where it is, which rule, what is wrong, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops.errors import UserError, shown
from amlops.validate.rules import RULES
from amlops.yamlfile import YamlFile, dotted


@dataclass(frozen=True)
class Fault:
    """One line of `amlops validate`. `line` counts from 1; 0 means the file as a whole."""

    file: Path
    line: int
    rule: str
    message: str
    fix: str

    @property
    def is_warning(self) -> bool:
        """True when the fault does not fail the run."""
        return RULES[self.rule].warning

    @property
    def sort_key(self) -> tuple[str, int, str, str]:
        """Faults are shown by file, line, rule."""
        return (self.file.as_posix(), self.line, self.rule, self.message)

    def __str__(self) -> str:
        place = f"{shown(self.file)}:{self.line}" if self.line else shown(self.file)
        return f"{place} {self.rule}{' (warning)' if self.is_warning else ''} {self.message}; {self.fix}"

    def as_record(self) -> dict[str, Any]:
        """For `-o json`."""
        return {
            "file": shown(self.file),
            "line": self.line,
            "rule": self.rule,
            "severity": "warning" if self.is_warning else "error",
            "message": self.message,
            "fix": self.fix,
        }


def fault_at(document: YamlFile, rule: str, message: str, fix: str, *keys: str | int) -> Fault:
    """A fault at a key of a file; the key stands in front of the message."""
    prefix = f"{dotted(keys)}: " if keys else ""
    return Fault(document.path, document.line(*keys) or 0, rule, f"{prefix}{message}", fix)


def fault_of(error: UserError, path: Path) -> Fault:
    """The fault that reading a file raised."""
    message, _, fix = error.message.partition("; ")
    return Fault(error.file or path, error.line or 0, "yaml", message, fix or "correct the file")
