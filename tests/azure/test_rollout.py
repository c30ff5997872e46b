"""A rollout in Azure: judged by own requests, by traffic and directly; the traffic goes back when they fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cloud_support import Cloud

pytestmark = pytest.mark.slow

_FOLDER = ".cloud/endpoints/image-scoring-online"
_NAME = "image-scoring-online"
_DEV = ("--env", "dev")
_BOUNDS = ("--to", "green", "--hold", "1", "--max-p95-ms", "60000", *_DEV)
_PROBES = ("--requests", "requests.jsonl", "--rate", "40")


def test_steps_and_return(cloud: Cloud) -> None:
    physical, kept = cloud.environment()["endpoints"][_NAME], _records(cloud)
    (cloud.project / "model-rollout").mkdir()
    (cloud.project / "model-rollout" / "model.txt").write_text("seven", encoding="utf-8")
    (cloud.project / "requests.jsonl").write_text('{"images": []}\n', encoding="utf-8")
    (cloud.project / "smoke.yml").write_text("cases:\n- {request: {}, expect: {deployment: green}}\n", encoding="utf-8")
    cloud.amlops("model", "create", "-n", "image-classifier", "-p", "model-rollout", *_DEV)
    cloud.amlops("online-endpoint", "create", "-f", f"{_FOLDER}/endpoint.yml", *_DEV)
    for words in (("--all-traffic",), ("--name", "green")):
        made = cloud.amlops("online-deployment", "create", "-f", f"{_FOLDER}/deployment.yml", *words, *_DEV)
        assert made.code == 0, made.err
    blind = cloud.amlops("online-endpoint", "rollout", "-n", _NAME, *_BOUNDS)
    assert (blind.code, "--requests: is needed here" in blind.line) == (1, True)
    steps = ("--steps", "50,100", "--mirror", "10", "--smoke", "smoke.yml")
    with cloud.behaving(failing_deployments=frozenset({"green"})):
        failed = cloud.amlops("online-endpoint", "rollout", "-n", _NAME, "--steps", "50", *_PROBES, *_BOUNDS)
    assert (failed.code, failed.json["status"]) == (3, "Returned"), failed.err
    assert "requests failed (probes); the bound is 1 %" in failed.err
    assert _traffic(cloud) == {"blue": 100}
    before = len(_changes(cloud, physical))
    done = cloud.amlops("online-endpoint", "rollout", "-n", _NAME, *steps, *_PROBES, *_BOUNDS)
    assert done.code == 0, done.err
    shares = [(one["traffic"], one.get("mirrorTraffic") or {}) for one in _changes(cloud, physical)[before:]]
    assert shares == [
        ({"blue": 100}, {"green": 10}),
        ({"blue": 50, "green": 50}, {}),
        ({"green": 100}, {}),  # azure-ai-ml leaves out a share of 0
    ]
    assert [stage["stage"] for stage in done.json["stages"]] == ["smoke", "mirror 10 %", "50 %", "100 %"]
    assert done.json["endpoint_name"] == physical
    key = cloud.amlops("online-endpoint", "get-credentials", "-n", _NAME, *_DEV).json["primaryKey"]
    records = [file.read_text() for file in _records(cloud) - kept]
    assert len(records) == 2 and not any(key in text for text in [*records, done.out, done.err])
    words = ("-n", "green", "-e", _NAME, "--requests", "requests.jsonl", "--rates", "5", "--duration", "1", *_DEV)
    stress = cloud.amlops("online-deployment", "stress", *words, "--max-p99-ms", "60000", "--warm-up", "0")
    assert (stress.code, stress.json["highest_rate_held"]) == (0, 5), stress.err
    assert (
        json.loads((cloud.project / stress.json["report"]).with_name("result.json").read_text())["environment"] == "dev"
    )
    tried = ("--requests", "requests.jsonl", "--rate", "5", "--max-p99-ms", "100", "--cpus", "1", *_DEV)
    profile = cloud.amlops("online-deployment", "profile", "-n", "green", "-e", _NAME, *tried)
    assert (profile.code, "a profile is taken on the laptop" in profile.line) == (1, True)
    assert cloud.amlops("online-endpoint", "delete", "-n", _NAME, "--yes", *_DEV).code == 0


def _records(cloud: Cloud) -> set[Path]:
    """The files of rollouts, also those that other tests of the project left."""
    return set((cloud.project / ".amlops" / "rollouts").rglob("*.json"))


def _changes(cloud: Cloud, endpoint: str) -> list[dict[str, Any]]:
    """The properties of the endpoint as they were sent."""
    puts = cloud.calls(("PUT",), f"onlineEndpoints/{endpoint}")
    return [call.body["properties"] for call in puts if call.path.lower().endswith(endpoint)]


def _traffic(cloud: Cloud) -> dict[str, int]:
    shares = cloud.amlops("online-endpoint", "show", "-n", _NAME, *_DEV).json["traffic"]
    return {name: share for name, share in shares.items() if share}
