"""How long one digit takes: a request over a connection that stays open, direct to the server and through the router.

    python benchmarks/realtime_latency.py [--requests 1000] [--output FILE]

A project is made with the default answers, a model is trained on its sample, and its online deployment is created with
one worker. Needs `.tools/envs/tests`; the servers' environment is made when it is missing.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from commands import make_project

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import envs  # noqa: E402

ENDPOINT = "image-scoring-online"
FOLDER = f".cloud/endpoints/{ENDPOINT}"


def amlops(project: Path, *words: str) -> Any:
    """What a command printed. Raises CalledProcessError."""
    variables = {**os.environ, "AMLOPS_ONLINE_PYTHON": str(envs.online_python())}
    command = [sys.executable, "-m", "amlops", *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=project, env=variables)
    return json.loads(done.stdout) if done.stdout.strip() else None


def latencies(address: str, headers: dict[str, str], body: bytes, number: int) -> list[float]:
    """Milliseconds of each request, sorted; after some that warm up. Raises RuntimeError for one that is refused."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    found = []
    for _ in range(number + 50):
        started = time.perf_counter()
        connection.request("POST", "/score", body, headers)
        answer = connection.getresponse()
        answer.read()
        found.append((time.perf_counter() - started) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"{address} answered {answer.status}")
    connection.close()
    return sorted(found[50:])


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95 and p99 of sorted values."""
    return {f"p{part}": round(values[min(len(values) - 1, len(values) * part // 100)], 2) for part in (50, 95, 99)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        amlops(project, "job", "create", "-f", "pipelines/image-scoring/train.yml")
        amlops(project, "online-endpoint", "create", "-f", f"{FOLDER}/endpoint.yml")
        try:
            words = ("-f", f"{FOLDER}/deployment.yml", "--all-traffic")
            made = amlops(project, "online-deployment", "create", *words)
            router = amlops(project, "online-endpoint", "show", "-n", ENDPOINT)["scoring_uri"]
            key = amlops(project, "online-endpoint", "get-credentials", "-n", ENDPOINT)["primaryKey"]
            images = sorted((project / "code").rglob("*.png")) or sorted(Path(project).rglob("*.png"))
            body = json.dumps({"images": [base64.b64encode(images[0].read_bytes()).decode()]}).encode()
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
            direct = made["instances"][0]["address"]
            results = {
                "direct": percentiles(latencies(direct, headers, body, chosen.requests)),
                "router": percentiles(latencies(router, headers, body, chosen.requests)),
            }
        finally:
            amlops(project, "online-endpoint", "delete", "-n", ENDPOINT, "--yes")
    text = json.dumps(results, indent=2)
    print(text)
    if chosen.output:
        chosen.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
