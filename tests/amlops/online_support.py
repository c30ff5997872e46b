"""What the tests of real-time endpoints share: a project with a small scoring script, and requests to its endpoints."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops_support import ROOT, SmallProject

sys.path.insert(0, str(ROOT / "tools"))
import envs

ENDPOINT = "name: digits\nauth_mode: key\n"
DEPLOYMENT = """
type: managed
name: blue
endpoint_name: digits
model: {path: model}
code_configuration: {code: code, scoring_script: score.py}
environment: {image: python:3.11}
instance_type: Standard_DS3_v2
instance_count: 1
"""
SCRIPT = """
import json, os, time
from azureml_inference_server_http.api.aml_response import AMLResponse

def init():
    if os.environ.get("BROKEN"):
        raise RuntimeError("no such model")

def run(raw_data):
    data = json.loads(raw_data)
    print("scored", data.get("text"), flush=True)
    if "sleep" in data:
        time.sleep(data["sleep"])
    if data.get("fail"):
        raise ValueError("a fault of the script")
    if data.get("die") and os.environ.get("COLOUR") == data["die"]:
        os._exit(9)
    if "text" not in data:
        return AMLResponse({"message": "text: is missing"}, 400, json_str=True)
    model = open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "word.txt")).read()
    return {"colour": os.environ.get("COLOUR"), "model": model, "text": data["text"]}
"""


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered."""

    status: int
    body: Any
    deployment: str | None
    unserved_by: str | None


@dataclass(frozen=True)
class OnlineProject:
    """A project with an endpoint's files."""

    files: SmallProject

    @property
    def folder(self) -> Path:
        return self.files.root / ".amlops" / "endpoints-online" / "digits"

    def amlops(self, *words: str) -> Any:
        """Run a command that ends well; what it printed."""
        result = self.run(*words)
        assert result.code == 0, result.err
        return result.json if result.out.strip() else None

    def run(self, *words: str) -> Any:
        return self.files.run(*words, AMLOPS_ONLINE_PYTHON=str(envs.online_python()))

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command, to be ended by the test."""
        return self.files.start(*words, AMLOPS_ONLINE_PYTHON=str(envs.online_python()))

    def deploy(self, name: str, *words: str, endpoint: str = "digits") -> Any:
        sets = ["--set", f"environment_variables.COLOUR={name}"]
        return self.amlops("online-deployment", "create", "-f", "blue.yml", "-n", name, "-e", endpoint, *sets, *words)

    def key(self) -> str:
        return self.amlops("online-endpoint", "get-credentials", "-n", "digits")["primaryKey"]

    def address(self) -> str:
        return self.amlops("online-endpoint", "show", "-n", "digits")["scoring_uri"]


def send(address: str, data: Any, key: str | None, deployment: str | None = None) -> Answer:
    """One request."""
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    if deployment is not None:
        headers["azureml-model-deployment"] = deployment
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(address, body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return _answer(answer)
    except urllib.error.HTTPError as error:
        return _answer(error)


def _answer(answer: Any) -> Answer:
    headers = answer.headers
    body = _parsed(answer.read())
    return Answer(answer.status, body, headers.get("azureml-model-deployment"), headers.get("x-amlops-unserved-by"))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


@contextmanager
def online_project(files: SmallProject) -> Iterator[OnlineProject]:
    """A project with the endpoint `digits`, which is deleted at the end."""
    files.write("endpoint.yml", ENDPOINT)
    files.write("blue.yml", DEPLOYMENT)
    files.write("code/score.py", SCRIPT)
    files.write("model/word.txt", "seven")
    project = OnlineProject(files)
    project.amlops("online-endpoint", "create", "-f", "endpoint.yml")
    try:
        yield project
    finally:
        project.run("online-endpoint", "delete", "-n", "digits", "--yes")
