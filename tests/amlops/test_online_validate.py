"""`amlops validate` on real-time endpoints and deployments."""

from __future__ import annotations

import pytest
from amlops_support import SmallProject

DEPLOYMENT = """
type: managed
name: blue
endpoint_name: digits
model: azureml:digits@latest
code_configuration: {code: code, scoring_script: score.py}
environment: {image: python:3.11}
instance_type: Standard_DS2_v2
"""
SCRIPT = "def init():\n    pass\ndef run(raw_data):\n    return raw_data\n"


def faults(project: SmallProject) -> str:
    result = project.call("validate", "e.yml", "d.yml")
    return result.out + result.err


@pytest.fixture
def online(project: SmallProject) -> SmallProject:
    project.write("e.yml", "name: digits\nauth_mode: key\ntraffic: {blue: 100}\n")
    project.write("d.yml", DEPLOYMENT)
    project.write("code/score.py", SCRIPT)
    return project


def test_files_without_fault(online: SmallProject) -> None:
    assert online.call("validate", "e.yml", "d.yml").code == 0
    kubernetes = DEPLOYMENT.replace("managed", "kubernetes") + "resources: {limits: {cpu: '1', memory: 1Gi}}\n"
    online.write("d.yml", kubernetes)
    assert online.call("validate", "e.yml", "d.yml").code == 0


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("e.yml", "blue: 100", "blue: 90", "traffic: sums to 90 and must sum to 100"),
        ("e.yml", "blue: 100", "red: 100", "traffic.red: 'red' is not a deployment of 'digits'"),
        ("e.yml", "traffic: {blue: 100}", "mirror_traffic: {blue: 60}", "mirror_traffic.blue"),
        ("e.yml", "auth_mode: key", "auth_mode: password", "'password' is not allowed"),
        (
            "e.yml",
            "auth_mode: key",
            "$schema: https://azuremlschemas.azureedge.net/latest/kubernetesOnlineEndpoint.schema.json\n"
            "compute: azureml:k8s\nauth_mode: aad_token",
            "use key or aml_token",
        ),
        ("d.yml", "instance_type: Standard_DS2_v2", "instance_count: 1", "instance_type"),
        ("d.yml", "type: managed", "request_settings: {request_timeout_ms: 200000}", "request_timeout_ms"),
        ("d.yml", "type: managed", "liveness_probe: {period: 0}", "liveness_probe.period"),
        ("d.yml", "score.py", "other.py", "'other.py' is not in the code folder"),
        ("d.yml", "endpoint_name: digits", "endpoint_name: letters", "'letters' is not an online endpoint"),
        ("code/score.py", "raw_data):\n    return raw_data", "):\n    return 1", "run() must take one argument"),
        ("code/score.py", "def init():\n    pass\n", "", "there is no function init()"),
    ],
)
def test_a_fault_is_told(online: SmallProject, file: str, old: str, new: str, told: str) -> None:
    text = (online.root / file).read_text(encoding="utf-8")
    assert old in text
    online.write(file, text.replace(old, new))
    assert told in faults(online)
