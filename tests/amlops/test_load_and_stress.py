"""The load generator against servers that are slow, full, failing or gone; smoke, stress and profile as commands."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from amlops_support import LOCAL_YML, SmallProject
from online_support import OnlineProject, online_project

from amlops.errors import UserError
from amlops.realtime import stress
from amlops.realtime.figures import LoadFigures, Sample, load_figures, percentile
from amlops.realtime.judging import Bounds, fault, from_counters, from_samples
from amlops.realtime.load import Plan, measure
from amlops.realtime.payloads import read_payloads
from amlops.realtime.shares import read_steps, with_share
from amlops.realtime.sizes import SIZES, instance_type, vm_size
from amlops.realtime.smoke import difference, read_cases
from amlops.workspace.online import ScoringTarget, Served
from amlplatform import vm_sizes

pytestmark = pytest.mark.slow

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextmanager
def server(handler: Handler) -> Iterator[ScoringTarget]:
    """A server on loopback in a thread of its own."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    ports: list[int] = []

    async def serve() -> web.AppRunner:
        application = web.Application()
        application.router.add_post("/score", handler)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        return runner

    def run() -> None:
        runner = loop.run_until_complete(serve())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        yield ScoringTarget(f"http://127.0.0.1:{ports[0]}/score", "", {"Authorization": "Bearer k"})
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def measured(target: ScoringTarget, payloads: Sequence[bytes], plan: Plan) -> LoadFigures:
    """`measure` in a thread: it takes away the main thread's event loop, which other tests of this process need."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(measure, target, payloads, plan).result()


def test_requests_leave_on_schedule_while_the_server_stands_still() -> None:
    inside, most = 0, 0
    bodies: set[bytes] = set()

    async def slow(request: web.Request) -> web.Response:
        nonlocal inside, most
        bodies.add(await request.read())
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(1)
        inside -= 1
        return web.json_response({})

    with server(slow) as target:
        figures = measured(target, [b"1", b"2"], Plan(rate=50, requests=50, warm_up=10))
    # One that waits for each answer would send one request a second, and never find two inside.
    assert (figures.sent, figures.answered, figures.errors) == (50, 50, {})
    assert most > 25
    assert (figures.p50_ms or 0) >= 1000
    assert bodies == {b"1", b"2"}


def test_waiting_counts_as_latency() -> None:
    async def one_at_a_time(request: web.Request) -> web.Response:
        async with turn:
            await asyncio.sleep(0.1)
        return web.json_response({})

    turn = asyncio.Lock()
    with server(one_at_a_time) as target:
        figures = measured(target, [b"{}"], Plan(rate=40, requests=40))
    assert (figures.p99_ms or 0) > 1500  # of 0.1 s of work each
    assert figures.achieved_rate < 15
    row = stress.judged(figures, stress.Rule(max_p99_ms=1000, max_error_rate=1))
    assert row["held"] is not True


def test_errors_by_kind() -> None:
    count = 0

    async def mixed(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        if count % 4 == 1:
            return web.json_response({}, status=429)
        if count % 4 == 2:
            await asyncio.sleep(30)
        if count % 4 == 3 and request.transport is not None:
            request.transport.close()
        return web.json_response({})

    with server(mixed) as target:
        figures = measured(target, [b"{}"], Plan(rate=20, requests=20, timeout=1))
    assert {"429", "timeout"} <= figures.errors.keys()
    assert any(kind.startswith("connection lost") for kind in figures.errors)
    assert sum(figures.errors.values()) == 15
    gone = measured(target, [b"{}"], Plan(rate=20, requests=4))
    assert (gone.answered, list(gone.errors)) == (0, ["not connected (connection refused)"])
    assert (gone.p50_ms, gone.error_rate) == (None, 100)


def test_figures() -> None:
    assert [percentile([1, 2, 3, 4], share) for share in (0.5, 0.75, 0.99)] == [2, 3, 4]
    late = [
        Sample(due=second / 10, sent=second / 10 + 0.5, ended=second / 10 + 0.6, status=200) for second in range(20)
    ]
    figures = load_figures(late, 10)
    assert (round(figures.p50_ms or 0), round(figures.generator_late_ms), figures.generator_kept_rate) == (
        600,
        500,
        False,
    )
    told = stress.judged(figures, stress.Rule(max_p99_ms=100, max_error_rate=1))
    assert told["held"] is None and "the load generator could not keep the rate (500 ms late)" in told["reason"]


def test_one_error_is_no_verdict_and_two_are() -> None:
    bounds = Bounds(max_error_rate=1, max_p95_ms=100)
    seen = [from_counters(Served(10, 0, {8.0: 10}), Served(40, errors, {8.0: 40})) for errors in (1, 2)]
    assert [fault(one, bounds, ended=False) for one in seen] == [
        None,
        "2 of 30 requests failed (traffic); the bound is 1 %",
    ]
    assert fault(seen[0], bounds, ended=True) == "1 of 30 requests failed (traffic); the bound is 1 %"
    samples = [
        Sample(0, 0, 0.01, 200, deployment="blue"),
        Sample(0, 0, 0.01, 200, deployment="blue", unserved_by="green"),
        Sample(0, 0, 0.02, 200, deployment="green"),
        Sample(0, 0, 0.03, error="timeout"),
        Sample(0, 0, 0.01, 500, deployment="blue"),
    ]
    own = from_samples(samples, [0.4], "green")
    assert (own.requests, own.errors, own.p99_ms) == (4, 2, 400)


def test_shares() -> None:
    assert with_share({"blue": 70, "red": 30}, "green", 10) == {"blue": 63, "red": 27, "green": 10}
    assert with_share({"a": 33, "b": 33, "green": 34}, "green", 49) == {"a": 26, "b": 25, "green": 49}
    assert read_steps("10, 50,100%") == (10, 50, 100)
    for wrong in ("", "50,10", "0,10", "10,101", "ten"):
        with pytest.raises(UserError, match="rising per cents"):
            read_steps(wrong)


def test_rates_and_what_prod_needs() -> None:
    assert list(islice(stress.read_rates(None, 50, 25, until_knee=True), 3)) == [50, 75, 100]
    assert list(stress.read_rates("50,100", None, None, until_knee=False)) == [50, 100]
    for wrong in ((None, None, None), ("50", 1.0, 1.0), ("100,50", None, None), ("-1", None, None), (None, 1.0, None)):
        with pytest.raises(UserError):
            stress.read_rates(*wrong, until_knee=True)
    prod = stress.scaled(200, 2, 5, 1000)
    assert prod is not None
    assert (prod["prod_rate_held"], prod["prod_rate_planned"], prod["prod_nodes_needed"]) == (500, 350, 15)
    assert "2 instance(s) held 200/s, 100/s each." in prod["statement"]


def test_sizes_are_those_that_the_platform_knows() -> None:
    known = [vm_sizes.find(size.name) for size in SIZES]
    assert [(one.vcpus, one.memory_gib) for one in known if one] == [(one.vcpus, one.memory_gib) for one in SIZES]
    found = [vm_size(cores, gib) for cores, gib in ((1, 0.5), (2, 2.0), (3, 8.0), (64, 1.0))]
    assert [size and size.name for size in found] == ["Standard_F2s_v2", "Standard_DS2_v2", "Standard_DS3_v2", None]
    resources = instance_type("green", 1, 0.3)["spec"]["resources"]
    assert resources["limits"] == {"cpu": "1", "memory": "512Mi"}


def test_comparison_of_answers() -> None:
    answer = {"predictions": [{"label": "7", "probability": 0.981}], "more": 1}
    assert difference({"predictions": [{"label": "7", "probability": 0.98}]}, answer, 0.01) is None
    assert difference({"predictions": [{"label": "1"}]}, answer, 0) == 'answer.predictions[0].label: "7" must be "1"'
    assert difference({"predictions": []}, answer, 0) is not None
    assert difference({"n": 1}, {"n": True}, 0) == "answer.n: true must be 1"
    assert difference({"n": None}, {}, 0) == "answer.n: is missing"


def test_files_of_requests(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"n": 2}\n\n{"n": 3}\n')
    (tmp_path / "a.json").write_text('{"n": 1}')
    (tmp_path / "notes.txt").write_text("no request")
    assert [json.loads(body)["n"] for body in read_payloads(tmp_path)] == [1, 2, 3]
    (tmp_path / "c.jsonl").write_text('{"n": 4}\nnot json\n')
    with pytest.raises(UserError, match="is not JSON") as error:
        read_payloads(tmp_path)
    assert error.value.line == 2
    with pytest.raises(UserError, match=r"--requests: .* is not there"):
        read_payloads(tmp_path / "none")
    cases = tmp_path / "smoke.yml"
    cases.write_text("cases:\n- {request: {}, statuss: 400}\n")
    with pytest.raises(UserError, match=r"cases\[0\].statuss: is not a key of a case"):
        read_cases(cases)


@pytest.fixture
def online(tmp_path_factory: pytest.TempPathFactory, amlops_cache: Path) -> Iterator[OnlineProject]:
    files = SmallProject(tmp_path_factory.mktemp("stress"), amlops_cache)
    files.write(".cloud/environments/local.yml", LOCAL_YML)
    with online_project(files) as made:
        made.deploy("blue", "--all-traffic")
        files.write("requests.jsonl", '{"text": "a"}\n')
        yield made


def test_stress_and_profile(online: OnlineProject) -> None:
    of = ("-n", "blue", "-e", "digits", "--requests", "requests.jsonl")
    online.files.write("slow.json", '{"text": "a", "sleep": 0.5}')
    rates = ("--rates", "5,10", "--duration", "2", "--warm-up", "1", "--max-p99-ms", "20000", "--prod-nodes", "3")
    done = online.run("online-deployment", "stress", *of, *rates)
    assert done.code == 0, done.err
    assert (done.json["highest_rate_held"], done.json["knee"], len(done.json["rates"])) == (10, None, 2)
    assert done.json["prod"]["prod_rate_held"] == 30
    page = (online.files.root / done.json["report"]).read_text()
    assert "<svg" in page and "10 requests per second held" in page and "http" not in page
    # Two at once are let in; more get 429.
    slow = ("-n", "blue", "-e", "digits", "--requests", "slow.json", "--start", "20", "--step", "20", "--until-knee")
    knee = online.run("online-deployment", "stress", *slow, "--duration", "2", "--warm-up", "0")
    assert (knee.code, knee.json["knee"], knee.json["highest_rate_held"], knee.json["prod"]) == (3, 20, None, None)
    assert "429" in knee.json["rates"][0]["errors"]
    tried = ("--workers", "1,2", "--cpus", "1", "--memory", "0.02,8", "--rate", "5", "--max-p99-ms", "20000")
    profile = online.run("online-deployment", "profile", *of, *tried, "--duration", "2", "--warm-up", "0")
    assert profile.code == 0, profile.err
    rows = {(row["workers"], row["address_space_gib"]): row for row in profile.json["tried"]}
    assert [rows[1, 0.02]["held"], rows[1, 8]["held"], len(rows)] == [False, True, 4]
    best = profile.json["recommended"]
    assert (best["environment_variables"]["WORKER_COUNT"], best["instance_type"]) == ("1", "Standard_F2s_v2")
    assert yaml.safe_load(best["kubernetes_instance_type"])["kind"] == "InstanceType"
    names = [one["name"] for one in online.amlops("online-deployment", "list", "-e", "digits")]
    assert names == ["blue"]
