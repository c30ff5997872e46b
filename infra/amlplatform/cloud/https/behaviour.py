"""How slow and how reluctant the offline Azure answers over HTTPS: polls, pages, throttling, operations that fail."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https.course import Course
from amlplatform.cloud.https.tokens import LIFETIME_S


@dataclass
class Behaviour:
    """What a test may set, and a command by `control.py`.

    `polls`: how often a long-running operation is said to be in progress before it ends; 0: it has ended at once.
    `retry_after_s`: what clients are told to wait between polls. `page_size`: entries of one answer to a list, None:
    all. `token_lifetime_s`: of the tokens that are issued. `failing_deployments`: online deployments, by name, whose
    script fails at each request.
    """

    polls: int = 2
    retry_after_s: float = 0.1
    page_size: int | None = None
    token_lifetime_s: float = LIFETIME_S
    failing_deployments: frozenset[str] = frozenset()
    _courses: list[Course] = field(default_factory=list)
    _failures: list[tuple[str, AzureError]] = field(default_factory=list)
    _throttled: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def fail_next(self, arm_type: str, error: AzureError) -> None:
        """The next long-running operation on a resource of `arm_type` is accepted, and ends with `error`."""
        with self._lock:
            self._failures.append((arm_type.lower(), error))

    def next_job(self, course: Course) -> None:
        """How the next job that somebody looks at will go; see `Course`."""
        with self._lock:
            self._courses.append(course)

    def take_course(self) -> Course:
        """The course of a job that is looked at for the first time."""
        with self._lock:
            return self._courses.pop(0) if self._courses else Course()

    def take_failure(self, arm_type: str) -> AzureError | None:
        """How an operation that begins now is to fail; None: it is to succeed."""
        with self._lock:
            for planned in self._failures:
                if planned[0] == arm_type.lower():
                    self._failures.remove(planned)
                    return planned[1]
        return None

    def throttle_next(self, requests: int) -> None:
        """So many requests to Resource Manager are answered with 429."""
        with self._lock:
            self._throttled = requests

    def check_rate(self) -> None:
        """Raises AzureError (429) while requests are to be throttled."""
        with self._lock:
            if self._throttled <= 0:
                return
            self._throttled -= 1
        message = "The request is being throttled: the number of requests for the subscription exceeded the limit."
        raise AzureError(429, "SubscriptionRequestsThrottled", message)

    def wait(self) -> dict[str, str]:
        """The headers that tell a client how long to wait before its next poll.

        Whole seconds as Azure does; below one second by the header that the SDKs know too, since they take
        `Retry-After: 0` for none, and wait 30 seconds.
        """
        if self.retry_after_s >= 1:
            return {"Retry-After": str(round(self.retry_after_s))}
        return {"retry-after-ms": str(max(1, round(self.retry_after_s * 1000)))}
