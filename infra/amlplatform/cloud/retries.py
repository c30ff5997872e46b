"""What the provider tries again by itself, as pulumi-azure-native does (provider/pkg/azure/client_azcore.go).

Three more attempts after 408, 429 and errors of the server, and after the conflicts in `_CONFLICTS`. Everything else
reaches the person: see `amlplatform.passing_errors`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from amlplatform.cloud.clock import Clock
from amlplatform.cloud.errors import AzureError

Answer = TypeVar("Answer")

_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
# pulumi-azure-native#3653, #4765, #4693.
_CONFLICTS = frozenset({"AnotherOperationInProgress", "ConflictingConcurrentWriteNotAllowed", "TransientError"})
# The real one waits 20, 60 and 120 seconds, or what Azure says in Retry-After. Here a hundredth of that does.
_DELAYS_S = (0.2, 0.6, 1.2)


def is_tried_again(error: AzureError) -> bool:
    return error.status in _STATUSES or (error.status == 409 and error.code in _CONFLICTS)


def with_retries(request: Callable[[], Answer], clock: Clock) -> Answer:
    """The answer to `request`. Raises AzureError, when it is not one that passes or after the last attempt."""
    for delay_s in _DELAYS_S:
        try:
            return request()
        except AzureError as error:
            if not is_tried_again(error):
                raise
            clock.sleep(delay_s if error.retry_after_s is None else error.retry_after_s)
    return request()
