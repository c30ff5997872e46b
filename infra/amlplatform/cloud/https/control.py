"""How a command tells the door to be slow or reluctant: `PUT /offline/behaviour`.

    {"polls": 5, "retry_after_s": 1, "page_size": 2, "token_lifetime_s": 60, "throttle": 3,
     "fail": {"type": "Microsoft.MachineLearningServices/workspaces/computes", "code": "ClusterCoreQuotaReached"}}

What is left out stays as it is. `throttle`: so many requests are answered with 429. `fail`: the next long-running
operation on a resource of this type is accepted, and ends so; a "message" may be given too.
"""

from __future__ import annotations

from typing import Any

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response, invalid_content

_NUMBERS = {"polls": 0, "retry_after_s": 0, "page_size": 1, "token_lifetime_s": 1, "throttle": 0}
"""The settings that are numbers, with their least values."""
_WHOLE = frozenset({"polls", "page_size", "throttle"})


def behave(request: Request, azure: Azure) -> Response:
    """Raises AzureError (400) for a setting that there is not, or a value that it cannot have."""
    wishes = request.document()
    for name, value in wishes.items():
        _check(name, value)
    for name in _NUMBERS.keys() & wishes.keys() - {"throttle"}:
        setattr(azure.behaviour, name, wishes[name])
    if "throttle" in wishes:
        azure.behaviour.throttle_next(wishes["throttle"])
    if "fail" in wishes:
        failure = wishes["fail"]
        error = AzureError(409, failure["code"], failure.get("message", "The offline Azure was told to fail."))
        azure.behaviour.fail_next(failure["type"], error)
    return Response(200, wishes)


def _check(name: str, value: Any) -> None:
    if name in _NUMBERS:
        kinds = (int,) if name in _WHOLE else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or value < _NUMBERS[name]:
            kind = "a whole number" if name in _WHOLE else "a number"
            raise invalid_content(f"{name}: {value!r} must be {kind} of at least {_NUMBERS[name]}")
    elif name == "fail":
        texts = value.values() if isinstance(value, dict) else [None]
        if not all(isinstance(text, str) for text in texts) or not {"type", "code"} <= set(value):
            raise invalid_content(f'fail: {value!r} must be an object of texts with "type" and "code"')
    else:
        raise invalid_content(f"{name}: is none of {', '.join([*_NUMBERS, 'fail'])}")
