"""Promotion from dev to prod: the files arrive, an identity of dev may not bring them there."""

from __future__ import annotations

import pytest
from cloud_support import Cloud

pytestmark = pytest.mark.slow

_GATE = "model: promoted\nconditions:\n  - {metric: accuracy, comparison: '>=', threshold: 0.9}\n"
_MODEL = "name: promoted\npath: {}\nproperties: {{accuracy: '0.95'}}\n"


def test_the_same_version_goes_to_prod_and_back(cloud: Cloud) -> None:
    (cloud.project / ".cloud" / "gates" / "promoted.yml").write_text(_GATE, encoding="utf-8")
    for text in ("w1", "w2"):
        folder = cloud.project / f"made-{text}"
        folder.mkdir()
        (folder / "weights.txt").write_text(text, encoding="utf-8")
        (folder / "labels.txt").write_text("a b", encoding="utf-8")
        (cloud.project / "promoted.yml").write_text(_MODEL.format(folder.as_posix()), encoding="utf-8")
        made = cloud.amlops("model", "create", "-f", "promoted.yml", "--env", "dev")
        assert made.code == 0, made.err
    for version in ("1", "2"):
        words = ("model", "promote", "-n", "promoted", "-v", version, "--from", "dev", "--to", "prod")
        refused = cloud.amlops(*words, as_="id-digit-scoring-dev-deploy")
        assert refused.code == 1 and "prod" in refused.line, refused.err
        done = cloud.amlops(*words, "--reason", "ticket 42")
        assert done.code == 0, done.err
        assert done.json["copied"] is True
        assert done.json["promotion"]["from_workspace"] == cloud.environment("dev")["workspace"]
    copied = cloud.amlops("model", "download", "-n", "promoted", "-v", "2", "-p", "from-prod", "--env", "prod")
    assert copied.code == 0, copied.err
    assert (cloud.project / "from-prod" / "made-w2" / "weights.txt").read_text(encoding="utf-8") == "w2"
    back = cloud.amlops("model", "rollback", "-n", "promoted", "--env", "prod")
    assert back.code == 0, back.err
    assert (back.json["from_version"], back.json["to_version"]) == ("2", "1")
