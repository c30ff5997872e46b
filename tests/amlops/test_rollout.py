"""`online-endpoint rollout` under load, with real servers: a deployment that is well, slow, failing, dying.

Whatever happens, also to the command, every request of the users is answered.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from amlops_support import LOCAL_YML, Result, SmallProject
from online_support import OnlineProject, online_project

from amlops.realtime.figures import LoadFigures
from amlops.realtime.load import Plan, measure
from amlops.workspace.online import ScoringTarget

pytestmark = pytest.mark.slow

_SCRIPT = """
import json, os, time
answered = 0

def init():
    pass

def run(raw_data):
    global answered
    answered += 1
    mode = os.environ["MODE"]
    if mode == "slow":
        time.sleep(2)
    if mode == "failing":
        raise ValueError("no such label")
    if mode == "dying" and answered > 8:
        os._exit(9)
    return {"mode": mode, "text": json.loads(raw_data)["text"]}
"""
_ROOM = ("--set", "request_settings.max_concurrent_requests_per_instance=50")
_LOOSE = ("--max-error-rate", "100", "--max-p95-ms", "60000")


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory, amlops_cache: Path) -> Iterator[OnlineProject]:
    files = SmallProject(tmp_path_factory.mktemp("rollout"), amlops_cache)
    files.write(".cloud/environments/local.yml", LOCAL_YML)
    with online_project(files) as made:
        files.write("code/score.py", _SCRIPT)
        files.write("requests.jsonl", '{"text": "a"}\n{"text": "b"}\n')
        deploy(made, "blue", "well", "--all-traffic")
        yield made


def deploy(online: OnlineProject, name: str, mode: str, *words: str) -> Any:
    """The deployment, made anew without traffic unless `words` say otherwise."""
    return online.deploy(name, "--set", f"environment_variables.MODE={mode}", *_ROOM, *words)


@contextmanager
def users(online: OnlineProject, rate: float = 20) -> Iterator[Callable[[], LoadFigures]]:
    """Requests at a fixed rate while the block runs; the function gives their figures after it."""
    target = ScoringTarget(online.address(), "", {"Authorization": f"Bearer {online.key()}"})
    stop, found = threading.Event(), []

    def send() -> None:
        while not stop.is_set():
            found.append(measure(target, [b'{"text": "user"}'], Plan.lasting(rate, 1, timeout=60)))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield lambda: _together(found)
    finally:
        stop.set()
        thread.join()


def _together(found: list[LoadFigures]) -> LoadFigures:
    statuses = sorted({status for one in found for status in one.statuses})
    assert (statuses, [one.errors for one in found if one.errors]) == (["200"], [])
    assert sum(one.sent for one in found) >= 20
    return found[-1]


def rollout(online: OnlineProject, *words: str) -> Result:
    return online.run("online-endpoint", "rollout", "-n", "digits", "--to", "green", *words)


def traffic(online: OnlineProject) -> dict[str, int]:
    """The shares above 0."""
    shares = online.amlops("online-endpoint", "show", "-n", "digits")["traffic"]
    return {name: share for name, share in shares.items() if share}


@pytest.fixture(autouse=True)
def all_to_blue(online: OnlineProject) -> Iterator[None]:
    yield
    shares = {**dict.fromkeys(traffic(online), 0), "blue": 100}
    words = " ".join(f"{name}={share}" for name, share in shares.items())
    online.amlops("online-endpoint", "update", "-n", "digits", "--traffic", words)


def test_a_good_deployment_gets_all_the_traffic(online: OnlineProject) -> None:
    deploy(online, "green", "well")
    online.files.write(
        "smoke.yml", "cases:\n- {request: {text: a}, expect: {mode: well}}\n- {request: {}, status: 500}\n"
    )
    words = ("--steps", "20,100", "--hold", "2", "--mirror", "50", "--smoke", "smoke.yml", "--max-p95-ms", "60000")
    with users(online) as figures:
        done = rollout(online, *words, "--max-error-rate", "50", "--requests", "requests.jsonl", "--rate", "20")
    figures()
    assert done.code == 0, done.err
    assert (done.json["status"], traffic(online)) == ("Completed", {"green": 100})
    assert [stage["stage"] for stage in done.json["stages"]] == ["smoke", "mirror 50 %", "20 %", "100 %"]
    last = done.json["stages"][-1]
    assert last["traffic_seen"]["requests"] >= 40 and last["probes_seen"]["requests"] >= 20
    assert "20 %: blue=80 green=20" in done.err
    again = rollout(online, *_LOOSE)
    assert (again.code, "has 100 % of the traffic already" in again.line) == (1, True)


@pytest.mark.parametrize(
    ("mode", "bounds", "reason"),
    [
        ("slow", ("--max-error-rate", "100", "--max-p95-ms", "1000"), "the bound is 1000 ms"),
        ("failing", ("--max-error-rate", "5", "--max-p95-ms", "60000"), "requests failed"),
        ("dying", ("--max-error-rate", "5", "--max-p95-ms", "60000"), "requests failed"),
    ],
)
def test_the_traffic_comes_back_and_no_request_is_lost(
    online: OnlineProject, mode: str, bounds: tuple[str, ...], reason: str
) -> None:
    deploy(online, "green", mode)
    probes = ("--requests", "requests.jsonl", "--rate", "20")
    with users(online) as figures:
        done = rollout(online, "--steps", "10,50", "--hold", "20", *bounds, *probes)
    figures()
    assert done.code == 3, done.err
    assert reason in done.err
    assert (done.json["status"], traffic(online)) == ("Returned", {"blue": 100})


def test_a_deployment_that_is_killed_with_all_the_traffic(online: OnlineProject) -> None:
    made = deploy(online, "green", "well")
    with users(online) as figures:
        process = _start(online, "--steps", "100", "--hold", "30", "--max-error-rate", "1", "--max-p95-ms", "60000")
        _wait_for(process, "100 %: blue=0 green=100")
        os.kill(made["instances"][0]["pid"], signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    figures()
    assert (process.returncode, traffic(online)) == (3, {"blue": 100}), err
    assert "requests failed (traffic)" in json.loads(out)["reason"]


def test_an_interrupted_command_puts_the_traffic_back(online: OnlineProject) -> None:
    deploy(online, "green", "well")
    process = _start(online, "--hold", "60", *_LOOSE)
    _wait_for(process, "10 %: blue=90 green=10")
    busy = rollout(online, *_LOOSE)
    assert "a rollout of 'digits' is going on" in busy.line
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["reason"], traffic(online)) == (3, "interrupted", {"blue": 100})


def test_what_a_killed_command_left_is_put_back_by_the_next(online: OnlineProject) -> None:
    deploy(online, "green", "well")
    process = _start(online, "--hold", "60", *_LOOSE)
    _wait_for(process, "10 %: blue=90 green=10")
    process.kill()
    process.communicate()
    assert traffic(online) == {"blue": 90, "green": 10}
    back = online.run("online-endpoint", "rollout", "-n", "digits", "--abort")
    assert (back.code, back.json["status"], traffic(online)) == (0, "Returned", {"blue": 100})
    nothing = online.run("online-endpoint", "rollout", "-n", "digits", "--abort")
    assert (nothing.code, "was left unfinished" in nothing.line) == (0, True)


def test_too_few_requests_are_no_proof(online: OnlineProject) -> None:
    deploy(online, "green", "well")
    done = rollout(online, "--hold", "1", *_LOOSE)
    assert (done.code, traffic(online)) == (3, {"blue": 100})
    assert "0 requests are too few to judge it" in done.err


def test_wrong_answers_of_a_smoke_test_leave_the_traffic_alone(online: OnlineProject) -> None:
    deploy(online, "green", "well")
    online.files.write("wrong.jsonl", '{"name": "one", "request": {"text": "a"}, "expect": {"text": "b"}}\n')
    done = rollout(online, "--smoke", "wrong.jsonl", *_LOOSE)
    assert (done.code, done.json["set"], traffic(online)) == (3, [], {"blue": 100})
    assert 'smoke test \'one\': answer.text: "a" must be "b"' in done.err
    smoke = online.run("online-deployment", "smoke", "-n", "green", "-e", "digits", "-f", "wrong.jsonl")
    assert (smoke.code, smoke.json[0]["passed"]) == (3, False)


def _start(online: OnlineProject, *words: str) -> subprocess.Popen[str]:
    return online.start("online-endpoint", "rollout", "-n", "digits", "--to", "green", *words)


def _wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stderr is not None
    end = time.monotonic() + 60
    while line not in (told := process.stderr.readline()):
        assert told and time.monotonic() < end, "it did not get there"
