"""`from azureml_user.parallel_run import EntryScript`: logging and folders of the worker that the script runs in.

Facts: Azure ML, "Troubleshooting the ParallelRunStep": `logger` writes to
logs/user/entry_script_log/<node>/<process>.log.txt.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path


class EntryScript:
    """The worker's logger and folders. Every instance in a process is the same."""

    _instance: EntryScript | None = None

    def __new__(cls) -> EntryScript:
        """The one instance."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __init__(self) -> None:
        given = json.loads(os.environ.get("AMLOPS_ENTRY_SCRIPT", "{}"))
        here = os.getcwd()  # noqa: PTH109
        self.working_dir: str = given.get("working_dir", here)
        self.log_dir: str = given.get("log_dir", here)
        self.output_dir: str = given.get("output_dir", here)
        self.agent_name: str = given.get("agent_name", "process000")
        self.logger: logging.Logger = _logger(given.get("log_file"))


def _logger(file: str | None) -> logging.Logger:
    logger = logging.getLogger("azureml_user.entry_script")
    if file and not logger.handlers:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(file, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s|%(levelname)s|%(process)d|%(message)s"))
        logger.addHandler(handler)
        # Its level is that of the job, which the worker has given to the root logger.
        logger.propagate = False
    return logger
