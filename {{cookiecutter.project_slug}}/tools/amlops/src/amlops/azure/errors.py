"""What Azure and its SDKs say, in one line that tells who can change it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from amlops.errors import AmlopsError, UserError

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext


@contextmanager
def azure_errors(azure: AzureContext, what: str = "", *, file: Path | None = None) -> Iterator[None]:
    """Turn every exception of the SDKs into a UserError of one line. What they print goes to stderr.

    Args:
        what: the thing that is asked for, as it stands in a sentence: "model 'digits'".
        file: the file that it was read from.

    Raises:
        UserError
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except AmlopsError:
        raise
    except Exception as error:
        if not _is_of_azure(error):
            raise
        text = " ".join(str(getattr(error, "message", "") or error).split())
        raise UserError(f"--env {azure.environment.name}: {what or 'Azure'}: {text}", file=file) from error


def _is_of_azure(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in ("azure", "msrest", "marshmallow", "requests", "urllib3")
