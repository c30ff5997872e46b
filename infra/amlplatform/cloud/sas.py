"""Shared access signatures for a blob container, as `startPendingUpload` hands them out.

learn.microsoft.com/rest/api/storageservices/create-service-sas: the fields of version 2020-12-06, in order.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import urllib.parse

_VERSION = "2020-12-06"
_RIGHTS = "racwl"


def container_url(account: str, container: str, key: str, lifetime: datetime.timedelta) -> str:
    """The address of a container with a signature that lets its holder read, add, create, write and list.

    `key`: of the account, base64.
    """
    expiry = (datetime.datetime.now(datetime.UTC) + lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = {"sp": _RIGHTS, "st": "", "se": expiry, "spr": "https", "sv": _VERSION, "sr": "c"}
    to_sign = [
        fields["sp"], fields["st"], expiry, f"/blob/{account}/{container}", "", "", "https", _VERSION, "c",
        *[""] * 7,
    ]  # fmt: skip
    digest = hmac.new(base64.b64decode(key), "\n".join(to_sign).encode(), hashlib.sha256).digest()
    query = {name: value for name, value in fields.items() if value} | {"sig": base64.b64encode(digest).decode()}
    return f"https://{account}.blob.core.windows.net/{container}?{urllib.parse.urlencode(query)}"
