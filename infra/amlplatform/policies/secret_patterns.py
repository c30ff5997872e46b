"""What secrets look like. Only forms that nothing else has: a guess by randomness would also find names and ids."""

from __future__ import annotations

import re

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, flags))
    for kind, pattern, flags in (
        ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----", 0),
        ("a connection string", r"(AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)\s*=\s*[^;\s]", re.I),
        ("a shared access signature", r"[?&;]sig=[A-Za-z0-9%+/=]{20,}", re.I),
        # Keys of storage, Cosmos DB and Event Hubs: 64 or 32 bytes in base64.
        ("an account key", r"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{43}=)(?![A-Za-z0-9+/=])", 0),
        # Client secrets of Entra: learn.microsoft.com/purview/sit-defn-client-secret-api-key
        ("a client secret of Entra", r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}", 0),
        ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.", 0),
        ("a token of GitHub", r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})", 0),
        ("a token of Databricks", r"\bdapi[0-9a-f]{32}\b", 0),
        ("a token of Slack", r"\bxox[abprs]-[A-Za-z0-9-]{10,}", 0),
        ("a webhook with its secret", r"https://[^\s/]*(hooks\.slack\.com|webhook\.office\.com)/\S+", re.I),
        ("an address with a password", r"[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@", re.I),
    )
)
# A key whose name says that its value is secret. Names of Azure's own properties that only point at one are listed.
_NAMED = re.compile(r"(^|[._-]|[a-z])(password|passwd|pwd|secret|apikey|api_key|api-key|accesskey|token)$", re.I)
_POINTERS = frozenset({"sslsecret", "secretname", "keyvaultsecret"})


def secret_in(path: str, text: str) -> str | None:
    """The kind of secret that a text looks like, or None. `path`: where it stands, its last part is the key."""
    for kind, pattern in _PATTERNS:
        if pattern.search(text):
            return kind
    key = path.rpartition(".")[2]
    if text and text != key and key.lower() not in _POINTERS and _NAMED.search(key):
        return "a secret by its name"
    return None
