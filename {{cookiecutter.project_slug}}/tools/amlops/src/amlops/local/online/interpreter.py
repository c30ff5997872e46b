"""The Python that real-time deployments run in: an environment of its own, which has the inference server."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from amlops.errors import UserError

VARIABLE = "AMLOPS_ONLINE_PYTHON"
FOLDER = ".venv-online"
SERVER = "azureml_inference_server_http"


def online_python(root: Path) -> str:
    """AMLOPS_ONLINE_PYTHON, else `.venv-online` of the project, else this interpreter if it has the server.

    Raises:
        UserError: none of them is there.
    """
    given = os.environ.get(VARIABLE)
    if given:
        if not Path(given).is_file():
            raise UserError(f"{VARIABLE}: '{given}' is not a file; give the interpreter of an environment")
        return given
    place = Path("Scripts/python.exe") if os.name == "nt" else Path("bin/python")
    own = root / FOLDER / place
    if own.is_file():
        return str(own)
    if importlib.util.find_spec(SERVER):
        return sys.executable
    raise UserError(f"{FOLDER}: is not there, and deployments run in it; python tools/tasks.py online makes it")
