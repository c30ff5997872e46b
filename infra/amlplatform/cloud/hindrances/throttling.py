"""429 once in a while. The provider waits and tries again, as the real one does, so that nobody notices.

learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling.
"""

from __future__ import annotations

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.resource_manager import Call, Hindrance
from amlplatform.cloud.state import CloudState

_RETRY_AFTER_S = 0.1


def every(requests: int) -> Hindrance:
    """Each so-maniest request is refused."""

    def hindrance(call: Call, _state: CloudState) -> None:
        if call.number and call.number % requests == 0:
            subscription = call.arm_id.split("/")[2] if call.arm_id.count("/") > 1 else ""
            raise AzureError(
                429,
                "SubscriptionRequestsThrottled",
                f"Number of requests for subscription '{subscription}' and operation '{call.method}' exceeded the "
                "backend storage limit. Please try again after '1' seconds.",
                _RETRY_AFTER_S,
            )

    return hindrance
