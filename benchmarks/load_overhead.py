"""What the load generator of stress tests and rollouts costs itself: how late it sends, what it adds to a latency.

    python benchmarks/load_overhead.py [--rates 100,500,1000,2000] [--seconds 5] [--output FILE]

The server is a process of its own that answers at once with a fixed text over plain sockets, so that nearly all that is
measured is the generator. The processor time is the generator's. Needs `.tools/envs/tests`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "{{cookiecutter.project_slug}}" / "tools" / "amlops" / "src"))
from amlops.realtime.load import Plan, measure  # noqa: E402
from amlops.workspace.online import ScoringTarget  # noqa: E402

_BODY = json.dumps({"text": "x" * 1000}).encode()
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class _AtOnce(asyncio.Protocol):
    """Answers each request; one that comes in several pieces, once it is whole."""

    def __init__(self) -> None:
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            head, _, body = data.partition(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            self._missing = int(length.partition(b":")[2]) - len(body)
        else:
            self._missing -= len(data)
        if self._missing <= 0:
            self._missing = 0
            self._transport.write(_ANSWER)  # pyright: ignore[reportAttributeAccessIssue]


async def serve() -> None:
    """Listen, print the port, and answer until killed."""
    server = await asyncio.get_running_loop().create_server(_AtOnce, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def one(target: ScoringTarget, rate: float, seconds: float) -> dict[str, Any]:
    """The figures of one rate, with the generator's processor time per request in microseconds."""
    plan = Plan.lasting(rate, seconds, warm_up_seconds=1)
    started = time.process_time()
    figures = measure(target, [_BODY], plan)
    used = (time.process_time() - started) / (plan.requests + plan.warm_up)
    return {**figures.record(), "cpu_us": round(used * 1e6)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="100,500,1000,2000")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve())
        return
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline().strip() if server.stdout else ""
        target = ScoringTarget(f"http://127.0.0.1:{port}/score", "", {"Authorization": "Bearer none"})
        rows = [one(target, float(rate), arguments.seconds) for rate in arguments.rates.split(",")]
        server.kill()
    print(f"{platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    print("| rate | sent/s | p50 ms | p99 ms | max ms | late ms (95 of 100) | kept | CPU µs a request |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    for row in rows:
        times = " | ".join(f"{row[key]:.2f}" for key in ("p50_ms", "p99_ms", "max_ms", "generator_late_ms"))
        kept = "yes" if row["generator_kept_rate"] else "no"
        print(f"| {row['asked_rate']:g} | {row['sent_rate']:.0f} | {times} | {kept} | {row['cpu_us']} |")
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
