"""The command line: `amlops NOUN VERB`. `main` is the console script."""

from __future__ import annotations

from amlops.cli.app import main

__all__ = ["main"]
