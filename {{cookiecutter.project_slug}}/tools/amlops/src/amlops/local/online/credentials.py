"""The keys and tokens of an endpoint: in one file that only its owner can read, and nowhere else.

A token is `<time>.<signature>`: when it ends, in seconds since 1970, signed with a secret of the endpoint.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from amlops.errors import UserError

FILE = "credentials.json"
TOKEN_SECONDS = 3600
_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Credentials:
    """Secrets of one endpoint. `control` is what the command line shows to the endpoint's process."""

    primary_key: str = field(repr=False)
    secondary_key: str = field(repr=False)
    signing: str = field(repr=False)
    control: str = field(repr=False)

    @classmethod
    def make(cls, folder: Path) -> Credentials:
        """New ones, written; those that are there stay."""
        file = folder / FILE
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            names = ("primary_key", "secondary_key", "signing", "control")
            values = {name: secrets.token_urlsafe(32) for name in names}
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w") as stream:
                json.dump(values, stream)
        return cls.read(folder)

    @classmethod
    def read(cls, folder: Path) -> Credentials:
        """Those of an endpoint. Raises UserError when the file is gone or damaged."""
        try:
            return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise UserError(
                "there are no readable keys; delete the endpoint and create it again", file=folder / FILE
            ) from None

    def token(self) -> tuple[str, int]:
        """A token, and when it ends in seconds since 1970."""
        end = int(time.time()) + TOKEN_SECONDS
        return f"{end}.{self._signature(str(end))}", end

    def accepts(self, given: str, auth_mode: str) -> bool:
        """True for a key (auth_mode key) or a token that has not ended."""
        if auth_mode == "key":
            keys = (self.primary_key, self.secondary_key)
            return any(hmac.compare_digest(given.encode(), key.encode()) for key in keys)
        end, _, signature = given.partition(".")
        right = hmac.compare_digest(signature.encode(), self._signature(end).encode())
        return right and end.isdigit() and int(end) > time.time()

    def _signature(self, text: str) -> str:
        return hmac.new(self.signing.encode(), text.encode(), hashlib.sha256).hexdigest()
