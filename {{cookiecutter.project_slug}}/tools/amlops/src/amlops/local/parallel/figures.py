"""What the report of a job tells, as data: logs/report.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amlops.local.parallel.advice import Advice, Measured, advise, percentile
from amlops.local.parallel.explain import arithmetic, budgets
from amlops.local.parallel.outcome import Outcome
from amlops.local.parallel.plan import ParallelPlan
from amlops.local.parallel.sizing import COLD_NODE_SECONDS, LAYOUTS, Costs, Simulated, cut, simulate
from amlops.local.parallel.timeline import Run, Times
from amlops.local.parallel.worklist import WorkList

Figures = dict[str, Any]
_SLOWEST = 10


def figures(plan: ParallelPlan, work: WorkList, outcome: Outcome, journal: Path) -> Figures:
    """The figures of a job that has ended.

    Returns: `workers` (throughput of each), `times`, `slowest` mini-batches, `budgets` and `arithmetic` of the counts,
        `advice` on the settings, `sizing` (see `sizing`); the last two are None when nothing was measured.
    """
    times = Times.read(journal, [len(batch.items) for batch in work.batches])
    counts: Figures = {
        "workers": _workers(times),
        "slowest": [],
        "times": None,
        "advice": None,
        "sizing": None,
        "arithmetic": arithmetic(outcome, plan.settings),
        "budgets": [asdict(budget) for budget in budgets(outcome, plan.settings)],
    }
    if not any(run.items for run in times.clean):
        return counts
    measured = Measured.of(times)
    count = min(max(1, len(plan.nodes)), len(work.batches))
    advice = advise(measured, plan.settings, work.items, len(work.batches), count)
    runs = [run.seconds for run in times.clean]
    return counts | {
        "slowest": _slowest(plan, work, times),
        "times": {
            "mini_batch_median": percentile(runs, 0.5),
            "mini_batch_p99": percentile(runs, 0.99),
            "mini_batch_longest": max(runs),
            "item_mean": measured.per_item,
            "call_fixed": measured.fixed,
            "overhead_per_mini_batch": measured.overhead,
            "worker_ready_after": times.ready_after,
        },
        "advice": asdict(advice),
        "sizing": _sizing(times, measured, advice, count),
    }


def _workers(times: Times) -> list[Figures]:
    starts = list(dict.fromkeys(worker.began for worker in times.workers))
    return [
        {
            "worker": worker.worker,
            "start": starts.index(worker.began) + 1,
            "mini_batches": len(worker.runs),
            "items": worker.items,
            "items_per_second": round(worker.items / worker.seconds, 3) if worker.seconds > 0 else 0.0,
            "busy": round(worker.busy, 4),
            "ready_after": round(worker.ready_after, 3),
        }
        for worker in sorted(times.workers, key=lambda each: (each.began, each.worker))
    ]


def _slowest(plan: ParallelPlan, work: WorkList, times: Times) -> list[Figures]:
    runs = {run.mini_batch: (run, worker.worker) for worker in times.workers for run in worker.runs if run.items}
    slowest = sorted(runs.values(), key=lambda each: each[0].seconds / each[0].items, reverse=True)[:_SLOWEST]
    return [
        {
            "first_item": plan.source.name(work.batches[run.mini_batch].items[0]),
            "items": run.items,
            "mini_batch": run.mini_batch,
            "seconds": run.seconds,
            "seconds_per_item": run.seconds / run.items,
            "attempts": run.attempts,
            "worker": worker,
        }
        for run, worker in slowest
    ]


def _sizing(times: Times, measured: Measured, advice: Advice, workers: int) -> Figures:
    last: dict[int, Run] = {run.mini_batch: run for worker in times.workers for run in worker.runs}
    runs = [last[index] for index in sorted(last)]
    costs = Costs(worker=times.ready_after, mini_batch=times.overhead_mean)
    as_run = [run.seconds for run in runs]
    suggested = cut(measured.item_seconds(runs), advice.size, measured.fixed)
    here = simulate(as_run, 1, workers, costs)
    rows = [_row(as_run, suggested, nodes, each, costs) for nodes, each in LAYOUTS]
    return {
        "this_job": {"workers": workers, "simulated_seconds": here.seconds},
        "cold_node_seconds": COLD_NODE_SECONDS,
        "costs": asdict(costs),
        "rows": rows,
    }


def _row(as_run: Sequence[float], suggested: Sequence[float], nodes: int, workers: int, costs: Costs) -> Figures:
    warm = simulate(as_run, nodes, workers, costs)
    other = simulate(suggested, nodes, workers, costs)
    cold = other.seconds + COLD_NODE_SECONDS
    return {
        "nodes": nodes,
        "workers": workers,
        "seconds": warm.seconds,
        "busy": _busy(warm),
        "seconds_suggested": other.seconds,
        "busy_suggested": _busy(other),
        "cold_seconds": cold,
        "cold_node_minutes": nodes * cold / 60,
        "cold_core_minutes": nodes * workers * cold / 60,
    }


def _busy(simulated: Simulated) -> float:
    return round(simulated.busy, 4)
