"""`amlops online-endpoint` and `online-deployment` on the laptop, with real servers."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from amlops_support import SmallProject
from online_support import OnlineProject, online_project, send

pytestmark = pytest.mark.slow


@pytest.fixture
def online(project: SmallProject) -> Iterator[OnlineProject]:
    with online_project(project) as made:
        yield made


def eventually(what: Callable[[], bool]) -> None:
    """Wait for something that other processes do."""
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_blue_and_green(online: OnlineProject) -> None:
    address, key = online.address(), online.key()
    assert send(address, {"text": "a"}, key).status == 404
    made = online.deploy("blue", "--all-traffic")
    assert (made["state"], made["environment_variables"]) == ("running", {"COLOUR": "(not shown)"})
    answer = send(address, {"text": "a"}, key)
    assert (answer.status, answer.deployment) == (200, "blue")
    assert answer.body == {"colour": "blue", "model": "seven", "text": "a"}
    online.deploy("green")
    online.amlops("online-endpoint", "update", "-n", "digits", "--traffic", "blue=90 green=10")
    answered = Counter(send(address, {"text": "b"}, key).deployment for _ in range(50))
    assert answered == {"blue": 45, "green": 5}
    assert send(address, {"text": "c"}, key, "green").deployment == "green"
    assert send(address, {"text": "c"}, key, "red").status == 404
    refused = online.run("online-deployment", "delete", "-n", "green", "-e", "digits", "--yes")
    assert refused.code == 1
    assert "--name: 'green' has 10 % of traffic; take it away first" in refused.line
    online.amlops("online-endpoint", "update", "-n", "digits", "--traffic", "blue=100 green=0")
    online.amlops("online-endpoint", "update", "-n", "digits", "--mirror-traffic", "green=50")
    for number in range(4):
        assert send(address, {"text": f"copy-{number}"}, key).deployment == "blue"
    log = online.folder / "logs" / "deployment-green.log"
    eventually(lambda: log.read_text().count("scored copy-") == 2)
    online.amlops("online-endpoint", "update", "-n", "digits", "--mirror-traffic", "green=0")
    online.amlops("online-deployment", "delete", "-n", "green", "-e", "digits", "--yes")
    names = [one["name"] for one in online.amlops("online-deployment", "list", "-e", "digits")]
    assert names == ["blue"]


def test_what_an_endpoint_refuses(online: OnlineProject) -> None:
    address, key = online.address(), online.key()
    online.deploy("blue", "--all-traffic", "--set", "request_settings.request_timeout_ms=1500")
    assert send(address, {"text": "a"}, None).status == 401
    assert send(address, {"text": "a"}, key + "x").status == 401
    assert send(address.replace("/score", "/swagger.json"), None, key).body["swagger"] == "2.0"
    bad = send(address, {}, key)
    assert (bad.status, bad.body) == (400, {"message": "text: is missing"})
    assert send(address, {"fail": True}, key).status == 500
    assert send(address.replace("/score", "/"), None, None).status == 200
    online.files.write("request.json", "{}")
    invoked = online.run("online-endpoint", "invoke", "-n", "digits", "-r", "request.json")
    assert (invoked.code, invoked.line) == (1, "amlops: the endpoint 'digits' answered 400: text: is missing")
    logs = online.run("online-deployment", "get-logs", "-n", "blue", "-e", "digits", "-l", "500")
    assert "a fault of the script" in logs.out
    assert send(address, {"text": "a", "sleep": 3}, key).status == 408


def test_a_deployment_that_does_not_start_changes_nothing(online: OnlineProject) -> None:
    address, key = online.address(), online.key()
    online.deploy("blue", "--all-traffic")
    words = ("online-deployment", "update", "-n", "blue", "-e", "digits", "--set", "environment_variables.BROKEN=1")
    failed = online.run(*words)
    assert failed.code == 1
    assert "the server of 'blue' ended with exit code" in failed.line
    assert "no such model" in failed.line
    assert send(address, {"text": "a"}, key).body["colour"] == "blue"
    wrong = online.run("online-endpoint", "update", "-n", "digits", "--traffic", "blue=60")
    assert wrong.line == "amlops: traffic: sums to 60 and must sum to 100, or to 0 for none at all"
    assert online.amlops("online-endpoint", "show", "-n", "digits")["traffic"] == {"blue": 100}


def test_killed_processes_come_back(online: OnlineProject) -> None:
    address, key = online.address(), online.key()
    made = online.deploy("blue", "--all-traffic")
    os.kill(made["instances"][0]["pid"], signal.SIGKILL)
    eventually(
        lambda: (
            online.amlops("online-deployment", "show", "-n", "blue", "-e", "digits")["instances"][0]["restarts"] == 1
        )
    )
    eventually(lambda: send(address, {"text": "a"}, key).status == 200)
    pid = json.loads((online.folder / "router.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: online.amlops("online-endpoint", "show", "-n", "digits")["state"] == "stopped")
    online.files.write("request.json", '{"text": "again"}')
    answer = online.amlops("online-endpoint", "invoke", "-n", "digits", "-r", "request.json")
    assert answer["text"] == "again"
    assert (online.address(), online.key()) == (address, key)


def test_a_request_that_a_new_deployment_loses_is_given_to_the_old_one(online: OnlineProject) -> None:
    address, key = online.address(), online.key()
    online.deploy("blue", "--all-traffic")
    online.deploy("green")
    online.amlops("online-endpoint", "update", "-n", "digits", "--traffic", "blue=50 green=50", "--fallback")
    answers = [send(address, {"text": "a", "die": "green"}, key) for _ in range(6)]
    assert {(answer.status, answer.deployment) for answer in answers} == {(200, "blue")}
    assert {answer.unserved_by for answer in answers} == {"green", None}


def test_keys_are_in_one_file_that_only_their_owner_reads(online: OnlineProject) -> None:
    online.deploy("blue", "--all-traffic")
    address, key = online.address(), online.key()
    assert send(address, {"text": "a"}, key).status == 200
    assert send(address, {"fail": True}, key).status == 500
    holders = [file for file in _files(online.files.root) if key.encode() in file.read_bytes()]
    assert [file.name for file in holders] == ["credentials.json"]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]
