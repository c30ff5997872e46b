"""What connections to an endpoint need: whose certificates are trusted, and whether a proxy is used."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from amlops.workspace.online import ScoringTarget

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_this_machine(target: ScoringTarget) -> bool:
    """True for an address that no proxy must get."""
    return urlsplit(target.uri).hostname in _LOOPBACK


def tls_context(target: ScoringTarget) -> ssl.SSLContext | None:
    """The authorities that Azure's own clients trust: a company's file in REQUESTS_CA_BUNDLE, else the usual ones.

    None for an address without TLS: the usual authorities take a moment to load.
    """
    if urlsplit(target.uri).scheme != "https":
        return None
    file = os.environ.get("REQUESTS_CA_BUNDLE")
    context = ssl.create_default_context(cafile=file if file and Path(file).is_file() else None)
    if not target.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
