"""Real-time endpoints in Azure: the project's own files, with the names of dev, in the records of the laptop."""

from __future__ import annotations

import json

import pytest
from cloud_support import Cloud

pytestmark = pytest.mark.slow

_FOLDER = ".cloud/endpoints/image-scoring-online"
_NAME = "image-scoring-online"


def test_endpoint_and_deployment_are_made_shared_out_and_deleted(cloud: Cloud) -> None:
    physical = cloud.environment()["endpoints"][_NAME]
    dev = ("--env", "dev")
    made = cloud.amlops("online-endpoint", "create", "-f", f"{_FOLDER}/endpoint.yml", *dev)
    assert made.code == 0, made.err
    assert (made.json["name"], made.json["auth_mode"], made.json["traffic"]) == (physical, "key", {})
    (cloud.project / "model-online").mkdir()
    (cloud.project / "model-online" / "model.txt").write_text("seven", encoding="utf-8")
    model = cloud.amlops("model", "create", "-n", "image-classifier", "-p", "model-online", *dev)
    assert model.code == 0, model.err
    words = ("online-deployment", "create", "-f", f"{_FOLDER}/deployment.yml", "--all-traffic", *dev)
    deployed = cloud.amlops(*words)
    assert deployed.code == 0, deployed.err
    assert (deployed.json["name"], deployed.json["endpoint_name"]) == ("blue", physical)
    assert deployed.json["environment_variables"] == {"WORKER_COUNT": "(not shown)"}
    assert deployed.json["request_settings"]["request_timeout_ms"] == 5000
    shown = cloud.amlops("online-endpoint", "show", "-n", _NAME, *dev).json
    assert shown["traffic"] == {"blue": 100}
    refused = cloud.amlops("online-deployment", "delete", "-n", "blue", "-e", _NAME, "--yes", *dev)
    assert "--name: 'blue' has 100 % of traffic; take it away first" in refused.line
    (cloud.project / "request.json").write_text('{"images": []}', encoding="utf-8")
    answered = cloud.amlops("online-endpoint", "invoke", "-n", _NAME, "--request-file", "request.json", *dev)
    assert answered.code == 0 and answered.json["deployment"] == "blue", answered.err
    asked = ("--request-file", "request.json", "--deployment-name", "green")
    nobody = cloud.amlops("online-endpoint", "invoke", "-n", _NAME, *asked, *dev)
    assert nobody.code == 1 and "green" in nobody.line
    logs = cloud.amlops("online-deployment", "get-logs", "-n", "blue", "-e", _NAME, "--lines", "1", *dev)
    assert logs.code == 0 and "no model runs" in logs.out, logs.err
    keys = cloud.amlops("online-endpoint", "get-credentials", "-n", _NAME, *dev).json
    assert set(keys) == {"primaryKey", "secondaryKey"}
    change = ("online-deployment", "update", "-n", "blue", "-e", _NAME, "--set", "instance_count=2", *dev)
    assert cloud.amlops(*change).json["instance_count"] == 2
    tagged = cloud.amlops("online-endpoint", "update", "-n", _NAME, "--set", "tags.owner=anna", *dev).json
    assert (tagged["tags"], tagged["traffic"]) == ({"workload": "image-scoring", "owner": "anna"}, {"blue": 100})
    here = cloud.amlops("online-endpoint", "create", "-f", f"{_FOLDER}/endpoint.yml").json
    try:
        assert here.keys() == shown.keys()
    finally:
        cloud.amlops("online-endpoint", "delete", "-n", _NAME, "--yes")
    sent = json.dumps([one.body for one in cloud.calls()], default=str)
    assert keys["primaryKey"] not in sent
    assert cloud.amlops("online-endpoint", "delete", "-n", _NAME, "--yes", *dev).code == 0
    assert cloud.amlops("online-endpoint", "list", *dev).json == []
