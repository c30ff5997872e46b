"""A wait goes on over lost connections, and says when it gives up."""

from __future__ import annotations

import itertools

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError

from amlops.azure.waiting import LOST_AT_MOST_S, Patience, pauses
from amlops.errors import UserError

pytestmark = pytest.mark.slow


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def _patience(time: Time, told: list[str]) -> Patience:
    return Patience(told.append, "amlops job wait -n a", sleep=time.sleep, clock=time.clock)


def test_a_lost_connection_is_told_once_and_the_wait_goes_on() -> None:
    time, told = Time(), list[str]()
    answers = iter([ServiceRequestError("no"), ServiceRequestError("no"), ServiceRequestError("no"), "Completed"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise UserError("Azure was not reached") from answer
        return answer

    assert _patience(time, told).ask(ask) == "Completed"
    assert len(told) == 2 and "goes on" in told[0] and told[1] == "Azure is back"
    assert time.slept == sorted(time.slept) and len(time.slept) == 3


def test_what_asking_again_does_not_change_is_told_at_once() -> None:
    time, told = Time(), list[str]()

    def ask() -> str:
        raise UserError("there is no job 'a'") from ResourceNotFoundError("no")

    with pytest.raises(UserError, match="no job"):
        _patience(time, told).ask(ask)
    assert (time.slept, told) == ([], [])


def test_azure_out_of_reach_for_long_ends_the_wait_with_the_way_to_take_it_up() -> None:
    time, told = Time(), list[str]()

    def ask() -> str:
        error = HttpResponseError("Bad gateway")
        error.status_code = 502
        raise UserError("Azure has a fault of its own") from error

    with pytest.raises(UserError, match=r"30 minutes; the job goes on there: amlops job wait -n a"):
        _patience(time, told).ask(ask)
    assert LOST_AT_MOST_S < time.now < LOST_AT_MOST_S + 120


def test_looks_are_close_at_first_and_never_too_far() -> None:
    seconds = list(itertools.islice(pauses(), 40))
    assert sum(seconds[:3]) < 3 and seconds == sorted(seconds) and seconds[-1] <= 20
