"""What the matrix is told about an environment from its request."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.reachability.model import Situation
from amlplatform.request import Environment, Request
from amlplatform.request.review import needed_subnets


def situation_of(request: Request, environment: str) -> Situation:
    """Who is there, and what the request leaves open."""
    asked = request.environments[environment]
    return Situation(
        people=request.profile(environment).people,
        runner=request.ci.runner,
        open_fields=tuple(_open_fields(request, asked)),
    )


def _open_fields(request: Request, asked: Environment) -> Iterator[str]:
    yield from (f"subnets.{name}" for name in needed_subnets(asked) if not getattr(asked.subnets, name))
    if asked.network_profile.private and request.ci.runner == "hosted":
        yield "ci.runner"
    if not asked.network_profile.private:
        # These let nobody in from the internet who is not named.
        for name in asked.options.asked:
            if getattr(getattr(asked.options, name), "addresses", None) == []:
                yield f"options.{name}.addresses"
